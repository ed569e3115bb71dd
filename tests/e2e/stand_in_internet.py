"""A mitmproxy script instead of DNS and the internet, for what the gateway fetches by itself: public.example leads to
an address of the internet, inside.example to one that is not, and moving.example elsewhere each time it is asked for.

Whoever connects to the address of the internet reaches this machine. Everything else is as it is.
"""

import asyncio
import socket
from asyncio.selector_events import BaseSelectorEventLoop
from itertools import chain, repeat
from typing import Any

PUBLIC = "93.184.215.14"
ANSWERS = {
    "public.example": repeat(PUBLIC),
    "inside.example": repeat("10.0.0.1"),
    "moving.example": chain([PUBLIC], repeat("127.0.0.1")),
}
real_getaddrinfo = socket.getaddrinfo
real_connect = BaseSelectorEventLoop.sock_connect


def getaddrinfo(host: Any, port: Any, *arguments: Any, **keywords: Any) -> Any:
    if host in ANSWERS:
        host = next(ANSWERS[host])
    return real_getaddrinfo(host, port, *arguments, **keywords)


async def sock_connect(self: asyncio.AbstractEventLoop, sock: socket.socket, address: Any) -> None:
    if address[0] == PUBLIC:
        address = ("127.0.0.1", address[1])
    await real_connect(self, sock, address)  # type: ignore[arg-type]


socket.getaddrinfo = getaddrinfo
BaseSelectorEventLoop.sock_connect = sock_connect  # type: ignore[method-assign]
