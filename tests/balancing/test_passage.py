"""What the gateway answers, what it leaves alone, and what becomes of a replay."""

import random
from typing import Any

import pytest

from balancing.gateway import Gateway
from balancing.identity import short_name
from balancing.passage import Passage, arriving, replayed
from tests.balancing.world import Clock, World, chat, client, provider
from translators.errors import WireError

CHAT = "/v1/chat/completions"
ASKER = client(key="sk-a-client-of-the-gateway", rate_limit="1/min")
BODY = b'{"model": "m", "messages": [{"role": "user", "content": "x"}]}'


@pytest.fixture
def gateway() -> Gateway:
    world = World(provider("a"))
    world.reload(provider("a"), provider("b", "up:alias"), clients=[ASKER])
    gateway = Gateway(
        clock=Clock(), wall_clock=lambda: 0.0, chance=random.Random(1), log=lambda line: None, default_timeout=10
    )
    gateway.use(world.config)
    return gateway


def arrival(
    gateway: Gateway, *, key: str = "", path: str = CHAT, method: str = "POST", here: bool = True
) -> Passage | None:
    return arriving(gateway, method, path, key, ip="192.0.2.1", addressed_here=here)


def code_of(passage: Passage | None) -> str | None:
    assert passage
    return passage.refusal.code if passage.refusal else None


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"key": ASKER.api.reveal()}, None),
        ({"key": "sk-unknown"}, "invalid_api_key"),
        ({}, "invalid_api_key"),
        ({"path": "/v1/nothing"}, "unknown_endpoint"),
        ({"method": "GET"}, "method_not_allowed"),
        ({"path": "/healthz", "method": "GET"}, None),
    ],
)
def test_whatever_is_addressed_to_the_gateway_is_answered(gateway, asked, code):
    """With a refusal if need be."""
    assert code_of(arrival(gateway, **asked)) == code


@pytest.mark.parametrize(
    "asked",
    [
        {"key": "sk-unknown"},
        {},
        {"key": ASKER.api.reveal(), "path": "/v1/nothing"},
        {"key": ASKER.api.reveal(), "path": "/healthz", "method": "GET"},
    ],
)
def test_what_is_meant_for_another_host_is_left_alone(gateway, asked):
    """Unless endpoint and key are the gateway's."""
    assert arrival(gateway, **asked, here=False) is None
    ours = arrival(gateway, key=ASKER.api.reveal(), here=False)
    assert ours
    assert ours.client is ASKER


def test_the_default_key_stands_in_for_unknown_ones(gateway):
    """For other hosts' requests; whoever asks the gateway itself needs a key."""
    gateway.default_key = ASKER.api.reveal()
    served = arrival(gateway, key="sk-unknown", here=False)
    assert served
    assert served.client is ASKER
    assert code_of(arrival(gateway, key="sk-unknown")) == "invalid_api_key"


def replay(gateway: Gateway, **changes: Any) -> Passage:
    facts: dict[str, Any] = {
        "name": short_name(ASKER),
        "path": CHAT,
        "method": "POST",
        "cut": 0,
        "destination": "",
        **changes,
    }
    return replayed(gateway, facts.pop("method"), facts.pop("path"), facts.pop("name"), ip="", **facts)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "1a2b3c4d…0001"}, r"came with \(1a2b3c4d…0001\) is none"),
        ({"cut": 7}, "7 bytes of its body were not kept"),
        ({"destination": "b/m"}, "No provider offers 'b/m'"),
        ({"destination": "a/m", "path": "/v1/models", "method": "GET"}, "GET /v1/models is answered by the gateway"),
        ({"path": "/v1/gone"}, "no endpoint '/v1/gone'"),
    ],
)
def test_what_cannot_be_replayed_is_refused(gateway, changes, message):
    """With the reason."""
    refusal = replay(gateway, **changes).refusal
    assert refusal
    with pytest.raises(WireError, match=message):
        raise refusal


@pytest.mark.parametrize("destination", ["", "a/m", "b/up", "b/alias"])
def test_a_replay_is_the_clients_own_request(gateway, destination):
    """It is not held against the client's rate limit."""
    passage = replay(gateway, destination=destination)
    assert passage.refusal is None
    assert passage.client is ASKER
    for _ in range(3):
        passage.admit(gateway)
    assert passage.question(BODY, {}).destination == destination
    first = arrival(gateway, key=ASKER.api.reveal())
    assert first
    first.admit(gateway)
    assert first.rate_headers["x-ratelimit-remaining-requests"] == "0"


@pytest.mark.parametrize(
    ("path", "name", "query"),
    [
        ("/v1/models/org/model", "org/model", {}),
        ("/v1/models/org%2Fgro%C3%9Fes%20model%25/", "org/großes model%", {}),
        ("/v1/stats?hours=2", "", {"hours": "2"}),
        ("/v1/stats?hours=", "", {"hours": ""}),
    ],
)
def test_an_address_says_what_is_asked(gateway, path, name, query):
    """Names without their percent signs, and fields also where they are empty."""
    passage = arrival(gateway, key=ASKER.api.reveal(), path=path, method="GET")
    assert passage
    question = passage.question(b"", {})
    assert (question.name, question.query) == (name, query)


def test_nothing_is_counted_that_was_for_no_provider(gateway):
    """Nor what was nobody's."""
    assert replay(gateway, path="/v1/models", method="GET").account(200, killed=False) is None
    unknown = arrival(gateway, key="sk-unknown")
    assert unknown
    assert unknown.account(401, killed=False) is None


def test_a_request_that_was_taken_out_of_the_gateways_hands_is_over(gateway):
    """Its attempt has ended, by nobody's fault."""
    passage = replay(gateway)
    passage.exchange = chat(gateway, ASKER, BODY)
    account = passage.account(None, killed=False)
    assert account
    assert account["stopped"]
    assert account["outcome"] == "cancelled"
    assert passage.exchange.is_over


def test_a_request_that_a_person_ends_behind_its_first_output_was_stopped(gateway):
    """Although a provider had been found that answers."""
    passage = replay(gateway)
    passage.exchange = chat(gateway, ASKER, BODY)
    passage.exchange.leave()
    account = passage.account(200, killed=True)
    assert account
    assert account["stopped"]
    assert account["outcome"] == "cancelled"


def test_a_request_that_a_person_ends_before_it_is_served_was_stopped(gateway):
    """By nobody's refusal."""
    account = replay(gateway).account(None, killed=True)
    assert account
    assert account["stopped"]
    assert account["refused"] is None
