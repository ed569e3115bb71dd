"""The configuration in force, and what is made of it for a request."""

import asyncio
import json
import random
from dataclasses import replace

import pytest

from balancing.endpoints.models import MODEL, MODEL_LIST
from balancing.gateway import Gateway
from balancing.replies import Reply
from tests.balancing.world import ANYBODY, Clock, World, ask, chat, client, models, provider
from translators.errors import WireError

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]}).encode()


def gateway_of(*providers, clients=None) -> Gateway:
    gateway = Gateway(
        clock=Clock(), wall_clock=lambda: 1700000000.9, chance=random.Random(1), log=print, default_timeout=10
    )
    if providers:
        world = World(*providers)
        world.reload(*providers, clients=clients)
        gateway.use(world.config)
    return gateway


def test_without_a_configuration_everything_is_503_with_the_reason():
    """Nobody is let in either."""
    gateway = gateway_of()
    gateway.problem = "write api.yaml"
    assert gateway.client("sk-client") is None
    with pytest.raises(WireError, match=r"write api\.yaml") as caught:
        chat(gateway, ANYBODY, BODY)
    assert caught.value.status == 503


def test_answers_get_names_of_their_own():
    """Pitfall 13: an id is unique to its request; created is whole seconds."""
    gateway = gateway_of(provider("a"))
    first, second = chat(gateway, ANYBODY, BODY).identity, chat(gateway, ANYBODY, BODY).identity
    assert first.id != second.id
    assert first.id.startswith("chatcmpl-")
    assert first.created == 1700000000


def test_a_key_is_told_of_the_models_it_may_ask_for():
    """And of no others."""
    limited = client("only", key="sk-limited")
    gateway = gateway_of(provider("a", "up:only", "up:other"), clients=[limited])
    listed = ask(gateway, MODEL_LIST, limited)
    assert isinstance(listed, Reply)
    assert [model["id"] for model in json.loads(listed.body)["data"]] == ["only"]
    one = ask(gateway, MODEL, limited, name="only")
    assert isinstance(one, Reply)
    assert json.loads(one.body)["object"] == "model"
    with pytest.raises(WireError) as caught:
        ask(gateway, MODEL, limited, name="other")
    assert caught.value.code == "model_not_found"


def test_a_running_request_keeps_the_configuration_it_began_with():
    """A new one counts from the next request on."""
    gateway = gateway_of(provider("a"))
    running = chat(gateway, ANYBODY, BODY)
    world = World(provider("b"))
    gateway.use(world.config)
    call = asyncio.run(running.begin())
    assert call
    assert "a.example" in call.wire.url
    call = asyncio.run(chat(gateway, ANYBODY, BODY).begin())
    assert call
    assert "b.example" in call.wire.url


def test_models_that_are_discovered_are_offered_from_the_next_request_on():
    """A running request goes on by what was known when it began, and cooldowns and turns are kept."""
    known = {0: models("m")}
    world = World(provider("a"), provider("b"))
    unlisted = replace(world.config, providers=(replace(provider("a"), models=None), provider("b")))
    gateway = Gateway(
        clock=Clock(),
        wall_clock=lambda: 1700000000.9,
        chance=random.Random(1),
        log=print,
        default_timeout=10,
        discovered=lambda config: known,
    )
    gateway.refresh()
    gateway.use(unlisted)
    running = chat(gateway, ANYBODY, BODY)
    known[0] = models("other")
    assert gateway.catalogue.models(ANYBODY) == ("m",)
    gateway.refresh()
    assert gateway.catalogue.models(ANYBODY) == ("other", "m")
    call = asyncio.run(running.begin())
    assert call
    assert "a.example" in call.wire.url
    call = asyncio.run(chat(gateway, ANYBODY, BODY).begin())
    assert call
    assert "b.example" in call.wire.url


def test_the_alias_is_what_the_answer_is_called():
    """Where the channel renames the model; else the provider's own word stands."""
    gateway = gateway_of(provider("a", "upstream:m"))
    exchange = chat(gateway, ANYBODY, BODY)
    call = asyncio.run(exchange.begin())
    assert call
    assert json.loads(call.wire.body)["model"] == "upstream"
    call.head(200, {"content-type": "application/json"})
    message = {"role": "assistant", "content": "hi"}
    call.receive(json.dumps({"model": "upstream-2", "choices": [{"index": 0, "message": message}]}).encode())
    call.finish()
    exchange.advance(call)
    assert exchange.reply
    assert json.loads(exchange.reply.body)["model"] == "m"
