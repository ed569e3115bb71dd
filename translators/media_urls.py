"""Pictures and files that a request names by an address: those that a provider does not read by itself, and a request
with their bytes in their place.

Only http and https are looked at. Other addresses (`gs://…`, `ms://…`) are of a provider's own kind and stay.

Who reads what, as of November 2026 (what a recorded exchange shows is taken before any document):
- Claude reads both kinds by https; at Vertex neither (Claude documentation, "Vision": base64 only on Google Cloud;
  langchain-google#1088). Gemini reads https; at Vertex http too ("File URI must be a File API, Youtube, or HTTPS, or
  Cloud Storage": Antigravity-Manager#1640). Cohere reads pictures, recorded.
- Of OpenAI's wire: see `image_urls` and `file_urls` in hosts.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from translators.base import ClientRequest, Translator
from translators.jsontext import object_in, text_in
from translators.openai import Gpt
from translators.types import Target

HTTPS = ("https://",)
WEB = ("http://", "https://")

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reads:
    """How addresses begin that a provider reads by itself."""

    image: tuple[str, ...]
    file: tuple[str, ...]


OWN_WIRES: Mapping[str, Reads] = {
    "claude": Reads(image=HTTPS, file=HTTPS),
    "vertex-claude": Reads(image=(), file=()),
    "gemini": Reads(image=HTTPS, file=HTTPS),
    "vertex-gemini": Reads(image=WEB, file=WEB),
    "cohere": Reads(image=WEB, file=()),
}
"""Engine → what it reads. One that is not in the table gets addresses as the client wrote them."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a picture or a file is. `message` and `part` are positions, `field` is the name in the part."""

    kind: Literal["image", "file"]
    url: str
    message: int
    part: int
    field: str

    @property
    def path(self) -> str:
        """Where in the request it stands, as errors name it."""
        return f"messages[{self.message}].content[{self.part}].{self.field}"


def reads(translator: Translator, target: Target) -> Reads:
    """What the provider reads by itself."""
    if isinstance(translator, Gpt):
        facts = translator.facts(target)
        return Reads(image=WEB if facts.image_urls else (), file=WEB if facts.file_urls else ())
    return OWN_WIRES.get(translator.name, Reads(image=WEB, file=WEB))


def unread(request: ClientRequest, translator: Translator, target: Target) -> list[Address]:
    """The addresses whose bytes have to be sent. No pictures, if the provider is configured without them."""
    if b'"image_url"' not in request.body and b'"file_url"' not in request.body:
        return []
    taken = reads(translator, target)
    return [
        address
        for address in addresses(request.raw)
        if not address.url.lower().startswith(taken.image if address.kind == "image" else taken.file)
        and (target.image or address.kind == "file")
    ]


def addresses(raw: Mapping[str, Any]) -> Iterator[Address]:
    """All http(s) addresses in the messages of a request, in order."""
    for i, message in enumerate(raw["messages"]):
        content = object_in(message).get("content")
        for j, part in enumerate(content if isinstance(content, list) else ()):
            address = address_in(object_in(part), i, j)
            if address is not None and address.url.lower().startswith(WEB):
                yield address


def address_in(part: JsonObject, message: int, position: int) -> Address | None:
    match part:
        case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
            return Address("image", url, message, position, "image_url")
        case {"type": "file", "file": {"file_url": str(url)}}:
            return Address("file", url, message, position, "file.file_url")
    return None


def with_media(request: ClientRequest, found: Mapping[Address, str]) -> ClientRequest:
    """The request with data URLs in the place of these addresses."""
    messages = list(request.raw["messages"])
    for address, data_url in found.items():
        message = messages[address.message]
        content = list(message["content"])
        part = content[address.part]
        if address.kind == "image":
            content[address.part] = {**part, "image_url": {**object_in(part["image_url"]), "url": data_url}}
        else:
            content[address.part] = {**part, "file": file_inside(part["file"], data_url)}
        messages[address.message] = {**message, "content": content}
    return request.replaced({**request.raw, "messages": messages})


def file_inside(file: JsonObject, data_url: str) -> JsonObject:
    """A file by its bytes. It needs a name, which OpenAI demands: the last word of its address."""
    kept = {name: value for name, value in file.items() if name != "file_url"}
    name = text_in(file.get("filename")) or unquote(urlsplit(file["file_url"]).path).rpartition("/")[2] or "file"
    return {**kept, "filename": name, "file_data": data_url}
