"""Requests of the gateway's own: by the same plans as clients', sent without mitmproxy."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from balancing.endpoints.service import ask_moderation
from balancing.gateway import Gateway
from balancing.own_calls import OwnCalls
from balancing.replies import Reply
from config.schema import Provider
from tests.balancing.world import ANYBODY, Clock, World, provider
from tests.e2e.proxies import HttpProxy, Socks5Proxy
from tests.e2e.upstream import Upstream, answer, closes, dead_url, hangs

VERDICT = {"id": "modr-1", "model": "m", "results": [{"flagged": False, "categories": {}}]}
BODY = json.dumps({"model": "m", "input": ["hello"]}).encode()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


def at(name: str, url: str, **preferences: Any) -> Provider:
    return replace(provider(name, **preferences), base_url=url)


def asked(*providers: Provider, timeout: float = 5) -> tuple[Reply, Gateway]:
    """What the moderation says, and the gateway that asked."""
    world = World(*providers, timeout=timeout)
    gateway = Gateway(
        clock=Clock(), wall_clock=lambda: 1.0, chance=world.planner._chance, log=print, default_timeout=timeout
    )
    gateway.use(world.config)

    async def ask() -> Reply:
        calls = OwnCalls(lambda: (False, None))
        try:
            return await ask_moderation(gateway, calls, ANYBODY, BODY)
        finally:
            await calls.close()

    return asyncio.run(ask()), gateway


def test_the_answer_is_the_providers(upstream):
    """With the provider's key, and no other."""
    reply, _ = asked(at("a", upstream.on("a", answer(200, VERDICT))))
    assert (reply.status, json.loads(reply.body)) == (200, VERDICT)
    (seen,) = upstream.requests("a")
    assert seen.path == "/a/v1/moderations"
    assert seen.headers["authorization"] == "Bearer sk-a-one-and-so-on-one"


def test_failures_are_followed_by_the_next_provider_and_cool_down(upstream):
    """Dead, closing, failing, silent: as with clients' requests."""
    reply, gateway = asked(
        at("dead", dead_url()),
        at("closing", upstream.on("closing", closes())),
        at("failing", upstream.on("failing", answer(500, {"error": {"message": "boom"}}))),
        at("silent", upstream.on("silent", hangs())),
        at("good", upstream.on("good", answer(200, VERDICT))),
        timeout=0.5,
    )
    assert reply.status == 200
    cooling = {str(each.what).partition("/")[0]: each.why for each in gateway.planner.cooling()}
    assert cooling == {"dead": "connect", "closing": "connect", "failing": "server, status 500", "silent": "timeout"}


def test_when_all_fail_the_error_tells_of_the_attempts(upstream):
    """In the form that clients get."""
    reply, _ = asked(at("dead", dead_url()))
    assert reply.status == 502
    assert json.loads(reply.body)["error"]["attempts"][0]["provider"] == "dead"


@pytest.mark.parametrize("kind", [HttpProxy, Socks5Proxy])
def test_a_providers_own_proxy_is_used(upstream, kind):
    """As for clients' requests to it."""
    proxy = kind("user:pass")
    url = upstream.on("a", answer(200, VERDICT)).replace("127.0.0.1", "provider.test")
    reply, _ = asked(at("a", url, proxy=proxy.url("user:pass")))
    assert reply.status == 200
    assert proxy.seen
    proxy.close()
