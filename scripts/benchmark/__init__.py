"""How fast the gateway is, beside its upstream and beside plain mitmdump: `scripts/bench`."""
