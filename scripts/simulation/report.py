"""What a simulation found, for people."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from scripts.simulation.run import Outcome

MOST_SHOWN = 5
"""Attempt counts that have a figure of their own."""


def report(outcome: Outcome) -> str:
    """A few lines of text."""
    return "\n".join([*_summary(outcome), "", *_spread(outcome)])


def _summary(outcome: Outcome) -> Iterator[str]:
    served, requests = outcome.served.total(), outcome.requests
    attempts = sum(number * count for number, count in outcome.attempts.items())
    yield (
        f"{requests:,} requests, {len(outcome.channels):,} channels, {outcome.virtual_seconds / 3600:.1f} hours;"
        f" simulated in {outcome.real_seconds:.0f} s, {outcome.real_seconds / attempts * 1e6:.0f} µs for each attempt"
    )
    yield ""
    yield f"served      {served / requests:.3%}"
    yield f"not served  {outcome.impossible:,} when nothing that was left could have served them"
    yield f"            {outcome.given_up:,} for want of attempts or time, beside a channel that could have"
    shown = ", ".join(f"{number}: {outcome.attempts[number] / requests:.2%}" for number in range(1, MOST_SHOWN + 1))
    yield f"attempts    {attempts / requests:.3f} for each request ({shown}; at most {max(outcome.attempts)})"
    if outcome.waits:
        waits = sorted(outcome.waits)
        shown = ", ".join(f"p{percent} {waits[int(len(waits) * percent / 100)]:.1f} s" for percent in (50, 99))
        yield f"waiting     {shown}, at most {waits[-1]:.1f} s"
    yield f"cooling     {fmean(outcome.channels_cooling or [0]):.1%} of the channels at a time,"
    yield f"            {fmean(outcome.keys_cooling or [0]):.1%} of the keys"


def _spread(outcome: Outcome) -> Iterator[str]:
    """By weight, what its channels should have and what they had."""
    by_weight: dict[int | None, list[int]] = {}
    for channel, weight in zip(outcome.channels, outcome.weights, strict=True):
        by_weight.setdefault(weight, []).append(outcome.served[channel.key])
    all_weights = sum(weight or 0 for weight in outcome.weights)
    yield "weight  channels  by weight    served   one channel, least and most"
    for weight, counts in sorted(by_weight.items(), key=lambda item: -(item[0] or 0)):
        share = f"{(weight or 0) * len(counts) / all_weights:.2%}" if all_weights else "-"
        served = sum(counts) / max(1, outcome.served.total())
        name = str(weight) if weight is not None else "none"
        yield f"{name:<6}  {len(counts):>8,}  {share:>9}  {served:>8.2%}   {min(counts):,} … {max(counts):,}"
