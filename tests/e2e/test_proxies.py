"""Providers that are reached through a proxy of their own: by HTTP, by HTTPS, by SOCKS 5."""

import base64
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import httpx2
import pytest

from tests.e2e.clients import RawHttp2
from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.http2_upstream import Http2Upstream, Stream, server_context
from tests.e2e.proxies import HttpProxy, LoopbackProxy, Socks5Proxy
from tests.e2e.upstream import Upstream, answer, dead_url, openai_answer, openai_stream, sse

MESSAGES = [{"role": "user", "content": "hello"}]
HEADERS = {"authorization": f"Bearer {CLIENT_KEY}"}
CREDENTIALS = "proxy-user:pass:word/é"
IN_A_URL = "proxy-user:pass%3Aword%2F%C3%A9"
TRUST_ALL = ("--set", "ssl_insecure=true")
KINDS = ("http", "https", "socks5")
GOOD = answer(200, openai_answer("hi"))


@pytest.fixture
def open_proxy(tmp_path: Path) -> Iterator[Callable[..., LoopbackProxy]]:
    """Start proxies that end with the test."""
    with ExitStack() as stack:

        def open_one(kind: str, credentials: str = "", *, delay: float = 0.0) -> LoopbackProxy:
            context = server_context(tmp_path, "http/1.1") if kind == "https" else None
            made: LoopbackProxy
            if kind == "socks5":
                made = Socks5Proxy(credentials, delay=delay)
            else:
                made = HttpProxy(credentials, context=context, delay=delay)
            stack.callback(made.close)
            return made

        yield open_one


@pytest.fixture
def tls_upstream(tmp_path: Path) -> Iterator[Upstream]:
    server = Upstream(context=server_context(tmp_path, "http/1.1"))
    yield server
    server.close()


def by(proxy: str, name: str, base_url: str, *, model: str = "") -> dict:
    """A provider by this proxy; its model has its name unless said otherwise."""
    return provider(name, base_url, model=model or name, preferences={"proxy": proxy})


def ask(gateway: GatewayProcess, model: str, *, stream: bool = False) -> httpx2.Response:
    body = {"model": model, "messages": MESSAGES, "stream": stream}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=HEADERS, timeout=20)


def elsewhere(url: str) -> str:
    """The same address with a name that only the proxy knows."""
    return url.replace("127.0.0.1", "provider.test")


def assert_no_credentials(gateway: GatewayProcess) -> None:
    gateway.stop()
    kept = gateway.log.encode() + gateway.flow_path.read_bytes()
    secrets = [*CREDENTIALS.split(":", 1), IN_A_URL, base64.b64encode(CREDENTIALS.encode()).decode()]
    assert not [secret for secret in secrets if secret.encode() in kept]


@pytest.mark.parametrize("credentials", ["", CREDENTIALS], ids=["open", "with-password"])
def test_providers_without_tls(start, upstream, open_proxy, credentials):
    """HTTP proxies are sent the request itself, with the whole URL; SOCKS proxies are asked for a tunnel."""
    proxies = {kind: open_proxy(kind, credentials) for kind in KINDS}
    url = elsewhere(upstream.on("good", GOOD))
    providers = [by(proxy.url(IN_A_URL if credentials else ""), kind, url) for kind, proxy in proxies.items()]
    gateway = start(config_of(*providers), *TRUST_ALL)
    assert [ask(gateway, kind).status_code for kind in KINDS] == [200, 200, 200]
    place = f"provider.test:{upstream.port}"
    for kind, proxy in proxies.items():
        tunnel, request = f"tunnel {place}", f"POST http://{place}/good/v1/chat/completions"
        assert proxy.seen == [tunnel if kind == "socks5" else request]
    assert {seen.headers["host"] for seen in upstream.requests("good")} == {place}
    assert_no_credentials(gateway)


@pytest.mark.parametrize("credentials", ["", CREDENTIALS], ids=["open", "with-password"])
def test_providers_with_tls(start, tls_upstream, open_proxy, credentials):
    """Through a tunnel; the provider sees nothing of it."""
    proxies = {kind: open_proxy(kind, credentials) for kind in KINDS}
    url = elsewhere(tls_upstream.on("good", sse(openai_stream("Hello"))))
    providers = [by(proxy.url(IN_A_URL if credentials else ""), kind, url) for kind, proxy in proxies.items()]
    gateway = start(config_of(*providers), *TRUST_ALL)
    for kind, proxy in proxies.items():
        assert "Hello" in ask(gateway, kind, stream=True).text
        assert proxy.seen == [f"tunnel provider.test:{tls_upstream.port}"]
    assert not any("proxy-authorization" in seen.headers for seen in tls_upstream.requests("good"))
    assert_no_credentials(gateway)


def test_http2_through_a_tunnel(start, tmp_path, confdir, open_proxy):
    """What is said inside it is no matter of the proxy's: parallel requests of one client share one tunnel."""
    upstream = Http2Upstream(tmp_path)

    async def good(stream: Stream) -> None:
        stream.head(200, "application/json")
        stream.data(json.dumps(openai_answer("hi")).encode(), ends=True)

    proxies = {kind: open_proxy(kind) for kind in KINDS}
    url = elsewhere(upstream.on("good", good))
    gateway = start(config_of(*(by(proxy.url(), kind, url) for kind, proxy in proxies.items())), *TRUST_ALL)
    client = RawHttp2(gateway, confdir)
    asked = [client.post("/v1/chat/completions", {"model": kind, "messages": MESSAGES}, HEADERS) for kind in KINDS * 5]
    while len(client.ended) < len(asked):
        client.read()
    assert [client.statuses[each] for each in asked] == [200] * len(asked)
    assert [proxy.seen for proxy in proxies.values()] == [[f"tunnel provider.test:{upstream.port}"]] * 3
    client.close()
    upstream.close()


def test_a_proxy_in_trouble_is_a_connection_that_failed(start, upstream, open_proxy):
    """The next candidate serves, the channel cools down, and nobody sees the proxy's own status."""
    good = upstream.on("good", GOOD)
    providers = []
    wrong_passwords = []
    for kind, trouble in product(KINDS, ("dead", "refusing", "refusing-tunnels", "without-route")):
        proxy = open_proxy(kind, CREDENTIALS)
        address = proxy.url("proxy-user:wrong" if trouble.startswith("refusing") else IN_A_URL)
        if trouble.startswith("refusing"):
            wrong_passwords.append(proxy)
        if trouble == "dead":
            address = address.replace(f":{proxy.port}", dead_url().removeprefix("http://127.0.0.1").removesuffix("/v1"))
        target = elsewhere(good) if trouble == "refusing" else dead_url().replace("http:", "https:")
        model = f"{kind}-{trouble}"
        providers += [by(address, model, target), provider("near", good, model=model)]
    gateway = start(config_of(*providers), *TRUST_ALL)
    for model in [entry["model"][0] for entry in providers[::2]]:
        assert ask(gateway, model).status_code == 200
        gateway.wait_for_log(f"cooling down {model}/{model} for 300 s: connect")
    assert [proxy.refused for proxy in wrong_passwords] == [1] * 6
    assert_no_credentials(gateway)


def test_a_next_attempt_does_not_go_through_the_last_ones_proxy(start, upstream, open_proxy):
    """Each provider has its own way, to the same address as well."""
    proxies = {kind: open_proxy(kind) for kind in KINDS}
    url = upstream.on("same", *[answer(500, {})] * 3, GOOD)
    far = [by(proxy.url(), kind, url, model="same") for kind, proxy in proxies.items()]
    gateway = start(config_of(*far, provider("near", url, model="same")), *TRUST_ALL)
    assert ask(gateway, "same").status_code == 200
    assert len(upstream.requests("same")) == 4
    assert [len(proxy.seen) for proxy in proxies.values()] == [1, 1, 1]


def test_a_connection_through_a_proxy_is_kept(start, tls_upstream, open_proxy):
    """A client's next request goes by the same tunnel, but not by one that another user has opened."""
    url = tls_upstream.on("good", GOOD)
    proxies = {kind: open_proxy(kind) for kind in KINDS}
    providers = [by(proxy.url(), kind, url) for kind, proxy in proxies.items()]
    others = [by(proxy.url("other:user"), f"other-{kind}", url) for kind, proxy in proxies.items()]
    gateway = start(config_of(*providers, *others), *TRUST_ALL)
    with httpx2.Client(timeout=20, headers=HEADERS) as client:
        for kind in KINDS:
            for model in (kind, kind, f"other-{kind}", kind):
                body = {"model": model, "messages": MESSAGES}
                assert client.post(f"{gateway.base_url}/chat/completions", json=body).status_code == 200
    assert [len(proxy.seen) for proxy in proxies.values()] == [2, 2, 2]


def test_a_proxy_that_never_answers_is_left_when_the_time_is_up(start, upstream):
    """And the connection to it is closed."""
    good = upstream.on("good", GOOD)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        addresses = {kind: f"{kind}://127.0.0.1:{silent.getsockname()[1]}" for kind in KINDS}
        far = [by(address, kind, "https://provider.test/v1") for kind, address in addresses.items()]
        near = [provider("near", good, model=kind) for kind in KINDS]
        gateway = start(config_of(*far, *near, timeout=0.5))
        for kind in KINDS:
            assert ask(gateway, kind).status_code == 200
            gateway.wait_for_log(f"{kind}: timeout")
            connection, _ = silent.accept()
            connection.settimeout(5)
            while connection.recv(65536):
                pass
            connection.close()


def test_a_stream_through_a_proxy_ends_with_its_client(start, upstream, open_proxy):
    """The provider sees that nobody listens any more."""
    url = upstream.on("endless", sse(openai_stream("x")[:2], then_hangs=60))
    gateway = start(config_of(by(open_proxy("socks5").url(), "endless", url)))
    body = {"model": "endless", "messages": MESSAGES, "stream": True}
    with (
        httpx2.Client(timeout=20, headers=HEADERS) as client,
        client.stream("POST", f"{gateway.base_url}/chat/completions", json=body) as response,
    ):
        next(response.iter_raw())
    deadline = time.monotonic() + 5
    while upstream.requests("endless")[0].gone_at is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_of_two_requests_that_wait_for_the_same_connection_is_taken_back(start, upstream, confdir, open_proxy):
    """The other one still gets its answer."""
    url = upstream.on("good", GOOD)
    gateway = start(config_of(by(open_proxy("socks5", delay=0.7).url(), "good", url), timeout=5))
    client = RawHttp2(gateway, confdir)
    body = {"model": "good", "messages": MESSAGES}
    stays, goes = [client.post("/v1/chat/completions", body, HEADERS) for _ in range(2)]
    time.sleep(0.3)
    client.reset(goes)
    while stays not in client.ended:
        client.read()
    assert client.statuses[stays] == 200
    client.close()


def test_a_proxy_that_mitmproxy_itself_goes_through(start, upstream, open_proxy):
    """In upstream mode providers are reached by its proxy, but for those that have their own."""
    everybodys, own = open_proxy("http"), open_proxy("socks5")
    url = upstream.on("good", answer(500, {}), GOOD)
    gateway = start(
        config_of(provider("far", url, model="m"), by(own.url(), "further", url, model="m")),
        *("--mode", f"upstream:{everybodys.url()}"),
    )
    body = {"model": "m", "messages": MESSAGES}
    with httpx2.Client(proxy=gateway.url, timeout=20, headers=HEADERS) as client:
        assert client.post("http://api.openai.com/v1/chat/completions", json=body).status_code == 200
    assert everybodys.seen == [f"POST {url}/chat/completions"]
    assert own.seen == [f"tunnel 127.0.0.1:{upstream.port}"]
