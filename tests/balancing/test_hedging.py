"""A second attempt beside a silent one: when it begins, who wins, and what becomes of the other."""

import asyncio
import json
import math
from dataclasses import replace

import pytest

from balancing.account import account_of
from balancing.call import Call
from balancing.exchange import Exchange, Step
from balancing.gateway import Gateway
from config.schema import ClientPreferences, Provider
from tests.balancing.test_exchange import DONE, FINISH, JSON, OUTPUT, SILENT, SSE, WHOLE
from tests.balancing.world import ANYBODY, VISIT, Clock, World, chat, provider
from translators.errors import Kind


class Hedged:
    """A gateway with these providers, and one request that is hedged after two seconds."""

    def __init__(
        self,
        *providers: Provider,
        stream: bool = True,
        hedge_after: float | None = 2.0,
        auto_retry: bool | int = True,
    ) -> None:
        self.clock = Clock()
        world = World(*providers)
        self.gateway = Gateway(
            clock=self.clock, wall_clock=lambda: 1.0, chance=world.planner._chance, log=print, default_timeout=10
        )
        self.gateway.use(world.config)
        client = replace(ANYBODY, preferences=ClientPreferences(hedge_after=hedge_after, auto_retry=auto_retry))
        body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": stream}
        self.exchange: Exchange = chat(self.gateway, client, json.dumps(body).encode())

    def begin(self) -> Call:
        call = asyncio.run(self.exchange.begin())
        assert call is not None
        return call

    def begin_two(self) -> tuple[Call, Call]:
        first = self.begin()
        self.clock.now = self.exchange.hedge_at
        return first, self.begin()


def stream(call: Call, *pieces: bytes) -> None:
    call.head(200, SSE)
    for piece in pieces:
        call.receive(piece)


def names(exchange: Exchange) -> list[str]:
    return [call.attempt.channel.provider.name for call in exchange.calls]


def test_a_second_attempt_is_due_after_so_much_silence():
    """At the next candidate, and no third one while two are on."""
    hedged = Hedged(provider("a"), provider("b"), provider("c"))
    hedged.begin()
    assert hedged.exchange.hedge_at == hedged.clock.now + 2
    hedged.clock.now += 2
    hedged.begin()
    assert names(hedged.exchange) == ["a", "b"]
    assert hedged.exchange.hedge_at == math.inf


def test_a_provider_can_have_its_own_time():
    """Where the client's key says nothing."""
    hedged = Hedged(provider("a", hedge_after=5.0), provider("b"), hedge_after=None)
    hedged.begin()
    assert hedged.exchange.hedge_at == hedged.clock.now + 5


@pytest.mark.parametrize("preferences", [{"hedge_after": None}, {"auto_retry": False}])
def test_nothing_is_hedged_unasked(preferences):
    """Off by default; and `AUTO_RETRY: false` is one attempt."""
    hedged = Hedged(provider("a"), provider("b"), **preferences)
    hedged.begin()
    hedged.clock.now += 100
    if hedged.exchange.hedge_at < math.inf:
        assert asyncio.run(hedged.exchange.begin()) is None
        assert hedged.exchange.hedge_at == math.inf
    assert names(hedged.exchange) == ["a"]
    assert hedged.exchange.reply is None


def test_a_stream_that_has_begun_is_not_hedged():
    """Output has come: the other would be too late."""
    hedged = Hedged(provider("a"), provider("b"))
    call = hedged.begin()
    stream(call, OUTPUT)
    assert hedged.exchange.advance(call) is Step.SEND
    assert hedged.exchange.hedge_at == math.inf


@pytest.mark.parametrize("winner", [0, 1])
def test_the_first_real_output_wins(winner):
    """The other is cancelled, cools nothing down, and none of it reaches the client."""
    hedged = Hedged(provider("a"), provider("b"))
    calls = hedged.begin_two()
    loser = calls[1 - winner]
    stream(loser, SILENT)
    assert hedged.exchange.advance(loser) is Step.WAIT
    stream(calls[winner], OUTPUT, FINISH, DONE)
    calls[winner].finish()
    assert hedged.exchange.advance(calls[winner]) is Step.DONE
    assert calls[winner].take_output() == OUTPUT + FINISH + DONE
    assert loser.take_output() == b""
    account = account_of(hedged.exchange, VISIT)
    assert account["hedged"]
    assert account["outcome"] == "ok"
    assert account["provider"] == "ab"[winner]
    assert [attempt["cancelled"] for attempt in account["attempts"]] == [winner == 1, winner == 0]
    assert not hedged.gateway.planner.cooling()


def test_a_whole_answer_wins_when_it_is_complete():
    """Its beginning alone is no output that could be delivered."""
    hedged = Hedged(provider("a"), provider("b"), stream=False)
    first, second = hedged.begin_two()
    first.head(200, JSON)
    first.receive(WHOLE[:10])
    assert hedged.exchange.advance(first) is Step.WAIT
    second.head(200, JSON)
    second.receive(WHOLE)
    second.finish()
    assert hedged.exchange.advance(second) is Step.ANSWER
    assert account_of(hedged.exchange, VISIT)["provider"] == "b"


def test_a_failure_of_one_leaves_the_other_on():
    """Only when both have failed is the next one begun."""
    hedged = Hedged(provider("a"), provider("b"), provider("c"))
    first, second = hedged.begin_two()
    second.break_off(Kind.CLOSED, "gone")
    assert hedged.exchange.advance(second) is Step.DROP
    assert names(hedged.exchange) == ["a"]
    first.break_off(Kind.CLOSED, "gone")
    assert hedged.exchange.advance(first) is Step.RETRY
    assert hedged.begin().attempt.channel.provider.name == "c"


def test_after_a_failed_second_attempt_there_may_be_another():
    """So much silence later."""
    hedged = Hedged(provider("a"), provider("b"), provider("c"))
    _, second = hedged.begin_two()
    second.break_off(Kind.CLOSED, "gone")
    hedged.exchange.advance(second)
    assert hedged.exchange.hedge_at == hedged.clock.now + 2
    hedged.begin()
    assert names(hedged.exchange) == ["a", "c"]


def test_the_clients_own_mistake_ends_both():
    """A 400 of either is the answer."""
    hedged = Hedged(provider("a"), provider("b"))
    _, second = hedged.begin_two()
    second.head(400, JSON)
    second.receive(b'{"error": {"message": "too hot"}}')
    second.finish()
    assert hedged.exchange.advance(second) is Step.ANSWER
    assert hedged.exchange.calls == []
    assert hedged.exchange.reply
    assert hedged.exchange.reply.status == 400


def test_what_cools_is_not_used_for_a_second_attempt():
    """It would hardly be quicker; as the last resort of a failed request it is."""
    hedged = Hedged(provider("a"), provider("b"))
    other = chat(hedged.gateway, ANYBODY, hedged.exchange.request.body)
    asyncio.run(other.begin())
    failed = asyncio.run(other.begin()) if other.calls == [] else other.calls[0]
    assert failed
    failed.break_off(Kind.CLOSED, "gone")
    other.advance(failed)
    call = hedged.begin()
    assert call.attempt.channel.provider.name == "b"
    hedged.clock.now += 2
    assert asyncio.run(hedged.exchange.begin()) is None
    assert hedged.exchange.hedge_at == math.inf
    call.break_off(Kind.CLOSED, "gone")
    assert hedged.exchange.advance(call) is Step.RETRY
    assert hedged.begin().attempt.channel.provider.name == "a"


def test_output_while_a_second_attempt_is_being_made_stops_it():
    """Its token or its images may take their time."""
    hedged = Hedged(provider("a"), provider("b"))
    first = hedged.begin()
    prepared = hedged.exchange.prepared

    async def slow(*arguments):
        stream(first, OUTPUT)
        assert hedged.exchange.advance(first) is Step.SEND
        return await prepared(*arguments)

    hedged.exchange.prepared = slow
    assert asyncio.run(hedged.exchange.begin()) is None
    assert names(hedged.exchange) == ["a"]


def test_a_failure_while_a_second_attempt_is_being_made_waits_for_it():
    """One next attempt is enough."""
    hedged = Hedged(provider("a"), provider("b"), provider("c"))
    first = hedged.begin()
    prepared = hedged.exchange.prepared

    async def slow(*arguments):
        first.break_off(Kind.CLOSED, "gone")
        assert hedged.exchange.advance(first) is Step.DROP
        return await prepared(*arguments)

    hedged.exchange.prepared = slow
    assert hedged.begin().attempt.channel.provider.name == "b"
    assert names(hedged.exchange) == ["b"]


def test_a_client_that_leaves_ends_both():
    """Nobody's fault."""
    hedged = Hedged(provider("a"), provider("b"))
    hedged.begin_two()
    hedged.exchange.leave()
    assert hedged.exchange.calls == []
    assert account_of(hedged.exchange, VISIT)["outcome"] == "cancelled"
    assert not hedged.gateway.planner.cooling()


def test_the_clients_own_mistake_is_the_answer_although_another_attempt_failed_before():
    """The one that began first may fail last."""
    trial = Hedged(provider("a"), provider("b"), stream=False)
    first, second = trial.begin_two()
    second.head(500, JSON)
    second.receive(b'{"error": {"message": "boom"}}')
    second.finish()
    assert trial.exchange.advance(second) is Step.DROP
    trial.clock.now += 1
    first.head(400, JSON)
    first.receive(b'{"error": {"message": "no such parameter"}}')
    first.finish()
    assert trial.exchange.advance(first) is Step.ANSWER
    assert trial.exchange.reply
    assert trial.exchange.reply.status == 400
    assert b"no such parameter" in trial.exchange.reply.body
