"""How a request's body of many megabytes is held once: while it comes in, and while it goes out.

mitmproxy collects a body in pieces and then joins them; it hands a body on whole, and what TLS makes of it waits in
memory until the provider has taken it. Each of these is a second body of the same size.
"""

import asyncio
import gc
from collections import deque
from dataclasses import dataclass
from io import BytesIO

from mitmproxy.connection import Client
from mitmproxy.proxy import commands
from mitmproxy.proxy.utils import ReceiveBuffer

LARGE_BYTES = 8 * 1024 * 1024
PIECE_BYTES = 256 * 1024
"""What is sent at a time."""


class GrowingBody(ReceiveBuffer):
    """Collects a body where it will stay: what `bytes` gives is the very memory that it was written to."""

    def __init__(self) -> None:
        self._body = BytesIO()

    def __iadd__(self, data: bytes) -> "GrowingBody":
        self._body.write(data)
        return self

    def __len__(self) -> int:
        return self._body.tell()

    def __bytes__(self) -> bytes:
        return self._body.getvalue()

    def __bool__(self) -> bool:
        return len(self) > 0

    def clear(self) -> None:
        self._body = BytesIO()


@dataclass
class UniapiDrainHook(commands.StartHook):
    """Wait until the client's connections, to providers too, have taken what was sent on them."""

    client: Client


def small_pieces(*parts: bytes | memoryview) -> deque[bytes | memoryview]:
    """What is to be sent, in order; nothing is copied, and what is small stays as it is."""
    pieces: deque[bytes | memoryview] = deque()
    for part in parts:
        if len(part) <= PIECE_BYTES:
            pieces.append(part)
        else:
            whole = memoryview(part)
            pieces.extend(whole[start : start + PIECE_BYTES] for start in range(0, len(whole), PIECE_BYTES))
    return pieces


def collect_soon() -> None:
    """Let a large request that is over be forgotten now. mitmproxy checks the types of each message with exceptions
    that refer to themselves and to all that was going on (mitmproxy.utils.typecheck): the body would stay until the
    garbage collector comes by."""
    asyncio.get_running_loop().call_soon(gc.collect)
