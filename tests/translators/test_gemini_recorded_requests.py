"""The engines gemini and vertex-gemini build what real clients sent: recorded requests, put into OpenAI's form and
built again."""

import json
import re
from typing import Any

from tests.recordings import Recording, for_recordings
from tests.translators.gemini_to_openai import normalised, openai_request
from tests.translators.gemini_types import assert_fits
from translators.base import Translator
from translators.gemini import Gemini
from translators.media import read_base64
from translators.openai_request import read_request
from translators.types import Target, WireRequest
from translators.vertex import VertexGemini

DIFFERENT = {
    "gemini-chat-chat-multimodal-tool-attachments-gemini-gemini-2-5-flash-888b0e": (
        "a picture beside a function's result: behind it, where every model takes it, pitfall 68"
    ),
    "gemini-chat-test-google-image-generation-with-web-search-39d9aa": (
        "a call is demanded where there are no functions: said in a note instead"
    ),
    "gemini-chat-test-google-instructions-only-with-tool-calls-7a3aa4": (
        "a user who says an empty text, because one must be there: says Begin, pitfall 75"
    ),
    "gemini-chat-test-google-recursive-schema-native-output-21488c": (
        "a title beside a reference to its own definition: the reference stands alone, pitfall 62"
    ),
    "vertex-gemini-chat-chat-multimodal-tool-attachments-vertexai-gemini-2-5-fla-3f12a4": (
        "a picture beside a function's result: behind it, where every model takes it, pitfall 68"
    ),
}
"""Recording → why it is, on purpose, not built as it was sent."""


def speaks_gemini(recording: Recording) -> bool:
    """Whether the request was recorded and is one of Gemini's."""
    body = recording.request_body
    return recording.request_recorded and isinstance(body, dict) and "contents" in body


def model_of(recording: Recording) -> str:
    return str(recording.request["url"].partition("/models/")[2].partition(":")[0])


def built(recording: Recording) -> WireRequest:
    """The request in OpenAI's form, built by the engine of the recording's host, in the same place."""
    model = model_of(recording)
    raw = openai_request(normalised(recording.request_body), model=model)
    if "stream" in recording.request["url"]:
        raw["stream"] = True
    engine: Translator = Gemini() if recording.provider == "gemini" else VertexGemini()
    version = re.search(r"/v1\w*", recording.request["url"])
    place = re.search(r"locations/([^/]+)", recording.request["url"])
    target = Target(
        base_url=recording.request["url"].split("/v1")[0] + (version[0] if version else ""),
        model=model,
        alias=model,
        project="example-project",
        region=place[1] if place else "",
    )
    return engine.build(read_request(json.dumps(raw).encode()), target)


def with_true_media_types(value: Any) -> Any:
    """Recordings whose media were cut hold a tiny picture under the types that the real ones had."""
    if isinstance(value, list):
        return [with_true_media_types(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("data"), str) and "mimeType" in value:
        return {**value, "mimeType": read_base64(value["data"], value["mimeType"]).mime}
    return {name: with_true_media_types(item) for name, item in value.items()}


def check(recording: Recording) -> None:
    wire = built(recording)
    body = normalised(json.loads(wire.body))
    expected = normalised(recording.request_body)
    expected = with_true_media_types(expected) if recording.shortened else expected
    if recording.id in DIFFERENT:
        assert body != expected, f"{recording.id} is built as it was sent: no exception is needed any more"
    else:
        assert body == expected
    assert_fits(json.loads(wire.body))


@for_recordings("gemini", endpoint="chat", where=speaks_gemini)
def test_a_recorded_request_of_geminis_is_built_equal(recording: Recording) -> None:
    """Up to key order and to what the documentation calls the same."""
    check(recording)


@for_recordings("vertex-gemini", endpoint="chat", where=speaks_gemini)
def test_a_recorded_request_of_vertex_is_built_equal(recording: Recording) -> None:
    """The same for Gemini on Vertex."""
    check(recording)


@for_recordings("gemini", endpoint="chat", where=speaks_gemini)
def test_geminis_address_is_the_recorded_one(recording: Recording) -> None:
    """Version, model and method; streams with alt=sse always, and never a key in it (pitfall 90)."""
    expected = recording.request["url"].partition("?")[0]
    stream = "streamGenerateContent" in expected
    assert built(recording).url == expected + ("?alt=sse" if stream else "")


@for_recordings("vertex-gemini", endpoint="chat", where=speaks_gemini)
def test_vertex_address_is_the_recorded_one(recording: Recording) -> None:
    """Host of the region, project, region, model and method."""
    expected = recording.request["url"].partition("?")[0]
    if "<" in expected:
        return  # The region was blotted out.
    expected = re.sub(r"projects/[^/]+", "projects/example-project", expected)
    stream = "streamGenerateContent" in expected
    assert built(recording).url == expected + ("?alt=sse" if stream else "")
