"""What a person is told of channels and of a request's way through them."""

import json
import random
from dataclasses import replace

import pytest

from balancing.exchange import Exchange
from balancing.gateway import Gateway
from balancing.identity import short_name
from balancing.overview import channel_lines, outlook_lines
from config.schema import ClientKey, Provider
from tests.balancing.world import CHAT_ENDPOINT, Clock, World, ask, chat, client, error, provider
from translators.errors import Kind, WireError

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]}).encode()


def gateway_of(*providers: Provider, clients: list[ClientKey]) -> Gateway:
    world = World(*providers)
    world.reload(*providers, clients=clients)
    gateway = Gateway(
        clock=Clock(), wall_clock=lambda: 0.0, chance=random.Random(1), log=lambda line: None, default_timeout=10
    )
    gateway.use(world.config)
    return gateway


def fail(gateway: Gateway, asker: ClientKey, kind: Kind, status: int) -> None:
    """One request whose first attempt fails so."""
    exchange = chat(gateway, asker, BODY)
    attempt = exchange.plan.next()
    assert attempt
    exchange.plan.failed(attempt, error(kind, status=status))


def test_every_model_and_key_is_listed_with_its_state() -> None:
    """By providers, in the configuration's order; keys are masked."""
    asker = client()
    gateway = gateway_of(provider("a", "up:m", keys=("one", "two")), provider("b"), clients=[asker])
    fail(gateway, asker, Kind.CREDENTIALS, 401)
    assert list(channel_lines(gateway)) == [
        "a (gpt)",
        "  up → m: free",
        "  key sk-…one: cooling down for 300 s more (credentials, status 401)",
        "  key sk-…two: free",
        "b (gpt)",
        "  m: free",
        "  key sk-…one: free",
    ]


def test_a_cooling_channel_tells_why_and_for_how_long() -> None:
    """The whole channel is left alone, its key is not."""
    asker = client()
    gateway = gateway_of(provider("a"), clients=[asker])
    fail(gateway, asker, Kind.SERVER, 500)
    assert list(channel_lines(gateway))[1:] == [
        "  m: cooling down for 300 s more (server, status 500)",
        "  key sk-…one: free",
    ]


def test_a_region_that_is_left_alone_is_named() -> None:
    """The model is free all the same: there are others."""
    asker = client()
    gateway = gateway_of(provider("v", engine="vertex-gemini", regions=("here", "there")), clients=[asker])
    fail(gateway, asker, Kind.RATE_LIMIT, 429)
    assert "  m: free" in list(channel_lines(gateway))
    assert list(channel_lines(gateway))[-1] == "  v/m in here: cooling down for 300 s more (rate_limit, status 429)"


def test_a_channel_whose_keys_are_used_up_waits_for_them() -> None:
    """Its limit is no cooldown."""
    asker = client()
    gateway = gateway_of(provider("a", api_key_rate_limit={"default": "1/min"}), clients=[asker])
    assert chat(gateway, asker, BODY).plan.next()
    assert list(channel_lines(gateway))[1] == "  m: waiting 60 s for its keys"


def test_a_provider_without_known_models_is_listed_too() -> None:
    """Its list may not have been read yet."""
    gateway = gateway_of(replace(provider("a"), models=None), clients=[client()])
    assert list(channel_lines(gateway)) == ["a (gpt)", "  no model of it is known"]


def test_the_outlook_names_rule_weight_state_and_choice() -> None:
    """In the order of the algorithm; what has no weight is not used beside what has."""
    asker = client("a/*", ("b/m", 3), ("c/m", 5), scheduling_algorithm="weighted_round_robin")
    gateway = gateway_of(provider("a"), provider("b"), provider("c"), clients=[asker])
    assert list(outlook_lines(gateway, short_name(asker), "m")) == [
        "If it came now, by weighted_round_robin:",
        '  1. c/m, rule "c/m", weight 5: free',
        '  2. b/m, rule "b/m", weight 3: free',
        '  -  a/m, rule "a/*": free, but not used: others have a weight, it has none',
        "The first that is free would be asked: c/m.",
    ]


def test_what_cools_is_passed_over_in_the_outlook() -> None:
    """Its place in the order is told all the same."""
    asker = client("all")
    gateway = gateway_of(provider("a"), provider("b"), clients=[asker])
    fail(gateway, asker, Kind.SERVER, 500)
    lines = list(outlook_lines(gateway, short_name(asker), "m"))
    assert lines[1] == '  1. a/m, rule "all": cooling down for 300 s more (server, status 500)'
    assert lines[-1] == "The first that is free would be asked: b/m."


def test_with_everything_cooling_the_soonest_would_be_asked() -> None:
    """As the plan does it."""
    asker = client()
    gateway = gateway_of(provider("a", cooldown_period=50), provider("b", cooldown_period=20), clients=[asker])
    fail(gateway, asker, Kind.SERVER, 500)
    fail(gateway, asker, Kind.SERVER, 500)
    assert list(outlook_lines(gateway, short_name(asker), "m"))[-1] == (
        "None is free, so the one that recovers soonest would be asked: b/m."
    )


def test_there_is_no_outlook_for_a_key_that_is_gone() -> None:
    """Its short name is told."""
    gateway = gateway_of(provider("a"), clients=[client()])
    with pytest.raises(WireError, match="came with \\(1a2b3c4d…0001\\) is none of the configuration's"):
        list(outlook_lines(gateway, "1a2b3c4d…0001", "m"))


@pytest.mark.parametrize("algorithm", ["fixed_priority", "round_robin", "weighted_round_robin"])
def test_looking_uses_nobodys_turn(algorithm: str) -> None:
    """What is foretold is what happens, however often one looks."""
    asker = client(("a/m", 1), ("b/m", 2), ("c/m", 1), scheduling_algorithm=algorithm)
    gateway = gateway_of(provider("a"), provider("b"), provider("c"), clients=[asker])
    for _ in range(8):
        for _ in range(3):
            foretold = list(outlook_lines(gateway, short_name(asker), "m"))[-1]
        attempt = chat(gateway, asker, BODY).plan.next()
        assert attempt
        assert foretold == f"The first that is free would be asked: {attempt.channel.label}."


def test_a_destination_goes_by_no_rules_and_by_no_turns() -> None:
    """By either name of the model; the client's other requests go on as before."""
    asker = client("a/m", "b/m", scheduling_algorithm="round_robin")
    gateway = gateway_of(provider("a"), provider("b"), provider("c", "up:alias"), clients=[asker])

    def served_by(destination: str = "") -> str:
        exchange = ask(gateway, CHAT_ENDPOINT, asker, BODY, destination=destination)
        assert isinstance(exchange, Exchange)
        attempt = exchange.plan.next()
        assert attempt
        return attempt.channel.label

    assert served_by() == "a/m"
    assert served_by("c/alias") == served_by("c/up") == "c/up"
    assert served_by() == "b/m"
    with pytest.raises(WireError, match="No provider offers 'c/m'"):
        served_by("c/m")


def test_without_a_configuration_the_outlook_says_so() -> None:
    """Nobody can know whose the key was."""
    gateway = Gateway(
        clock=Clock(), wall_clock=lambda: 0.0, chance=random.Random(1), log=lambda line: None, default_timeout=10
    )
    with pytest.raises(WireError) as refused:
        list(outlook_lines(gateway, "1a2b…0001", "m"))
    assert refused.value.code == "not_configured"
