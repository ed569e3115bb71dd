"""What the URL of a proxy says."""

import base64

import pytest

from balancing.proxies import Proxy


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://proxy.example", Proxy("http", "proxy.example", 80, "", "")),
        ("https://proxy.example/", Proxy("https", "proxy.example", 443, "", "")),
        ("SOCKS5://[2001:db8::1]", Proxy("socks5", "2001:db8::1", 1080, "", "")),
        ("http://me@proxy.example:3128", Proxy("http", "proxy.example", 3128, "me", "")),
        ("http://m%40e:p%3A%2F%C3%A9@proxy.example:3128", Proxy("http", "proxy.example", 3128, "m@e", "p:/é")),
    ],
)
def test_urls(url, proxy):
    """Ports have defaults, %-escapes in user and password are undone."""
    assert Proxy.read(url) == proxy


def test_a_request_for_a_tunnel():
    """RFC 9110, section 9.3.6: host and port twice, nothing else."""
    request = Proxy.read("http://proxy.example").connect_request("api.example", 443)
    assert request == b"CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n"


def test_a_request_for_a_tunnel_with_credentials():
    """RFC 7617: user and password in UTF-8 and base64."""
    request = Proxy.read("http://me:%C3%A9@proxy.example").connect_request("api.example", 443)
    encoded = base64.b64encode("me:é".encode())
    assert b"\r\nProxy-Authorization: Basic " + encoded + b"\r\n\r\n" in request


@pytest.mark.parametrize(
    ("host", "name"), [("2001:db8::1", b"[2001:db8::1]:443"), ("bücher.example", b"xn--bcher-kva.example:443")]
)
def test_hosts_that_are_written_otherwise(host, name):
    """Addresses of IPv6 in brackets, names of other scripts in their ASCII form."""
    assert Proxy.read("http://p.example").connect_request(host, 443).startswith(b"CONNECT " + name + b" HTTP/1.1\r\n")


def test_credentials_are_not_shown():
    """Neither the password nor the name that goes with it."""
    shown = repr(Proxy.read("socks5://somebody:hunter2@proxy.example"))
    assert "proxy.example" in shown
    assert "hunter2" not in shown
    assert "somebody" not in shown
