"""One request on its way, without a network: what the transport tells, and what it is told to do."""

import asyncio
import gzip
import json
import logging
from typing import Any, cast

import pytest

from balancing.account import account_of
from balancing.call import ERROR_BODY_BYTES, HELD_BYTES, HELD_FRAMES
from balancing.exchange import Exchange, Step
from balancing.gateway import Gateway
from config.schema import Provider
from tests.balancing.world import ANYBODY, VISIT, Clock, World, chat, provider
from translators.chat import OPENAI_CHAT
from translators.errors import Kind
from translators.types import WireRequest

SSE = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}
OUTPUT = b'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
SILENT = b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'
FINISH = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
WHOLE = json.dumps({"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}]}).encode()
CLAUDE_ANSWER = json.dumps(
    {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
).encode()


class Trial:
    """A gateway with these providers, and one request for the model `m`."""

    def __init__(self, *providers: Provider, stream: bool = False, timeout: float = 10.0, **fields: Any) -> None:
        self.clock = Clock()
        world = World(*providers, timeout=timeout)
        self.gateway = Gateway(
            clock=self.clock, wall_clock=lambda: 1.0, chance=world.planner._chance, log=print, default_timeout=timeout
        )
        self.gateway.use(world.config)
        body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": stream, **fields}
        self.exchange: Exchange = chat(self.gateway, ANYBODY, json.dumps(body).encode())

    def begin(self) -> WireRequest:
        call = asyncio.run(self.exchange.begin())
        assert call is not None
        self.call = call
        return call.wire

    def advance(self) -> Step:
        return self.exchange.advance(self.call)

    def answer(self, status: int, headers: dict[str, str], *pieces: bytes, ends: bool = True) -> Step:
        """The provider answers the attempt that is on."""
        self.call.head(status, headers)
        for piece in pieces:
            self.call.receive(piece)
        if ends:
            self.call.finish()
        return self.advance()

    def error(self) -> dict[str, Any]:
        """The error that the client gets when nothing is left to try."""
        if self.exchange.reply is None:
            assert asyncio.run(self.exchange.begin()) is None
        assert self.exchange.reply
        error: dict[str, Any] = json.loads(self.exchange.reply.body)["error"]
        return error


def test_a_whole_answer_is_the_reply():
    """With what the provider called the request."""
    trial = Trial(provider("a"))
    trial.begin()
    assert trial.answer(200, JSON | {"x-request-id": "req_1"}, WHOLE[:10], WHOLE[10:]) is Step.ANSWER
    assert trial.exchange.reply
    assert trial.exchange.reply.body == WHOLE
    assert trial.exchange.reply.headers["x-uniapi-upstream-request-id"] == "req_1"
    assert account_of(trial.exchange, VISIT)["outcome"] == "ok"


def test_nothing_goes_out_before_the_first_output():
    """Role-only chunks and comments wait; then everything goes in order."""
    trial = Trial(provider("a"), stream=True)
    trial.begin()
    assert trial.answer(200, SSE, SILENT, b": comment\n\n", ends=False) is Step.WAIT
    assert trial.exchange.winner is None
    trial.call.receive(OUTPUT)
    assert trial.advance() is Step.SEND
    assert trial.call.take_output() == SILENT + b": comment\n\n" + OUTPUT
    trial.call.receive(FINISH + DONE)
    trial.call.finish()
    assert trial.advance() is Step.DONE
    assert trial.call.take_output() == FINISH + DONE


@pytest.mark.parametrize(
    "silence",
    [
        SILENT * (HELD_FRAMES + 1),
        SILENT.replace(b"\n", b"\r\n") * (HELD_FRAMES + 1),
        b": " + b"x" * HELD_BYTES + b"\n\n",
    ],
)
def test_pitfall_110_what_is_held_back_has_a_limit(silence):
    """Buffered as "not started", but at most 64 chunks or 256 KiB (BF docs/features/retries-and-fallbacks)."""
    trial = Trial(provider("a"), stream=True)
    trial.begin()
    assert trial.answer(200, SSE, silence, ends=False) is Step.SEND
    assert trial.exchange.winner is trial.call


def test_pitfall_110_no_other_attempt_after_the_first_output():
    """A retry after the first byte would duplicate text (LL PR#32835): an error event ends the stream instead."""
    trial = Trial(provider("a"), provider("b"), stream=True)
    trial.begin()
    trial.answer(200, SSE, OUTPUT, ends=False)
    trial.call.take_output()
    trial.call.break_off(Kind.CLOSED, "gone")
    assert trial.advance() is Step.BROKEN
    last_words = trial.call.take_output()
    assert last_words.startswith(b"event: error\ndata: ")
    assert b"[DONE]" not in last_words
    account = account_of(trial.exchange, VISIT)
    assert (account["outcome"], account["provider"]) == ("broken", "a")


def test_pitfall_108_an_error_inside_a_200_before_output_is_an_attempt_that_failed():
    """Treated as its status and failed over (S2A PR#5567, EN#2697)."""
    trial = Trial(provider("a"), provider("b"), stream=True)
    trial.begin()
    assert trial.answer(200, SSE, SILENT, b'data: {"error":{"message":"x","code":529}}\n\n', ends=False) is Step.RETRY
    assert trial.call.take_output() == b""
    assert "b.example" in trial.begin().url


def test_pitfall_111_a_cut_stream_without_output_fails_over():
    """A cut upstream kills nothing while another is healthy (LL#40404)."""
    trial = Trial(provider("a"), provider("b"), stream=True)
    trial.begin()
    trial.answer(200, SSE, SILENT, ends=False)
    trial.call.break_off(Kind.CLOSED, "gone")
    assert trial.advance() is Step.RETRY


@pytest.mark.parametrize("stream", [False, True])
def test_pitfall_059_a_compressed_answer_is_decoded_first(stream):
    """A gzip'd stream was passed to the translator undecoded (EN#1927)."""
    trial = Trial(provider("a"), stream=stream)
    trial.begin()
    packed = gzip.compress(SILENT + OUTPUT + FINISH + DONE if stream else WHOLE)
    step = trial.answer(200, (SSE if stream else JSON) | {"content-encoding": "gzip"}, packed[:15], packed[15:])
    assert step is (Step.DONE if stream else Step.ANSWER)


def test_an_encoding_that_nobody_asked_for_is_an_attempt_that_failed():
    """With a sentence that names it."""
    trial = Trial(provider("a"))
    trial.begin()
    assert trial.answer(200, JSON | {"content-encoding": "br"}, b"\x00") is Step.RETRY
    assert "'br'" in trial.error()["message"]


def test_an_endless_error_body_is_read_in_part():
    """What is larger than 64 KiB is cut, and the attempt is over."""
    trial = Trial(provider("a"), provider("b"))
    trial.begin()
    assert trial.answer(500, {}, b"x" * (ERROR_BODY_BYTES + 1), ends=False) is Step.RETRY
    assert len(trial.call.record.answer) <= ERROR_BODY_BYTES


def test_an_error_whose_body_breaks_off_is_still_that_error():
    """The status is worth more than the broken connection."""
    trial = Trial(provider("a"))
    trial.begin()
    trial.call.head(400, JSON)
    trial.call.receive(b'{"error": {"message": "too hot"')
    trial.call.break_off(Kind.CLOSED, "gone")
    assert trial.advance() is Step.ANSWER
    assert trial.exchange.reply
    assert trial.exchange.reply.status == 400


def test_pitfall_107_retry_after_is_forwarded():
    """The bare header, not a name of the gateway's own (LL#21553)."""
    trial = Trial(provider("a"))
    trial.begin()
    trial.answer(429, JSON | {"retry-after": "7"}, b'{"error": {"message": "slow down"}}')
    assert trial.error()["code"] == "rate_limit_exceeded"
    assert trial.exchange.reply
    assert trial.exchange.reply.headers["retry-after"] == "7"


def test_pitfall_113_refused_keys_do_not_look_like_the_clients():
    """All keys dead: 502, not the raw 401 (BF docs)."""
    trial = Trial(provider("a", keys=("one", "two")))
    for _ in range(2):
        trial.begin()
        assert trial.answer(401, JSON, b'{"error": {"message": "Incorrect API key provided"}}') is Step.RETRY
    assert trial.error()["code"] == "upstream_credentials_rejected"
    assert trial.exchange.reply
    assert trial.exchange.reply.status == 502


def test_a_refused_key_among_other_failures_does_not_look_like_the_clients_either():
    """Whatever else failed before it."""
    trial = Trial(provider("a"), provider("b"))
    trial.begin()
    trial.answer(500, JSON, b"")
    trial.begin()
    trial.answer(403, JSON, b'{"error": {"message": "no"}}')
    assert trial.error()["code"] == "upstream_credentials_rejected"


def test_waiting_at_a_breakpoint_is_not_the_providers_time():
    """The attempt's clock starts when it goes out."""
    trial = Trial(provider("a"), timeout=10)
    trial.begin()
    trial.clock.now += 100
    trial.call.start_clock()
    assert trial.call.deadline == trial.clock.now + 10


def test_pitfall_109_a_key_that_a_provider_repeats_is_masked():
    """Keys never reach the client or the flow (UA 102b51c)."""
    trial = Trial(provider("a"))
    trial.begin()
    key = trial.call.record.attempt.key
    assert key
    text = f"the key {key.reveal()} is no good"
    trial.answer(400, JSON, json.dumps({"error": {"message": text}}).encode())
    assert trial.exchange.reply
    assert key.reveal().encode() not in trial.exchange.reply.body
    assert key.masked in trial.error()["message"]
    assert key.reveal() not in str(account_of(trial.exchange, VISIT))


@pytest.mark.parametrize(("seconds", "whole"), [(34.07, "35"), (34.5, "35"), (90.0, "90"), (0.2, "1")])
def test_retry_after_is_never_too_short(seconds, whole):
    """Who obeys it does not come back while the key still cools."""
    trial = Trial(provider("a"))
    trial.begin()
    trial.answer(429, JSON | {"retry-after-ms": str(seconds * 1000)}, b'{"error": {"message": "slow down"}}')
    assert trial.error()
    assert trial.exchange.reply
    assert trial.exchange.reply.headers["retry-after"] == whole


def test_what_was_never_sent_does_not_decide_the_error():
    """The provider that was asked has more to say than an engine that could not be."""
    trial = Trial(provider("a"), provider("b", engine="claude"), n=3)
    trial.begin()
    trial.answer(503, JSON | {"retry-after": "7"}, b'{"error": {"message": "come back later"}}')
    assert trial.error()["message"] == "come back later"
    assert trial.exchange.reply
    assert (trial.exchange.reply.status, trial.exchange.reply.headers["retry-after"]) == (503, "7")


def test_output_behind_a_sign_of_life_is_output():
    """In one read: a provider that sends a comment before each chunk has not been silent."""
    trial = Trial(provider("a"), stream=True, timeout=10)
    trial.begin()
    started = trial.clock.now
    trial.call.head(200, SSE)
    for _ in range(8):
        trial.clock.now += 9
        trial.call.receive(b": PROCESSING\n\n" + OUTPUT)
        assert trial.advance() is Step.SEND
        assert trial.call.deadline == trial.clock.now + 10
    assert trial.call.record.first_output == started + 9


def test_half_a_surrogate_pair_in_an_error_is_no_hindrance_to_the_account():
    """mitmproxy can write none into a file."""
    trial = Trial(provider("a"))
    trial.begin()
    trial.answer(400, JSON, b'{"error": {"message": "bad: \\ud83d"}}')
    account = account_of(trial.exchange, VISIT)
    assert account["attempts"][0]["message"] == "bad: ?"


def test_what_one_engine_cannot_say_another_may():
    """A request for three answers passes Claude by."""
    trial = Trial(provider("claude", engine="claude"), provider("gpt"), n=3)
    assert "gpt.example" in trial.begin().url
    assert trial.exchange.records[0].error
    assert trial.exchange.records[0].error.kind is Kind.UNSUITABLE


def test_what_no_engine_can_say_is_the_clients_mistake():
    """With the engine's sentence and the field's name."""
    trial = Trial(provider("claude", engine="claude"), n=3)
    assert asyncio.run(trial.exchange.begin()) is None
    assert trial.exchange.reply
    assert trial.exchange.reply.status == 400
    assert trial.error()["param"] == "n"


def test_a_malformed_message_is_found_when_it_is_translated():
    """A provider that speaks the same wire may judge it by itself."""
    trial = Trial(provider("claude", engine="claude"), messages=[{"role": "wizard", "content": "x"}])
    assert asyncio.run(trial.exchange.begin()) is None
    assert trial.exchange.reply
    assert trial.exchange.reply.status == 400
    assert trial.error()["param"] == "messages[0].role"


def test_a_bug_in_an_engine_is_logged_and_another_provider_is_tried(monkeypatch, caplog):
    """The client hears no more than that it was one."""

    class Broken:
        name = "claude"

        def build(self, *_: object) -> WireRequest:
            raise ZeroDivisionError

    monkeypatch.setitem(cast(dict[str, Any], OPENAI_CHAT), "claude", Broken())
    trial = Trial(provider("claude", engine="claude"), provider("gpt"))
    with caplog.at_level(logging.ERROR):
        assert "gpt.example" in trial.begin().url
    assert "ZeroDivisionError" in caplog.text


def test_the_deadline_moves_with_what_arrives():
    """Silence is what counts; comments alone carry it to five timeouts at most."""
    trial = Trial(provider("a"), stream=True, timeout=10)
    trial.begin()
    assert trial.call.deadline == trial.clock.now + 10
    began = trial.clock.now
    trial.call.head(200, SSE)
    for _ in range(6):
        trial.clock.now += 9
        trial.call.receive(b": here\n\n")
        trial.advance()
    assert trial.call.deadline == began + 50
    trial.call.receive(OUTPUT)
    trial.advance()
    assert trial.call.deadline == trial.clock.now + 10


def test_time_running_out_is_a_504():
    """And the message says how long it was waited."""
    trial = Trial(provider("a"), timeout=10)
    trial.begin()
    trial.clock.now += 10
    trial.call.time_out()
    assert trial.advance() is Step.RETRY
    assert "10.0 seconds" in trial.error()["message"]
    assert trial.exchange.reply
    assert trial.exchange.reply.status == 504


def test_dropped_fields_are_named_in_a_header_of_bounded_length():
    """Each once, twenty at most."""
    fields: dict[str, Any] = {f"unknown_{number}": 1 for number in range(30)}
    trial = Trial(provider("claude", engine="claude"), **fields)
    trial.begin()
    trial.answer(200, JSON, CLAUDE_ANSWER)
    header = trial.exchange.answer_headers()["x-uniapi-dropped"]
    assert header.startswith("unknown_0, ")
    assert header.endswith(", and 10 more")


def test_a_dropped_field_cannot_write_headers_of_its_own():
    """Its name is of the client's making."""
    fields: dict[str, Any] = {"a\r\nset-cookie: b=c": 1, "d, é": 1, "x" * 100: 1}
    trial = Trial(provider("a", engine="claude"), **fields)
    trial.begin()
    trial.answer(200, JSON, CLAUDE_ANSWER)
    names = trial.exchange.answer_headers()["x-uniapi-dropped"].split(", ")
    assert sorted(names) == ["a??set-cookie:?b=c", "d???", "x" * 64]


def test_the_account_says_who_answered_and_what_failed_before():
    """Plain data, for the flow, the log and the statistics."""
    trial = Trial(provider("a"), provider("b"))
    trial.begin()
    trial.clock.now += 0.5
    trial.answer(503, {}, b"busy")
    trial.begin()
    trial.clock.now += 1
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    trial.answer(200, JSON, json.dumps(json.loads(WHOLE) | {"usage": usage}).encode())
    account = account_of(trial.exchange, VISIT)
    assert (account["provider"], account["model"]) == ("b", "m")
    assert (account["total_ms"], account["prompt_tokens"], account["completion_tokens"]) == (1500, 3, 4)
    failed, served = account["attempts"]
    assert (failed["provider"], failed["status"], failed["ms"], failed["answer"]) == ("a", 503, 500, b"busy")
    assert (served["provider"], served["error"]) == ("b", None)
    json.dumps(account, default=bytes.decode)


def test_a_client_that_goes_away_is_nobodys_fault():
    """Nothing cools, and the account says so."""
    trial = Trial(provider("a"))
    trial.begin()
    trial.exchange.leave()
    assert account_of(trial.exchange, VISIT)["outcome"] == "cancelled"
    assert not trial.gateway.planner.cooling()
