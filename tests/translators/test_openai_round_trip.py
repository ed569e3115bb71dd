"""OpenAI's wire, written and read again: whatever an engine says, a client hears the same."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from tests.translators.openai_wire import data_of, fed
from translators.base import AnswerIdentity
from translators.openai_answer import ChunkWriter, fold
from translators.openai_events import ChunkReader, whole_events
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

IDENTITY = AnswerIdentity("chatcmpl-own", 1760000000, "alias", renamed=False, include_usage=True)
TEXT = st.text(min_size=1, max_size=6)
TOKENS = st.lists(st.builds(lambda token: {"token": token, "logprob": -0.5, "bytes": None, "top_logprobs": []}, TEXT))
NAMED_VALUES = st.one_of(
    st.tuples(st.just("images"), st.lists(st.fixed_dictionaries({"url": TEXT}), min_size=1, max_size=2)),
    st.tuples(st.just("citations"), st.lists(TEXT, min_size=1, max_size=2)),
    st.tuples(st.just("transcript"), TEXT),
)
USAGES = st.builds(
    lambda prompt, completion, cached, reasoning: Usage(
        prompt, completion, min(cached, prompt), 0, min(reasoning, completion), prompt + completion
    ),
    *[st.integers(1, 1000)] * 4,
)


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    """An answer as an engine may give it: some choices, their events mingled, each finished once, usage, the end."""
    choices = draw(st.integers(1, 3))
    calls: dict[int, int] = defaultdict(int)
    events: list[Event] = [Started("chatcmpl-1", "gpt-4o", 1)]
    for kind in draw(st.lists(st.integers(0, 8), max_size=14)):
        choice = draw(st.integers(0, choices - 1))
        match kind:
            case 0:
                events.append(ReasoningDelta(draw(TEXT), choice))
            case 1:
                events.append(RefusalDelta(draw(TEXT), choice))
            case 2:
                events.append(
                    ThinkingBlock({"type": "thinking", "thinking": draw(TEXT), "signature": draw(TEXT)}, choice)
                )
            case 3:
                events.append(ToolCallStart(calls[choice], draw(TEXT), draw(TEXT), choice))
                calls[choice] += 1
            case 4 if calls[choice]:
                events.append(ToolCallDelta(draw(st.integers(0, calls[choice] - 1)), draw(TEXT), choice))
            case 5:
                name, value = draw(NAMED_VALUES)
                events.append(Extension(name, value, choice))
            case 6:
                events.append(LogProbs({"content": draw(TOKENS), "refusal": None}, choice))
            case 7:
                events.append(KeepAlive())
            case _:
                events.append(TextDelta(draw(TEXT), choice))
    reasons = st.sampled_from(["stop", "length", "tool_calls", "content_filter"])
    events += [Finished(draw(reasons), choice) for choice in range(choices)]
    if draw(st.booleans()):
        events.append(UsageReport(draw(USAGES)))
    return [*events, Ended()]


def outcome(events: Sequence[Event]) -> tuple[Any, Usage | None, bool]:
    """What a listener has in the end."""
    choices: dict[int, dict[str, Any]] = defaultdict(dict)
    usage = None
    for event in events:
        match event:
            case UsageReport(reported):
                usage = reported
            case TextDelta(text, choice):
                add(choices[choice], "text", text)
            case ReasoningDelta(text, choice):
                add(choices[choice], "reasoning", text)
            case RefusalDelta(text, choice):
                add(choices[choice], "refusal", text)
            case ThinkingBlock(block, choice):
                add(choices[choice], "thinking", [block])
            case ToolCallStart(index, id_, name, choice):
                choices[choice].setdefault("calls", {})[index] = [id_, name, ""]
            case ToolCallDelta(index, arguments, choice):
                choices[choice]["calls"][index][2] += arguments
            case Extension(name, value, choice):
                if isinstance(value, list):
                    value = [without_index(item) for item in value]
                add(choices[choice], name, value)
            case LogProbs(value, choice):
                add(choices[choice], "logprobs", value["content"])
            case Finished(reason, choice):
                called = bool(choices[choice].get("calls"))
                plain = "tool_calls" if called else "stop"
                choices[choice]["finish"] = plain if reason in ("stop", "tool_calls") else reason
    for said in choices.values():
        for call in said.get("calls", {}).values():
            call[2] = call[2] or "{}"
    return dict(choices), usage, isinstance(events[-1], Ended)


def add(choice: dict[str, Any], name: str, value: Any) -> None:
    choice[name] = choice[name] + value if name in choice else value


def without_index(item: Any) -> Any:
    return {name: value for name, value in item.items() if name != "index"} if isinstance(item, dict) else item


@given(answers())
def test_a_stream_says_what_the_events_say(events: list[Event]) -> None:
    """Events → chunks → events."""
    stream = ChunkWriter(IDENTITY).write(events)
    assert outcome(fed(ChunkReader(), stream)) == outcome(events)


@given(answers())
def test_a_stream_is_the_same_however_the_events_are_bundled(events: list[Event]) -> None:
    """One by one, or all at once."""
    writer = ChunkWriter(IDENTITY)
    assert b"".join([writer.write([event]) for event in events]) == ChunkWriter(IDENTITY).write(events)


@given(answers())
def test_a_body_says_what_the_events_say(events: list[Event]) -> None:
    """Events → one body → events."""
    assert outcome(whole_events(fold(events, IDENTITY))) == outcome(events)


@given(answers())
def test_the_sdk_joins_the_stream_into_the_same_answer(events: list[Event]) -> None:
    """The openai SDK's own accumulator comes to what `fold` comes to."""
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for data in data_of(ChunkWriter(IDENTITY).write(events).decode()):
        if data != "[DONE]":
            state.handle_chunk(ChatCompletionChunk.model_validate_json(data, strict=True))
    joined: Any = state.current_completion_snapshot.to_dict(mode="json")
    body = json.loads(fold(events, IDENTITY))
    assert (joined["id"], joined["model"]) == (body["id"], body["model"])
    assert joined.get("usage") == body.get("usage")
    assert [comparable(choice) for choice in joined["choices"]] == [comparable(choice) for choice in body["choices"]]


def comparable(choice: dict[str, Any]) -> dict[str, Any]:
    """A choice without what only the SDK's snapshot or only a body has: positions, empty members."""
    message = {name: value for name, value in choice["message"].items() if value and name != "parsed"}
    for name, value in message.items():
        if isinstance(value, list):
            message[name] = [without_index(item) for item in value]
    for call in message.get("tool_calls", []):
        call["function"].pop("parsed_arguments", None)
    logprobs = choice.get("logprobs") or {}
    return {
        "index": choice["index"],
        "message": message,
        "finish_reason": choice["finish_reason"],
        "logprobs": [token["token"] for token in logprobs.get("content") or []],
    }
