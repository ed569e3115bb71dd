"""Pictures at xAI, whose endpoints are OpenAI's but for a few fields, and for edits, which come as JSON.

`size`, `quality` and `style` are refused ("Argument not supported"); there are aspect ratios and resolutions instead
(xAI documentation, "Image Generation"; rikkahub#1602, obot#2995).
"""

import re
from typing import Any
from urllib.parse import urlsplit

from translators.base import JsonRequest
from translators.forms import FormRequest
from translators.hosts import XAI_HOST
from translators.images.canvas import canvas
from translators.images.request import ImageRequest, image_request
from translators.types import Note, Target

RATIOS = ("1:1", "3:4", "4:3", "9:16", "16:9", "2:3", "3:2", "9:19.5", "19.5:9", "9:20", "20:9", "1:2", "2:1")
REFUSED = ("size", "quality", "style")
FILES = ("image", "image[]", "images", "mask")
MAKER = "xAI"


def is_xai(target: Target) -> bool:
    return re.fullmatch(XAI_HOST, urlsplit(target.base_url).hostname or "") is not None


def refuses(request: JsonRequest | FormRequest) -> bool:
    """Whether xAI would not take the request as it is."""
    return isinstance(request, FormRequest) or any(name in request.raw for name in (*REFUSED, "images"))


def draft(request: JsonRequest | FormRequest, target: Target) -> tuple[dict[str, Any], list[Note]]:
    """The body for either endpoint, and notes of what is not in it. Raises RequestError."""
    wanted = image_request(request)
    fields = request.fields
    body = {name: value for name, value in fields.items() if name not in (*REFUSED, *FILES)}
    body["model"] = target.model
    if "n" in body:
        body["n"] = wanted.n
    notes = [Note(name, f"{MAKER} has no such parameter") for name in ("quality", "style") if fields.get(name)]
    body |= shape(wanted, target, notes)
    if isinstance(request, FormRequest) and body.pop("stream", None):
        notes.append(Note("stream", f"{MAKER} streams no pictures"))
    pictures = [{"type": "image_url", "url": url} for url in wanted.images]
    if pictures:
        body |= {"image": pictures[0]} if len(pictures) == 1 else {"images": pictures}
    if wanted.mask:
        body["mask"] = {"type": "image_url", "url": wanted.mask}
    return body, notes


def shape(wanted: ImageRequest, target: Target, notes: list[Note]) -> dict[str, str]:
    """xAI's words for `size`; only the models called Imagine have such."""
    if wanted.size is None:
        return {}
    if wanted.aspect_ratio or "imagine" not in target.model:
        reason = "`aspect_ratio` goes before it" if wanted.aspect_ratio else "this model chooses the size itself"
        notes.append(Note("size", reason))
        return {}
    found = canvas(wanted, RATIOS, ("2K",), notes, MAKER)
    fields = {"aspect_ratio": found.ratio, "resolution": found.resolution and found.resolution.lower()}
    return {name: value for name, value in fields.items() if value}
