"""OpenAI's wire, the answer read: single cases, and the pitfalls of this wire."""

import json
from typing import Any

import pytest

from tests.translators.openai_wire import FIXTURES, failure, fed, told
from translators.errors import Kind
from translators.openai_events import ChunkReader, read_usage, whole_events
from translators.sse import DONE, data_event
from translators.types import (
    Ended,
    Event,
    Extension,
    Finished,
    KeepAlive,
    LogProbs,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    ThinkingBlock,
    ToolCallDelta,
    ToolCallStart,
    Usage,
    UsageReport,
)


def read(stream: bytes) -> list[Event]:
    return fed(ChunkReader(), stream)


def chunks(*deltas: dict[str, Any], finish: str | None = "stop") -> list[Event]:
    """The events of a stream with these deltas in choice 0, without Started."""
    bodies = [{"id": "x", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    bodies.append({"id": "x", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    return read(b"".join(data_event(json.dumps(body).encode()) for body in bodies) + DONE)[1:]


def test_text_reasoning_refusal_and_more() -> None:
    """Each member of a delta has its event; empty ones and those that say nothing have none."""
    events = chunks(
        {"role": "assistant", "content": "", "refusal": None, "annotations": [], "channel": "analysis", "index": 0},
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"content": "text"},
        {"refusal": "no"},
        {"thinking_blocks": [{"index": 0, "type": "thinking", "thinking": "t", "signature": "s"}]},
        {"annotations": [{"type": "url_citation"}]},
    )
    assert events == [
        ReasoningDelta("hm"),
        ReasoningDelta("hm"),
        TextDelta("text"),
        RefusalDelta("no"),
        ThinkingBlock({"type": "thinking", "thinking": "t", "signature": "s"}),
        Extension("annotations", [{"type": "url_citation"}]),
        Finished("stop", native="stop"),
        Ended(),
    ]


def test_content_in_typed_parts() -> None:
    """Mistral's reasoning models: thinking and text as parts of the content."""
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "thinking", "thinking": "plain"},
        {"type": "text", "text": "x"},
        {"type": "text", "text": ""},
    ]
    assert chunks({"content": parts})[:-2] == [ReasoningDelta("hm"), ReasoningDelta("plain"), TextDelta("x")]


def test_logprobs_come_along() -> None:
    """A choice's `logprobs` object, where there is one."""
    logprobs = {"content": [{"token": "x", "logprob": -0.1, "bytes": [120], "top_logprobs": []}], "refusal": None}
    body = {"choices": [{"index": 0, "delta": {"content": "x"}, "logprobs": logprobs, "finish_reason": "stop"}]}
    assert LogProbs(logprobs) in read(data_event(json.dumps(body).encode()) + DONE)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}, Usage(3, 5, total=8)),
        (
            {
                "prompt_tokens": 3,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
                "completion_tokens_details": {"reasoning_tokens": 4},
            },
            Usage(3, 5, cached=2, cache_written=1, reasoning=4),
        ),
        ({"prompt_tokens": 3, "prompt_cache_hit_tokens": 2}, Usage(3, 0, cached=2)),
        ({"prompt_tokens": 3, "num_cached_tokens": 2}, Usage(3, 0, cached=2)),
        ({"prompt_tokens": 3, "cached_tokens": 2}, Usage(3, 0, cached=2)),
        (
            {
                "prompt_tokens": 3,
                "completion_tokens": 5,
                "total_tokens": 12,
                "completion_tokens_details": {"reasoning_tokens": 4},
            },
            Usage(3, 9, reasoning=4, total=12),
        ),
        ({"prompt_tokens": "3", "completion_tokens": None, "prompt_tokens_details": []}, Usage()),
        (None, None),
        ([], None),
    ],
)
def test_usage_in_the_names_of_all_hosts(usage: Any, expected: Usage | None) -> None:
    """DeepSeek, Mistral and Moonshot name cached tokens their own way; xAI counts reasoning apart."""
    assert read_usage(usage) == expected


def test_groqs_usage_is_found() -> None:
    """Older Groq models put it into `x_groq` alone."""
    body = {"choices": [], "x_groq": {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}}
    assert UsageReport(Usage(1, 2)) in read(data_event(json.dumps(body).encode()))


def test_comments_are_signs_of_life() -> None:
    """One for all the comments that a piece of the stream brings."""
    assert ChunkReader().feed(b": one\n\n: two\n\n") == [KeepAlive()]


def test_the_end_is_said_once_however_often_it_comes() -> None:
    """Some hosts finish a choice in every chunk, or go on behind its finish: the last word counts, at the end."""
    events = chunks({"content": "a"}, finish="length")
    body = {"choices": [{"index": 0, "delta": {"content": "b"}, "finish_reason": "stop"}]}
    frame = data_event(json.dumps(body).encode())
    assert events[-2:] == [Finished("length", native="length"), Ended()]
    assert read(frame * 3 + DONE)[1:] == [*[TextDelta("b")] * 3, Finished("stop", native="stop"), Ended()]


def test_nothing_is_read_behind_the_end() -> None:
    """What follows `[DONE]` is no part of the answer."""
    reader = ChunkReader()
    body = data_event(b'{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}')
    assert reader.feed(body + DONE + body)[-1] == Ended()
    assert reader.feed(body) == []
    assert reader.close() == []


@pytest.mark.parametrize("end", [b"data: [DONE]", b"data:[DONE]\n", b"data: [DONE] \r\n\r\n"])
def test_the_end_marker_in_every_form(end: bytes) -> None:
    """Without its space, without its blank line."""
    body = data_event(b'{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}')
    assert read(body + end)[-1] == Ended()


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        ({"finish_reason": "error"}, Kind.SERVER),
        ({"finish_reason": "error", "error": {"code": 429, "message": "m"}}, Kind.RATE_LIMIT),
        ({"finish_reason": "insufficient_system_resource"}, Kind.OVERLOADED),
    ],
)
def test_finish_reasons_that_are_failures(choice: dict[str, Any], kind: Kind) -> None:
    """OpenRouter's `error`, DeepSeek's `insufficient_system_resource`: streamed and whole."""
    body = {"choices": [{"index": 0, "delta": {"content": "a"}, "message": {"content": "a"}, **choice}]}
    raw = json.dumps(body).encode()
    assert failure(read(data_event(raw) + DONE)).kind is kind
    assert failure(whole_events(raw)).kind is kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", Kind.EMPTY),
        (b" \n", Kind.EMPTY),
        (b"<html>", Kind.MALFORMED),
        (b"[]", Kind.MALFORMED),
        (b"{}", Kind.EMPTY),
        (b'{"choices":[]}', Kind.EMPTY),
        (b'{"choices":{"index":0}}', Kind.EMPTY),
        (b'{"choices":["x"]}', Kind.MALFORMED),
        (b'{"error":{"message":"m","code":429}}', Kind.RATE_LIMIT),
        (b'{"object":"error","message":"m","code":404}', Kind.NOT_FOUND),
        (b'{"success":false,"errors":[{"message":"m","code":3043}]}', Kind.SERVER),
    ],
)
def test_whole_answers_that_are_none(body: bytes, kind: Kind) -> None:
    """Empty, broken, or an error: never an empty success."""
    assert failure(whole_events(body)).kind is kind


# --- pitfalls -----------------------------------------------------------------------------------------------------


def test_pitfall_001_calls_are_numbered_in_order_of_appearance() -> None:
    """litellm#5231, bifrost#1961: the provider's own numbers may start anywhere, or be the same for every call."""
    started_anywhere = chunks(
        {"tool_calls": [{"index": 3, "id": "a", "function": {"name": "f", "arguments": "{}"}}]},
        {"tool_calls": [{"index": 5, "id": "b", "function": {"name": "g"}}]},
        {"tool_calls": [{"index": 5, "function": {"arguments": "[]"}}]},
    )
    all_zero = chunks(
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]},
        {"tool_calls": [{"index": 0, "id": "b", "function": {"name": "g"}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "[]"}}]},
    )
    assert started_anywhere == all_zero
    assert all_zero[:-2] == [
        ToolCallStart(0, "a", "f"),
        ToolCallDelta(0, "{}"),
        ToolCallStart(1, "b", "g"),
        ToolCallDelta(1, "[]"),
    ]


def test_pitfall_006_pieces_without_an_id_belong_to_their_index() -> None:
    """litellm PR#20712: the id opens a call, the index continues it, also in turns."""
    events = chunks(
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"name": None, "arguments": "1"}}]},
        {"tool_calls": [{"index": 1, "id": None, "function": {"arguments": "2"}}]},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "", "arguments": "3"}}]},
    )
    assert [event for event in events if isinstance(event, ToolCallDelta)] == [
        ToolCallDelta(0, "1"),
        ToolCallDelta(1, "2"),
        ToolCallDelta(0, "3"),
    ]


def test_calls_with_neither_id_nor_number_are_told_apart() -> None:
    """A name behind another call's arguments opens a new call; without one the call goes on."""
    events = chunks(
        {"tool_calls": [{"function": {"name": "f", "arguments": '{"a":'}}]},
        {"tool_calls": [{"function": {"arguments": "1}"}}]},
        {"tool_calls": [{"function": {"name": "f", "arguments": '{"a":2}'}}]},
    )
    starts = [event for event in events if isinstance(event, ToolCallStart)]
    assert [(start.index, start.name) for start in starts] == [(0, "f"), (1, "f")]
    assert len({start.id for start in starts}) == 2
    assert [event for event in events if isinstance(event, ToolCallDelta)] == [
        ToolCallDelta(0, '{"a":'),
        ToolCallDelta(0, "1}"),
        ToolCallDelta(1, '{"a":2}'),
    ]


def test_pitfall_007_text_and_calls_of_one_chunk_both_come_out() -> None:
    """litellm PR#17652, PR#18316: never the one or the other."""
    delta = {"content": "now", "tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]}
    assert chunks(delta)[:-2] == [TextDelta("now"), ToolCallStart(0, "a", "f"), ToolCallDelta(0, "{}")]


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "x"},
        {"reasoning_content": "x"},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]},
    ],
)
def test_pitfall_012_any_kind_of_output_is_an_answer(delta: dict[str, Any]) -> None:
    """uni-api 56a5fc2: a turn of calls alone is no empty answer; one of nothing at all is."""
    body = data_event(json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode())
    assert read(body + DONE)[-1] == Ended()
    nothing = data_event(b'{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}')
    assert failure(read(nothing + DONE)).kind is Kind.EMPTY
    assert failure(read(DONE)).kind is Kind.EMPTY


def test_pitfall_015_the_number_of_a_choice_is_kept() -> None:
    """envoyproxy/ai-gateway#1487, litellm PR#15962: n > 1 in a stream."""
    events = read((FIXTURES / "two_choices.sse").read_bytes())
    assert [event for event in events if isinstance(event, TextDelta | Finished)] == [
        TextDelta("right", 1),
        TextDelta("left", 0),
        TextDelta(" side", 0),
        Finished("length", 0, "length"),
        Finished("stop", 1, "stop"),
    ]


def test_pitfall_021_arguments_are_always_text() -> None:
    """litellm PR#10130: Cloudflare and Fireworks return objects."""
    call = {"id": "a", "function": {"name": "f", "arguments": {"city": "Zürich"}}}
    assert chunks({"tool_calls": [call]})[1] == ToolCallDelta(0, '{"city":"Zürich"}')


def test_pitfall_094_comments_are_no_data() -> None:
    """mnfst/llm-gateway#2053: OpenRouter's `: OPENROUTER PROCESSING` is a sign of life and nothing else."""
    stream = (FIXTURES / "reasoning_with_comments.sse").read_bytes()
    comment, rest = stream[: stream.index(b"data:")], stream[stream.index(b"data:") :]
    reader = ChunkReader()
    assert reader.feed(comment) == [KeepAlive()]
    assert told(reader.feed(rest)).choices[0].reasoning == "Let me think."


@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"error":{"message":"m","code":503}}\n\n',
        b'data: {"error":"m","code":503,"choices":[]}\n\n',
        b'event: error\ndata: {"error":{"message":"m","code":503}}\n\n',
        b'event: error\ndata: {"message":"m","code":503}\n\n',
        b"event: error\ndata: m\n\n",
        b'data: {"object":"error","message":"m","code":503}\n\n',
    ],
)
def test_pitfall_097_errors_in_the_middle_are_errors(frame: bytes) -> None:
    """OpenRouter documentation, "Streaming": status 200, then `data: {"error": …}`; others name the event `error`."""
    text = data_event(b'{"choices":[{"index":0,"delta":{"content":"a"}}]}')
    events = read(text + frame + text + DONE)
    assert events[1] == TextDelta("a")
    assert failure(events).message == "m"
    assert len(events) == 3


def test_pitfall_100_a_first_chunk_without_choices_starts_nothing() -> None:
    """Azure: prompt_filter_results come first, with no id, no model and no choices."""
    events = read((FIXTURES / "empty_first_chunk.sse").read_bytes())
    assert events == [
        Started("chatcmpl-1", "gpt-4o-2024-11-20", 1760000000),
        TextDelta("Hello"),
        Finished("length", native="length"),
        Ended(),
    ]


def test_pitfall_108_an_error_before_any_output_has_its_status() -> None:
    """sub2api PR#5567, ai-gateway#2697: overloaded is overloaded, also inside a 200."""
    error = failure(read(b'event: error\ndata: {"error":{"type":"overloaded_error","message":"m"}}\n\n'))
    assert (error.kind, error.status) == (Kind.OVERLOADED, 503)


def test_pitfall_111_one_bad_line_is_skipped() -> None:
    """litellm#40404: a malformed line costs itself, not the request."""
    text = data_event(b'{"choices":[{"index":0,"delta":{"content":"a"}}]}')
    bad = b'data: {"choices":[{"index":0,"del\n\n' + b"data: \xff\n\n" + b"data: 7\n\n"
    assert told(read(text + bad + text + DONE)).choices[0].text == "aa"
