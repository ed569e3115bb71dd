"""The engine cohere, the answer: what streams and whole messages of every kind become."""

import json
from typing import Any

import pytest

from tests.translators.cohere_exchange import FIXTURES, TOOL, fixture, read_stream, read_whole, wire
from tests.translators.openai_wire import Call, failure, told
from translators.base import AnswerIdentity
from translators.errors import Kind
from translators.openai import OpenAIChat
from translators.types import (
    OUTPUT,
    Ended,
    Event,
    Extension,
    Failed,
    Finished,
    KeepAlive,
    LogProbs,
    ReasoningDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    ToolCallStart,
    Usage,
    UsageReport,
)

STREAMS = sorted(path.name for path in FIXTURES.glob("*.sse"))


def answer(**fields: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": "Hi"}]
    return {"id": "a1", "message": {"role": "assistant", "content": content}, "finish_reason": "COMPLETE", **fields}


def of(kind: type, events: list[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


# --- streams --------------------------------------------------------------------------------------------------


def test_text_and_citations_come_in_order() -> None:
    """The words, what they are taken from, usage, the finish, the end."""
    events = read_stream(fixture("text.sse"))
    assert events[0] == Started("a1b2")
    assert "".join(event.text for event in of(TextDelta, events)) == "Grüße aus\nOslo 🦊"
    assert [citation.value[0]["text"] for citation in of(Extension, events)] == ["Oslo"]
    billed = {"billed_units": {"input_tokens": 5, "output_tokens": 7}}
    assert events[-3:] == [
        UsageReport(Usage(prompt=105, completion=9, cached=64, extra=billed)),
        Finished("stop", native="COMPLETE"),
        Ended(),
    ]


def test_thinking_is_reasoning() -> None:
    """It is told apart from the answer."""
    said = told(read_stream(fixture("thinking.sse"))).choices[0]
    assert (said.reasoning, said.text) == ("Two and two.", "4")


def test_parallel_calls_are_numbered() -> None:
    """The plan is reasoning; the calls are 0, 1, 2, whatever their names."""
    events = read_stream(fixture("parallel_calls.sse"))
    said = told(events).choices[0]
    assert said.reasoning == "I look it up."
    assert [start.index for start in of(ToolCallStart, events)] == [0, 1, 2]
    assert said.calls == [
        Call("look_up_x1", "look_up", {"city": "Rome"}),
        Call("look_up_x2", "look_up", {"city": "Paris"}),
        Call("now_x3", "now", {}),
    ]
    assert of(Finished, events) == [Finished("tool_calls", native="TOOL_CALL")]


def test_pitfall_013_calls_without_an_id_get_one() -> None:
    """litellm PR#16596: another in every answer."""
    data = fixture("parallel_calls.sse")
    for id_ in ("look_up_x1", "look_up_x2", "now_x3"):
        data = data.replace(f'"{id_}"'.encode(), b'""')
    (answer_id,) = [event.id for event in read_stream(data) if isinstance(event, Started)]
    assert answer_id
    other = data.replace(answer_id.encode(), b"another")
    ids = [start.id for answer in (data, other) for start in of(ToolCallStart, read_stream(answer))]
    assert len(set(ids)) == 6
    assert all(ids)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_cut_after_any_event_has_failed(name: str) -> None:
    """And with CRLF it says the same as with LF."""
    data = fixture(name)
    end = data.index(b"event: message-end")
    for place in [place for place in range(end + 1) if data[:place].endswith(b"\n\n") or place == 0]:
        events = read_stream(data[:place])
        assert failure(events).kind is Kind.CLOSED
        assert not of(Ended, events)
        assert not of(Finished, events)
    assert told(read_stream(data.replace(b"\n", b"\r\n"))) == told(read_stream(data))


def test_comments_and_bad_lines_do_no_harm() -> None:
    """A comment is a sign of life, a line that is no JSON is left out, an unknown event too."""
    noise = b": still there\n\ndata: {broken\n\n" + b'data: {"type":"debug","prompt":"x"}\n\ndata: 5\n\n'
    events = read_stream(fixture("thinking.sse").replace(b"event: message-end", noise + b"event: message-end"))
    assert of(KeepAlive, events) == [KeepAlive()]
    assert [event for event in events if event != KeepAlive()] == read_stream(fixture("thinking.sse"))


def test_nothing_follows_the_end() -> None:
    """Neither `[DONE]` nor what a host may send behind it."""
    assert read_stream(fixture("text.sse") + fixture("text.sse")) == read_stream(fixture("text.sse"))


def test_log_probabilities_come_in_openais_form() -> None:
    """A piece of several tokens has the sum of theirs."""
    item = {"text": "é", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}
    token = {"token": "é", "logprob": -0.75, "bytes": [195, 169], "top_logprobs": []}
    delta = {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "é"}}}, "logprobs": item}
    data = f"data: {json.dumps(delta)}\n\n".encode()
    assert of(LogProbs, read_stream(data)) == [LogProbs({"content": [token], "refusal": None})]
    assert of(LogProbs, read_whole(answer(logprobs=[item])))[0].value["content"] == [token]


@pytest.mark.parametrize(
    "event",
    [
        {"type": "content-delta"},
        {"type": "content-delta", "delta": {"message": {"content": None}}},
        {"type": "content-start", "delta": {"message": {"content": {"text": 5}}}},
        {"type": "tool-call-start", "delta": []},
        {"type": "tool-call-delta", "delta": {"message": {"tool_calls": {"function": {"arguments": "{"}}}}},
        {"type": "citation-start", "delta": {"message": {"citations": []}}},
        {"type": "tool-plan-delta", "delta": {"message": "x"}},
        {"type": "message-start", "id": 5},
        {"type": 7},
        {},
    ],
)
def test_odd_events_raise_nothing(event: Any) -> None:
    """What an upstream sends is nobody's promise."""
    events = read_stream(f"data: {json.dumps(event)}\n\n".encode())
    assert isinstance(events[-1], Failed)
    assert not of(TextDelta, events)


# --- whole messages -------------------------------------------------------------------------------------------


def test_a_whole_message_is_read_like_a_stream() -> None:
    """Thinking, words, calls and citations, in this order."""
    message = {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi"}],
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
        "citations": [{"start": 0, "end": 2, "text": "Hi", "sources": []}],
    }
    events = read_whole(answer(message=message, finish_reason="TOOL_CALL", usage={}))
    assert events == [
        Started("a1"),
        ReasoningDelta("Hm."),
        TextDelta("Hi"),
        ToolCallStart(0, "c1", "f"),
        ToolCallDelta(0, '{"a":1}'),
        Extension("citations", message["citations"]),
        Finished("tool_calls", native="TOOL_CALL"),
        Ended(),
    ]


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"", Kind.EMPTY),
        (b"  \n", Kind.EMPTY),
        (b"<html>", Kind.MALFORMED),
        (b"[]", Kind.MALFORMED),
        (b'{"id":"a"}', Kind.MALFORMED),
        (b'{"message":[]}', Kind.MALFORMED),
    ],
)
def test_what_is_no_message_is_an_error(sent: bytes, kind: Kind) -> None:
    """Empty or broken: another provider may be tried."""
    assert failure(read_whole(sent)).kind is kind


def test_renamed_tools_get_their_own_names_back() -> None:
    """In a stream and in a whole message."""
    tool = {"type": "function", "function": {"name": "files.read", "parameters": {}}}
    request = wire({"tools": [tool, TOOL]})
    written = json.loads(request.body)["tools"][0]["function"]["name"]
    assert written != "files.read"
    call = {"id": "c", "type": "function", "function": {"name": written, "arguments": "{}"}}
    message = {"role": "assistant", "tool_calls": [call]}
    events = read_whole(answer(message=message, finish_reason="TOOL_CALL"), request)
    assert of(ToolCallStart, events)[0].name == "files.read"
    stream = fixture("parallel_calls.sse").replace(b'"name":"now"', f'"name":"{written}"'.encode())
    assert [start.name for start in of(ToolCallStart, read_stream(stream, request))][2] == "files.read"


# --- pitfalls -------------------------------------------------------------------------------------------------


def test_pitfall_005_a_call_without_arguments_has_an_empty_object() -> None:
    """PK c9003a33, BF paramlesstool_test.go: Cohere says "null", or nothing in a stream; the client gets "{}"."""
    call = {"id": "c1", "type": "function", "function": {"name": "now", "arguments": "null"}}
    message = {"role": "assistant", "tool_plan": "Now.", "tool_calls": [call]}
    identity = AnswerIdentity("id", 1, "m", renamed=False, include_usage=False)
    for events in (
        read_whole(answer(message=message, finish_reason="TOOL_CALL")),
        read_stream(fixture("parallel_calls.sse")),
    ):
        calls = json.loads(OpenAIChat().fold(events, identity))["choices"][0]["message"]["tool_calls"]
        assert calls[-1]["function"] == {"name": "now", "arguments": "{}"}


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("ERROR_LIMIT", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("ERROR_TOXIC", "content_filter"),
        ("SOMETHING_NEW", "stop"),
    ],
)
def test_pitfall_099_finish_reasons_are_mapped(reason: str, finish: str) -> None:
    """PK#1028, litellm's map: Cohere's words for how an answer ended."""
    assert of(Finished, read_whole(answer(finish_reason=reason))) == [Finished(finish, native=reason)]


@pytest.mark.parametrize(
    ("usage", "prompt", "completion"),
    [
        ({"tokens": {"input_tokens": 105, "output_tokens": 9}, "billed_units": {"input_tokens": 5}}, 105, 9),
        ({"billed_units": {"input_tokens": 5.0, "output_tokens": 7.0}}, 5, 7),
    ],
)
def test_pitfall_099_usage_is_what_the_model_read_and_wrote(usage: Any, prompt: int, completion: int) -> None:
    """PK#1028: `tokens`, or where there are none, `billed_units`."""
    report = of(UsageReport, read_whole(answer(usage=usage)))[0].usage
    assert (report.prompt, report.completion) == (prompt, completion)
    assert report.extra == {"billed_units": usage["billed_units"]}


@pytest.mark.parametrize(("reason", "status"), [("ERROR", 500), ("TIMEOUT", 504)])
def test_pitfall_108_an_answer_broken_off_is_an_error(reason: str, status: int) -> None:
    """S2A PR#5567: with a status of 200, before any output; another provider may be tried."""
    events = read_whole(answer(message={"role": "assistant", "content": []}, finish_reason=reason))
    assert not [event for event in events if isinstance(event, OUTPUT)]
    assert (failure(events).status, failure(events).kind) == (status, Kind.SERVER)


def test_pitfall_108_an_error_in_a_stream_ends_it() -> None:
    """EN#2697: Cohere's words, and no fake finish."""
    events = read_stream(fixture("error.sse"))
    error = failure(events)
    assert (error.message, error.code) == ("the generation failed", "invalid_tool_generation")
    assert not of(Finished, events)


@pytest.mark.parametrize("sent", [b'{"id":"a","message":"too many requests"}', b'{"message":"bad","error_type":"X"}'])
def test_pitfall_108_an_error_object_instead_of_an_answer(sent: bytes) -> None:
    """CLIP PR#4980: with a status of 200, as a body and as an event."""
    message = json.loads(sent)["message"]
    assert failure(read_whole(sent)).message == message
    assert failure(read_stream(b"data: " + sent + b"\n\n")).message == message
