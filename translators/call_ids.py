"""Ids of calls that a provider sent without one."""

from hashlib import sha256
from typing import Any

from translators.jsontext import dumps


def made_call_id(*seed: Any) -> str:
    """An id that no other call of a conversation may have, and the same call the same: `seed` is JSON that tells it
    from all others, such as the answer's id, the call's number in it, its name and arguments."""
    return "call_" + sha256(dumps(seed)).hexdigest()[:24]
