"""A provider's own proxy: what its URL says, and how it is asked for a tunnel by HTTP."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443, "socks5": 1080}


@dataclass(frozen=True, slots=True)
class Proxy:
    """`scheme` is http, https (the proxy itself is spoken to by TLS) or socks5."""

    scheme: str
    host: str
    port: int
    user: str = field(repr=False)
    password: str = field(repr=False)

    @classmethod
    def read(cls, url: str) -> Proxy:
        """A URL that the configuration has checked; %-escapes in user and password are undone."""
        parts = urlsplit(url)
        assert parts.hostname
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port or DEFAULT_PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )

    @property
    def is_http(self) -> bool:
        """Whether it speaks HTTP, in the clear or inside TLS."""
        return self.scheme != "socks5"

    @property
    def has_credentials(self) -> bool:
        return bool(self.user or self.password)

    @property
    def authorization(self) -> str:
        """The value of the header Proxy-Authorization, for proxies with credentials (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def connect_request(self, host: str, port: int) -> bytes:
        """The request for a tunnel to this place (RFC 9110, section 9.3.6)."""
        name = f"[{host}]" if ":" in host else host.encode("idna").decode()
        lines = [f"CONNECT {name}:{port} HTTP/1.1", f"Host: {name}:{port}"]
        if self.has_credentials:
            lines.append(f"Proxy-Authorization: {self.authorization}")
        return "\r\n".join([*lines, "", ""]).encode()
