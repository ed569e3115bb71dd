"""Gemini's generateContent: the parts of a message → parts of a content (Gemini API reference, "Content")."""

from collections.abc import Mapping
from typing import Any

from translators.errors import UntranslatableError
from translators.jsontext import loads_object, object_in, objects_in, text_in
from translators.media import Media, read_media
from translators.types import (
    AudioPart,
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

JsonObject = dict[str, Any]

NATIVE_PART = "gemini.part"
"""A part that OpenAI has no form for: {"type": "gemini.part", "part": {…}}, as a content part or in native_blocks."""
SIGNATURE = "gemini.thought_signature"
"""The signature of an answer's text: {"type": "gemini.thought_signature", "thought_signature": "…"}."""
THOUGHT = "gemini.thought"
"""A thought that is signed: {"type": "gemini.thought", "text": "…", "thought_signature": "…"}."""

IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
AUDIO_TYPES = {"mp3": "audio/mpeg", "pcm16": "audio/pcm"}
FILES = "https://generativelanguage.googleapis.com/v1beta/"
"""What stands before the name of an uploaded file, `files/abc`, in its address."""

ADDRESSES = ("https://", "http://", "gs://")
"""How what Gemini reads by itself begins."""

TYPES_OF_NAMES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "heic": "image/heic",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
}
"""The ending of a name or an address → the type it promises."""


class PartWriter:
    """Parts of one conversation. `notes` takes notes of what is left out; `images`: whether the provider takes them."""

    def __init__(self, notes: list[Note], *, images: bool) -> None:
        self._notes = notes
        self._images = images

    def parts(self, parts: tuple[Part, ...], path: str) -> list[JsonObject]:
        """Raises UntranslatableError, naming the part, for what the wire cannot say."""
        written = []
        for position, part in enumerate(parts):
            found = self.part(part, f"{path}.content[{position}]")
            if found is not None:
                written.append(found)
        return written

    def part(self, part: Part, path: str) -> JsonObject | None:
        """One part; None if nothing is left of it."""
        match part:
            case TextPart(text):
                self._note_unsaid(part.extra, path)
                return {"text": text} if text else None
            case RefusalPart(text):
                return {"text": text} if text else None
            case ImagePart():
                return self._image(part, path)
            case FilePart():
                found = file_part(part, path)
                if not self._images and mime_of(found).startswith("image/"):
                    return self._without_image(path)
                self._note_unsaid({"filename": part.filename}, f"{path}.file")
                return found
            case AudioPart(data, sound):
                media = _read(data, AUDIO_TYPES.get(sound, f"audio/{sound}"), path)
                return inline_data(media)
            case NativePart("video_url", {"video_url": {"url": str(url)}} | {"video_url": str(url)}):
                return media_at(url, "video/mp4", path)
            case NativePart(kind, {"part": dict(native)}) if kind == NATIVE_PART:
                return native
            case NativePart(kind):
                raise UntranslatableError(f"`{path}` is of type {kind!r}, which Gemini does not know.", param=path)

    def _image(self, part: ImagePart, path: str) -> JsonObject | None:
        if not self._images:
            return self._without_image(path)
        if part.detail not in (None, "auto"):
            self._notes.append(Note(f"{path}.image_url.detail", "Gemini sets one resolution for a whole request"))
        return image_part(part.url, path)

    def _without_image(self, path: str) -> JsonObject | None:
        self._notes.append(Note(path, "this provider is configured without images"))
        return None

    def _note_unsaid(self, fields: Mapping[str, Any], path: str) -> None:
        for name, value in fields.items():
            if value:
                self._notes.append(Note(f"{path}.{name}", "Gemini's parts have no such field"))


def image_part(url: str, path: str) -> JsonObject:
    part = media_at(url, "image/jpeg", path)
    media = object_in(part.get("inlineData"))
    if media and media["mimeType"] not in IMAGE_TYPES:
        raise UntranslatableError(
            f"`{path}` is {media['mimeType']}; Gemini takes {', '.join(IMAGE_TYPES)}.", param=path
        )
    return part


def media_at(url: str, usual_type: str, path: str) -> JsonObject:
    """What a URL leads to: a data URL's bytes, or else the address, which Gemini reads by itself.

    Raises UntranslatableError for an address of any other kind.
    """
    if url[:5].lower() == "data:":
        return inline_data(_read(url, usual_type, path))
    if not url.lower().startswith(ADDRESSES):
        raise UntranslatableError(
            f"`{path}` is no http or https address, nor one of Google's storage (gs://…) or a data URL.", param=path
        )
    return {"fileData": {"mimeType": type_of_name(url) or usual_type, "fileUri": url}}


def inline_data(media: Media) -> JsonObject:
    return {"inlineData": {"mimeType": media.mime, "data": media.data}}


def mime_of(part: JsonObject) -> str:
    """The type of the media in a part, or of those at the address in it; empty if it holds none."""
    return text_in(object_in(part.get("inlineData") or part.get("fileData")).get("mimeType"))


def file_part(part: FilePart, path: str) -> JsonObject:
    """A file in itself, at an address, or uploaded to Gemini before (`files/…`) or to Google's storage (`gs://…`)."""
    promised = type_of_name(part.filename or part.url or "")
    if part.url is not None:
        return media_at(part.url, promised or "application/pdf", path)
    if part.file_id is not None:
        address = part.file_id if "://" in part.file_id else FILES + part.file_id
        return {"fileData": {"mimeType": promised, "fileUri": address} if promised else {"fileUri": address}}
    media = _read(part.data or "", promised, path)
    if not media.mime:
        raise UntranslatableError(
            f"`{path}` is of an unknown type: send it as a data URL with its type, or give it a filename.", param=path
        )
    return inline_data(media)


def type_of_name(name: str) -> str:
    """The media type that the ending of a name or of an address promises; empty if it promises none."""
    ending = name.split("?", 1)[0].rpartition(".")[2].lower()
    return TYPES_OF_NAMES.get(ending, "")


def _read(data: str, usual_type: str, path: str) -> Media:
    """A data URL or bare base64; `usual_type` where nothing tells what it is."""
    try:
        media = read_media(data)
    except ValueError as error:
        raise UntranslatableError(f"`{path}` cannot be read: {error}.", param=path) from None
    return media if media.mime else Media(usual_type, media.data)


# --- what only assistant messages have ------------------------------------------------------------------------


def signed(part: JsonObject, signature: str) -> JsonObject:
    return {**part, "thoughtSignature": signature} if signature else part


def signature_in(extra: Mapping[str, Any]) -> str:
    """The signature in `extra_content`, the field of Google's OpenAI-compatible endpoint; empty if there is none."""
    return text_in(object_in(object_in(extra.get("extra_content")).get("google")).get("thought_signature"))


def is_signed(call: ToolCall) -> bool:
    return bool(signature_in(call.extra))


def thoughts_and_signatures(message: Message, path: str, notes: list[Note]) -> tuple[list[JsonObject], list[str]]:
    """Gemini's own: signed thoughts as parts, and the signatures of the text. What others thought cannot be sent."""
    thoughts: list[JsonObject] = []
    signatures: list[str] = []
    foreign = False
    for block in message.thinking:
        signature = text_in(block.get("thought_signature"))
        if block.get("type") == SIGNATURE and signature:
            signatures.append(signature)
        elif block.get("type") == THOUGHT and signature:
            thoughts.append(signed({"text": text_in(block.get("text")), "thought": True}, signature))
        else:
            foreign = True
    if foreign:
        notes.append(Note(f"{path}.thinking_blocks", "only blocks with Gemini's signature can be sent back"))
    elif message.reasoning and not message.thinking and not any(map(is_signed, message.tool_calls)):
        notes.append(Note(f"{path}.reasoning_content", "reasoning without its signature cannot be sent back"))
    return thoughts, signatures


def native_parts(message: Message, path: str, notes: list[Note]) -> list[JsonObject]:
    """What tools of Gemini's own did in an earlier answer."""
    found = []
    blocks = objects_in(message.extra.get("native_blocks"))
    for block in blocks:
        if block.get("type") == NATIVE_PART and isinstance(block.get("part"), dict):
            found.append(block["part"])
    if len(found) < len(blocks):
        notes.append(Note(f"{path}.native_blocks", "holds a block that Gemini does not know"))
    return found


def call_part(call: ToolCall, name: str, path: str, notes: list[Note]) -> JsonObject:
    """A functionCall; `args` must be an object, so empty or broken arguments become {}."""
    for field in call.extra:
        if field != "extra_content":
            notes.append(Note(f"{path}.{field}", "Gemini's calls have no such field"))
    made: JsonObject = {"name": name, "args": _arguments(call, path, notes)}
    return signed({"functionCall": {"id": call.id, **made} if call.id else made}, signature_in(call.extra))


def _arguments(call: ToolCall, path: str, notes: list[Note]) -> JsonObject:
    text = call.arguments.strip()
    if text in ("", "null", "{}"):
        return {}
    value = loads_object(text)
    if value is not None:
        return value
    notes.append(Note(f"{path}.function.arguments", "no JSON object: sent as {}"))
    return {}
