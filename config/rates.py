"""Rate limits as people write them: `60/min`, or `2/s, 100/hour` for several at once."""

from __future__ import annotations

import re
from dataclasses import dataclass

UNLIMITED = "none"

UNITS = {
    1: ("s", "sec", "secs", "second", "seconds"),
    60: ("m", "min", "mins", "minute", "minutes"),
    3600: ("h", "hr", "hrs", "hour", "hours"),
    86_400: ("d", "day", "days"),
    30 * 86_400: ("mo", "mos", "month", "months"),
    365 * 86_400: ("y", "year", "years"),
}
SECONDS_IN = {name: seconds for seconds, names in UNITS.items() for name in names}
RATE = re.compile(r"\s*(?P<requests>[0-9]{1,12})\s*/\s*(?P<unit>[a-z]+)\s*")

WRITTEN_AS = "N/unit, as 60/min or 2/s,100/hour (units s, min, hour, day, month, year), or none"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many requests in any stretch of so many seconds."""

    requests: int
    seconds: int


def parse_rate_limit(text: str) -> tuple[Rate, ...]:
    """All the rates of a limit, which hold together; none for `none`. Raises ValueError.

    A month is 30 days and a year 365: windows slide, so the calendar has no say.
    """
    text = text.strip().lower()
    if text == UNLIMITED:
        return ()
    return tuple(_rate(part) for part in text.split(","))


def _rate(text: str) -> Rate:
    found = RATE.fullmatch(text)
    if found is None:
        raise ValueError(f"must be {WRITTEN_AS}")
    seconds = SECONDS_IN.get(found["unit"])
    if seconds is None or int(found["requests"]) < 1:
        raise ValueError(f"must be {WRITTEN_AS}")
    return Rate(int(found["requests"]), seconds)
