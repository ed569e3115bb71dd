"""Downloads of what clients' addresses lead to: from real servers, by a resolver of the tests' own."""

import asyncio
import gzip
import ssl
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from balancing.image_download import BYTES, Allowed, Download, DownloadError, download
from balancing.public_addresses import is_private, is_public
from tests.balancing.picture_server import PNG, TLS, Names, bomb, endless, loopback, redirects, sends
from tests.e2e.http2_upstream import server_context
from tests.e2e.upstream import Behaviour, Seen, Upstream, closes, dead_url, hangs

NOT_PUBLIC = "it leads to an address that is not public"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


def get(
    url: str,
    names: Names | None = None,
    *,
    allowed: Allowed = loopback,
    seconds: float = 10.0,
    tls: ssl.SSLContext = TLS,
) -> Download:
    resolver = names or Names()
    return asyncio.run(download(url, allowed=allowed, tls=tls, resolver=lambda: resolver, seconds=seconds))


def refusal(url: str, names: Names | None = None, *, allowed: Allowed = is_public, seconds: float = 10.0) -> str:
    with pytest.raises(DownloadError) as caught:
        get(url, names, allowed=allowed, seconds=seconds)
    return str(caught.value)


# --- good ones ------------------------------------------------------------------------------------------------


def test_a_picture_is_downloaded(upstream: Upstream) -> None:
    """By its name, without anything about the gateway or the client."""
    upstream.on("cat.png", sends(PNG))
    names = Names(pictures=[["127.0.0.1"]])
    found = get(f"http://pictures.example:{upstream.port}/cat.png/?size=%2F1&a=b%20c", names)
    assert found == Download(PNG, "image/png")
    (seen,) = upstream.requests("cat.png")
    assert (seen.method, seen.path) == ("GET", "/cat.png/?size=%2F1&a=b%20c")
    assert seen.headers == {
        "host": f"pictures.example:{upstream.port}",
        "user-agent": "uniapi",
        "accept": "image/*, */*;q=0.5",
        "accept-encoding": "identity",
    }


def test_proxies_of_the_environment_are_not_asked(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may stand inside a network that clients are to be kept out of."""
    monkeypatch.setenv("http_proxy", dead_url())
    upstream.on("cat.png", sends(PNG))
    assert get(f"http://127.0.0.1:{upstream.port}/cat.png/").body == PNG


def test_names_and_paths_in_any_script_are_understood(upstream: Upstream) -> None:
    """As people copy them from their browser's address line."""
    upstream.on("cat.png", sends(PNG))
    names = Names(**{"xn--bcher-kva": [["127.0.0.1"]]})
    assert get(f"http://bücher.example:{upstream.port}/cat.png/größe 1", names).body == PNG
    (seen,) = upstream.requests("cat.png")
    assert seen.path == "/cat.png/gr%C3%B6%C3%9Fe%201"


def test_redirects_are_followed(upstream: Upstream) -> None:
    """Of every kind, relative or to another host; cookies are not kept on the way."""
    names = Names(pictures=[["127.0.0.1"]], others=[["127.0.0.1"]])
    upstream.on("one", sends(b"", status=301, location="/two/", set_cookie="a=b; Path=/"))
    upstream.on("two", redirects(f"//others.example:{upstream.port}/three/", 303))
    upstream.on("three", redirects("../four/", 307))
    upstream.on("four", redirects("/five/", 308))
    upstream.on("five", redirects("/six/", 302))
    upstream.on("six", sends(PNG))
    assert get(f"http://pictures.example:{upstream.port}/one/", names).body == PNG
    assert upstream.requests("three")[0].headers["host"] == f"others.example:{upstream.port}"
    assert all("cookie" not in upstream.requests(name)[0].headers for name in ("two", "six"))


@pytest.mark.parametrize(
    ("encoding", "compressed"),
    [("gzip", gzip.compress(PNG)), ("X-GZIP", gzip.compress(PNG)), ("deflate", zlib.compress(PNG)), ("identity", PNG)],
)
def test_bodies_may_be_compressed(upstream: Upstream, encoding: str, compressed: bytes) -> None:
    """Although they were asked not to be."""
    upstream.on("cat.png", sends(compressed, content_encoding=encoding))
    assert get(f"http://127.0.0.1:{upstream.port}/cat.png/").body == PNG


@pytest.mark.parametrize("chunked", [False, True])
def test_twenty_megabytes_are_taken(upstream: Upstream, chunked: bool) -> None:
    """And not a byte more."""
    upstream.on("large", sends(b"\0" * BYTES, chunked=chunked))
    upstream.on("larger", sends(b"\0" * (BYTES + 1), chunked=chunked))
    assert len(get(f"http://127.0.0.1:{upstream.port}/large/").body) == BYTES
    assert refusal(f"http://127.0.0.1:{upstream.port}/larger/", allowed=loopback) == "it is larger than 20 MB"


# --- where not to go ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "１２７.0.0.1",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "0",
        "0.0.0.0",
        "%31%32%37.0.0.1",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
        "[::1%25lo]",
        "[fe80::1%25lo]",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "ⓛocalhost",
        "ip6-localhost",
    ],
)
def test_this_machine_is_never_asked(upstream: Upstream, host: str) -> None:
    """However it is spelled, and though a server listens there: by the system's own resolver."""
    upstream.on("secret", sends(PNG))
    with pytest.raises(DownloadError) as caught:
        asyncio.run(download(f"http://{host}:{upstream.port}/secret/", allowed=is_public, tls=TLS))
    assert upstream.requests("secret") == []
    assert "127" not in str(caught.value)
    assert "::" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.0.0.1", "0x7f.1", "localhost", "[::ffff:127.0.0.1]"])
def test_this_machine_is_asked_where_that_is_allowed(upstream: Upstream, host: str) -> None:
    """So it is the address that counts above, and nothing else."""
    upstream.on("cat.png", sends(PNG))
    url = f"http://{host}:{upstream.port}/cat.png/"
    assert asyncio.run(download(url, allowed=is_private, tls=TLS)).body == PNG


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "10.0.0.1", "192.168.0.1", "172.16.0.1", "100.100.100.200", "[fd00::1]"]
)
def test_private_addresses_are_refused(host: str) -> None:
    """Also the one where cloud machines find their credentials."""
    assert refusal(f"http://{host}/latest/meta-data/") == NOT_PUBLIC


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fe80::1"])
def test_a_name_that_leads_inside_is_refused(upstream: Upstream, address: str) -> None:
    """And what it leads to is not told."""
    upstream.on("secret", sends(PNG))
    message = refusal(f"http://inside.example:{upstream.port}/secret/", Names(inside=[[address]]))
    assert message == NOT_PUBLIC
    assert upstream.requests("secret") == []


def test_several_private_addresses_are_refused_too(upstream: Upstream) -> None:
    """As localhost has them."""
    names = Names(inside=[["::1", "127.0.0.1", "10.0.0.1"]])
    assert refusal(f"http://inside.example:{upstream.port}/secret/", names) == NOT_PUBLIC


def test_of_mixed_addresses_the_private_one_is_not_asked(upstream: Upstream) -> None:
    """Only the public one is connected to."""
    upstream.on("cat.png", sends(PNG))
    names = Names(mixed=[["10.0.0.1", "127.0.0.1"]])
    assert get(f"http://mixed.example:{upstream.port}/cat.png/", names).body == PNG


@pytest.mark.parametrize(
    "to",
    ["http://10.0.0.1/", "http://169.254.169.254/latest", "http://2852039166/", "//[::1]/", "http://inside.example/"],
)
def test_a_redirect_inside_is_refused(upstream: Upstream, to: str) -> None:
    """By address or by name, at the last moment too; the client is not told where it led."""
    names = Names(inside=[["10.0.0.1"]])
    upstream.on("one", redirects("/two/"))
    upstream.on("two", redirects(to))
    message = refusal(f"http://127.0.0.1:{upstream.port}/one/", names, allowed=loopback)
    assert message in (NOT_PUBLIC, "that is no valid address")
    assert len(upstream.requests("two")) == 1


def test_a_name_that_moves_inside_between_two_requests_is_refused(upstream: Upstream) -> None:
    """The redirect goes to the same name, which leads elsewhere by then."""
    names = Names(moving=[["127.0.0.1"], ["10.0.0.1"]])
    upstream.on("one", redirects("/two/"))
    upstream.on("two", sends(PNG))
    assert refusal(f"http://moving.example:{upstream.port}/one/", names, allowed=loopback) == NOT_PUBLIC
    assert upstream.requests("two") == []


def test_what_was_looked_at_is_what_is_connected_to(upstream: Upstream) -> None:
    """DNS that changes after the look: it is not asked a second time for the same connection."""
    names = Names(moving=[["127.0.0.1"], ["10.0.0.1"]])
    upstream.on("cat.png", sends(PNG))
    assert get(f"http://moving.example:{upstream.port}/cat.png/", names).body == PNG
    assert names.asked == ["moving.example"]


def test_every_download_looks_anew(upstream: Upstream) -> None:
    """A name that was good once is not trusted."""
    names = Names(moving=[["127.0.0.1"], ["10.0.0.1"]])
    upstream.on("cat.png", sends(PNG))
    get(f"http://moving.example:{upstream.port}/cat.png/", names)
    assert refusal(f"http://moving.example:{upstream.port}/cat.png/", names, allowed=loopback) == NOT_PUBLIC


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://pictures.example/a.png", "that is no http or https address"),
        ("file:///etc/passwd", "that is no http or https address"),
        ("//pictures.example/a.png", "that is no http or https address"),
        ("http:///a.png", "that is no http or https address"),
        ("http://", "that is no http or https address"),
        ("http://[::1", "that is no valid address"),
        ("http://pictures.example:99999/", "that is no valid address"),
        ("http://pictures.example\\@127.0.0.1/", "that is no valid address"),
        ("http://pictures.example@10.0.0.1/", "an address must not hold a user name or a password"),
        ("http://me:secret@pictures.example/", "an address must not hold a user name or a password"),
        ("http://:secret@pictures.example/", "an address must not hold a user name or a password"),
        ("http://pictures.example:25/", "port 25 is not one for web pages"),
        ("http://pictures.example:0/", "port 0 is not one for web pages"),
        ("https://pictures.example:22/", "port 22 is not one for web pages"),
        ("http://pictures.example/" + "a" * 8_000, "its address is longer than 8000 characters"),
    ],
)
def test_odd_addresses_are_refused(url: str, reason: str) -> None:
    """Nobody is asked, not even for the name."""
    names = Names(pictures=[["127.0.0.1"]])
    assert refusal(url, names, allowed=loopback) == reason
    assert names.asked == []


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://pictures.example/", "gopher://127.0.0.1:70/", "data:,x"])
def test_redirects_stay_in_the_web(upstream: Upstream, to: str) -> None:
    """Whatever a server says."""
    upstream.on("one", redirects(to))
    url = f"http://127.0.0.1:{upstream.port}/one/"
    assert refusal(url, allowed=loopback) == "that is no http or https address"


def test_an_address_cannot_smuggle_a_header(upstream: Upstream) -> None:
    """Line breaks are part of a path like anything else."""
    upstream.on("cat.png", sends(PNG))
    get(f"http://127.0.0.1:{upstream.port}/cat.png/a HTTP/1.1\r\nX-Evil: 1\r\n\r\n")
    assert all("x-evil" not in seen.headers for seen in upstream.requests("cat.png"))


# --- servers that misbehave -----------------------------------------------------------------------------------


def test_redirects_have_an_end(upstream: Upstream) -> None:
    """A loop is left after five."""
    upstream.on("loop", redirects("/loop/"))
    url = f"http://127.0.0.1:{upstream.port}/loop/"
    assert refusal(url, allowed=loopback) == "there are more than 5 redirects"
    assert len(upstream.requests("loop")) == 6


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 429, 500, 503])
def test_other_answers_than_a_picture_are_refused(upstream: Upstream, status: int) -> None:
    """With their status, without their body."""
    upstream.on("gone", sends(b"", "text/html", status=status))
    url = f"http://127.0.0.1:{upstream.port}/gone/"
    assert refusal(url, allowed=loopback) == f"its server answered with status {status}"


@pytest.mark.parametrize("claimed", [BYTES + 1, 10**15])
def test_a_claimed_length_is_believed_at_once(upstream: Upstream, claimed: int) -> None:
    """Nothing of the body is waited for."""
    upstream.on("huge", sends(PNG, length=claimed))
    assert refusal(f"http://127.0.0.1:{upstream.port}/huge/", allowed=loopback) == "it is larger than 20 MB"


def test_a_body_without_a_length_is_left_in_time(upstream: Upstream) -> None:
    """As soon as it is too large; the server sees that nobody listens."""
    upstream.on("endless", endless())
    assert refusal(f"http://127.0.0.1:{upstream.port}/endless/", allowed=loopback) == "it is larger than 20 MB"


def test_a_body_longer_than_it_claims_is_refused(upstream: Upstream) -> None:
    """No byte beyond the claim is taken for one of the picture."""
    upstream.on("long", sends(PNG + b"more", length=len(PNG)))
    url = f"http://127.0.0.1:{upstream.port}/long/"
    assert refusal(url, allowed=loopback) == "its server did not send it properly"


def test_a_body_shorter_than_it_claims_is_refused(upstream: Upstream) -> None:
    """Half a picture is none."""
    upstream.on("half", sends(PNG[:20], length=len(PNG)))
    url = f"http://127.0.0.1:{upstream.port}/half/"
    assert refusal(url, allowed=loopback) == "its server did not send it properly"


def test_a_bomb_is_not_blown_up(upstream: Upstream) -> None:
    """200 MB in 200 kB: no more than the limit is ever unpacked."""
    upstream.on("bomb", sends(bomb(200), content_encoding="gzip"))
    tracemalloc.start()
    try:
        reason = refusal(f"http://127.0.0.1:{upstream.port}/bomb/", allowed=loopback)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reason == "it is larger than 20 MB"
    assert peak < 4 * BYTES


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (b"no gzip", "gzip", "its server did not compress it properly"),
        (gzip.compress(PNG)[:-9], "gzip", "its server did not send all of it"),
        (PNG, "br", "its server compressed it as 'br'"),
        (PNG, "gzip, gzip", "its server compressed it as 'gzip, gzip'"),
    ],
)
def test_bodies_that_cannot_be_unpacked_are_refused(
    upstream: Upstream, body: bytes, encoding: str, reason: str
) -> None:
    """With a word about it."""
    upstream.on("odd", sends(body, content_encoding=encoding))
    assert refusal(f"http://127.0.0.1:{upstream.port}/odd/", allowed=loopback) == reason


@pytest.mark.parametrize("slow", [hangs(), endless(pause=0.05, piece=b"a")], ids=["silent", "slow"])
def test_time_runs_out(upstream: Upstream, slow: Behaviour) -> None:
    """For a server that says nothing, and for one that says a byte now and then."""
    upstream.on("slow", slow)
    reason = refusal(f"http://127.0.0.1:{upstream.port}/slow/", allowed=loopback, seconds=0.3)
    assert reason == "it did not come within 0.3 seconds"


def test_the_time_is_for_all_redirects_together(upstream: Upstream) -> None:
    """Each for itself would be in time."""

    async def slowly(seen: Seen) -> bool | None:
        await asyncio.sleep(0.2)
        return await redirects("/loop/")(seen)

    upstream.on("loop", slowly)
    reason = refusal(f"http://127.0.0.1:{upstream.port}/loop/", allowed=loopback, seconds=0.5)
    assert reason == "it did not come within 0.5 seconds"


def test_servers_that_cannot_be_reached_are_told_of(upstream: Upstream) -> None:
    """No name, no server, no answer."""
    upstream.on("closes", closes())
    assert refusal("http://nobody.example/", allowed=loopback) == "its server cannot be reached"
    assert refusal(dead_url(), allowed=loopback) == "its server cannot be reached"
    url = f"http://127.0.0.1:{upstream.port}/closes/"
    assert refusal(url, allowed=loopback) == "its server did not send it properly"


def test_certificates_are_verified(tmp_path: Path) -> None:
    """Against the authorities that we are given."""
    server = Upstream(context=server_context(tmp_path, "http/1.1"))
    trusting = ssl.create_default_context(cafile=tmp_path / "upstream.pem")
    trusting.check_hostname = False  # The test's certificate names no host.
    try:
        server.on("cat.png", sends(PNG))
        url = f"https://127.0.0.1:{server.port}/cat.png/"
        assert refusal(url, allowed=loopback) == "its server could not be connected to by TLS"
        assert get(url, tls=trusting).body == PNG
    finally:
        server.close()
