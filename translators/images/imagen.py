"""Imagen, by predict (Vertex AI documentation, "Imagen API"; google-genai 3.4, GenerateImagesConfig).

It changes no pictures here: what Vertex calls editing wants a mask in which white is what may change, and OpenAI's
masks say it by transparency.
"""

import re
from typing import Any

from translators.errors import Kind, UntranslatableError, UpstreamError
from translators.failures import failure_inside_answer, reports_failure
from translators.images.answer import Drawn, Picture
from translators.images.canvas import canvas
from translators.images.gemini import blocked, file_options
from translators.images.request import ImageRequest, left_out
from translators.jsontext import loads_object, objects_in, text_in
from translators.types import Note, Target

MAKER = "Imagen"
NAME = re.compile(r"(.*/)?imagen.*")
RATIOS = ("1:1", "3:4", "4:3", "9:16", "16:9")
LARGE = re.compile(r"imagen-4(?!.*fast)")
"""Models that make pictures of 2K as well."""
MOST = 4


def draft(request: ImageRequest, target: Target) -> tuple[dict[str, Any], list[Note]]:
    """The body, and notes of what is not in it. Raises UntranslatableError."""
    if request.images:
        raise UntranslatableError("Imagen changes no pictures by a prompt alone: ask another model.", param="model")
    if request.n > MOST:
        raise UntranslatableError(f"`n` is {request.n}; Imagen makes at most {MOST} pictures a request.", param="n")
    notes = left_out(request, MAKER)
    shape = canvas(request, RATIOS, ("2K",) if LARGE.search(target.model) else (), notes, MAKER)
    parameters = {
        "sampleCount": request.n,
        "aspectRatio": shape.ratio,
        "sampleImageSize": shape.resolution,
        "includeRaiReason": True,
        "outputOptions": file_options(request, notes),
    }
    return {
        "instances": [{"prompt": request.prompt}],
        "parameters": {name: value for name, value in parameters.items() if value},
    }, notes


def drawn(body: bytes) -> Drawn:
    """The pictures in an answer. Raises UpstreamError where there is none."""
    answer = loads_object(body)
    if answer is None:
        raise UpstreamError(Kind.MALFORMED, "The provider's answer is not a JSON object.")
    if reports_failure(answer):
        raise failure_inside_answer(answer)
    predictions = objects_in(answer.get("predictions"))
    pictures = [
        Picture(text_in(made.get("mimeType")) or "image/png", made["bytesBase64Encoded"], text_in(made.get("prompt")))
        for made in predictions
        if text_in(made.get("bytesBase64Encoded"))
    ]
    if pictures:
        return Drawn(pictures, None, {})
    reasons = [text_in(made.get("raiFilteredReason")) for made in predictions]
    if any(reasons):
        raise blocked(" ".join(dict.fromkeys(filter(None, reasons))))
    raise UpstreamError(Kind.EMPTY, "The provider's answer has no picture in it.")
