"""One exchange with a service: a request built, an answer read, as the gateway does it."""

from collections.abc import Sequence
from typing import Any

from translators.base import AnswerIdentity, AnswerStream, Service, WholeAnswer
from translators.types import Target, WireRequest

CREATED = 1_790_000_000
FORM_TYPE = "multipart/form-data; boundary=b"
WIRE = WireRequest("POST", "https://llm.example/v1", {}, {}, b"")


def identity(model: str = "alias", *, renamed: bool = False, include_usage: bool = False) -> AnswerIdentity:
    return AnswerIdentity("own-id", CREATED, model, renamed, include_usage)


def target(model: str = "m", base_url: str = "https://llm.example/v1", **fields: Any) -> Target:
    return Target(base_url, model, fields.pop("alias", model), key="secret-key", **fields)


def whole(
    service: Service[Any],
    body: bytes,
    content_type: str = "application/json",
    wire: WireRequest = WIRE,
    *,
    renamed: bool = False,
) -> WholeAnswer:
    return service.whole(wire, identity(renamed=renamed), body, content_type=content_type, see=None)


def opened(
    service: Service[Any], content_type: str, wire: WireRequest = WIRE, *, stream: bool = True, renamed: bool = False
) -> AnswerStream | None:
    return service.open(wire, identity(renamed=renamed), stream=stream, content_type=content_type, see=None)


def passed(stream: AnswerStream, pieces: Sequence[bytes]) -> bytes:
    """What a client gets of a whole stream."""
    return b"".join([stream.feed(piece) for piece in pieces]) + stream.close()


def single_bytes(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    """A form of these parts, each with a name, a file name or None, and a content; its type is FORM_TYPE."""
    written = []
    for name, filename, content in parts:
        file = f'; filename="{filename}"' if filename is not None else ""
        written.append(f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content)
    return b"\r\n".join([*written, b"--b--\r\n"])
