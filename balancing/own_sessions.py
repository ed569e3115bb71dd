"""HTTP sessions for calls of the gateway's own, which belong to nobody's flow: verified as mitmproxy verifies, and
through a provider's proxy where it has one."""

import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp
import certifi

from balancing.proxies import Proxy
from balancing.socks_connector import Socks5Connector


def verification(insecure: bool, trusted_ca: str | None) -> ssl.SSLContext:
    """By mitmproxy's options `ssl_insecure` and `ssl_verify_upstream_trusted_ca`. Reads files."""
    context = ssl.create_default_context(cafile=trusted_ca or certifi.where())
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def new_session(proxy: Proxy | None, tls: ssl.SSLContext, **options: Any) -> aiohttp.ClientSession:
    connector = Socks5Connector(proxy, tls) if proxy and not proxy.is_http else aiohttp.TCPConnector(ssl=tls)
    return aiohttp.ClientSession(connector=connector, **options)


def by_proxy(proxy: Proxy | None, url: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """A request's headers and proxy as aiohttp takes them. Redirects are not followed: they might lead a key astray."""
    http_proxy = proxy if proxy and proxy.is_http else None
    for_proxy = http_proxy.headers if http_proxy else {}
    is_tunnelled = url.startswith("https:")  # Then the proxy sees the request for the tunnel alone.
    return {
        "headers": {**headers, **({} if is_tunnelled else for_proxy)},
        "proxy": http_proxy.address if http_proxy else None,
        "proxy_headers": for_proxy if is_tunnelled else None,
        "allow_redirects": False,
    }
