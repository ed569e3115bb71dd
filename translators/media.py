"""Pictures and files inside requests: data URLs, base64, and what the bytes themselves say they are.

`data:` URLs as RFC 2397 has them, and as clients write them: no type or a wrong one, parameters, a space after
`base64,`, line breaks, the URL-safe alphabet, no padding.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

HEAD_LENGTH = 400
"""Characters of base64 that are decoded to recognise a type: 300 bytes."""

SPELLINGS = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "application/x-pdf": "application/pdf"}

SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (rb"\x89PNG\r\n\x1a\n", "image/png"),
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"GIF8[79]a", "image/gif"),
    (rb"RIFF[\s\S]{4}WEBP", "image/webp"),
    (rb"[\s\S]{4}ftyp(avif|avis)", "image/avif"),
    (rb"[\s\S]{4}ftyp(heic|heix|mif1|msf1)", "image/heic"),
    (rb"BM[\s\S]{4}\x00\x00\x00\x00", "image/bmp"),
    (rb"II\*\x00|MM\x00\*", "image/tiff"),
    (rb"[\s\S]{0,250}%PDF-", "application/pdf"),
)
"""WHATWG "MIME Sniffing", §6.1, and ISO 32000 (a PDF's header may follow a few bytes of something else)."""

NO_TEXT = re.compile(r"(image|audio|video|font)/.*|application/(pdf|zip|gzip)")
"""Types whose bytes are no text, also where they are valid UTF-8."""


@dataclass(frozen=True, slots=True)
class Media:
    """Bytes as standard base64 without line breaks; `mime` is empty if nobody says what they are."""

    mime: str
    data: str

    @property
    def text(self) -> str:
        """The bytes as UTF-8. Raises ValueError if they are not, or something else that looks like it (many a PDF)."""
        data = decoded(self.data)
        if NO_TEXT.fullmatch(self.mime) or b"\0" in data:
            raise ValueError(f"{self.mime or 'it'} is no text")
        return data.decode("utf-8")


def read_media(source: str) -> Media:
    """What a data URL or bare base64 holds. Raises ValueError if it is neither."""
    return read_data_url(source) if source[:5].lower() == "data:" else read_base64(source)


def is_picture(source: Any) -> bool:
    """Whether a file's data, a data URL or bare base64, is a picture; nothing else is one."""
    try:
        return isinstance(source, str) and read_media(source).mime.startswith("image/")
    except ValueError:
        return False


def read_data_url(url: str) -> Media:
    """What a `data:` URL holds, its type taken from the bytes where they tell it. Raises ValueError if it is none."""
    head, comma, data = url.partition(",")
    if not comma or not head[:5].lower() == "data:":
        raise ValueError("no data URL")
    mime, *parameters = [piece.strip().lower() for piece in head[5:].split(";")]
    if "base64" not in parameters:
        raw = unquote_to_bytes(data)
        return Media(_known(mime) or _type_of(raw) or "text/plain", b64encode(raw).decode("ascii"))
    return read_base64(data, mime)


def read_base64(data: str, mime: str = "") -> Media:
    """Base64 with what is claimed of its type; the bytes win. Raises ValueError if it is no base64."""
    data = _standard(data)
    if not data:
        raise ValueError("no data")
    try:
        found = _type_of(b64decode(data[:HEAD_LENGTH], validate=True))
    except ValueError as error:
        raise ValueError(f"no base64: {error}") from None
    return Media(found or _known(mime), data)


def decoded(data: str) -> bytes:
    """Standard base64 → bytes. Raises ValueError if it is none."""
    return b64decode(data, validate=True)


def _standard(data: str) -> str:
    """The standard alphabet, padded, in one line."""
    if "%" in data:
        data = unquote_to_bytes(data).decode("ascii", "replace")
    if any(space in data for space in " \n\r\t"):
        data = "".join(data.split())
    if "-" in data or "_" in data:
        data = data.replace("-", "+").replace("_", "/")
    return data + "=" * (-len(data) % 4)


def _known(mime: str) -> str:
    """The type's usual spelling; nothing for types that say nothing."""
    if mime in ("application/octet-stream", "binary/octet-stream"):
        return ""
    return SPELLINGS.get(mime, mime)


def _type_of(raw: bytes) -> str:
    """The type that the first bytes give away, or nothing."""
    for signature, mime in SIGNATURES:
        if re.match(signature, raw):
            return mime
    return ""
