"""Text for people: bounded, and harmless to a terminal, whatever it was made of."""

import json
import re
from collections.abc import Iterable, Iterator

from mitmproxy.utils import human, strutils

from translators.errors import RequestError
from translators.forms import parameters, parts_of
from translators.jsontext import loads

MOST_CHARACTERS = 200_000
"""How long a page gets."""
MOST_PARSED = 32 * 1024 * 1024
"""How many bytes of JSON are parsed for one."""

UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a cursor or turns the direction of writing, and halves of characters, which nobody can write."""
RUN = re.compile(r"[A-Za-z0-9+/_-]{400,}={0,2}")
"""Base64, or something else that nobody reads."""
RUN_SHOWN = 40

CUT = "… (cut: there is more)"


def page(lines: Iterable[str], most: int = MOST_CHARACTERS) -> str:
    """The lines as one text of about `most` characters; what comes later is not even made."""
    kept: list[str] = []
    left = most
    for line in lines:
        line = harmless(line[: left + 1])
        kept.append(line[:left])
        left -= len(line) + 1
        if left < 0:
            kept.append(CUT)
            break
    return "\n".join(kept)


def harmless(text: str) -> str:
    """The text with everything visible that would do something else than be read."""
    return UNSAFE.sub(lambda found: escaped(found[0]), text.replace("\r\n", "\n"))


def escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def shortened(text: str) -> str:
    """The text without the insides of long runs of base64."""
    return RUN.sub(lambda found: f"{found[0][:RUN_SHOWN]}… ({len(found[0])} characters)", text)


def one_line(text: str, most: int = 200) -> str:
    """The beginning of a text, in one line."""
    line = " ".join(text[: most * 4].split())
    return line if len(text) <= most * 4 and len(line) <= most else line[:most].rstrip() + "…"


def compact(value: object, most: int = 200) -> str:
    """A JSON value in one line."""
    return one_line("".join(pieces(value, most * 4, indent=None)), most)


def pretty(value: object) -> str:
    """A JSON value over many lines; cut where it is longer than a page."""
    return "".join(pieces(value, MOST_CHARACTERS, indent=2))


def pieces(value: object, most: int, indent: int | None) -> Iterator[str]:
    """JSON's text, piece by piece, up to about `most` characters: a huge value costs no more than what is shown."""
    length = 0
    try:
        for piece in json.JSONEncoder(ensure_ascii=False, indent=indent).iterencode(value):
            piece = shortened(piece)
            yield piece
            length += len(piece)
            if length > most:
                yield CUT
                break
    except RecursionError:
        yield "… (nested too deep to be shown)"


def counted(number: int, noun: str) -> str:
    """`1 block`, `2 blocks`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def size(data: bytes | int) -> str:
    """`1.2k`, as mitmproxy writes sizes."""
    return human.pretty_size(data if isinstance(data, int) else len(data))


def parsed(body: bytes) -> object:
    """The JSON in a body. Raises ValueError if it is none, or more than is read for a page."""
    if len(body) > MOST_PARSED:
        raise ValueError("too much to be read")
    return loads(body)


def body_lines(body: bytes, content_type: str = "", cut: int = 0) -> Iterator[str]:
    """A body as it is: JSON indented, a form by its parts, text as it came, anything else as its size and type."""
    yield from whole_lines(body, content_type)
    if cut:
        yield cut_line(cut)


def cut_line(cut: int) -> str:
    """What stands in the place of the bytes that were not kept."""
    return f"… (the last {size(cut)} were not kept)"


def whole_lines(body: bytes, content_type: str) -> Iterator[str]:
    if not body:
        yield "(no body)"
        return
    if content_type.lower().startswith("multipart/"):
        yield from form_lines(body, content_type)
        return
    if body.lstrip()[:1] in (b"{", b"["):
        try:
            yield pretty(parsed(body))
        except ValueError:
            pass
        else:
            return
    if strutils.is_mostly_bin(body):
        yield f"({size(body)} of {content_type or 'binary data'})"
    else:
        yield shortened(body[: MOST_CHARACTERS * 4].decode("utf-8", "replace"))


def form_lines(body: bytes, content_type: str) -> Iterator[str]:
    """The fields of a form; of files their names, types and sizes."""
    boundary = parameters(content_type).get("boundary", "").encode("latin-1", "replace")
    try:
        for part in parts_of(body, boundary):
            if part.filename is None:
                yield f"{part.name}: {body[part.start : part.end].decode('utf-8', 'replace')}"
            else:
                yield f"{part.name}: [file: {part.filename}, {part.content_type}, {size(part.end - part.start)}]"
    except RequestError as error:
        yield f"({error.message})"
