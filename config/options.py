"""The gateway's options within mitmproxy: in `mitmdump --options`, on the command line by --set, in its config.yaml."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """One option; `kind` is its type as mitmproxy knows them."""

    name: str
    kind: Any
    default: Any
    help: str


OPTIONS = (
    Option(
        "uniapi_config",
        str,
        "",
        "uniapi: path or URL of the configuration. Default: ./api.yaml, then $CONFIG_URL.",
    ),
    Option(
        "uniapi_hosts",
        Sequence[str],
        ["api.openai.com"],
        "uniapi: hosts whose API requests the gateway answers when they pass through the proxy (* as wildcard).",
    ),
    Option(
        "uniapi_default_key",
        str,
        "",
        "uniapi: the api_keys entry that intercepted apps are served as when the gateway does not know their key.",
    ),
    Option("uniapi_keep_secrets", bool, False, "uniapi: leave keys readable in flows. Only for debugging."),
    Option(
        "uniapi_keep_flows",
        int,
        0,
        "uniapi: so many flows stay in the list of mitmproxy and mitmweb; of more, the oldest leave it. 0: all stay.",
    ),
    Option(
        "uniapi_private_images",
        bool,
        False,
        "uniapi: pictures and files may also be fetched from private networks and this machine.",
    ),
)

NEEDED = {"tcp_timeout": 3600}
"""What the gateway needs of mitmproxy's options: patience with providers."""

NO_CONFIG = (
    "no configuration. Write ./api.yaml (api.example.yaml shows how), or set CONFIG_URL or the option uniapi_config."
)


def wrong_number(name: str, value: int) -> str | None:
    """What is wrong with an option that counts something, if anything is."""
    return f"{name} takes 0 or a larger number, got {value}." if value < 0 else None


def wrong_host(hosts: Sequence[str]) -> str | None:
    """What is wrong with the value of uniapi_hosts, if anything is."""
    for host in hosts:
        if "/" in host or ":" in host or not host:
            return f"uniapi_hosts takes host names such as api.openai.com, without scheme, port or path; got {host!r}."
    return None
