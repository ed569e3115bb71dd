"""Values of a kind that stand in more than one section."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from config.problems import listed
from config.rates import parse_rate_limit
from config.reader import Value
from config.secrets import Secret

HEADER_VALUE = re.compile(r"[\x20-\x7e]+")
"""Text as RFC 9110, section 5.5, recommends it for headers, without its tab."""
NOT_IN_A_URL = re.compile(r"[\s\x00-\x20\x7f]")


def read_url(value: Value, schemes: Collection[str]) -> str | None:
    """A URL with a scheme and a host. It may carry credentials, so no message shows it."""
    url = value.text()
    if url is None:
        return None
    allowed = listed([f"{scheme}://" for scheme in schemes])
    try:
        parts = urlsplit(url)
        # A name that cannot be looked up is no host: one of its labels is empty or too long.
        complete = bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:
        complete = False
    else:
        if parts.scheme.lower() not in schemes:
            value.problem(f"must be a URL that begins with {allowed}")
            return None
    if not complete or NOT_IN_A_URL.search(url):
        value.problem(f"must be a URL with a host, as {next(iter(schemes))}://host:port/path")
        return None
    return url


def read_header_value(value: Value, advice: str = "") -> Secret | None:
    """A text that a header can carry. It may be a key, so no message shows it; `advice` stands behind what is wrong."""
    content = value.secret()
    if content is not None and not HEADER_VALUE.fullmatch(content.reveal()):
        value.problem(f"must be a text of printable ASCII characters on one line{advice}")
        return None
    return content


def read_model_timeouts(value: Value) -> Mapping[str, float] | None:
    """`model_timeout`: model name, part of one, or `default` → seconds."""
    entries = value.entries()
    if entries is None:
        return None
    seconds = {name: timeout.seconds_above_zero() for name, timeout in entries}
    return MappingProxyType({name: timeout for name, timeout in seconds.items() if timeout is not None})


def read_rate_limit(value: Value) -> str | None:
    """A rate limit that `config.rates` can read, in lower case."""
    text = value.text()
    if text is None:
        return None
    try:
        parse_rate_limit(text)
    except ValueError as error:
        value.problem(f"{error}; got {value.shown()}")
        return None
    return text.lower()
