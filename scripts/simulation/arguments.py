"""What the options of `scripts/simulate` take. ArgumentTypeError is what argparse shows beside the option."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable

from scripts.simulation.scenario import Outage, parse_outage


def number(lowest: float, highest: float) -> Callable[[str], float]:
    """A number between these, or one of them."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not lowest <= value <= highest:
            raise ArgumentTypeError(f"must be a number from {lowest:,} to {highest:,}")
        return value

    return read


def count(lowest: int) -> Callable[[str], int]:
    """A whole number that is not smaller."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < lowest:
            raise ArgumentTypeError(f"must be a whole number, {lowest} or more")
        return int(text)

    return read


def weights(text: str) -> tuple[int, ...]:
    """`5,3,2`."""
    return tuple(count(1)(weight.strip()) for weight in text.split(","))


def auto_retry(text: str) -> bool | int:
    """As `AUTO_RETRY` in an api.yaml."""
    if text in ("true", "false"):
        return text == "true"
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise ArgumentTypeError("must be true, false, or the number of attempts at most, from 1")


def outage(text: str) -> Outage:
    """`NAME=FROM-TO`."""
    try:
        return parse_outage(text)
    except ValueError:
        raise ArgumentTypeError("is written NAME=FROM-TO, in seconds, TO after FROM: p1=600-1200") from None
