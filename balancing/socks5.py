"""The client's side of SOCKS 5 (RFC 1928) with user and password (RFC 1929), without any I/O.

    handshake = Socks5Handshake("api.example", 443, user, password)
    send(handshake.start())
    while not handshake.done:
        send(handshake.feed(received))      # raises Socks5Error when the proxy refuses
    handshake.rest                          # bytes that came from beyond the proxy already

Names of hosts are sent as they are: the proxy looks them up.
"""

from __future__ import annotations

from collections.abc import Generator
from ipaddress import ip_address

VERSION = b"\x05"
NO_AUTHENTICATION = 0
USER_AND_PASSWORD = 2
AUTHENTICATION_VERSION = b"\x01"
CONNECT = b"\x01"
IPV4, NAME, IPV6 = 1, 3, 4
LONGEST = 255
"""Bytes of a name, a user or a password: their length is sent as one byte."""

REFUSALS = {
    1: "general failure",
    2: "its rules do not allow this connection",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "it knows no CONNECT",
    8: "it does not take this type of address",
}
"""RFC 1928, section 6."""

type Conversation = Generator[tuple[bytes, int], bytes]
"""Yields what to send, and of how many bytes the answer is that it is sent back."""


class Socks5Error(Exception):
    """The proxy refused, or does not speak SOCKS 5. Nothing secret in the message."""


class Socks5Handshake:
    """See the module's docstring."""

    def __init__(self, host: str, port: int, user: str = "", password: str = "") -> None:
        self._conversation = conversation(host, port, user.encode(), password.encode())
        self._received = b""
        self._wanted = 0
        self.done = False

    @property
    def rest(self) -> bytes:
        """What has come behind the handshake."""
        return self._received

    def start(self) -> bytes:
        """The first bytes to send."""
        output, self._wanted = next(self._conversation)
        return output

    def feed(self, data: bytes) -> bytes:
        """Take in what the proxy sent, in any pieces; gives what to send to it. Raises Socks5Error."""
        self._received += data
        output = b""
        while not self.done and len(self._received) >= self._wanted:
            answer, self._received = self._received[: self._wanted], self._received[self._wanted :]
            try:
                more, self._wanted = self._conversation.send(answer)
                output += more
            except StopIteration:
                self.done = True
        return output


def conversation(host: str, port: int, user: bytes, password: bytes) -> Conversation:
    methods = [NO_AUTHENTICATION, USER_AND_PASSWORD] if user or password else [NO_AUTHENTICATION]
    method = yield VERSION + with_length(bytes(methods)), 2
    if method[:1] != VERSION:
        raise Socks5Error("its answer is not of SOCKS version 5")
    if method[1] == USER_AND_PASSWORD and USER_AND_PASSWORD in methods:
        status = yield AUTHENTICATION_VERSION + with_length(user) + with_length(password), 2
        if status[1] != 0:
            raise Socks5Error("it refused the user and password")
    elif method[1] != NO_AUTHENTICATION:
        raise Socks5Error("it wants other credentials" if user or password else "it wants credentials")
    reply = yield VERSION + CONNECT + b"\x00" + address(host) + port.to_bytes(2), 5
    if reply[1] != 0:
        raise Socks5Error(REFUSALS.get(reply[1], f"refused with code {reply[1]}"))
    # The address by which it connects is of no interest. One byte of it is here already, a name's is its length.
    lengths = {IPV4: 3, NAME: reply[4], IPV6: 15}
    if reply[3] not in lengths:
        raise Socks5Error("its answer is not of SOCKS version 5")
    yield b"", lengths[reply[3]] + 2


def address(host: str) -> bytes:
    """A host as type and address."""
    try:
        ip = ip_address(host)
    except ValueError:
        return bytes([NAME]) + with_length(host.encode("idna"))
    return bytes([IPV4 if ip.version == 4 else IPV6]) + ip.packed


def with_length(data: bytes) -> bytes:
    """One byte for its length, and the data. Raises Socks5Error if that is too short."""
    if len(data) > LONGEST:
        raise Socks5Error(f"host, user and password can have {LONGEST} bytes at most")
    return bytes([len(data)]) + data
