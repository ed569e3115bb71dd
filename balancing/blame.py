"""What a failed attempt says about whom: the table of retries and cooldowns."""

from __future__ import annotations

from enum import Enum

from translators.errors import Kind


class Blame(Enum):
    """What is at fault. It cools down, and the request goes on without it."""

    CHANNEL = "channel"  # next: another candidate
    KEY = "key"  # next: another key of the channel
    REGION = "region"  # next: another region of the channel
    MATCH = "match"  # request and channel do not go together; nothing cools down, next: another candidate
    REQUEST = "request"  # nobody could serve it; nothing cools down, the client is told at once


BLAME = {
    Kind.CONNECT: Blame.CHANNEL,
    Kind.CLOSED: Blame.CHANNEL,
    Kind.TIMEOUT: Blame.CHANNEL,
    Kind.SERVER: Blame.CHANNEL,
    Kind.OVERLOADED: Blame.CHANNEL,
    Kind.EMPTY: Blame.CHANNEL,
    Kind.MALFORMED: Blame.CHANNEL,
    Kind.NOT_FOUND: Blame.CHANNEL,
    Kind.RATE_LIMIT: Blame.KEY,
    Kind.CREDENTIALS: Blame.KEY,
    Kind.TOO_LARGE: Blame.MATCH,
    Kind.UNSUITABLE: Blame.MATCH,
    Kind.INTERNAL: Blame.MATCH,
    Kind.BAD_REQUEST: Blame.REQUEST,
    Kind.BLOCKED: Blame.REQUEST,
}

REGIONAL = {Kind.NOT_FOUND, Kind.RATE_LIMIT}
"""Where a provider has regions, each has its own models and quotas."""


def blame_for(kind: Kind, *, has_regions: bool) -> Blame:
    """What is at fault for a failure of this kind."""
    return Blame.REGION if has_regions and kind in REGIONAL else BLAME[kind]
