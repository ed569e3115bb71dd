"""translators/images/openai_wire.py and xai.py: pictures of engines with OpenAI's wire."""

import json
from base64 import b64encode
from typing import Any

import pytest

from tests.recordings import Recording, for_recordings
from tests.translators.endpoint_exchange import FORM_TYPE, form, opened, passed, target, whole
from translators.errors import Kind
from translators.images import edits, generations
from translators.types import Usage, WireRequest

PNG = b"\x89PNG\r\n\x1a\n"
PICTURE = {"type": "image_url", "url": f"data:image/png;base64,{b64encode(PNG).decode()}"}
XAI = "https://api.x.ai/v1"
FORM = form(
    ("image", "a.png", PNG),
    ("prompt", None, b"a hat"),
    ("model", None, b"gpt-image-1"),
    ("size", None, b"1536x1024"),
    ("input_fidelity", None, b"high"),
)


def generated(base_url: str, model: str = "grok-imagine-image", **fields: Any) -> WireRequest:
    body = json.dumps({"model": "alias", "prompt": "a cat", **fields}).encode()
    return generations.SERVICES["gpt"].build(generations.read(body, ""), target(model, base_url, alias="alias"))


def edited(body: bytes, content_type: str, model: str = "grok-imagine-image") -> WireRequest:
    return edits.SERVICES["gpt"].build(edits.read(body, content_type), target(model, XAI))


def noted(wire: WireRequest) -> list[str]:
    return [note.field for note in wire.notes]


# --- forwarded --------------------------------------------------------------------------------------------------


def test_a_generation_goes_out_as_it_came() -> None:
    """Every field of it, but the model's name."""
    body = b'{"model": "m", "prompt": "a cat", "size": "1536x1024", "quality": "high", "style": "vivid", "unknown": 1}'
    request = generations.read(body, "application/json")
    wire = generations.SERVICES["gpt"].build(request, target("gpt-image-1"))
    assert wire.body == body.replace(b'"m"', b'"gpt-image-1"')
    assert wire.url == "https://llm.example/v1/images/generations"


def test_an_edit_goes_out_as_it_came() -> None:
    """The very same form; or JSON with addresses, which OpenAI takes as well."""
    wire = edits.SERVICES["gpt"].build(edits.read(FORM, FORM_TYPE), target("gpt-image-1"))
    assert wire.body is FORM
    assert wire.headers["content-type"] == FORM_TYPE
    assert wire.url == "https://llm.example/v1/images/edits"
    body = b'{"model": "m", "prompt": "a hat", "images": [{"file_id": "file-1"}]}'
    wire = edits.SERVICES["gpt"].build(edits.read(body, "application/json"), target("m"))
    assert (wire.body, wire.headers["content-type"]) == (body, "application/json")


def test_a_stream_of_pictures_is_passed_on() -> None:
    """Partial ones are output; the last event is the end."""
    partial = (
        b'event: image_generation.partial_image\ndata: {"type":"image_generation.partial_image","b64_json":"eA=="}\n\n'
    )
    last = b'event: image_generation.completed\ndata: {"type":"image_generation.completed","b64_json":"eQ=="}\n\n'
    stream = opened(generations.SERVICES["gpt"], "text/event-stream")
    assert stream is not None
    assert passed(stream, [partial, last]) == partial + last
    assert stream.ended
    assert opened(generations.SERVICES["gpt"], "application/json") is None


@for_recordings(("openai", "xai"), kind="images")
def test_recorded_pictures_pass_untouched(recording: Recording) -> None:
    """Addresses, types, costs: whatever a provider says of them."""
    answer = whole(generations.SERVICES["gpt"], recording.response_bytes)
    assert answer.body == recording.response_bytes


@for_recordings("openai", kind="error", endpoint="images")
def test_recorded_errors_keep_their_words(recording: Recording) -> None:
    """With the field that is at fault."""
    error = generations.SERVICES["gpt"].failure(recording.status, {}, recording.response_bytes)
    assert (error.kind, error.status) == (Kind.BAD_REQUEST, 400)
    assert error.param == recording.response["body"]["error"]["param"]
    body = json.dumps(recording.request_body).encode()
    read = edits.read if recording.request["url"].endswith("edits") else generations.read
    assert read(body, "application/json").body == body


def test_tokens_of_pictures_are_counted() -> None:
    """By the names that they have here."""
    body = b'{"created": 1, "data": [], "usage": {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}}'
    assert whole(generations.SERVICES["gpt"], body).usage == Usage(5, 7, total=12)


# --- xAI --------------------------------------------------------------------------------------------------------


@for_recordings("xai", kind="images")
def test_recorded_requests_to_xai_go_out_as_they_came(recording: Recording) -> None:
    """What xAI takes is not touched."""
    body = json.dumps(recording.request_body).encode()
    request = generations.read(body, "application/json")
    assert generations.SERVICES["gpt"].build(request, target(request.model, XAI)).body == body


def test_xai_gets_a_ratio_for_a_size() -> None:
    """`size`, `quality` and `style` are refused there (rikkahub#1602, obot#2995); other hosts get them as they are."""
    wire = generated(XAI, size="2048x1152", quality="hd", style="vivid", n=2, response_format="b64_json")
    assert json.loads(wire.body) == {
        "model": "grok-imagine-image",
        "prompt": "a cat",
        "n": 2,
        "response_format": "b64_json",
        "aspect_ratio": "16:9",
        "resolution": "2k",
    }
    assert noted(wire) == ["quality", "style"]
    elsewhere = generated("https://llm.example/v1", size="2048x1152", quality="hd")
    assert json.loads(elsewhere.body)["size"] == "2048x1152"


@pytest.mark.parametrize(
    ("model", "fields"),
    [("grok-2-image-1212", {}), ("grok-imagine-image", {"aspect_ratio": "9:20"})],
)
def test_a_size_that_xai_cannot_be_told_is_noted(model: str, fields: dict[str, Any]) -> None:
    """The older model has no sizes; a ratio goes before a size."""
    wire = generated(XAI, model, size="1024x1024", **fields)
    assert json.loads(wire.body) == {"model": model, "prompt": "a cat", **fields}
    assert noted(wire) == ["size"]


def test_an_edit_for_xai_is_json() -> None:
    """It takes no forms (xAI documentation, "Image Generation"): pictures go as data URLs."""
    wire = edited(FORM, FORM_TYPE)
    assert json.loads(wire.body) == {
        "model": "grok-imagine-image",
        "prompt": "a hat",
        "input_fidelity": "high",
        "aspect_ratio": "3:2",
        "image": PICTURE,
    }
    assert wire.headers["content-type"] == "application/json"
    assert wire.url == f"{XAI}/images/edits"


def test_several_pictures_and_a_mask_for_xai() -> None:
    """Numbers are numbers again; a stream is more than it has."""
    body = form(
        ("image[]", "a.png", PNG),
        ("image[]", "b.png", PNG),
        ("mask", "m.png", PNG),
        ("prompt", None, b"p"),
        ("model", None, b"m"),
        ("n", None, b"2"),
        ("stream", None, b"true"),
    )
    wire = edited(body, FORM_TYPE)
    assert json.loads(wire.body) == {
        "model": "grok-imagine-image",
        "prompt": "p",
        "n": 2,
        "images": [PICTURE, PICTURE],
        "mask": PICTURE,
    }
    assert noted(wire) == ["stream"]


def test_addresses_in_openais_form_are_read_for_xai() -> None:
    """`image_url` there, `url` here; xAI's own form is passed on."""
    url = "https://a.example/1.png"
    wire = edited(
        json.dumps({"model": "m", "prompt": "p", "images": [{"image_url": url}]}).encode(), "application/json"
    )
    assert json.loads(wire.body)["image"] == {"type": "image_url", "url": url}
    own = json.dumps({"model": "grok-imagine-image", "prompt": "p", "image": {"url": url}}).encode()
    assert edited(own, "application/json").body == own
