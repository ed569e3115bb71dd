"""What mitmproxy is told and asked beside its flows: its options, its servers, that it is to end."""

import logging
import sys
from typing import NoReturn

from mitmproxy import ctx, exceptions
from mitmproxy.addonmanager import Loader
from mitmproxy.proxy.mode_specs import RegularMode, Socks5Mode, UpstreamMode

from config.options import NEEDED, OPTIONS

logger = logging.getLogger("uniapi")

WEB_COLUMNS = ["tls", "icon", "path", "comment", "method", "status", "size", "time"]
"""mitmweb's own, and the comment, which says what became of a request."""


def add_options(loader: Loader) -> None:
    """The gateway's own options, and what it needs of mitmproxy's unless the user has said otherwise."""
    for option in OPTIONS:
        loader.add_option(option.name, option.kind, option.default, option.help)
    take_options()
    for name, value in NEEDED.items():
        set_unless_chosen(name, value)
    if "web_columns" in ctx.options:
        set_unless_chosen("web_columns", WEB_COLUMNS)


def take_options() -> None:
    """What the user has set the new options to. mitmproxy would do it a moment later, where a value of a wrong type
    only ends the script, and leaves an open proxy without it."""
    try:
        ctx.options.process_deferred()
    except (exceptions.OptionsError, TypeError) as error:
        refuse(str(error))


def set_unless_chosen(name: str, value: object) -> None:
    """An option that still has its default counts as one that the user has left to us."""
    if ctx.options.default(name) == getattr(ctx.options, name):
        ctx.options.update(**{name: value})


def refuse(message: str) -> NoReturn:
    """A bad option or configuration ends the start, one line a mistake, no traceback; later on it changes nothing."""
    if ctx.master.addons.get("proxyserver").is_running:
        raise exceptions.OptionsError(message)
    logger.error(message)
    sys.exit(1)


def tls_options() -> tuple[bool, str | None]:
    """How mitmproxy verifies servers: not at all, by which authorities."""
    return ctx.options.ssl_insecure, ctx.options.ssl_verify_upstream_trusted_ca


def warn_if_open() -> None:
    """Whether other machines could use this one as their proxy is for its user to know."""
    proxyserver = ctx.master.addons.get("proxyserver")
    is_open = any(
        isinstance(server.mode, RegularMode | Socks5Mode | UpstreamMode)
        and any(address[0] in ("0.0.0.0", "::", "") for address in server.listen_addrs)  # noqa: S104
        for server in proxyserver.servers
    )
    if is_open and not ctx.options.proxyauth:
        logger.warning(
            "uniapi: listening on all interfaces without proxyauth: anybody who reaches this port can use it as a "
            "proxy. Use --listen-host 127.0.0.1, or set proxyauth."
        )
