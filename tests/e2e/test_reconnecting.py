"""Connections to providers that cannot be opened, and clients that keep theirs."""

import socket
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.upstream import Upstream, answer, dead_url, openai_answer

ASK = {"model": "test-model", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def kept():
    """A client that keeps its connection to the gateway."""
    with httpx2.Client(timeout=20, headers={"authorization": f"Bearer {CLIENT_KEY}"}) as client:
        yield client


def ask(client: httpx2.Client, gateway: GatewayProcess) -> int:
    return client.post(f"{gateway.base_url}/chat/completions", json=ASK).status_code


def test_a_provider_that_comes_back_is_reached_on_a_kept_connection(start, kept):
    """That it could not be reached once is not remembered for as long as the client stays."""
    port = urlsplit(dead_url()).port or 0
    gateway = start(config_of(provider("late", f"http://127.0.0.1:{port}/late/v1")))
    assert ask(kept, gateway) == 502
    upstream = Upstream(port)
    upstream.on("late", answer(200, openai_answer("hi")))
    assert ask(kept, gateway) == 200
    upstream.close()


def test_a_provider_that_never_finishes_its_tls_handshake(start, kept, upstream):
    """It is left when the time is up, like any that does not answer, and the client's connection stays usable."""
    good = upstream.on("good", answer(200, openai_answer("hi")))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/v1"
        gateway = start(config_of(provider("silent", url), provider("good", good), timeout=0.4))
        assert [ask(kept, gateway) for _ in range(3)] == [200, 200, 200]
    gateway.wait_for_log("silent: timeout")
