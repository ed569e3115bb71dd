"""translators/images/google.py, gemini.py and imagen.py: pictures by Google's two wires."""

import json
from base64 import b64encode
from typing import Any

import pytest

from tests.recordings import Recording, for_recordings
from tests.translators.endpoint_exchange import CREATED, FORM_TYPE, form, opened, passed, single_bytes, target, whole
from translators.base import Service
from translators.errors import Kind, RequestError, UntranslatableError, UpstreamError
from translators.images import edits, generations
from translators.sse import SseDecoder
from translators.types import Usage, WireRequest

BOTH = pytest.mark.parametrize("engine", ["gemini", "vertex-gemini"])
PNG = b"\x89PNG\r\n\x1a\n\r\n--bits"
DATA = b64encode(PNG).decode()
PART = {"inlineData": {"mimeType": "image/png", "data": DATA}}


def place(engine: str, model: str, **fields: Any) -> Any:
    return target(model, "", project="p", region="us-central1" if engine == "vertex-gemini" else "", **fields)


def asked(engine: str, model: str, **fields: Any) -> tuple[WireRequest, dict[str, Any]]:
    body = json.dumps({"model": "alias", "prompt": "a cat", **fields}).encode()
    wire = generations.SERVICES[engine].build(generations.read(body, ""), place(engine, model))
    return wire, json.loads(wire.body)


def noted(wire: WireRequest) -> list[str]:
    return [note.field for note in wire.notes]


def gemini_answer(*parts: dict[str, Any], finish: str = "STOP", **fields: Any) -> bytes:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish, "index": 0}
    return json.dumps({"candidates": [candidate], **fields}).encode()


GEMINI_WIRE = asked("gemini", "gemini-2.5-flash-image")[0]
IMAGEN_WIRE = asked("gemini", "imagen-4.0-generate-001")[0]
SERVICE: Service[Any] = generations.SERVICES["gemini"]

# --- Gemini's image models: the request -------------------------------------------------------------------------


@BOTH
def test_a_prompt_alone(engine: str) -> None:
    """To the model's own address, with the key in a header; pictures are all that is wanted."""
    wire, body = asked(engine, "gemini-2.5-flash-image")
    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "a cat"}]}],
        "generationConfig": {"responseModalities": ["IMAGE"]},
    }
    assert wire.url.endswith("/models/gemini-2.5-flash-image:generateContent")
    assert (
        "secret-key" in wire.credentials["authorization" if engine == "vertex-gemini" else "x-goog-api-key"]
    ) is True
    assert wire.notes == ()


def test_sizes_of_old_and_new_models() -> None:
    """2K and 4K are what newer models know; an older one makes what it can, and that is told."""
    wire, body = asked("gemini", "gemini-3-pro-image-preview", size="4096x4096")
    assert body["generationConfig"]["imageConfig"] == {"aspectRatio": "1:1", "imageSize": "4K"}
    assert wire.notes == ()
    wire, body = asked("gemini", "gemini-2.5-flash-image", size="4096x4096")
    assert body["generationConfig"]["imageConfig"] == {"aspectRatio": "1:1"}
    assert noted(wire) == ["size"]


def test_the_format_of_the_file() -> None:
    """Vertex lets one choose it; the Gemini API does not, which is told."""
    wire, body = asked("vertex-gemini", "gemini-3-pro-image", output_format="jpeg", output_compression=70)
    options = {"mimeType": "image/jpeg", "compressionQuality": 70}
    assert body["generationConfig"]["imageConfig"] == {"imageOutputOptions": options}
    assert wire.notes == ()
    wire, body = asked("gemini", "gemini-3-pro-image", output_format="jpeg", output_compression=70)
    assert "imageConfig" not in body["generationConfig"]
    assert noted(wire) == ["output_format"]
    wire, body = asked("vertex-gemini", "gemini-3-pro-image", output_format="webp")
    assert body["generationConfig"]["imageConfig"]["imageOutputOptions"] == {"mimeType": "image/png"}
    assert noted(wire) == ["output_format"]


@pytest.mark.parametrize("model", ["gemini-3-pro-image", "imagen-4.0-generate-001"])
def test_what_google_has_not_is_told(model: str) -> None:
    """Field by field."""
    wire, _ = asked("vertex-gemini", model, quality="hd", style="vivid", background="transparent", user="u", n=1)
    assert noted(wire) == ["quality", "style", "background", "user"]


def test_several_pictures_are_more_than_gemini_makes() -> None:
    """Another provider may: one picture where four are wanted is no answer."""
    with pytest.raises(UntranslatableError) as caught:
        asked("gemini", "gemini-2.5-flash-image", n=2)
    assert caught.value.param == "n"


def test_pictures_to_change_go_inline() -> None:
    """In their order, behind the prompt, of the type that their bytes give away."""
    body = form(
        ("image[]", "a.bin", PNG),
        ("model", None, b"alias"),
        ("image[]", "b.png", b"\xff\xd8\xffJFIF"),
        ("prompt", None, "a “hat”".encode()),
    )
    wire = edits.SERVICES["gemini"].build(edits.read(body, FORM_TYPE), place("gemini", "gemini-2.5-flash-image"))
    assert json.loads(wire.body)["contents"][0]["parts"] == [
        {"text": "a “hat”"},
        PART,
        {"inlineData": {"mimeType": "image/jpeg", "data": b64encode(b"\xff\xd8\xffJFIF").decode()}},
    ]


def test_pitfall_084_pictures_to_change_go_by_address() -> None:
    """OR PR#4373, BF remote_image_urls.go: as fileUri where that is read, not dropped."""
    address = json.dumps({"model": "m", "prompt": "p", "images": [{"image_url": "https://a.example/c.webp"}]}).encode()
    wire = edits.SERVICES["vertex-gemini"].build(
        edits.read(address, "application/json"), place("vertex-gemini", "gemini-3-pro-image")
    )
    part = json.loads(wire.body)["contents"][0]["parts"][1]
    assert part == {"fileData": {"mimeType": "image/webp", "fileUri": "https://a.example/c.webp"}}


@pytest.mark.parametrize(
    ("model", "parts", "images", "param"),
    [
        ("gemini-2.5-flash-image", [("mask", "m.png", PNG)], True, "mask"),
        ("gemini-2.5-flash-image", [], False, "image"),
        ("imagen-3.0-capability-001", [], True, "model"),
        ("gemini-2.5-flash-image", [("image", "b.gif", b"GIF89a")], True, "image[1]"),
    ],
)
def test_edits_that_google_cannot_make(model: str, parts: list[Any], images: bool, param: str) -> None:
    """Another provider may be able to."""
    body = form(("model", None, b"alias"), ("prompt", None, b"p"), ("image", "a.png", PNG), *parts)
    with pytest.raises(UntranslatableError) as caught:
        edits.SERVICES["vertex-gemini"].build(edits.read(body, FORM_TYPE), place("vertex-gemini", model, image=images))
    assert caught.value.param == param


# --- Imagen: the request ----------------------------------------------------------------------------------------


@BOTH
def test_imagen_is_asked_to_predict(engine: str) -> None:
    """With all that it has words for."""
    wire, body = asked(
        engine, "imagen-4.0-generate-001", n=3, size="2048x1152", output_format="jpeg", output_compression=90
    )
    assert wire.url.endswith("/models/imagen-4.0-generate-001:predict")
    assert body == {
        "instances": [{"prompt": "a cat"}],
        "parameters": {
            "sampleCount": 3,
            "aspectRatio": "16:9",
            "sampleImageSize": "2K",
            "includeRaiReason": True,
            "outputOptions": {"mimeType": "image/jpeg", "compressionQuality": 90},
        },
    }
    assert wire.notes == ()


@pytest.mark.parametrize("model", ["imagen-4.0-fast-generate-001", "imagen-3.0-generate-002"])
def test_older_and_faster_imagen_makes_1k(model: str) -> None:
    """Which is told."""
    wire, body = asked("gemini", model, size="2048x2048")
    assert "sampleImageSize" not in body["parameters"]
    assert noted(wire) == ["size"]


def test_a_compression_of_png_is_told_to_be_none() -> None:
    """Only jpeg has one, and stands for it where no format is named."""
    wire, body = asked("gemini", "imagen-4.0-generate-001", output_format="png", output_compression=50)
    assert body["parameters"]["outputOptions"] == {"mimeType": "image/png"}
    assert noted(wire) == ["output_compression"]
    wire, body = asked("gemini", "imagen-4.0-generate-001", output_compression=50)
    assert body["parameters"]["outputOptions"] == {"mimeType": "image/jpeg", "compressionQuality": 50}


def test_imagen_makes_four_at_most() -> None:
    """Another provider may make more."""
    with pytest.raises(UntranslatableError):
        asked("gemini", "imagen-4.0-generate-001", n=5)


# --- answers ----------------------------------------------------------------------------------------------------


def test_a_picture_of_gemini() -> None:
    """In OpenAI's form, with tokens by kind; what the model says beside it is left out."""
    details = [{"modality": "TEXT", "tokenCount": 7}, {"modality": "IMAGE", "tokenCount": 258}]
    usage = {"promptTokenCount": 265, "candidatesTokenCount": 1290, "totalTokenCount": 1555}
    answer = whole(
        SERVICE,
        gemini_answer({"text": "Here it is."}, PART, usageMetadata=usage | {"promptTokensDetails": details}),
        wire=GEMINI_WIRE,
    )
    assert json.loads(answer.body) == {
        "created": CREATED,
        "data": [{"b64_json": DATA}],
        "output_format": "png",
        "usage": {
            "input_tokens": 265,
            "output_tokens": 1290,
            "total_tokens": 1555,
            "input_tokens_details": {"text_tokens": 7, "image_tokens": 258},
        },
    }
    assert answer.usage == Usage(265, 1290, total=1555)


def test_pictures_of_imagen() -> None:
    """All that were not filtered, with the prompt as Imagen wrote it anew."""
    predictions = [
        {"bytesBase64Encoded": DATA, "mimeType": "image/jpeg", "prompt": "a tabby cat"},
        {"raiFilteredReason": "Unsafe."},
        {"bytesBase64Encoded": "eA=="},
    ]
    answer = json.loads(whole(SERVICE, json.dumps({"predictions": predictions}).encode(), wire=IMAGEN_WIRE).body)
    assert answer["data"] == [{"b64_json": DATA, "revised_prompt": "a tabby cat"}, {"b64_json": "eA=="}]
    assert answer["output_format"] == "jpeg"
    assert "usage" not in answer


@pytest.mark.parametrize("model", ["gemini-2.5-flash-image", "imagen-4.0-generate-001"])
def test_who_wants_a_url_gets_a_data_url(model: str) -> None:
    """There is no place at Google where the picture could be had."""
    wire, _ = asked("gemini", model, response_format="url")
    imagen = {"predictions": [{"bytesBase64Encoded": DATA, "mimeType": "image/png"}]}
    body = gemini_answer(PART) if "gemini" in model else json.dumps(imagen).encode()
    answer = json.loads(whole(SERVICE, body, wire=wire).body)
    assert answer["data"] == [{"url": f"data:image/png;base64,{DATA}"}]


NO_PICTURES = [
    (GEMINI_WIRE, gemini_answer({"text": "I only write."}), Kind.EMPTY, "I only write."),
    (GEMINI_WIRE, gemini_answer(finish="IMAGE_SAFETY"), Kind.BLOCKED, "IMAGE_SAFETY"),
    (GEMINI_WIRE, gemini_answer(finish="NO_IMAGE"), Kind.MALFORMED, "NO_IMAGE"),
    (GEMINI_WIRE, b'{"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}', Kind.BLOCKED, "PROHIBITED_CONTENT"),
    (GEMINI_WIRE, b'{"error": {"code": 503, "message": "overloaded"}}', Kind.OVERLOADED, "overloaded"),
    (GEMINI_WIRE, b"", Kind.EMPTY, "empty"),
    (GEMINI_WIRE, b"[", Kind.MALFORMED, "not one of Gemini's"),
    (IMAGEN_WIRE, b'{"predictions": [{"raiFilteredReason": "Unsafe."}]}', Kind.BLOCKED, "Unsafe."),
    (IMAGEN_WIRE, b"{}", Kind.EMPTY, "no picture"),
    (IMAGEN_WIRE, b'{"error": {"code": 429, "message": "quota"}}', Kind.RATE_LIMIT, "quota"),
    (IMAGEN_WIRE, b"<html>", Kind.MALFORMED, "not a JSON object"),
    (IMAGEN_WIRE, b'{"predictions": [{"bytesBase64Encoded": 5}]}', Kind.EMPTY, "no picture"),
]


@pytest.mark.parametrize(("wire", "body", "kind", "words"), NO_PICTURES)
def test_no_picture_is_a_failure(wire: WireRequest, body: bytes, kind: Kind, words: str) -> None:
    """What was blocked goes to the client at once, anything else to another provider; whole or streamed."""
    with pytest.raises(UpstreamError) as caught:
        whole(SERVICE, body, wire=wire)
    assert caught.value.kind is kind
    assert words in caught.value.message
    if kind is Kind.BLOCKED:
        assert (caught.value.status, caught.value.code) == (400, "content_filter")
    stream = opened(SERVICE, "application/json", wire)
    assert stream is not None
    assert passed(stream, single_bytes(body)) == b""
    assert stream.failure is not None
    assert stream.failure.kind is kind
    assert not stream.ended


@pytest.mark.parametrize(
    ("services", "kind"),
    [(generations.SERVICES, "image_generation.completed"), (edits.SERVICES, "image_edit.completed")],
)
def test_who_wants_a_stream_gets_one_event(services: Any, kind: str) -> None:
    """At the end: Google has no half pictures."""
    wire, _ = asked("gemini", "gemini-3-pro-image", stream=True, partial_images=2, size="1024x1024")
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3}
    body = gemini_answer(PART, usageMetadata=usage)
    for pieces in ([body], single_bytes(body)):
        stream = opened(services["gemini"], "application/json", wire)
        assert stream is not None
        (event,) = SseDecoder().feed(passed(stream, pieces))
        assert event.name == kind
        said = json.loads(event.data)
        assert (said["type"], said["b64_json"], said["created_at"]) == (kind, DATA, CREATED)
        assert (said["size"], said["output_format"]) == ("1024x1024", "png")
        assert said["usage"]["total_tokens"] == 3
        assert stream.ended
        assert stream.has_output
        assert stream.usage == Usage(1, 2, total=3)


# --- recordings -------------------------------------------------------------------------------------------------


def makes_pictures(recording: Recording) -> bool:
    config = (recording.request_body or {}).get("generationConfig") or {}
    return "IMAGE" in config.get("responseModalities", [])


@for_recordings(("gemini", "vertex-gemini"), features=["media_output"], stream=False, where=makes_pictures)
def test_recorded_pictures_are_found(recording: Recording) -> None:
    """Every picture of the answer, and the tokens that the provider counted."""
    service = generations.SERVICES[recording.provider]
    answer = whole(service, recording.response_bytes, wire=GEMINI_WIRE)
    recorded = recording.response["body"]
    parts = recorded["candidates"][0]["content"]["parts"]
    assert [image["b64_json"] for image in json.loads(answer.body)["data"]] == [
        part["inlineData"]["data"] for part in parts if "inlineData" in part and not part.get("thought")
    ]
    assert answer.usage is not None
    assert answer.usage.total == recorded["usageMetadata"]["totalTokenCount"]


@pytest.mark.parametrize("reason", ["IMAGE_SAFETY", "PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT", "RECITATION"])
def test_pitfall_078_what_a_filter_holds_back_is_not_asked_for_again(reason: str) -> None:
    """NousResearch/hermes-agent PR#53610: content_filter, to the client at once; no silent retries."""
    with pytest.raises(UpstreamError) as caught:
        whole(SERVICE, gemini_answer(finish=reason), wire=GEMINI_WIRE)
    assert (caught.value.kind, caught.value.code) == (Kind.BLOCKED, "content_filter")
    assert reason in caught.value.message


@for_recordings("vertex-gemini", kind="error", endpoint="images")
def test_a_recorded_refusal_is_the_filters(recording: Recording) -> None:
    """To the client at once: no other provider is asked to make it."""
    error = generations.SERVICES["vertex-gemini"].failure(recording.status, {}, recording.response_bytes)
    assert (error.kind, error.status, error.code) == (Kind.BLOCKED, 400, "content_filter")
    assert "Responsible AI practices" in error.message


def test_a_wrong_field_is_wrong_everywhere() -> None:
    """400, without another attempt."""
    with pytest.raises(RequestError) as caught:
        asked("gemini", "gemini-3-pro-image", size="big")
    assert not isinstance(caught.value, UntranslatableError)
