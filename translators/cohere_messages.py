"""Cohere's Chat: the conversation. OpenAI's list of messages → Cohere's.

What Cohere asks for (types of the cohere SDK 7.3; langchain-oracle#10):
- a result for every call, right behind the message with the calls, and none without a call;
- the system's, the assistant's and tools' messages hold text only, the user's also pictures; tools' also documents;
- no message that says nothing; the user must have spoken.
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from translators.errors import UntranslatableError
from translators.jsontext import loads_object, objects_in
from translators.media import Media, is_picture, read_media
from translators.names import ToolNames
from translators.types import (
    FilePart,
    ImagePart,
    Message,
    NativePart,
    Note,
    Part,
    RefusalPart,
    TextPart,
    ToolCall,
)

Json = dict[str, Any]

PLACEHOLDER = "Begin."
"""What the user says where the client sent no message of the user's."""

UNANSWERED = "No result of this call was recorded."

REPLAYED = frozenset({"annotations", "citations", "native_blocks", "is_error"})
"""Message fields that need no note: taken up below, or nothing but an answer's decoration."""


class ConversationWriter:
    """Messages → Cohere's messages. `documents`: the texts that were attached as files, which go beside the messages.

    `images`: whether the provider takes them; `reasons`: whether the model takes its reasoning back as such.
    """

    def __init__(self, names: ToolNames, notes: list[Note], *, images: bool, reasons: bool) -> None:
        self._names = names
        self._notes = notes
        self._images = images
        self._reasons = reasons
        self._ids: set[str] = set()
        self._results: dict[str, deque[Json]] = defaultdict(deque)
        self.documents: list[Json] = []

    def write(self, messages: tuple[Message, ...]) -> list[Json]:
        """Raises UntranslatableError, naming the part, for what the wire cannot say."""
        for position, message in enumerate(messages):
            if message.role == "tool":
                content = self._result_content(message, f"messages[{position}]")
                self._results[message.tool_call_id or ""].append({"role": "tool", "content": content})
        written: list[Json] = []
        for position, message in enumerate(messages):
            written += self._message(message, f"messages[{position}]")
        for own, left in self._results.items():
            if left:
                self._notes.append(Note("messages", f"a result of {own!r} has no call before it: left out"))
        if not any(message["role"] == "user" for message in written):
            opening = list(takewhile(lambda message: message["role"] == "system", written))
            written = [*opening, {"role": "user", "content": PLACEHOLDER}, *written[len(opening) :]]
        return written

    def _message(self, message: Message, path: str) -> list[Json]:
        self._note_unsaid(message, path)
        match message.role:
            case "tool":
                return []  # It stands behind its call.
            case "assistant":
                return self._assistant(message, path)
            case "user":
                content = self._content([self._user_part(*part) for part in placed(message, path)])
                return [{"role": "user", "content": content}] if content else []
        content = self._content([self._text_part(*part) for part in placed(message, path)])
        return [{"role": "system", "content": content}] if content else []

    # --- the assistant ---

    def _assistant(self, message: Message, path: str) -> list[Json]:
        """Words, calls, and behind them the results."""
        written: Json = {"role": "assistant"}
        calls = [self._call(call, f"{path}.tool_calls[{i}]") for i, call in enumerate(message.tool_calls)]
        parts = [self._text_part(*part) for part in placed(message, path)]
        reasoning = self._reasoning(message, path, called=bool(calls))
        if reasoning and self._reasons:
            parts.insert(0, {"type": "thinking", "thinking": reasoning})
        content = self._content(parts)
        if content:
            written["content"] = content
        if calls:
            written["tool_calls"] = calls
        if reasoning and not self._reasons:
            written["tool_plan"] = reasoning
        citations = [without_index(item) for item in objects_in(message.extra.get("citations")) if "sources" in item]
        if citations and content:
            written["citations"] = citations
        results = [self._result(own.id, call["id"]) for own, call in zip(message.tool_calls, calls, strict=True)]
        return [written, *results] if len(written) > 1 else []

    def _reasoning(self, message: Message, path: str, *, called: bool) -> str:
        """Reasoning as text, which a model that does not reason takes beside calls only, as its plan."""
        reason = ""
        if message.thinking:
            reason = "reasoning of another provider's model cannot be sent back"
        elif message.reasoning and not (called or self._reasons):
            reason = "this model takes reasoning back beside tool calls only"
        if reason:
            field = "thinking_blocks" if message.thinking else "reasoning_content"
            self._notes.append(Note(f"{path}.{field}", reason))
            return ""
        return message.reasoning or ""

    def _call(self, call: ToolCall, path: str) -> Json:
        for field in call.extra:
            self._notes.append(Note(f"{path}.{field}", "Cohere's tool calls have no such field"))
        id_, count = call.id or "call", 1
        while id_ in self._ids:
            count += 1
            id_ = f"{call.id or 'call'}_{count}"
        self._ids.add(id_)
        arguments = call.arguments.strip()
        if loads_object(arguments) is None:
            if arguments not in ("", "null"):
                self._notes.append(Note(f"{path}.function.arguments", "no JSON object: sent as {}"))
            arguments = "{}"
        function = {"name": self._names.wire(call.name), "arguments": arguments}
        return {"id": id_, "type": "function", "function": function}

    def _result(self, own: str, wire: str) -> Json:
        if self._results[own]:
            return {**self._results[own].popleft(), "tool_call_id": wire}
        self._notes.append(Note("messages", f"the call {own!r} has no result: one saying so was added"))
        return {"role": "tool", "tool_call_id": wire, "content": UNANSWERED}

    # --- parts ---

    def _content(self, parts: list[Json | None]) -> str | list[Json]:
        """Text alone as a string; empty if nothing is said."""
        said = [part for part in parts if part is not None]
        if len(said) == 1 and said[0]["type"] == "text":
            return str(said[0]["text"])
        return said

    def _text_part(self, part: Part, path: str) -> Json | None:
        match part:
            case TextPart(text) | RefusalPart(text):
                return {"type": "text", "text": text} if text.strip() else None
            case ImagePart() if not self._images:
                return self._without_image(path)
        raise UntranslatableError(f"`{path}` is no text; Cohere takes anything else from the user only.", param=path)

    def _user_part(self, part: Part, path: str) -> Json | None:
        match part:
            case ImagePart() if not self._images:
                return self._without_image(path)
            case FilePart(data) if not self._images and is_picture(data):
                return self._without_image(path)
            case ImagePart(url, detail):
                return picture(url, detail, path)
            case FilePart(data=str(data), filename=filename):
                return self._file(data, filename, path)
            case TextPart() | RefusalPart():
                return self._text_part(part, path)
        raise UntranslatableError(f"`{path}` is none of text, image and text file, which Cohere takes.", param=path)

    def _file(self, data: str, filename: str | None, path: str) -> Json | None:
        """A picture as an image, a text as a document."""
        media = file_media(data, path)
        if media.mime.startswith("image/"):
            return picture(f"data:{media.mime};base64,{media.data}", None, path)
        try:
            text = media.text
        except ValueError:
            raise UntranslatableError(
                f"`{path}` is {media.mime or 'of an unknown type'}; Cohere takes text and images as files.", param=path
            ) from None
        title = {"title": filename} if filename else {}
        self.documents.append({"id": f"file:{len(self.documents)}", "data": {**title, "text": text}})
        return None

    def _result_content(self, message: Message, path: str) -> str | list[Json]:
        """What a tool returned; an empty result is a result."""
        content = self._content([self._result_part(*part) for part in placed(message, path)])
        return content or ""

    def _result_part(self, part: Part, path: str) -> Json | None:
        match part:
            case NativePart("document", raw):
                return dict(raw)
            case ImagePart() | FilePart():
                self._notes.append(Note(path, "Cohere takes text and documents from tools, no images and files"))
                return None
        return self._text_part(part, path)

    def _without_image(self, path: str) -> Json | None:
        self._notes.append(Note(path, "this provider is configured without images"))
        return None

    def _note_unsaid(self, message: Message, path: str) -> None:
        if message.name and message.role != "tool":
            self._notes.append(Note(f"{path}.name", "Cohere's messages have no names"))
        if message.cache or any(getattr(part, "cache", None) for part in message.parts):
            self._notes.append(Note(f"{path}.cache_control", "Cohere caches by itself"))
        for name, value in message.extra.items():
            if value and name not in REPLAYED:
                self._notes.append(Note(f"{path}.{name}", "Cohere's messages have no such field"))


def placed(message: Message, path: str) -> list[tuple[Part, str]]:
    """The parts of a message, each with its path."""
    return [(part, f"{path}.content[{position}]") for position, part in enumerate(message.parts)]


def without_index(item: Mapping[str, Any]) -> Json:
    """A citation without the position that streams give it."""
    return {name: value for name, value in item.items() if name != "index"}


def picture(url: str, detail: str | None, path: str) -> Json:
    """By URL, or as a data URL whose type is what the bytes say."""
    if url[:5].lower() == "data:":
        media = file_media(url, path)
        url = f"data:{media.mime or 'image/png'};base64,{media.data}"
    return {"type": "image_url", "image_url": {"url": url} if detail is None else {"url": url, "detail": detail}}


def file_media(data: str, path: str) -> Media:
    try:
        return read_media(data)
    except ValueError as error:
        raise UntranslatableError(f"`{path}` cannot be read: {error}.", param=path) from None
