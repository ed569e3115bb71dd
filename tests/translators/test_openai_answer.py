"""OpenAI's wire, the answer written: events → chunks or one body."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.recordings import needs_recordings
from tests.translators.openai_wire import PROVIDERS, answer_of, answers, data_of, fed, told
from translators.base import AnswerIdentity
from translators.errors import Kind, UpstreamError
from translators.openai_answer import ChunkWriter, fold
from translators.openai_events import ChunkReader, whole_events
from translators.sse import DONE, PING
from translators.types import (
    Ended,
    Event,
    Extension,
    Failed,
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

USAGE = Usage(prompt=10, completion=7, cached=4, cache_written=2, reasoning=3)
TOKEN = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}


CITATION = {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 1, "title": "t", "url": "u"}}


def identity(*, renamed: bool = False, include_usage: bool = False) -> AnswerIdentity:
    return AnswerIdentity("chatcmpl-own", 1760000000, "alias", renamed, include_usage)


OWN = identity()


def written(events: Sequence[Event], identity: AnswerIdentity = OWN) -> list[dict[str, Any]]:
    """The chunks, each accepted by the SDK's type, without the end marker."""
    data = data_of(ChunkWriter(identity).write(events).decode())
    chunks = [json.loads(chunk) for chunk in data if chunk != "[DONE]"]
    for chunk in chunks:
        ChatCompletionChunk.model_validate_json(json.dumps(in_openais_words(chunk)), strict=True)
    return chunks


def folded(events: Sequence[Event], identity: AnswerIdentity = OWN) -> dict[str, Any]:
    """The body, accepted by the SDK's type."""
    body: dict[str, Any] = json.loads(fold(events, identity))
    ChatCompletion.model_validate_json(json.dumps(in_openais_words(body)), strict=True)
    return body


def in_openais_words(answer: dict[str, Any]) -> dict[str, Any]:
    """Without values that some providers put into OpenAI's own fields: Groq's service tiers, OpenRouter's files."""
    words: dict[str, Any] = json.loads(json.dumps(answer))
    if words.get("service_tier") in ("on_demand", "standard"):
        del words["service_tier"]
    for choice in words["choices"]:
        said = choice.get("message") or choice.get("delta") or {}
        said["annotations"] = [note for note in said.get("annotations", []) if note.get("type") != "file"]
    return words


def deltas(chunks: list[dict[str, Any]], choice: int = 0) -> list[dict[str, Any]]:
    return [one["delta"] for chunk in chunks for one in chunk["choices"] if one["index"] == choice]


def finish(chunks: list[dict[str, Any]]) -> list[str]:
    return [one["finish_reason"] for chunk in chunks for one in chunk["choices"] if one["finish_reason"]]


@needs_recordings
@pytest.mark.parametrize("provider", PROVIDERS)
def test_recorded_answers_are_written_as_they_were_said(provider: str) -> None:
    """Read, written as chunks and as one body, read again: still what the recording says. The SDK accepts it all."""
    for stream in (True, False):
        for recording in answers(provider, stream=stream):
            expected = answer_of(recording)
            if expected.failed:
                continue
            data = recording.response_bytes
            events = fed(ChunkReader(), data) if stream else whole_events(data)
            chunks = ChunkWriter(identity(include_usage=True)).write(events)
            written(events, identity(include_usage=True))
            body = fold(events, identity())
            folded(events)
            for again in (told(fed(ChunkReader(), chunks)), told(whole_events(body))):
                for said in (*again.choices.values(), *expected.choices.values()):
                    said.finish = None  # Written in OpenAI's words: see pitfalls 9 and 11.
                assert again.choices == expected.choices, recording.id
                assert again.usage == expected.usage, recording.id


# --- chunks -------------------------------------------------------------------------------------------------------


def test_every_event_has_its_delta() -> None:
    """In the form that OpenAI's API reference gives, and DeepSeek's for reasoning."""
    chunks = written(
        [
            Started("chatcmpl-1", "gpt-4o", 5, {"system_fingerprint": "fp"}),
            ReasoningDelta("hm"),
            ThinkingBlock({"type": "thinking", "thinking": "hm", "signature": "s"}),
            TextDelta("a"),
            TextDelta('"b"\n'),
            RefusalDelta("no"),
            LogProbs({"content": [TOKEN], "refusal": None}),
            Extension("citations", ["u"]),
            Finished("stop"),
            Ended(),
        ]
    )
    assert deltas(chunks) == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "hm"},
        {"thinking_blocks": [{"index": 0, "type": "thinking", "thinking": "hm", "signature": "s"}]},
        {"content": "a"},
        {"content": '"b"\n'},
        {"refusal": "no"},
        {},
        {"citations": ["u"]},
        {},
    ]
    assert chunks[6]["choices"][0]["logprobs"] == {"content": [TOKEN], "refusal": None}
    assert finish(chunks) == ["stop"]
    assert {chunk["system_fingerprint"] for chunk in chunks} == {"fp"}


def test_the_end_is_the_end_marker() -> None:
    """And nothing but Ended writes it: a broken stream has none."""
    writer = ChunkWriter(identity())
    assert DONE not in writer.write([Started(), TextDelta("a"), Finished("stop")])
    assert writer.write([Failed(UpstreamError(Kind.CLOSED, "gone"))]) == b""
    assert writer.write([Ended()]) == DONE


def test_an_error_is_an_event_of_its_own() -> None:
    """OpenAI's error body; the SDK raises APIError for it."""
    words = ChunkWriter(identity()).error(UpstreamError(Kind.OVERLOADED, "später", status=503, code="overloaded"))
    assert words.startswith(b"event: error\ndata: ")
    assert words.endswith(b"\n\n")
    assert json.loads(words.split(b"data: ")[1]) == {
        "error": {"message": "später", "type": "server_error", "param": None, "code": "overloaded"}
    }


def test_half_an_emoji_is_written_escaped() -> None:
    """A text may be cut between the halves of a surrogate pair."""
    chunks = ChunkWriter(identity()).write([TextDelta("a"), TextDelta("\ud83d"), TextDelta("\ude00")])
    assert [delta["content"] for delta in deltas([json.loads(data) for data in data_of(chunks.decode())])] == [
        "",
        "a",
        "\ud83d",
        "\ude00",
    ]


def test_extensions_with_content_of_their_own_do_not_confuse_the_text() -> None:
    """Whatever stands around the text stays what it is."""
    chunks = written([Started(extra={"provider": {"content": ""}}), TextDelta("a"), TextDelta("b")])
    assert [delta["content"] for delta in deltas(chunks)] == ["", "a", "b"]
    assert {json.dumps(chunk["provider"]) for chunk in chunks} == {'{"content": ""}'}


def test_lists_of_objects_are_numbered_through() -> None:
    """The SDK joins them by `index`; without it a second piece makes its stream helpers raise."""
    chunks = written(
        [
            Extension("annotations", [CITATION, CITATION]),
            Extension("annotations", [CITATION]),
            ThinkingBlock({"type": "thinking"}),
            ThinkingBlock({"type": "redacted_thinking"}),
        ]
    )
    items = [item for delta in deltas(chunks) for item in delta.get("annotations", [])]
    blocks = [item for delta in deltas(chunks) for item in delta.get("thinking_blocks", [])]
    assert [item["index"] for item in items] == [0, 1, 2]
    assert [block["index"] for block in blocks] == [0, 1]


# --- one body -----------------------------------------------------------------------------------------------------


def test_a_body_is_put_together() -> None:
    """Texts joined, calls and blocks in order, OpenAI's fields in their places."""
    body = folded(
        [
            Started("chatcmpl-1", "gpt-4o-2024-11-20", 5, {"system_fingerprint": "fp"}),
            ReasoningDelta("h"),
            ReasoningDelta("m"),
            ThinkingBlock({"type": "thinking", "thinking": "hm", "signature": "s"}),
            TextDelta("a"),
            TextDelta("b"),
            Extension("annotations", [CITATION]),
            Extension("annotations", [CITATION]),
            LogProbs({"content": [TOKEN], "refusal": None}),
            LogProbs({"content": [TOKEN], "refusal": None}),
            ToolCallStart(0, "call_a", "f"),
            ToolCallDelta(0, '{"x"'),
            ToolCallStart(1, "call_b", "g"),
            ToolCallDelta(0, ":1}"),
            Finished("stop"),
            UsageReport(USAGE),
            Ended(),
        ]
    )
    assert body == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 5,
        "model": "gpt-4o-2024-11-20",
        "system_fingerprint": "fp",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "ab",
                    "refusal": None,
                    "reasoning_content": "hm",
                    "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "s"}],
                    "tool_calls": [
                        {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
                        {"id": "call_b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
                    ],
                    "annotations": [CITATION, CITATION],
                },
                "logprobs": {"content": [TOKEN, TOKEN], "refusal": None},
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 7,
            "total_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
    }


@pytest.mark.parametrize(
    ("events", "content"),
    [
        ([Finished("stop")], ""),
        ([ReasoningDelta("hm"), Finished("length")], ""),
        ([ToolCallStart(0, "a", "f"), Finished("tool_calls")], None),
        ([RefusalDelta("no"), Finished("stop")], None),
    ],
)
def test_content_is_null_only_beside_calls_or_a_refusal(events: list[Event], content: str | None) -> None:
    """As OpenAI answers; clients take the length of the text otherwise."""
    assert folded([Started(), *events, Ended()])["choices"][0]["message"]["content"] == content


def test_a_failure_among_the_events_is_raised() -> None:
    """There is no body of half an answer."""
    error = UpstreamError(Kind.CLOSED, "gone")
    with pytest.raises(UpstreamError) as caught:
        fold([Started(), TextDelta("a"), Failed(error)], identity())
    assert caught.value is error


def test_the_answer_bears_the_alias_only_where_it_renames() -> None:
    """Else it bears what the provider says, and the asked name where the provider says nothing."""
    said: list[Event] = [Started(model="gpt-4o-2024-11-20"), TextDelta("a"), Finished("stop"), Ended()]
    silent: list[Event] = [Started(), *said[1:]]
    for events, renamed, model in ((said, False, "gpt-4o-2024-11-20"), (said, True, "alias"), (silent, False, "alias")):
        assert {chunk["model"] for chunk in written(events, identity(renamed=renamed))} == {model}
        assert folded(events, identity(renamed=renamed))["model"] == model


# --- pitfalls -----------------------------------------------------------------------------------------------------


def test_pitfall_001_parallel_calls_keep_their_numbers() -> None:
    """litellm#5231, bifrost#1961: clients join by `index`; each call has its own."""
    chunks = written(
        [ToolCallStart(0, "a", "f"), ToolCallDelta(0, "{}"), ToolCallStart(1, "b", "g"), ToolCallDelta(1, "{}")]
    )
    calls = [call for delta in deltas(chunks) for call in delta.get("tool_calls", [])]
    assert [(call["index"], call.get("id")) for call in calls] == [(0, "a"), (0, None), (1, "b"), (1, None)]


def test_pitfall_004_the_first_piece_of_a_call_has_all_but_the_arguments() -> None:
    """envoyproxy/ai-gateway#1466, Portkey 477b2d2d: index, id, type, name, and "" that later pieces are joined to."""
    first, second = deltas(written([ToolCallStart(0, "a", "f"), ToolCallDelta(0, '{"x":1}')]))[1:]
    assert first["tool_calls"] == [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    ]
    assert second["tool_calls"] == [{"index": 0, "function": {"arguments": '{"x":1}'}}]


def test_pitfall_005_a_call_without_arguments_has_an_empty_object() -> None:
    """Portkey c9003a33: "" is no JSON; only the calls that said nothing get it."""
    events: list[Event] = [ToolCallStart(0, "a", "f"), ToolCallDelta(0, ""), ToolCallStart(1, "b", "g")]
    events += [ToolCallDelta(1, "[1]"), Finished("tool_calls"), Ended()]
    calls = [call for delta in deltas(written(events)) for call in delta.get("tool_calls", [])]
    joined = ["".join(call["function"]["arguments"] for call in calls if call["index"] == i) for i in (0, 1)]
    assert joined == ["{}", "[1]"]
    message = folded(events)["choices"][0]["message"]
    assert [call["function"]["arguments"] for call in message["tool_calls"]] == ["{}", "[1]"]


def test_pitfall_007_text_and_calls_are_both_written() -> None:
    """litellm PR#17652: never the one or the other."""
    events: list[Event] = [TextDelta("now"), ToolCallStart(0, "a", "f"), Finished("stop"), Ended()]
    message = folded(events)["choices"][0]["message"]
    assert message["content"] == "now"
    assert len(message["tool_calls"]) == 1
    assert [set(delta) for delta in deltas(written(events))[1:3]] == [{"content"}, {"tool_calls"}]


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
def test_pitfall_009_tool_calls_is_the_reason_if_and_only_if_there_was_a_call(reason: str) -> None:
    """litellm PR#21577, #21041: providers say `stop` behind calls, or `tool_calls` without any."""
    with_call: list[Event] = [Started(), ToolCallStart(0, "a", "f"), Finished(reason), Ended()]
    without: list[Event] = [Started(), TextDelta("a"), Finished(reason), Ended()]
    assert finish(written(with_call)) == ["tool_calls"]
    assert finish(written(without)) == ["stop"]
    assert folded(with_call)["choices"][0]["finish_reason"] == "tool_calls"
    assert folded(without)["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_pitfall_011_a_cut_or_blocked_answer_stays_one_behind_calls(reason: str) -> None:
    """NousResearch/hermes-agent PR#43478: the arguments may be cut in half."""
    events: list[Event] = [Started(), ToolCallStart(0, "a", "f"), ToolCallDelta(0, '{"x'), Finished(reason), Ended()]
    assert finish(written(events)) == [reason]
    assert folded(events)["choices"][0]["finish_reason"] == reason


def test_pitfall_013_all_chunks_of_an_answer_have_one_identity() -> None:
    """litellm PR#16596, uni-api 709e6b1: id, created and model never change; usage chunk included."""
    tail: list[Event] = [TextDelta("a"), TextDelta("b"), Finished("stop"), UsageReport(USAGE), Ended()]
    own = written([Started(), *tail], identity(include_usage=True))
    said = written([Started("chatcmpl-1", "gpt-4o", 5), *tail], identity(include_usage=True))
    assert {(chunk["id"], chunk["created"], chunk["model"]) for chunk in own} == {("chatcmpl-own", 1760000000, "alias")}
    assert {(chunk["id"], chunk["created"], chunk["model"]) for chunk in said} == {("chatcmpl-1", 5, "gpt-4o")}
    late = written([TextDelta("a"), Started("chatcmpl-1"), *tail])
    assert {chunk["id"] for chunk in late} == {"chatcmpl-own"}


@pytest.mark.parametrize("include_usage", [False, True])
@pytest.mark.parametrize(
    "first",
    [TextDelta("a"), ReasoningDelta("a"), ToolCallStart(0, "a", "f"), LogProbs({"content": []}), Finished("stop")],
)
def test_pitfall_014_the_first_chunk_of_every_choice_has_the_role(first: Event, include_usage: bool) -> None:
    """Portkey 7a219550, litellm PR#24354: with or without usage, with or without Started."""
    opening = {"role": "assistant", "content": ""}
    for events in ([first], [Started(), first]):
        chunks = written(events, identity(include_usage=include_usage))
        assert deltas(chunks)[0] == opening
        assert deltas(chunks).count(opening) == 1


def test_pitfall_015_choices_keep_their_numbers_and_open_in_order() -> None:
    """envoyproxy/ai-gateway#1487: n > 1. The SDK counts choices as they appear, so the first come first."""
    events = [TextDelta("two", 2), TextDelta("zero", 0), TextDelta("one", 1), TextDelta("two", 2)]
    chunks = written(events)
    assert [chunk["choices"][0]["index"] for chunk in chunks] == [0, 1, 2, 2, 0, 1, 2]
    assert [delta["content"] for delta in deltas(chunks, 2)] == ["", "two", "two"]
    assert [choice["message"]["content"] for choice in folded(events)["choices"]] == ["zero", "one", "twotwo"]


def test_pitfall_096_a_sign_of_life_is_a_comment_without_a_blank_line() -> None:
    """theopenco/llmgateway PR#2334: `: ping` with a blank line behind it is an empty event to some clients."""
    writer = ChunkWriter(identity())
    assert writer.write([KeepAlive()]) == PING == b": ping\n"


def test_pitfall_104_usage_comes_last_and_alone_for_those_who_asked() -> None:
    """litellm#28735, OmniRoute#9750: `choices: []` with usage at the end, `usage: null` before it."""
    events: list[Event] = [
        Started(),
        UsageReport(Usage(1, 1)),
        TextDelta("a"),
        Finished("stop"),
        UsageReport(USAGE),
        Ended(),
    ]
    *before, last = written(events, identity(include_usage=True))
    assert {chunk["usage"] for chunk in before} == {None}
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 17
    assert not any("usage" in chunk for chunk in written(events))
    assert ChunkWriter(identity(include_usage=True)).write(events).endswith(DONE)
