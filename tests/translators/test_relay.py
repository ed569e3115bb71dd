"""An answer on its way: stream or whole, asked for and sent in any combination."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from tests.translators.openai_wire import FIXTURES, data_of, streamed, whole
from translators.base import AnswerIdentity, AnswerStream, ClientRequest, StreamTranslator
from translators.errors import Kind, UpstreamError
from translators.openai import Gpt, OpenAIChat
from translators.openai_events import ChunkReader
from translators.relay import open_stream, whole_answer
from translators.types import Event, Target, Usage, WireRequest

IDENTITY = AnswerIdentity("chatcmpl-own", 1, "alias", renamed=False, include_usage=True)
WIRE = WireRequest("POST", "https://host", {}, {}, b"")
STREAM = (FIXTURES / "parallel_tools.sse").read_bytes()
BODY = (FIXTURES / "whole.json").read_bytes()
USAGE = Usage(12, 9, cached=4, total=21)


class Foreign(Gpt):
    """An engine whose wire looks like OpenAI's but is not the client's: its answers are translated."""

    speaks = None


def opened(engine: Gpt, *, arrives_as_stream: bool) -> AnswerStream:
    return open_stream(engine, OpenAIChat(), WIRE, IDENTITY, arrives_as_stream=arrives_as_stream)


def answered(engine: Gpt, body: bytes, *, arrives_as_stream: bool) -> Any:
    return whole_answer(engine, OpenAIChat(), WIRE, IDENTITY, body, arrives_as_stream=arrives_as_stream)


def passed(stream: AnswerStream, pieces: Iterable[bytes]) -> bytes:
    return b"".join([stream.feed(piece) for piece in pieces]) + stream.close()


def test_a_stream_of_the_clients_own_wire_passes_through() -> None:
    """Nothing is translated."""
    stream = opened(Gpt(), arrives_as_stream=True)
    assert passed(stream, [STREAM]) == STREAM
    assert (stream.has_output, stream.ended, stream.failure, stream.usage) == (True, True, None, USAGE)


def test_a_stream_of_another_wire_is_translated() -> None:
    """It says the same, and what the gateway wants to know is known."""
    stream = opened(Foreign(), arrives_as_stream=True)
    out = passed(stream, [STREAM[i : i + 7] for i in range(0, len(STREAM), 7)])
    assert out != STREAM
    assert streamed(out.decode()) == streamed(STREAM.decode())
    assert (stream.has_output, stream.ended, stream.failure, stream.usage) == (True, True, None, USAGE)


@pytest.mark.parametrize("engine", [Gpt(), Foreign()], ids=["same wire", "other wire"])
def test_a_whole_answer_for_a_client_that_streams(engine: Gpt) -> None:
    """Hosts do not always stream when asked to: the answer comes out as chunks at the end."""
    stream = opened(engine, arrives_as_stream=False)
    pieces = [stream.feed(BODY[:100]), stream.feed(BODY[100:])]
    assert pieces == [b"", b""]
    assert not stream.has_output
    out = stream.close().decode()
    assert streamed(out).choices == whole(json.loads(BODY)).choices
    assert data_of(out)[-1] == "[DONE]"
    assert (stream.has_output, stream.ended, stream.failure, stream.usage) == (True, True, None, USAGE)


@pytest.mark.parametrize("engine", [Gpt(), Foreign()], ids=["same wire", "other wire"])
def test_a_stream_for_a_client_that_wants_it_whole(engine: Gpt) -> None:
    """Some hosts stream unasked: the chunks are folded into one body."""
    answer = answered(engine, STREAM, arrives_as_stream=True)
    assert whole(json.loads(answer.body)) == streamed(STREAM.decode())
    assert answer.usage == USAGE


def test_a_whole_answer_of_the_clients_own_wire_passes_through() -> None:
    """The same bytes."""
    answer = answered(Gpt(), BODY, arrives_as_stream=False)
    assert (answer.body, answer.usage) == (BODY, USAGE)


def test_a_whole_answer_of_another_wire_is_translated() -> None:
    """It says the same."""
    answer = answered(Foreign(), BODY, arrives_as_stream=False)
    assert answer.body != BODY
    assert whole(json.loads(answer.body)) == whole(json.loads(BODY))
    assert answer.usage == USAGE


@pytest.mark.parametrize("engine", [Gpt(), Foreign()], ids=["same wire", "other wire"])
@pytest.mark.parametrize("arrives_as_stream", [True, False], ids=["stream", "whole"])
def test_a_failure_in_the_answer_is_told(engine: Gpt, arrives_as_stream: bool) -> None:
    """A stream ends with `failure`, a whole answer raises; neither is an end."""
    error = b'{"error":{"message":"m","code":429}}'
    data = b"data: " + error + b"\n\n" if arrives_as_stream else error
    stream = opened(engine, arrives_as_stream=arrives_as_stream)
    assert passed(stream, [data]) == b""
    assert not stream.ended
    assert stream.failure
    assert stream.failure.kind is Kind.RATE_LIMIT
    with pytest.raises(UpstreamError) as caught:
        answered(engine, data, arrives_as_stream=arrives_as_stream)
    assert caught.value.kind is Kind.RATE_LIMIT


@pytest.mark.parametrize("engine", [Gpt(), Foreign()], ids=["same wire", "other wire"])
def test_an_answer_that_breaks_off_has_failed(engine: Gpt) -> None:
    """What came before it has gone out; there is no end marker, and the last words are the error's."""
    stream = opened(engine, arrives_as_stream=True)
    out = passed(stream, [STREAM[: STREAM.index(b"call_b")]])
    assert b"Both: " in out
    assert b"[DONE]" not in out
    assert stream.failure
    assert stream.failure.kind is Kind.CLOSED
    words = stream.last_words(stream.failure)
    assert json.loads(words.split(b"data: ")[1])["error"]["message"] == stream.failure.message


def test_signs_of_life_are_no_output() -> None:
    """Comments and roles do not commit to this provider."""
    for engine in (Gpt(), Foreign()):
        stream = opened(engine, arrives_as_stream=True)
        stream.feed(b': x\n\ndata: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n')
        assert not stream.has_output
        stream.feed(b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n')
        assert stream.has_output


def test_an_engine_is_five_methods() -> None:
    """Another engine needs no more than the contract: `parse` reads a whole answer, `stream` a streamed one."""

    class Minimal:
        name = "minimal"
        speaks: str | None = None

        def build(self, request: ClientRequest, target: Target) -> WireRequest:
            return WIRE

        def credentials(self, target: Target) -> Mapping[str, str]:
            return {}

        def parse(self, body: bytes, wire: WireRequest) -> list[Event]:
            return self.stream(wire).feed(body)

        def stream(self, wire: WireRequest) -> StreamTranslator:
            return ChunkReader()

        def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
            return UpstreamError(Kind.SERVER, "m")

    answer = whole_answer(Minimal(), OpenAIChat(), WIRE, IDENTITY, STREAM, arrives_as_stream=False)
    assert whole(json.loads(answer.body)) == streamed(STREAM.decode())
