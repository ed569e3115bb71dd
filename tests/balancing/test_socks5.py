"""SOCKS 5, byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balancing.socks5 import Socks5Error, Socks5Handshake

NO_AUTHENTICATION = b"\x05\x00"
USER_AND_PASSWORD = b"\x05\x02"
ACCEPTED = b"\x01\x00"
CONNECTED = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x1f\x90"
"""Connected, by 127.0.0.1:8080."""


def sent_for(*answers: bytes, host: str = "api.example", user: str = "", password: str = "") -> list[bytes]:
    """What the client sends, first of all and after each answer."""
    handshake = Socks5Handshake(host, 443, user, password)
    sent = [handshake.start(), *(handshake.feed(answer) for answer in answers)]
    assert handshake.done
    assert handshake.rest == b""
    return sent


def test_without_credentials():
    """The name of the host goes out as it is: the proxy looks it up."""
    greeting, request, nothing = sent_for(NO_AUTHENTICATION, CONNECTED)
    assert greeting == b"\x05\x01\x00"
    assert request == b"\x05\x01\x00\x03\x0bapi.example\x01\xbb"
    assert nothing == b""


def test_with_credentials():
    """They are offered, and sent when the proxy wants them (RFC 1929)."""
    greeting, credentials, request, _ = sent_for(USER_AND_PASSWORD, ACCEPTED, CONNECTED, user="me", password="ü")
    assert greeting == b"\x05\x02\x00\x02"
    assert credentials == b"\x01\x02me\x02\xc3\xbc"
    assert request.startswith(b"\x05\x01\x00\x03")


def test_credentials_that_a_proxy_does_not_want_are_not_sent():
    """It may take everybody from here."""
    _, request, _ = sent_for(NO_AUTHENTICATION, CONNECTED, user="me", password="secret")
    assert request.startswith(b"\x05\x01\x00\x03")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", b"\x01\xc0\x00\x02\x01"),
        ("2001:db8::1", b"\x04\x20\x01\x0d\xb8" + bytes(11) + b"\x01"),
        ("bücher.example", b"\x03\x15xn--bcher-kva.example"),
    ],
)
def test_kinds_of_addresses(host, address):
    """Numbers are sent as numbers, names of other scripts in their ASCII form."""
    _, request, _ = sent_for(NO_AUTHENTICATION, CONNECTED, host=host)
    assert request == b"\x05\x01\x00" + address + b"\x01\xbb"


@pytest.mark.parametrize(
    "reply",
    [CONNECTED, b"\x05\x00\x00\x04" + bytes(16) + b"\x1f\x90", b"\x05\x00\x00\x03\x09localhost\x1f\x90"],
    ids=["IPv4", "IPv6", "name"],
)
@given(data=st.data())
def test_answers_may_come_in_any_pieces(reply, data):
    """What comes behind the last is not the proxy's any more."""
    answers = USER_AND_PASSWORD + ACCEPTED + reply + b"beyond"
    cuts = data.draw(st.sets(st.integers(0, len(answers))).map(sorted))
    handshake = Socks5Handshake("api.example", 443, "me", "secret")
    sent = handshake.start()
    for start, end in zip([0, *cuts], [*cuts, len(answers)], strict=True):
        sent += handshake.feed(answers[start:end])
    assert sent == b"\x05\x02\x00\x02\x01\x02me\x06secret\x05\x01\x00\x03\x0bapi.example\x01\xbb"
    assert handshake.done
    assert handshake.rest == b"beyond"


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (b"\x05\xff", "it wants other credentials"),
        (b"\x05\x01", "it wants other credentials"),
        (b"HT", "its answer is not of SOCKS version 5"),
        (b"\x04\x5a", "its answer is not of SOCKS version 5"),
        (USER_AND_PASSWORD + b"\x01\x01", "it refused the user and password"),
        (NO_AUTHENTICATION + b"\x05\x02\x00\x01" + bytes(6), "its rules do not allow this connection"),
        (NO_AUTHENTICATION + b"\x05\x05\x00\x01" + bytes(6), "connection refused"),
        (NO_AUTHENTICATION + b"\x05\x63\x00\x01" + bytes(6), "refused with code 99"),
        (NO_AUTHENTICATION + b"\x05\x00\x00\x09" + bytes(6), "its answer is not of SOCKS version 5"),
    ],
)
def test_refusals(answers, message):
    """They say why, and nothing secret."""
    handshake = Socks5Handshake("api.example", 443, "me", "secret")
    handshake.start()
    with pytest.raises(Socks5Error) as caught:
        handshake.feed(answers)
    assert str(caught.value) == message


def test_a_proxy_that_wants_credentials_when_there_are_none():
    """RFC 1928, section 3: X'FF' is the last that the proxy says."""
    handshake = Socks5Handshake("api.example", 443)
    handshake.start()
    with pytest.raises(Socks5Error, match="it wants credentials"):
        handshake.feed(b"\x05\xff")


def test_a_password_that_is_too_long_is_refused_here():
    """Its length is sent as one byte."""
    handshake = Socks5Handshake("api.example", 443, "me", "x" * 256)
    handshake.start()
    with pytest.raises(Socks5Error, match="255 bytes at most"):
        handshake.feed(USER_AND_PASSWORD)
