"""Anthropic's Messages: the parts of a message → content blocks (Claude API reference, "Create a Message").

Content is always sent as a list of blocks; a plain string, the other spelling, means the same.
"""

from collections.abc import Mapping
from typing import Any

from translators.errors import UntranslatableError
from translators.jsontext import loads_object
from translators.media import Media, is_picture, read_data_url, read_media
from translators.types import (
    AudioPart,
    CacheMark,
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

Block = dict[str, Any]

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")

NATIVE_TYPES = frozenset(
    {
        "image",
        "document",
        "search_result",
        "thinking",
        "redacted_thinking",
        "tool_use",
        "tool_result",
        "tool_reference",
        "server_tool_use",
        "mcp_tool_use",
        "mcp_tool_result",
        "mcp_tool_listing",
        "container_upload",
        "compaction",
        "fallback",
        "tool_addition",
        "tool_removal",
        "browser_state",
    }
)
"""Block types that pass as they came; so does everything called …_tool_result."""

CALL_FIELDS = ("caller", "toolset_name")
"""What a tool_use block has beyond id, name and input, and has to come back with."""


def is_native(kind: Any) -> bool:
    """Whether Anthropic's wire has a block of this type that OpenAI's has not."""
    return isinstance(kind, str) and (kind in NATIVE_TYPES or kind.endswith("_tool_result"))


def text_block(text: str, cache: CacheMark | None = None) -> Block:
    return {"type": "text", "text": text} if cache is None else marked({"type": "text", "text": text}, cache)


def marked(block: Block, cache: CacheMark | None) -> Block:
    """The block with a cache mark; the same block if there is none."""
    return block if cache is None else {**block, "cache_control": cache}


# --- parts ----------------------------------------------------------------------------------------------------


class PartWriter:
    """Parts of any message → blocks. Takes notes of what is left out; `images`: whether the provider takes them."""

    def __init__(self, notes: list[Note], *, images: bool) -> None:
        self._notes = notes
        self._images = images

    def blocks(self, parts: tuple[Part, ...], path: str) -> list[Block]:
        """Raises UntranslatableError, naming the part, for what the wire cannot say."""
        blocks = []
        for position, part in enumerate(parts):
            block = self._block(part, f"{path}.content[{position}]")
            if block is not None:
                blocks.append(block)
        return blocks

    def _block(self, part: Part, path: str) -> Block | None:
        match part:
            case TextPart():
                return self._text(part, path)
            case RefusalPart(text):
                return text_block(text) if text.strip() else None
            case ImagePart():
                return self._image(part, path)
            case FilePart(data) if not self._images and is_picture(data):
                return self._without_image(path)
            case FilePart():
                return marked(file_block(part, path), part.cache)
            case NativePart("image") if not self._images:
                return self._without_image(path)
            case NativePart("tool_result", {"content": list(content)} as raw):
                return {**raw, "content": list(content)}
            case NativePart(kind, raw) if is_native(kind):
                return dict(raw)
            case NativePart(kind):
                raise UntranslatableError(f"`{path}` is of type {kind!r}, which Claude does not know.", param=path)
            case AudioPart():
                raise UntranslatableError(f"`{path}` is sound; Claude takes text, images and documents.", param=path)

    def _text(self, part: TextPart, path: str) -> Block | None:
        if not part.text.strip():
            # "text content blocks must be non-empty": answers of Claude's own hold blocks that it then refuses.
            if part.cache is not None:
                self._notes.append(Note(f"{path}.cache_control", "there is no text to cache"))
            return None
        block = text_block(part.text, part.cache)
        for name, value in part.extra.items():
            if name == "citations" and isinstance(value, list):
                block["citations"] = value
            elif value:
                self._notes.append(Note(f"{path}.{name}", "Claude's text blocks have no such field"))
        return block

    def _image(self, part: ImagePart, path: str) -> Block | None:
        if not self._images:
            return self._without_image(path)
        if part.detail not in (None, "auto"):
            self._notes.append(Note(f"{path}.image_url.detail", "Claude takes images in one resolution only"))
        return marked(image_block(part.url, path), part.cache)

    def _without_image(self, path: str) -> Block | None:
        self._notes.append(Note(path, "this provider is configured without images"))
        return None


def image_block(url: str, path: str) -> Block:
    if url[:5].lower() != "data:":
        return {"type": "image", "source": {"type": "url", "url": url}}
    try:
        media = read_data_url(url)
    except ValueError as error:
        raise UntranslatableError(f"`{path}` cannot be read: {error}.", param=path) from None
    return base64_image(media, path)


def base64_image(media: Media, path: str) -> Block:
    if media.mime not in IMAGE_TYPES:
        raise UntranslatableError(
            f"`{path}` is {media.mime or 'of an unknown type'}; Claude takes {', '.join(IMAGE_TYPES)}.",
            param=path,
        )
    return {"type": "image", "source": {"type": "base64", "media_type": media.mime, "data": media.data}}


def file_block(part: FilePart, path: str) -> Block:
    """A PDF or a text as a document, a picture as an image; the file's name becomes the title."""
    if part.file_id is not None:
        source: Block = {"type": "file", "file_id": part.file_id}
    elif part.url is not None:
        source = {"type": "url", "url": part.url}
    else:
        media = file_media(part.data or "", path)
        if media.mime.startswith("image/"):
            return base64_image(media, path)
        source = document_source(media, path)
    block: Block = {"type": "document", "source": source}
    if part.filename:
        block["title"] = part.filename
    return block


def file_media(data: str, path: str) -> Media:
    try:
        return read_media(data)
    except ValueError as error:
        raise UntranslatableError(f"`{path}` cannot be read: {error}.", param=path) from None


def document_source(media: Media, path: str) -> Block:
    if media.mime == "application/pdf":
        return {"type": "base64", "media_type": "application/pdf", "data": media.data}
    try:
        return {"type": "text", "media_type": "text/plain", "data": media.text}
    except ValueError:
        raise UntranslatableError(
            f"`{path}` is {media.mime or 'of an unknown type'}; Claude takes PDF and text as files.", param=path
        ) from None


# --- what only assistant messages have ------------------------------------------------------------------------


def thinking_blocks(message: Message, path: str, notes: list[Note]) -> list[Block]:
    """Claude's own reasoning, unmodified, and nothing else: what has no signature of Claude's would be refused."""
    blocks = [dict(block) for block in message.thinking if is_claudes_thinking(block)]
    if len(blocks) < len(message.thinking):
        notes.append(Note(f"{path}.thinking_blocks", "only blocks with Claude's signature can be sent back"))
    elif message.reasoning and not blocks:
        notes.append(Note(f"{path}.reasoning_content", "reasoning without its signed block cannot be sent back"))
    return blocks


def is_claudes_thinking(block: Mapping[str, Any]) -> bool:
    match block:
        case {"type": "thinking", "thinking": str(), "signature": str(signature)}:
            return bool(signature)
        case {"type": "redacted_thinking", "data": str(data)}:
            return bool(data)
    return False


def call_block(call: ToolCall, name: str, path: str, notes: list[Note]) -> Block:
    """A tool_use block; `input` must be an object, so empty or broken arguments become {}."""
    block = {"type": "tool_use", "id": call.id, "name": name, "input": call_input(call, path, notes)}
    for field, value in call.extra.items():
        if field in CALL_FIELDS:
            block[field] = value
        else:
            notes.append(Note(f"{path}.{field}", "Claude's tool calls have no such field"))
    return marked(block, call.cache)


def call_input(call: ToolCall, path: str, notes: list[Note]) -> Block:
    text = call.arguments.strip()
    if text in ("", "null", "{}"):
        return {}
    value = loads_object(text)
    if value is not None:
        return value
    notes.append(Note(f"{path}.function.arguments", "no JSON object: sent as {}"))
    return {}
