"""Whose flow it is: addressed to the gateway itself, to a host that it answers for, or none of its business."""

import asyncio
import fnmatch
import socket
from collections.abc import Sequence

from mitmproxy import http
from mitmproxy.connection import Address, Client
from mitmproxy.proxy.mode_specs import RegularMode, ReverseMode, Socks5Mode, UpstreamMode

PROXY_MODES = (RegularMode, UpstreamMode, Socks5Mode)
"""Modes whose clients know the proxy's address and may mean the gateway by it. In the others (transparent, local,
WireGuard) they know nothing, and mitmproxy has in `sockname` the address that they wanted to reach."""
REQUEST_SCHEMES = ("http", "https", "http3")
"""Those of reverse mode that have requests. What passes in the others cannot be the gateway's."""
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
NAMES_REMEMBERED = 1000


class Ownership:
    """Names of hosts are compared in lower case, and without the dot that may end a full name."""

    def __init__(self) -> None:
        self._hosts: tuple[str, ...] = ()
        self._own_names: dict[str, bool] = {}
        """Host names that were looked up → whether they mean this machine."""

    def intercept(self, hosts: Sequence[str]) -> None:
        """The gateway answers for these hosts: patterns, the option uniapi_hosts."""
        self._hosts = tuple(map(plain, hosts))

    def is_addressed_here(self, flow: http.HTTPFlow) -> bool:
        """Whether the proxy itself is what the client wants to talk to."""
        if isinstance(flow.client_conn.proxy_mode, ReverseMode):
            return True
        return self._is_own_address(flow.client_conn, (flow.request.host, flow.request.port))

    def _is_own_address(self, client: Client, address: Address) -> bool:
        if not isinstance(client.proxy_mode, PROXY_MODES):
            return False
        host, port = plain(address[0]), address[1]
        own = client.sockname
        return port == own[1] and (host in LOOPBACK_NAMES or host == own[0] or self._own_names.get(host, False))

    def is_intercepted(self, host: str) -> bool:
        """Whether the gateway answers for this host."""
        host = plain(host)
        return any(host == pattern or fnmatch.fnmatchcase(host, pattern) for pattern in self._hosts)

    def may_concern(self, client: Client, address: Address | None) -> bool:
        """Whether the gateway may have to answer what this client sends to that address; asked before there is a
        request."""
        if isinstance(client.proxy_mode, ReverseMode):
            return client.proxy_mode.scheme in REQUEST_SCHEMES
        return address is not None and (self.is_intercepted(address[0]) or self._is_own_address(client, address))

    def may_be_own_name(self, flow: http.HTTPFlow) -> bool:
        """Whether the host's name has to be looked up to know whether it means this machine."""
        return (
            isinstance(flow.client_conn.proxy_mode, PROXY_MODES)
            and flow.request.port == flow.client_conn.sockname[1]
            and plain(flow.request.host) not in self._own_names
        )

    async def is_own_name(self, flow: http.HTTPFlow) -> bool:
        """Whether the host's name means this machine; it is looked up once."""
        host = plain(flow.request.host)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError:
            found = []
        is_own = any(entry[4][0] == flow.client_conn.sockname[0] for entry in found)
        if len(self._own_names) < NAMES_REMEMBERED:
            self._own_names[host] = is_own
        return is_own


def plain(host: str) -> str:
    """The form in which names of hosts are compared."""
    return host.lower().rstrip(".")
