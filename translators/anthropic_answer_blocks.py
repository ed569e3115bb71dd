"""Anthropic's Messages, the answer's content blocks → events, as they arrive (Claude API reference, "Messages").

A block is started, gets deltas and is stopped; in a whole message it is started with everything and stopped. What an
upstream sends is nobody's promise: a member that is missing or of another type counts as empty.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from translators.call_ids import made_call_id
from translators.jsontext import dumps, loads_object, object_in, objects_in, text_in
from translators.types import (
    Event,
    Extension,
    ReasoningDelta,
    TextDelta,
    ThinkingBlock,
    ToolCallDelta,
    ToolCallStart,
)

JsonObject = Mapping[str, Any]


@dataclass(slots=True)
class Progress:
    """What the blocks of one answer have to know of each other.

    `names`: tools' names on the wire → the client's, of those that differ. `answer_tool`: the tool that stands for
    response_format. `answer_id`: the answer's own id. `written`: characters of text so far; `calls`: how many calls;
    `answered`: that tool was called.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    answer_tool: str | None = None
    answer_id: str = ""
    written: int = 0
    calls: int = 0
    answered: bool = False


class Block(Protocol):
    """A content block while it arrives."""

    def start(self, block: JsonObject) -> list[Event]: ...

    def delta(self, delta: JsonObject) -> list[Event]: ...

    def stop(self) -> list[Event]: ...


def open_block(block: JsonObject, progress: Progress) -> Block:
    """What reads the rest of a block that begins so."""
    kind = text_in(block.get("type"))
    if kind == "tool_use" and block.get("name") == progress.answer_tool:
        return AnswerBlock(progress)
    return BLOCKS.get(kind, NativeBlock)(progress)


class TextBlock:
    """The answer's words, and where they come from."""

    __slots__ = ("_begin", "_citations", "_progress")

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._begin = progress.written
        self._citations: list[JsonObject] = []

    def start(self, block: JsonObject) -> list[Event]:
        self._citations += objects_in(block.get("citations"))
        return self._text(block)

    def delta(self, delta: JsonObject) -> list[Event]:
        if "citation" in delta:
            self._citations.append(object_in(delta["citation"]))
            return []
        return self._text(delta)

    def stop(self) -> list[Event]:
        """Citations with an address as OpenAI has them (API reference, "The chat completion object"), others as is."""
        events: list[Event] = []
        place = {"start_index": self._begin, "end_index": self._progress.written}
        for citation in self._citations:
            url, title = text_in(citation.get("url")), text_in(citation.get("title"))
            if url:
                annotation = {"type": "url_citation", "url_citation": {**place, "url": url, "title": title}}
                events.append(Extension("annotations", [annotation]))
            else:
                events.append(Extension("citations", [citation]))
        return events

    def _text(self, source: JsonObject) -> list[Event]:
        text = text_in(source.get("text"))
        self._progress.written += len(text)
        return [TextDelta(text)] if text else []


class CallBlock:
    """A call of one of the client's tools. Its `input` at the start is empty, unless the block comes whole."""

    __slots__ = ("_arguments_came", "_index", "_input", "_progress")

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._index = progress.calls
        self._input: Any = None
        self._arguments_came = False
        progress.calls += 1

    def start(self, block: JsonObject) -> list[Event]:
        self._input = block.get("input")
        name = text_in(block.get("name"))
        extra = {}
        if block.get("caller") not in (None, {"type": "direct"}):
            extra["caller"] = block["caller"]
        if block.get("toolset_name"):
            extra["toolset_name"] = block["toolset_name"]
        own = self._progress.names.get(name, name)
        id_ = text_in(block.get("id")) or made_call_id(self._progress.answer_id, self._index, name, self._input)
        return [ToolCallStart(self._index, id_, own, extra=extra)]

    def delta(self, delta: JsonObject) -> list[Event]:
        arguments = text_in(delta.get("partial_json"))
        if not arguments:
            return []
        self._arguments_came = True
        return [ToolCallDelta(self._index, arguments)]

    def stop(self) -> list[Event]:
        if self._arguments_came or not self._input:
            return []
        return [ToolCallDelta(self._index, dumps(self._input).decode())]


class AnswerBlock:
    """The input of the tool that stands for response_format: the answer's text. Only the first one counts."""

    __slots__ = ("_came", "_counts", "_input")

    def __init__(self, progress: Progress) -> None:
        self._counts = not progress.answered
        self._came = False
        self._input: Any = None
        progress.answered = True

    def start(self, block: JsonObject) -> list[Event]:
        self._input = block.get("input")
        return []

    def delta(self, delta: JsonObject) -> list[Event]:
        text = text_in(delta.get("partial_json"))
        if not (text and self._counts):
            return []
        self._came = True
        return [TextDelta(text)]

    def stop(self) -> list[Event]:
        if self._came or not self._counts:
            return []
        return [TextDelta(dumps(object_in(self._input)).decode())]


class ReasoningBlock:
    """Thinking: its text as it comes, at the end the block with its signature, to be sent back as it is."""

    __slots__ = ("_signature", "_text")

    def __init__(self, progress: Progress) -> None:
        self._text: list[str] = []
        self._signature = ""

    def start(self, block: JsonObject) -> list[Event]:
        return self.delta(block)

    def delta(self, delta: JsonObject) -> list[Event]:
        self._signature += text_in(delta.get("signature"))
        text = text_in(delta.get("thinking"))
        if not text:
            return []
        self._text.append(text)
        return [ReasoningDelta(text)]

    def stop(self) -> list[Event]:
        if not self._signature:
            return []
        text = "".join(self._text)
        return [ThinkingBlock({"type": "thinking", "thinking": text, "signature": self._signature})]


class RedactedBlock:
    """Thinking that nobody may read, to be sent back all the same."""

    __slots__ = ("_block",)

    def __init__(self, progress: Progress) -> None:
        self._block: JsonObject = {}

    def start(self, block: JsonObject) -> list[Event]:
        self._block = block
        return []

    def delta(self, delta: JsonObject) -> list[Event]:
        return []

    def stop(self) -> list[Event]:
        return [ThinkingBlock(self._block)]


class NativeBlock:
    """A call of Claude's own tools, its result, a compaction …: nothing to show, but it has to come back."""

    __slots__ = ("_block", "_input")

    def __init__(self, progress: Progress) -> None:
        self._block: dict[str, Any] = {}
        self._input = ""

    def start(self, block: JsonObject) -> list[Event]:
        self._block = dict(block)
        return []

    def delta(self, delta: JsonObject) -> list[Event]:
        if "partial_json" in delta:
            self._input += text_in(delta["partial_json"])
        else:  # compaction_delta and its like: members of the block
            self._block |= {name: value for name, value in delta.items() if name != "type" and value is not None}
        return []

    def stop(self) -> list[Event]:
        if self._input:
            self._block["input"] = loads_object(self._input) or {}
        return [Extension("native_blocks", [self._block])]


BLOCKS: Mapping[str, Callable[[Progress], Block]] = {
    "text": TextBlock,
    "tool_use": CallBlock,
    "thinking": ReasoningBlock,
    "redacted_thinking": RedactedBlock,
}
