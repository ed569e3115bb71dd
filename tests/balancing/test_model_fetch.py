"""Lists of models, asked for over real connections."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from balancing.model_fetch import ListError, fetch_models
from config.schema import Model, Provider, ProviderPreferences
from config.secrets import Secret
from tests.balancing.world import models, provider
from tests.e2e.http2_upstream import server_context
from tests.e2e.proxies import HttpProxy, LoopbackProxy, Socks5Proxy
from tests.e2e.upstream import Behaviour, Seen, Upstream, answer, closes, dead_url

KEY = Secret("sk-fake-key-of-a-provider")
LIST = answer(200, {"object": "list", "data": [{"id": "m"}, {"id": "n"}, {"id": "m"}]})


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def tls_upstream(tmp_path: Path) -> Iterator[Upstream]:
    server = Upstream(context=server_context(tmp_path, "http/1.1"))
    yield server
    server.close()


def at(base_url: str, engine: str = "gpt", **preferences: object) -> Provider:
    return replace(
        provider("a", engine=engine),
        models=None,
        base_url=base_url,
        preferences=ProviderPreferences(**preferences),  # type: ignore[arg-type]
    )


def fetch(provider: Provider, *, insecure: bool = False, trusted_ca: str | None = None) -> tuple[Model, ...]:
    return asyncio.run(fetch_models(provider, KEY, insecure=insecure, trusted_ca=trusted_ca))


def test_a_list_is_read_with_the_key(upstream: Upstream) -> None:
    """Each model once."""
    assert fetch(at(upstream.on("a", LIST))) == models("m", "n")
    (seen,) = upstream.requests("a")
    assert (seen.method, seen.path) == ("GET", "/a/v1/models")
    assert seen.headers["authorization"] == f"Bearer {KEY.reveal()}"


def test_a_providers_headers_are_sent_here_too(upstream: Upstream) -> None:
    """They go before the engine's."""
    fetch(at(upstream.on("a", LIST), headers={"X-Team": "research", "Authorization": "other"}))
    (seen,) = upstream.requests("a")
    assert seen.headers["x-team"] == "research"
    assert seen.headers["authorization"] == "other"


def test_all_pages_are_read(upstream: Upstream) -> None:
    """Until one says that it is the last."""
    pages = {
        "/a/v1/models?limit=1000": {"data": [{"id": "one"}], "has_more": True, "last_id": "one"},
        "/a/v1/models?limit=1000&after_id=one": {"data": [{"id": "two"}], "has_more": False, "last_id": "two"},
    }

    async def turns(seen: Seen) -> None:
        await answer(200, pages[seen.path])(seen)

    assert fetch(at(upstream.on("a", turns), engine="claude")) == models("one", "two")


def test_pages_without_end_have_one_here(upstream: Upstream) -> None:
    """A provider that always says that there is more."""
    endless = answer(200, {"data": [{"id": "m"}], "has_more": True, "last_id": "m"})
    assert fetch(at(upstream.on("a", endless), engine="claude")) == models("m")
    assert len(upstream.requests("a")) == 50


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (answer(401, {"error": {"message": f"wrong key {KEY.reveal()}"}}), "status 401"),
        (answer(302, b"", {"location": "http://127.0.0.1:1/"}), "status 302"),
        (answer(200, b"<html>"), "The provider's answer is no list of models."),
        (answer(200, {"error": {"message": f"wrong key {KEY.reveal()}"}}), f"wrong key {KEY.masked}"),
        (closes(), "ServerDisconnectedError"),
    ],
)
def test_troubles_are_told_without_secrets(upstream: Upstream, behaviour: Behaviour, message: str) -> None:
    """Nor is anybody followed to another place."""
    with pytest.raises(ListError) as caught:
        fetch(at(upstream.on("a", behaviour)))
    assert str(caught.value) == message


def test_a_provider_that_is_not_there() -> None:
    """In the words of the operating system."""
    with pytest.raises(ListError, match=r"Connect call failed|refused"):
        fetch(at(dead_url()))


def test_certificates_are_verified_as_mitmproxy_does_it(tls_upstream: Upstream, tmp_path: Path) -> None:
    """By default, not at all, or by an authority of one's own."""
    a = at(tls_upstream.on("a", LIST))
    with pytest.raises(ListError, match=r"CERTIFICATE_VERIFY_FAILED|ClientConnectorCertificateError"):
        fetch(a)
    assert fetch(a, insecure=True) == models("m", "n")
    with pytest.raises(ListError, match="No such file"):
        fetch(a, trusted_ca=str(tmp_path / "nowhere.pem"))


@pytest.mark.parametrize("credentials", ["", "user:pass%3Aword"], ids=["open", "with-password"])
@pytest.mark.parametrize("kind", ["http", "socks5"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_providers_own_proxy_is_used(
    upstream: Upstream, tls_upstream: Upstream, kind: str, credentials: str, tls: bool
) -> None:
    """The name of the provider is looked up there."""
    expected = credentials.replace("%3A", ":")
    proxy: LoopbackProxy = HttpProxy(expected) if kind == "http" else Socks5Proxy(expected)
    server = tls_upstream if tls else upstream
    url = server.on("a", LIST).replace("127.0.0.1", "provider.test")
    assert fetch(at(url, proxy=proxy.url(credentials)), insecure=True) == models("m", "n")
    whole = f"GET http://provider.test:{server.port}/a/v1/models"
    assert proxy.seen == [whole if kind == "http" and not tls else f"tunnel provider.test:{server.port}"]
    assert "proxy-authorization" not in server.requests("a")[0].headers
    proxy.close()


@pytest.mark.parametrize("kind", ["http", "socks5"])
@pytest.mark.parametrize("trouble", ["refused", "dead"])
def test_a_proxy_in_trouble(upstream: Upstream, kind: str, trouble: str) -> None:
    """The list is not asked for by another way."""
    proxy: LoopbackProxy = HttpProxy("user:right") if kind == "http" else Socks5Proxy("user:right")
    address = proxy.url("user:wrong")
    if trouble == "dead":
        address = dead_url().removesuffix("/v1").replace("http", kind)
    with pytest.raises(ListError) as caught:
        fetch(at(upstream.on("a", LIST), proxy=address))
    assert "wrong" not in str(caught.value)
    assert upstream.requests("a") == []
    proxy.close()


def test_a_key_that_cannot_be_sent() -> None:
    """It has a line end in it."""
    with pytest.raises(ListError) as caught:
        asyncio.run(fetch_models(at(dead_url()), Secret("sk-fake\n-key"), insecure=False, trusted_ca=None))
    assert "fake" not in str(caught.value)
