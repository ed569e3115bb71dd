"""`scripts/simulate`: of providers that are made up, or of those in an api.yaml. Nothing is sent anywhere."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from config.clients import SCHEDULING_ALGORITHMS
from config.load import ConfigError, load_text
from config.schema import Config
from config.texts import FileText
from config.watch import ConfigSource
from scripts.simulation.arguments import auto_retry, count, number, outage, weights
from scripts.simulation.report import report
from scripts.simulation.run import Simulation
from scripts.simulation.scenario import Outage, Scenario

USUAL = Scenario()
PART = number(0, 1)
LONGEST = 1_000_000
"""Of all stretches of time, in seconds: eleven days."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulates and prints what came of it. The status for the shell."""
    options = _parser().parse_args(arguments)
    try:
        config, model = _config(options)
        _check_outages(options.outage_of, config)
        if options.client > len(config.client_keys):
            raise LookupError(f"api_keys has {len(config.client_keys)} entries, and no number {options.client}")
        simulation = Simulation(
            config, config.client_keys[options.client - 1], model, _scenario(options), options.timeout
        )
    except (ConfigError, LookupError) as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 2
    print(report(simulation.run()))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/simulate",
        description="Lets balancing serve a bad day's requests in virtual time. Nothing is sent anywhere.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    day = parser.add_argument_group("the day")
    day.add_argument("--requests", type=count(1), default=USUAL.requests)
    day.add_argument("--rate", type=number(0.001, 1_000_000), default=USUAL.rate, help="requests a second")
    day.add_argument("--down", type=PART, default=USUAL.down, help="part of the providers that is down at a time")
    day.add_argument(
        "--outage", type=number(1, LONGEST), default=USUAL.outage, help="how long each is down on average, in seconds"
    )
    day.add_argument(
        "--outage-of",
        type=outage,
        action="append",
        default=[],
        metavar="NAME=FROM-TO",
        help="a provider that is down then, in seconds, and at no other time; may be repeated",
    )
    day.add_argument("--hanging", type=PART, default=USUAL.hanging, help="part of the failures that are silence")
    day.add_argument("--dead-keys", type=PART, default=USUAL.dead_keys, help="part of the keys that are refused")
    day.add_argument(
        "--quota", type=count(0), default=USUAL.quota, help="requests a minute that a key has; 0: any number"
    )
    day.add_argument("--seed", type=int, default=USUAL.seed)
    real = parser.add_argument_group("the providers of an api.yaml")
    real.add_argument("--config", type=Path, help="the file; without it the providers are made up")
    real.add_argument("--model", default="m", help="what is asked for")
    real.add_argument("--client", type=count(1), default=1, help="which entry of api_keys asks")
    real.add_argument(
        "--timeout", type=number(0.001, LONGEST), default=100.0, help="seconds for models without a model_timeout"
    )
    made_up = parser.add_argument_group("providers that are made up (p1, p2 …)")
    made_up.add_argument("--providers", type=count(1), default=1000)
    made_up.add_argument("--keys", type=count(1), default=3, help="of each provider")
    made_up.add_argument("--weights", type=weights, default=(), help="of the providers in turn: 5,3,2")
    made_up.add_argument("--algorithm", choices=SCHEDULING_ALGORITHMS, default="weighted_round_robin")
    made_up.add_argument("--auto-retry", type=auto_retry, default=True, help="true, false or a number of attempts")
    made_up.add_argument("--cooldown", type=number(0, LONGEST), default=300.0, help="seconds")
    return parser


def _check_outages(outages: Sequence[Outage], config: Config) -> None:
    names = {provider.name for provider in config.providers}
    for outage_of in outages:
        if outage_of.provider not in names:
            raise LookupError(f"--outage-of {outage_of.provider}: no provider is called so")


def _scenario(options: argparse.Namespace) -> Scenario:
    return Scenario(
        requests=options.requests,
        rate=options.rate,
        down=options.down,
        outage=options.outage,
        outages=tuple(options.outage_of),
        hanging=options.hanging,
        dead_keys=options.dead_keys,
        quota=options.quota,
        seed=options.seed,
    )


def _config(options: argparse.Namespace) -> tuple[Config, str]:
    """The configuration, and the model to ask for."""
    if options.config is not None:
        file = FileText(options.config, str(options.config), asyncio.sleep)
        return ConfigSource(file, os.environ).load_file().config, options.model
    return load_text(json.dumps(_made_up(options)), "the command line", {}).config, "m"


def _made_up(options: argparse.Namespace) -> dict[str, object]:
    names = [f"p{place}" for place in range(1, options.providers + 1)]
    rules: list[object] = [f"{name}/*" for name in names]
    if options.weights:
        rules = [{f"{name}/*": options.weights[place % len(options.weights)]} for place, name in enumerate(names)]
    return {
        "providers": [
            {
                "provider": name,
                "base_url": f"https://{name}.example/v1",
                "api": [f"sk-{name}-{number}" for number in range(options.keys)],
                "model": ["m"],
            }
            for name in names
        ],
        "api_keys": [
            {
                "api": "sk-simulated",
                "model": rules,
                "preferences": {"SCHEDULING_ALGORITHM": options.algorithm, "AUTO_RETRY": options.auto_retry},
            }
        ],
        "preferences": {"cooldown_period": options.cooldown},
    }


if __name__ == "__main__":
    sys.exit(main())
