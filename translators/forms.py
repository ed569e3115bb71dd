"""Forms with files in them: multipart/form-data, read in place (RFC 7578, RFC 2046 §5.1).

A form may hold a file of a hundred megabytes. So nothing of it is copied: a part is known by where it begins and ends,
and only what is asked for is decoded. A model's other name is put into a large body only as it is sent.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from translators.errors import RequestError
from translators.types import Splice

MOST_PARTS = 1000
LONGEST_HEAD = 16_384
"""Bytes of a part's headers."""
COPIED_BYTES = 8 * 1024 * 1024
"""Of a body that is not larger, a copy with another model's name in it is made, for people to see what was sent."""
ONLY_ONCE = ("model", "prompt", "stream")
"""Fields that the gateway acts on: a provider that took the second where the gateway saw the first would be asked for
something else than was allowed."""

PARAMETER = re.compile(r';\s*([\w!#$%&+.^`|~-]+\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))')
"""A parameter of a header, its value quoted or not (RFC 9110, §5.6.6); the name may end in * (RFC 8187)."""
ESCAPED = re.compile(r'\\(["\\])')
AFTER_DELIMITER = re.compile(rb"(--|[ \t]*\r\n)")
"""What stands behind a delimiter: the end of the form, or a part. Anything else only looks like a delimiter."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form: its content is `body[start:end]`. `filename` is None where it is no file; `content_type`
    is empty if nobody says it; `charset` is how text is encoded."""

    name: str
    filename: str | None
    content_type: str
    charset: str
    start: int
    end: int


class FormRequest:
    """A request whose body is a form (see ApiRequest in base.py)."""

    include_usage = False

    def __init__(self, body: bytes, content_type: str, parts: Sequence[Part]) -> None:
        """Raises RequestError where there is not one `model`, or anything else of which there can be one only twice."""
        self.body = body
        self.content_type = content_type
        self.parts = tuple(parts)
        single = {name: self._single(name) for name in ONLY_ONCE}
        if single["model"] is None or not self.text(single["model"]):
            raise RequestError("`model` is missing: name the model to ask, as /v1/models lists it.", param="model")
        self._model_part = single["model"]
        self.model = self.text(self._model_part)
        self.stream = single["stream"] is not None and self.text(single["stream"]).lower() in ("true", "1")

    def __repr__(self) -> str:
        return f"FormRequest(model={self.model!r}, parts={[part.name for part in self.parts]})"

    def with_model(self, name: str) -> tuple[bytes, Splice | None]:
        """The body, asking for a model of this name: see ApiRequest. Raises RequestError if the form's charset has not
        got the name."""
        if name == self.model:
            return self.body, None
        part = self._model_part
        try:
            splice = Splice(part.start, part.end, name.encode(part.charset))
        except UnicodeEncodeError:
            raise RequestError(f"`model` is written in {part.charset}: write it in UTF-8.", param="model") from None
        if len(self.body) > COPIED_BYTES:
            return self.body, splice
        return b"".join(splice.pieces(self.body)), None

    @property
    def fields(self) -> dict[str, str]:
        """Everything that is no file, by its name; the first of several. Raises RequestError for what is no text."""
        return {part.name: self.text(part) for part in reversed(self.parts) if part.filename is None}

    def files(self, *names: str) -> list[Part]:
        """The files in the fields with these names, in their order."""
        return [part for part in self.parts if part.name in names and part.filename is not None]

    def text(self, part: Part) -> str:
        """What is in a field, as text. Raises RequestError, naming the field, if it is none."""
        try:
            return self.content(part).decode(part.charset)
        except (LookupError, ValueError):
            raise RequestError(f"`{part.name}` is no text in {part.charset!r}.", param=part.name) from None

    def content(self, part: Part) -> bytes:
        """What is in a part, copied."""
        return self.body[part.start : part.end]

    def _single(self, name: str) -> Part | None:
        found = [part for part in self.parts if part.name == name]
        if len(found) > 1:
            raise RequestError(f"`{name}` stands in the form more than once.", param=name)
        return found[0] if found else None


def read_form(body: bytes, content_type: str) -> FormRequest:
    """A form with its `model`. Raises RequestError, naming the field, if it is none."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        what = f"not {kind}" if kind else "but its type is not named"
        raise RequestError(f"The body must be a form with a file in it, multipart/form-data, {what}.")
    boundary = parameters(content_type).get("boundary", "")
    if not boundary:
        raise RequestError("The content-type names no boundary; a form's is multipart/form-data; boundary=….")
    return FormRequest(body, content_type, list(parts_of(body, boundary.encode("latin-1", "replace"))))


def parts_of(body: bytes, boundary: bytes) -> Iterator[Part]:
    """The parts of a form, in their order. Raises RequestError where the form is broken."""
    delimiter = b"--" + boundary
    behind = AFTER_DELIMITER.match(body, len(delimiter)) if body.startswith(delimiter) else None
    if behind is None:  # Something may stand before the form.
        _, behind = next_delimiter(body, b"\r\n" + delimiter, 0)
    for _ in range(MOST_PARTS + 1):
        if behind[0] == b"--":
            return
        start = behind.end()
        # An empty part's delimiter begins with the line end of the one before.
        end, behind = next_delimiter(body, b"\r\n" + delimiter, start - 2)
        yield part_between(body, start, end)
    raise RequestError(f"The form has more than {MOST_PARTS} parts.")


def next_delimiter(body: bytes, delimiter: bytes, place: int) -> tuple[int, re.Match[bytes]]:
    """Where the next delimiter stands, from `place` on, and what stands behind it."""
    while (place := body.find(delimiter, place)) >= 0:
        behind = AFTER_DELIMITER.match(body, place + len(delimiter))
        if behind is not None:
            return place, behind
        place += len(delimiter)
    raise RequestError("The form is cut off, or its boundary is not the one that the content-type names.")


def part_between(body: bytes, start: int, end: int) -> Part:
    """The part whose headers begin at `start` and whose content ends at `end`."""
    head_end = body.find(b"\r\n\r\n", start - 2, min(end, start + LONGEST_HEAD))
    headers: dict[str, str] = {}
    if head_end >= 0:
        for line in body[start:head_end].decode("utf-8", "replace").split("\r\n"):
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
    disposition = parameters(headers.get("content-disposition", ""))
    if "name" not in disposition:
        raise RequestError('The form has a part without a name: Content-Disposition: form-data; name="…" is missing.')
    content_type = headers.get("content-type", "")
    return Part(
        name=disposition["name"],
        filename=disposition.get("filename"),
        content_type=content_type.partition(";")[0].strip().lower(),
        charset=parameters(content_type).get("charset") or "utf-8",
        start=head_end + 4,
        end=end,
    )


def parameters(header: str) -> dict[str, str]:
    """The parameters of a header by their names in lower case; one whose name ends in * goes before one without."""
    found: dict[str, str] = {}
    extended: dict[str, str] = {}
    for name, quoted, plain in PARAMETER.findall(header):
        name = name.lower()
        if name.endswith("*"):
            charset, _, encoded = (plain or quoted).partition("'")
            extended[name[:-1]] = unquote(
                encoded.partition("'")[2], "latin-1" if charset.lower() == "iso-8859-1" else "utf-8"
            )
        else:
            found.setdefault(name, plain or ESCAPED.sub(r"\1", quoted))
    return found | extended
