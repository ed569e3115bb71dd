"""How the engine claude reads answers: streams, whole messages, usage, finish reasons, errors inside them."""

import json
from typing import Any

import pytest

from tests.translators.anthropic_exchange import (
    block,
    client_chunks,
    fixture,
    fold,
    read_stream,
    sse,
    stop,
    whole,
    wire,
)
from tests.translators.anthropic_wire import Answer, told
from translators.anthropic import Claude
from translators.errors import Kind
from translators.types import (
    OUTPUT,
    Ended,
    Event,
    Extension,
    Failed,
    Finished,
    KeepAlive,
    ReasoningDelta,
    TextDelta,
    ThinkingBlock,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)

WORDS = block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hello"})
CALLS = Answer(
    id="msg_1",
    model="claude-sonnet-4-5-20250929",
    text="Ich frage für Köln und 東京 🗼.",
    reasoning="Two places, two calls.",
    thinking_blocks=[{"type": "thinking", "thinking": "Two places, two calls.", "signature": "c2lnbmF0dXJl"}],
    calls=[("toolu_1", "weather", {"city": "Köln"}), ("toolu_2", "clock", {})],
    finish="tool_calls",
    usage={"prompt": 2112, "completion": 89, "cached": 2000, "cache_written": 100, "reasoning": 20},
    ended=True,
)


def finish(events: list[Event]) -> Finished:
    return next(event for event in events if isinstance(event, Finished))


def failed(events: list[Event]) -> Failed:
    assert isinstance(events[-1], Failed)
    assert not any(isinstance(event, Ended) for event in events)
    return events[-1]


# --- blocks ---------------------------------------------------------------------------------------------------


def test_a_stream_and_the_whole_message_say_the_same() -> None:
    """Reasoning, words, parallel calls and usage by either way."""
    assert told(read_stream(fixture("parallel_calls.sse"))) == CALLS
    assert told(Claude().parse(fixture("parallel_calls.json"), wire({}))) == CALLS


def test_pitfall_102_characters_cut_by_the_network_stay_whole() -> None:
    """LLM gateways' issues AX#111, CCR PR#1672: one-byte pieces give the same events as one piece."""
    data = fixture("parallel_calls.sse")
    assert read_stream(data[i : i + 1] for i in range(len(data))) == read_stream(data)


def test_pitfall_103_every_form_of_server_sent_events_is_read() -> None:
    """EN#2470, #2155: CRLF, `data:` without a space, no blank line at the end."""
    data = fixture("parallel_calls.sse")
    assert read_stream(data.replace(b"\n", b"\r\n")) == read_stream(data)
    assert read_stream(data.replace(b"data: ", b"data:")) == read_stream(data)
    assert read_stream(data.rstrip()) == read_stream(data)


def test_pitfall_001_parallel_calls_are_numbered_from_zero() -> None:
    """LL#5231, BF#1961: Anthropic counts blocks, reasoning and words included; OpenAI counts calls."""
    starts = [event for event in read_stream(fixture("parallel_calls.sse")) if isinstance(event, ToolCallStart)]
    assert [(event.index, event.id) for event in starts] == [(0, "toolu_1"), (1, "toolu_2")]


def test_pitfall_004_the_empty_input_of_the_start_is_no_argument() -> None:
    """EN#1466: `"input": {}` glued before the real arguments made `{}{"city": …`."""
    deltas = [event for event in read_stream(fixture("parallel_calls.sse")) if isinstance(event, ToolCallDelta)]
    assert deltas == [ToolCallDelta(0, '{"city": "Kö'), ToolCallDelta(0, 'ln"}')]


def test_pitfall_005_a_call_without_arguments_has_an_empty_object() -> None:
    """PK c9003a33: no input_json_delta at all; the client gets "{}", not ""."""
    chat = fold(read_stream(fixture("parallel_calls.sse")))
    assert chat["choices"][0]["message"]["tool_calls"][1]["function"] == {"name": "clock", "arguments": "{}"}


def test_pitfall_007_words_and_calls_of_one_turn_both_arrive() -> None:
    """LL PR#17652: neither replaces the other."""
    message = fold(read_stream(fixture("parallel_calls.sse")))["choices"][0]["message"]
    assert (message["content"], len(message["tool_calls"])) == (CALLS.text, 2)


def test_pitfall_012_a_turn_of_calls_only_is_an_answer() -> None:
    """UA 56a5fc2: such turns were taken for empty and tried again."""
    events = read_stream(sse(*block(0, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}})))
    assert any(isinstance(event, OUTPUT) for event in events)
    assert isinstance(events[-1], Ended)


def test_pitfall_013_the_answer_has_one_id_and_the_providers_own() -> None:
    """LL PR#16596: ids differed between the chunks of one stream."""
    chunks = client_chunks(fixture("parallel_calls.sse"))
    assert {chunk["id"] for chunk in chunks} == {"msg_1"}
    assert len({chunk["created"] for chunk in chunks}) == 1


def test_pitfall_014_the_first_delta_names_the_role() -> None:
    """PK 7a219550, LL PR#24354: also when usage is asked for."""
    assert client_chunks(fixture("parallel_calls.sse"))[0]["choices"][0]["delta"] == {
        "role": "assistant",
        "content": "",
    }


def test_pitfall_017_ids_of_calls_are_passed_as_they_are() -> None:
    """cursor-byok PR#364: nothing is stuffed into ids, which some clients cut at 64 characters."""
    assert [id_ for id_, _, _ in told(read_stream(fixture("parallel_calls.sse"))).calls] == ["toolu_1", "toolu_2"]


def test_pitfall_058_thinking_is_reasoning_and_never_content() -> None:
    """EN#2319, OR#5312: text apart, signature kept, in one block at the end."""
    events = read_stream(fixture("parallel_calls.sse"))
    reasoning = [event for event in events if isinstance(event, ReasoningDelta | ThinkingBlock)]
    assert reasoning == [
        ReasoningDelta("Two places, "),
        ReasoningDelta("two calls."),
        ThinkingBlock(CALLS.thinking_blocks[0]),
    ]


def test_pitfall_046_thinking_without_text_keeps_its_signature() -> None:
    """pydantic-ai#2040: hidden and redacted reasoning has to come back as well, and nothing is made up."""
    hidden = {"type": "thinking", "thinking": "", "signature": "c2ln"}
    redacted = {"type": "redacted_thinking", "data": "eHl6"}
    unsigned = {"type": "thinking", "thinking": "hm", "signature": ""}
    events = read_stream(sse(*block(0, hidden), *block(1, redacted), *block(2, unsigned)))
    assert told(events).thinking_blocks == [hidden, redacted]
    assert told(events).reasoning == "hm"


def test_what_claudes_own_tools_did_comes_back_as_blocks() -> None:
    """Calls of server tools with their input put together, and results as they are."""
    answer = told(read_stream(fixture("web_search.sse")))
    assert answer.native == [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "tallest tower"}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "srvtoolu_1",
            "content": [
                {
                    "type": "web_search_result",
                    "title": "Towers",
                    "url": "https://example.com/towers",
                    "encrypted_content": "YWJj",
                    "page_age": None,
                }
            ],
        },
    ]


def test_citations_with_an_address_are_annotations() -> None:
    """OpenAI's form, with the place of the words that cite; others as Anthropic has them."""
    events = [event for event in read_stream(fixture("web_search.sse")) if isinstance(event, Extension)]
    values = {event.name: event.value for event in events}
    assert values["annotations"] == [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": 10,
                "end_index": 16,
                "url": "https://example.com/towers",
                "title": "Towers",
            },
        }
    ]
    assert values["citations"][0]["type"] == "page_location"
    assert values["container"]["id"] == "container_1"


def test_a_compaction_comes_back_whole() -> None:
    """compaction_delta brings the block's members."""
    events = read_stream(
        sse(*block(0, {"type": "compaction", "content": None}, {"type": "compaction_delta", "content": "So far"}))
    )
    assert told(events).native == [{"type": "compaction", "content": "So far"}]


def test_the_caller_of_a_programmatic_call_is_kept() -> None:
    """A call made by Claude's code has to come back with its caller; the usual one needs no word."""
    caller = {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}
    called = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}, "caller": caller}
    direct = {"type": "tool_use", "id": "toolu_2", "name": "f", "input": {}, "caller": {"type": "direct"}}
    events = whole({"content": [called, direct], "stop_reason": "tool_use"})
    starts = [event for event in events if isinstance(event, ToolCallStart)]
    assert [event.extra for event in starts] == [{"caller": caller}, {}]


def test_the_names_of_renamed_tools_are_given_back() -> None:
    """A name that Claude's wire does not take goes out as another and comes back as its own."""
    tools = [{"type": "function", "function": {"name": "files.read"}}]
    sent = json.loads(wire({"tools": tools}).body)["tools"][0]["name"]
    content = [{"type": "tool_use", "id": "toolu_1", "name": sent, "input": {}}]
    starts = [
        event
        for event in whole({"content": content, "stop_reason": "tool_use"}, tools=tools)
        if isinstance(event, ToolCallStart)
    ]
    assert [event.name for event in starts] == ["files.read"]


def test_a_block_that_is_never_closed_is_closed_at_the_end() -> None:
    """Some hosts leave out the last content_block_stop."""
    events = read_stream(
        sse(*block(0, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}})[:1], stop("tool_use"))
    )
    assert told(events).calls == [("toolu_1", "f", {"a": 1})]


def test_pitfall_005_a_block_in_another_ones_place_does_not_replace_it() -> None:
    """c9003a33: hosts that number every block 0 and stop none; the first call keeps its arguments."""
    first = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}
    second = {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}}
    opened = [block(0, content)[0] for content in (first, second)]
    said = told(read_stream(sse(*opened, stop("tool_use"))))
    assert said.calls == [("toolu_1", "f", {"a": 1}), ("toolu_2", "g", {})]


def test_pitfall_013_calls_without_an_id_get_one() -> None:
    """litellm PR#16596: none of a conversation's calls may have another one's id, nor an empty one."""
    calls = [event for i in (0, 1) for event in block(i, {"type": "tool_use", "name": "f", "input": {}})]
    data = sse(*calls, stop("tool_use"))
    ids = [call[0] for answer in (data, data.replace(b"msg_1", b"msg_2")) for call in told(read_stream(answer)).calls]
    assert len(set(ids)) == 4
    assert all(ids)
    assert [call[0] for call in told(read_stream(data)).calls] == ids[:2]


# --- the end --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("pause_turn", "length"),
        ("compaction", "length"),
        ("a_new_one", "stop"),
    ],
)
def test_pitfall_052_every_stop_reason_has_its_finish_reason(reason: str, expected: str) -> None:
    """LL core_helpers, PK ebedd245: a paused turn is not the end, so it is cut short like one at its limit."""
    events = read_stream(sse(*WORDS, stop(reason)))
    assert finish(events) == Finished(expected, native=reason)


def test_pitfall_009_a_turn_with_calls_finishes_with_tool_calls() -> None:
    """LL PR#21577: neither null nor "stop"."""
    assert fold(read_stream(fixture("parallel_calls.sse")))["choices"][0]["finish_reason"] == "tool_calls"


def test_pitfall_011_a_cut_answer_stays_cut_though_it_called() -> None:
    """hermes-agent PR#43478: tool_calls must not hide that the arguments are incomplete."""
    opened = block(0, {"type": "tool_use", "id": "t", "name": "f", "input": {}}, {"partial_json": '{"a": '})
    assert fold(read_stream(sse(*opened, stop("max_tokens"))))["choices"][0]["finish_reason"] == "length"


def test_pitfall_044_an_answer_of_thinking_only_is_cut_short() -> None:
    """BYK/loreai PR#767: max_tokens went into thinking; the client sees "length", not an empty success."""
    thought = block(0, {"type": "thinking", "thinking": "", "signature": ""}, {"thinking": "hm"})
    assert finish(read_stream(sse(*thought, stop("max_tokens")))).reason == "length"


def test_a_refusal_gives_its_reason() -> None:
    """stop_details holds the explanation, which is OpenAI's `refusal`."""
    details = {"type": "refusal", "category": "cyber", "explanation": "Not this."}
    events = whole({"content": [], "stop_reason": "refusal", "stop_details": details})
    message = fold(events)["choices"][0]
    assert (message["message"]["refusal"], message["finish_reason"]) == ("Not this.", "content_filter")


def test_pitfall_057_a_stream_without_its_end_marker_has_failed() -> None:
    """BF#5546: a cut before message_stop looked like a clean end; the words before it are kept."""
    data = sse(*WORDS, stop("end_turn")).partition(b'data: {"type": "message_stop"}')[0]
    events = read_stream(data)
    assert failed(events).error.kind is Kind.CLOSED
    assert TextDelta("Hello") in events


def test_nothing_follows_the_end() -> None:
    """What a gateway appends, [DONE] or another message, is not the answer."""
    data = sse(*WORDS, stop("end_turn"))
    assert read_stream(data + b"data: [DONE]\n\n" + data) == read_stream(data)


def test_a_line_that_is_no_json_is_skipped() -> None:
    """One bad line must not spoil the answer."""
    data = sse(*WORDS, stop("end_turn"))
    assert read_stream(data.replace(b"\n\n", b"\n\ndata: {oops\n\n", 1)) == read_stream(data)


def test_an_empty_stream_is_no_answer() -> None:
    """Only an end marker: another provider may be tried."""
    events = read_stream(b'data: {"type":"message_stop"}\n\n')
    assert failed(events).error.kind is Kind.EMPTY


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", Kind.EMPTY),
        (b"<html>", Kind.MALFORMED),
        (b"[]", Kind.MALFORMED),
        (b'{"id": "msg_1"}', Kind.MALFORMED),
        (b'{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}', Kind.OVERLOADED),
    ],
)
def test_a_whole_answer_that_is_none_has_failed(body: bytes, kind: Kind) -> None:
    """Empty, not Anthropic's format, or an error inside a 200."""
    assert failed(Claude().parse(body, wire({}))).error.kind is kind


@pytest.mark.parametrize(
    ("type_", "status", "kind"),
    [
        ("overloaded_error", 503, Kind.OVERLOADED),
        ("rate_limit_error", 429, Kind.RATE_LIMIT),
        ("api_error", 500, Kind.SERVER),
        ("invalid_request_error", 400, Kind.BAD_REQUEST),
    ],
)
def test_pitfall_108_an_error_inside_a_stream_is_its_status(type_: str, status: int, kind: Kind) -> None:
    """S2A PR#5567: an `error` event under status 200 counts as what its type says, before output and after."""
    error = {"type": "error", "error": {"type": type_, "message": "Try later"}}
    for events in (read_stream(sse(error)), read_stream(sse(*WORDS, error))):
        found = failed(events).error
        assert (found.kind, found.status, found.message) == (kind, status, "Try later")


def test_an_error_in_words_keeps_them() -> None:
    """Hosts and proxies write what is no JSON; nothing follows it."""
    events = read_stream(b"event: error\ndata: the engine is overloaded\n\n" + sse(*WORDS, stop("end_turn")))
    error = failed(events).error
    assert (error.kind, error.message) == (Kind.SERVER, "the engine is overloaded")


def test_pitfall_056_a_ping_is_a_sign_of_life() -> None:
    """EN#2549: ignored pings let clients run into their idle timeout."""
    events = read_stream(fixture("parallel_calls.sse"))
    assert sum(isinstance(event, KeepAlive) for event in events) == 1
    assert KeepAlive() in read_stream([b": still here\n", sse(*WORDS, stop("end_turn"))])


# --- usage ----------------------------------------------------------------------------------------------------


def last_usage(events: list[Event]) -> Any:
    return [event for event in events if isinstance(event, UsageReport)][-1].usage


def test_pitfall_053_prompt_tokens_include_the_cache() -> None:
    """PK PR#1754: Anthropic's input_tokens leave it out; cached_tokens are those read, not those written."""
    usage = fold(read_stream(fixture("parallel_calls.sse")))["usage"]
    assert usage["prompt_tokens"] == 12 + 2000 + 100
    assert usage["prompt_tokens_details"] == {"cached_tokens": 2000, "cache_write_tokens": 100}
    assert usage["total_tokens"] == 2112 + 89


def test_pitfall_054_usage_is_set_and_never_added() -> None:
    """EN PR#2239: message_delta's numbers include message_start's."""
    usage = last_usage(read_stream(fixture("web_search.sse")))
    assert (usage.prompt, usage.completion) == (900, 50)


def test_pitfall_055_zeros_and_nulls_overwrite_nothing() -> None:
    """huggingface/tau PR#617: the message_delta of the fixture has input_tokens 0 and null for the cache."""
    usage = last_usage(read_stream(fixture("parallel_calls.sse")))
    assert (usage.prompt, usage.cached) == (2112, 2000)


def test_searches_are_counted() -> None:
    """They are billed apart, so the client hears of them."""
    assert last_usage(read_stream(fixture("web_search.sse"))).extra == {"server_tool_use": {"web_search_requests": 1}}
