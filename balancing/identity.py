"""What a client is called where its key must not stand: in stores, statistics and logs."""

import hashlib
from functools import lru_cache

from config.schema import ClientKey
from config.secrets import Secret


@lru_cache(maxsize=4096)
def digest(key: Secret) -> str:
    """SHA-256 of a key, in hex: tells keys apart, and gives none away."""
    return hashlib.sha256(key.reveal().encode()).hexdigest()


def identity_of(client: ClientKey) -> str:
    """A client's name within this process."""
    return digest(client.api)


def short_name(client: ClientKey) -> str:
    """A client as a person finds it in api.yaml again: a short hash and the key's last four characters."""
    key = client.api.reveal()
    return f"{digest(client.api)[:8]}…{key[-4:] if len(key) >= 12 else ''}"
