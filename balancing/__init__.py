"""Who serves a request: candidates, their order, attempts, cooldowns. Clock and chance are injected."""
