"""A provider's own proxy: what its URL says, and how it is asked for a tunnel by HTTP."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from config.schema import Provider

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
    def address(self) -> str:
        """Its URL, without credentials."""
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """What an HTTP proxy is to be told in requests: the credentials, if there are any (RFC 7617)."""
        if not (self.user or self.password):
            return {}
        return {"Proxy-Authorization": "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()}

    def connect_request(self, host: str, port: int) -> bytes:
        """The request for a tunnel to this place (RFC 9110, section 9.3.6)."""
        place = f"{bracketed(host)}:{port}"
        headers = {"Host": place, **self.headers}
        lines = [f"CONNECT {place} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()


def proxy_of(provider: Provider) -> Proxy | None:
    """What a provider is reached through, if not the same way as everything else."""
    url = provider.preferences.proxy
    return Proxy.read(url) if url else None


def bracketed(host: str) -> str:
    """A host as URLs have it: IPv6 in brackets, names in ASCII."""
    return f"[{host}]" if ":" in host else host.encode("idna").decode()
