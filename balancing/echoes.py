"""Secrets that a provider repeats in its answer, such as the key that it refuses: nobody is to see them there."""

from collections.abc import Mapping, Sequence

from balancing.call import Call
from config.secrets import mask, without_scheme

SHORTEST_KEY = 8
SHORTEST_HEADER = 16
"""Characters of a secret that is looked for: a shorter one may be any word of an answer."""
NO_SECRETS = ("anthropic-beta", "anthropic-version", "http-referer", "x-title", "user-agent")
"""Headers of the configuration whose values providers name in their errors, for people to read."""
REPEATED = b"(not kept: it repeats a secret of the gateway's)"


def secrets_of(call: Call) -> Sequence[str]:
    """All that went out with an attempt and is for its provider alone: its key, and the headers of the configuration.
    The longest come first, for one may be within another."""
    key = call.attempt.key.reveal() if call.attempt.key else ""
    values = (value for name, value in call.wire.credentials.items() if name not in NO_SECRETS)
    found = {secret for secret in map(without_scheme, values) if len(secret) >= SHORTEST_HEADER}
    if len(key) >= SHORTEST_KEY:
        found.add(key)
    return sorted(found, key=len, reverse=True)


def hidden(text: str, secrets: Sequence[str]) -> str:
    """The text, these secrets masked in it."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, mask(secret))
    return text


def hidden_bytes(data: bytes, secrets: Sequence[str]) -> bytes:
    """See `hidden`."""
    for secret in secrets:
        encoded = secret.encode("utf-8", "replace")
        if encoded in data:
            data = data.replace(encoded, mask(secret).encode())
    return data


def hidden_headers(headers: Mapping[str, str], secrets: Sequence[str]) -> dict[str, str]:
    """See `hidden`."""
    return {name: hidden(value, secrets) for name, value in headers.items()}


def hide_in_failure(call: Call) -> None:
    """Mask what the failed attempt's error, and the answer that is kept with it, repeat."""
    record = call.record
    error = record.error
    assert error
    secrets = secrets_of(call)
    said = (error.message, error.type, error.code, error.param)
    error.message = hidden(error.message, secrets)
    error.type = hidden(error.type, secrets)
    error.code = error.code and hidden(error.code, secrets)
    error.param = error.param and hidden(error.param, secrets)
    answer = hidden_bytes(record.answer, secrets)
    repeats = said != (error.message, error.type, error.code, error.param)
    # JSON can write a character in several ways; the words that were found come from this answer.
    record.answer = REPEATED if repeats and answer == record.answer else answer
