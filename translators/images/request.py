"""A request for pictures in typed parts, for engines that need it translated (OpenAI API reference, "Images").

Both endpoints have the same fields, but for the pictures that are to be changed; a form has them as text.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from translators.base import JsonRequest
from translators.errors import RequestError
from translators.forms import FormRequest, Part, read_form
from translators.json_request import json_type, read_object, required_text
from translators.jsontext import object_in, text_in
from translators.media import read_base64
from translators.types import Note

SIZE = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")
NUMBER = re.compile(r"[0-9]{1,9}")
LARGEST = 999_999_999
SHOWN_LENGTH = 40
"""Characters of a text in an error."""
IMAGE_FIELDS = ("image", "image[]")
READ_HERE = frozenset(
    {
        *("model", "prompt", "n", "size", "aspect_ratio", "response_format", "output_format", "output_compression"),
        *("stream", "partial_images", "images", "mask", *IMAGE_FIELDS),
    }
)
HARMLESS: Mapping[str, tuple[Any, ...]] = {
    "background": ("auto", "opaque"),
    "moderation": ("auto",),
    "quality": ("auto", "standard"),
}
"""Values that ask for nothing in particular."""


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """`size` in pixels, None: as the model likes; `aspect_ratio` ("16:9") goes before it. `images` and `mask` are URLs,
    most of them data URLs. `format`: png, jpeg or webp; `compression` in percent. `others`: fields that no engine but
    OpenAI's has, as they came."""

    prompt: str
    n: int
    size: tuple[int, int] | None
    aspect_ratio: str
    as_url: bool
    format: str
    compression: int | None
    stream: bool
    images: tuple[str, ...]
    mask: str | None
    others: Mapping[str, Any]


def read_generation(body: bytes, content_type: str) -> JsonRequest:
    """Raises RequestError."""
    raw = read_object(body)
    required_text(raw, "prompt")
    return JsonRequest(body, raw)


def read_edit(body: bytes, content_type: str) -> JsonRequest | FormRequest:
    """A form with files, or JSON with the addresses of pictures. Raises RequestError."""
    if content_type.partition(";")[0].strip().lower() == "application/json":
        raw = read_object(body)
        required_text(raw, "prompt")
        if not (raw.get("images") or raw.get("image")):
            raise RequestError("`images` is missing: the pictures to change.", param="images")
        return JsonRequest(body, raw)
    form = read_form(body, content_type)
    # Of the other fields nothing is looked at: whatever they are, a provider may understand them.
    prompts = [part for part in form.parts if part.name == "prompt" and part.filename is None]
    required_text({part.name: form.text(part) for part in prompts}, "prompt")
    if not filled(form, *IMAGE_FIELDS):
        raise RequestError("`image` is missing: the picture to change, as a file in the form.", param="image")
    return form


def image_request(request: JsonRequest | FormRequest) -> ImageRequest:
    """Raises RequestError, naming the field."""
    fields = request.fields
    size = text_in(fields.get("size"))
    return ImageRequest(
        prompt=fields["prompt"],
        n=number(fields, "n") or 1,
        size=None if size in ("", "auto") else pixels(size),
        aspect_ratio=text_in(fields.get("aspect_ratio")),
        as_url=fields.get("response_format") == "url",
        format=text_in(fields.get("output_format")),
        compression=number(fields, "output_compression"),
        stream=request.stream,
        images=image_urls(request),
        mask=mask_url(request),
        others={
            name: value
            for name, value in fields.items()
            if name not in READ_HERE and value not in (None, *HARMLESS.get(name, ()))
        },
    )


def left_out(request: ImageRequest, provider: str) -> list[Note]:
    """Notes of the fields that only OpenAI's wire has."""
    return [Note(name, f"{provider} has no such parameter") for name in request.others]


def pixels(size: str) -> tuple[int, int]:
    found = SIZE.fullmatch(size)
    if not found:
        raise RequestError(
            f"`size` is {shown(size)}: it must be WIDTHxHEIGHT, 1024x1024 for example, or auto.", param="size"
        )
    return int(found[1]), int(found[2])


def number(fields: Mapping[str, Any], name: str) -> int | None:
    """A field with a whole number from 0 on, which a form has as text."""
    value = fields.get(name)
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return int(value)
    if value is None or (type(value) is int and 0 <= value <= LARGEST):
        return value
    raise RequestError(f"`{name}` is {shown(value)}: it must be a whole number from 0 to {LARGEST}.", param=name)


def shown(value: Any) -> str:
    """A value as an error shows it, as far as it is short."""
    match value:
        case str():
            return repr(value if len(value) <= SHOWN_LENGTH else value[:SHOWN_LENGTH] + "…")
        case bool():
            return json_type(value)
        case int() if abs(value) > LARGEST:
            return "a number of many digits"
        case int() | float():
            return str(value)
    return json_type(value)


# --- the pictures to change -----------------------------------------------------------------------------------


def image_urls(request: JsonRequest | FormRequest) -> tuple[str, ...]:
    if isinstance(request, FormRequest):
        return tuple(data_url(request, part) for part in filled(request, *IMAGE_FIELDS))
    images = request.raw.get("images") or request.raw.get("image") or []
    listed = images if isinstance(images, list) else [images]
    return tuple(url_in(image, f"images[{position}]") for position, image in enumerate(listed))


def mask_url(request: JsonRequest | FormRequest) -> str | None:
    if isinstance(request, FormRequest):
        masks = filled(request, "mask")
        return data_url(request, masks[0]) if masks else None
    mask = request.raw.get("mask")
    return url_in(mask, "mask") if mask else None


def url_in(image: Any, path: str) -> str:
    """The address of a picture, which OpenAI calls `image_url` and xAI `url`; some clients write nothing else."""
    fields = object_in(image)
    url = text_in(image) or text_in(fields.get("image_url")) or text_in(fields.get("url"))
    if not url:
        raise RequestError(
            f"`{path}` must have an `image_url`: what was uploaded to one provider is not within reach of another.",
            param=path,
        )
    return url


def filled(form: FormRequest, *names: str) -> list[Part]:
    """The files in these fields. What browsers send for a field that nobody has filled is a file without content."""
    return [part for part in form.files(*names) if part.start < part.end]


def data_url(form: FormRequest, part: Part) -> str:
    """A file as a URL, with the type that its bytes give away."""
    media = read_base64(b64encode(form.content(part)).decode("ascii"), part.content_type)
    return f"data:{media.mime or 'image/png'};base64,{media.data}"
