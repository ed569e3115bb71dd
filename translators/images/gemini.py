"""Gemini's image models, by generateContent (Gemini API, "Image generation with Gemini"; google-genai 3.4).

They make one picture a request: "Multiple candidates is not enabled" says the API to whoever asks for more.
"""

import re
from typing import Any

from translators.errors import Kind, UntranslatableError, UpstreamError
from translators.gemini_answer import whole_answer
from translators.gemini_parts import image_part
from translators.images.answer import Drawn, Picture
from translators.images.canvas import canvas
from translators.images.request import ImageRequest, left_out
from translators.jsontext import count_in, loads_object, object_in, objects_in, text_in
from translators.media import read_data_url
from translators.types import Extension, Failed, Finished, Note, Target, TextDelta, Usage, UsageReport

MAKER = "Gemini"
RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
ONE_RESOLUTION = re.compile(r"gemini-2")
"""Models that make pictures of 1K only; the others make 2K and 4K as well."""


def draft(request: ImageRequest, target: Target) -> tuple[dict[str, Any], list[Note]]:
    """The body, and notes of what is not in it. Raises UntranslatableError."""
    if request.n > 1:
        raise UntranslatableError("`n` is more than 1; Gemini's image models make one picture a request.", param="n")
    if request.mask:
        raise UntranslatableError("`mask`: Gemini takes none; say in the prompt what is to be changed.", param="mask")
    notes = left_out(request, MAKER)
    shape = canvas(request, RATIOS, () if ONE_RESOLUTION.search(target.model) else ("2K", "4K"), notes, MAKER)
    config = {
        "aspectRatio": shape.ratio,
        "imageSize": shape.resolution,
        "imageOutputOptions": file_options(request, notes),
    }
    config = {name: value for name, value in config.items() if value}
    parts = [image_part(url, f"image[{position}]") for position, url in enumerate(request.images)]
    return {
        "contents": [{"role": "user", "parts": [{"text": request.prompt}, *parts]}],
        "generationConfig": {"responseModalities": ["IMAGE"], **({"imageConfig": config} if config else {})},
    }, notes


def file_options(request: ImageRequest, notes: list[Note]) -> dict[str, Any]:
    """Google's words for a format and its compression; empty where none is asked for."""
    if not request.format and request.compression is None:
        return {}
    kind = request.format if request.format in ("png", "jpeg") else "jpeg" if request.compression is not None else "png"
    if request.format not in ("", kind):
        notes.append(Note("output_format", f"Google makes png and jpeg: this is {kind}"))
    options: dict[str, Any] = {"mimeType": f"image/{kind}"}
    if request.compression is not None and kind == "jpeg":
        options["compressionQuality"] = request.compression
    elif request.compression is not None:
        notes.append(Note("output_compression", "only jpeg is compressed"))
    return options


def drawn(body: bytes) -> Drawn:
    """The pictures in an answer. Raises UpstreamError where there is none."""
    usage: Usage | None = None
    pictures: list[Picture] = []
    words: list[str] = []
    finish = ""
    for event in whole_answer(body, {}):
        match event:
            case Extension("images", [{"image_url": {"url": str(url)}}]):
                media = read_data_url(url)
                pictures.append(Picture(media.mime, media.data))
            case TextDelta(text):
                words.append(text)
            case Finished(reason, native=native):
                finish = native or "" if reason == "content_filter" else ""
            case UsageReport(report):
                usage = report
            case Failed(error):
                raise error
    if not pictures:
        raise no_picture("".join(words).strip(), finish)
    details = objects_in(object_in((loads_object(body) or {}).get("usageMetadata")).get("promptTokensDetails"))
    counts = {text_in(detail.get("modality")).lower(): count_in(detail.get("tokenCount")) for detail in details}
    return Drawn(pictures, usage, {f"{kind}_tokens": count for kind, count in counts.items()})


def no_picture(words: str, filtered: str) -> UpstreamError:
    """Why an answer has none: what the filter found, or what the model says instead."""
    if filtered:
        return blocked(f"{filtered}. {words}".strip())
    said = f": {words}" if words else "."
    return UpstreamError(Kind.EMPTY, f"The model answered without a picture{said}")


def blocked(reason: str) -> UpstreamError:
    """The provider's filter held the pictures back: to the client at once, as OpenAI's own filter would."""
    return UpstreamError(
        Kind.BLOCKED,
        f"The provider's safety filter held the pictures back: {reason}",
        status=400,
        type="invalid_request_error",
        code="content_filter",
    )
