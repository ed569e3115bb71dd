"""Endpoints that providers answer: all by the same keys, rules and attempts."""

import asyncio
import json

import pytest

from balancing.call import Call
from balancing.endpoints import ENDPOINTS, Endpoint
from balancing.exchange import Exchange, Step
from balancing.gateway import Gateway
from balancing.moderation import Moderation
from balancing.replies import Reply
from config.schema import ClientKey, Provider
from tests.balancing.world import ANYBODY, Clock, World, ask, provider
from tests.translators.endpoint_exchange import FORM_TYPE, form
from translators.errors import WireError
from translators.services import OFFERS

EMBED = {"model": "m", "input": "hello"}


def gateway_of(*providers: Provider) -> Gateway:
    world = World(*providers)
    gateway = Gateway(
        clock=Clock(), wall_clock=lambda: 1.0, chance=world.planner._chance, log=print, default_timeout=10
    )
    gateway.use(world.config)
    return gateway


def endpoint_at(path: str) -> Endpoint:
    return next(endpoint for endpoint in ENDPOINTS if endpoint.path == path)


def embed(gateway: Gateway) -> Exchange:
    exchange = ask(gateway, endpoint_at("/v1/embeddings"), ANYBODY, json.dumps(EMBED).encode())
    assert isinstance(exchange, Exchange)
    return exchange


def begun(exchange: Exchange) -> Call:
    call = asyncio.run(exchange.begin())
    assert call
    return call


def test_every_offer_has_its_endpoint():
    """One line in the table of offers is enough."""
    assert set(OFFERS) <= {endpoint.path for endpoint in ENDPOINTS if endpoint.method == "POST"}


def test_a_provider_without_the_endpoint_is_passed_by():
    """Claude has no embeddings; nothing is sent to it, nothing cools, and it counts as no attempt of the client's."""
    gateway = gateway_of(provider("claude", engine="claude"), provider("gpt"))
    exchange = embed(gateway)
    call = begun(exchange)
    assert call.wire.url == "https://gpt.example/v1/embeddings"
    assert not gateway.planner.cooling()


def test_with_no_provider_that_has_it_the_client_is_told():
    """400 with a sentence that names provider and engine."""
    exchange = embed(gateway_of(provider("one", engine="claude")))
    assert asyncio.run(exchange.begin()) is None
    assert exchange.reply
    assert exchange.reply.status == 400
    assert "the claude engine lacks it" in json.loads(exchange.reply.body)["error"]["message"]


def test_a_failed_attempt_is_followed_by_the_next_and_cools_down():
    """As with chats."""
    gateway = gateway_of(provider("a"), provider("b"))
    exchange = embed(gateway)
    first = begun(exchange)
    first.head(500, {"content-type": "application/json"})
    first.finish()
    assert exchange.advance(first) is Step.RETRY
    second = begun(exchange)
    assert "b.example" in second.wire.url
    second.head(200, {"content-type": "application/json"})
    vectors = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}], "model": "m"}
    second.receive(json.dumps(vectors).encode())
    second.finish()
    assert exchange.advance(second) is Step.ANSWER
    assert [str(cooling.what) for cooling in gateway.planner.cooling()] == ["a/m"]


@pytest.mark.parametrize("path", sorted(OFFERS))
def test_what_is_no_request_is_refused_before_anything_is_asked(path):
    """400 in OpenAI's form; what it should be is said."""
    with pytest.raises(WireError) as caught:
        ask(gateway_of(provider("a")), endpoint_at(path), ANYBODY, b"[1, 2]", content_type="application/json")
    assert caught.value.status == 400


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/images/edits"])
def test_a_form_goes_on_whole_whatever_is_in_its_fields(path):
    """Also where there is a moderation, which this client has not asked for."""

    async def judge(client: ClientKey, body: bytes) -> Reply:
        raise AssertionError("nobody is to be asked")

    gateway = gateway_of(provider("a"))
    gateway.moderation = Moderation(judge, lambda client, model: True, Clock(), allow_on_error=False)
    fields = [("model", None, b"m"), ("prompt", None, b"p"), ("odd", None, b"\xff\xfe"), ("other", None, b"\x00")]
    body = form(*fields, ("file", "a.wav", b"RIFF"), ("image", "a.png", b"\x89PNG"))
    exchange = ask(gateway, endpoint_at(path), ANYBODY, body, content_type=FORM_TYPE)
    assert isinstance(exchange, Exchange)
    assert begun(exchange).wire.body == body


def test_a_model_that_nobody_offers_is_404():
    """The same at every endpoint."""
    body = json.dumps(EMBED | {"model": "another"}).encode()
    with pytest.raises(WireError) as caught:
        ask(gateway_of(provider("a")), endpoint_at("/v1/embeddings"), ANYBODY, body)
    assert caught.value.code == "model_not_found"
