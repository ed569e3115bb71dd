"""What a client is called where its key must not stand: in stores, statistics and logs."""

import hashlib

from config.schema import ClientKey
from config.secrets import SHORTEST_SHOWN_IN_PART


def identity_of(client: ClientKey) -> str:
    """SHA-256 of the client's key, in hex: tells clients apart, and gives no key away."""
    return hashlib.sha256(client.api.reveal().encode("utf-8", "surrogatepass")).hexdigest()


def short_name(client: ClientKey) -> str:
    """A client as a person finds it in api.yaml again: a short hash, and the last four characters of a long key."""
    key = client.api.reveal()
    return f"{identity_of(client)[:8]}…{key[-4:] if len(key) >= SHORTEST_SHOWN_IN_PART else ''}"
