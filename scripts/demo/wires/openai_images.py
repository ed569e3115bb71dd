"""OpenAI's wire: /v1/images/generations and /v1/images/edits (OpenAI API reference, "Images").

A picture's colour depends on all that it is made of, so that anything lost on the way is seen.
"""

import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField

from scripts.demo.brain import tokens
from scripts.demo.example import as_json
from scripts.demo.media import picture
from scripts.demo.wires.base import new_id, reading, stream
from scripts.demo.wires.chat import FieldTypes
from scripts.demo.wires.openai_rules import READER, authorised, check, check_model, check_range, failure, form_of

MOST_PICTURES = 10
MOST_PARTIAL_PICTURES = 3
FIELD_TYPES: FieldTypes = {
    **dict.fromkeys(("model", "prompt", "size"), (str,)),
    **dict.fromkeys(("n", "partial_images"), (int,)),
    "stream": (bool,),
}
MODELS = ("image-simulated",)


async def _generate(request: web.Request) -> web.StreamResponse:
    authorised(request)
    return await _answered(request, await READER.body(request, FIELD_TYPES), [], "image_generation")


async def _edit(request: web.Request) -> web.StreamResponse:
    """A form with pictures in it."""
    authorised(request)
    form = await form_of(request)
    files = [value.file.read() for name in ("image", "image[]", "mask") for value in _files(form.getall(name, []))]
    check(files, "Missing required parameter: 'image'.", "image")
    fields: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
    with reading(failure):
        fields |= {name: int(fields[name]) for name in ("n", "partial_images") if name in fields}
    fields["stream"] = fields.get("stream") == "true"
    return await _answered(request, fields, files, "image_edit")


def _files(values: list[Any]) -> list[FileField]:
    return [value for value in values if isinstance(value, FileField)]


async def _answered(
    request: web.Request, fields: Mapping[str, Any], files: list[bytes], kind: str
) -> web.StreamResponse:
    check_model(fields, MODELS)
    prompt = fields.get("prompt") or ""
    check(prompt, "Missing required parameter: 'prompt'.", "prompt")
    size = fields.get("size") or "1024x1024"
    count = check_range(fields, "n", 1, MOST_PICTURES)
    check_range(fields, "partial_images", 0, MOST_PARTIAL_PICTURES)
    made = [picture(prompt, size, number, *files) for number in range(count)]
    if fields.get("stream"):
        return await stream(request, _events(made, fields, len(files), kind))
    answer = {
        "created": int(time.time()),
        "background": "opaque",
        "data": [{"b64_json": b64encode(data).decode()} for data in made],
        "output_format": "png",
        "quality": "low",
        "size": size,
        "usage": _usage(prompt, len(files), len(made)),
    }
    return web.json_response(answer, headers={"x-request-id": new_id("req_", 32)})


def _usage(prompt: str, files: int, made: int) -> dict[str, Any]:
    text, image, output = len(tokens(prompt)), 256 * files, 272 * made
    return {
        "input_tokens": text + image,
        "input_tokens_details": {"image_tokens": image, "text_tokens": text},
        "output_tokens": output,
        "total_tokens": text + image + output,
    }


def _events(made: list[bytes], fields: Mapping[str, Any], files: int, kind: str) -> Iterator[bytes]:
    """Half pictures, as many as are asked for, and the whole one."""
    shared = {"created_at": int(time.time()), "size": fields.get("size") or "1024x1024", "quality": "low"}
    shared |= {"background": "opaque", "output_format": "png"}
    for data in made:
        for index in range(fields.get("partial_images") or 0):
            half = b64encode(picture(data, index)).decode()
            yield _event(f"{kind}.partial_image", shared | {"b64_json": half, "partial_image_index": index})
        usage = _usage(str(fields["prompt"]), files, len(made))
        yield _event(f"{kind}.completed", shared | {"b64_json": b64encode(data).decode(), "usage": usage})


def _event(kind: str, fields: Mapping[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {as_json({'type': kind, **fields})}\n\n".encode()


ROUTES = {
    "POST /v1/images/generations": _generate,
    "POST /v1/images/edits": _edit,
}
