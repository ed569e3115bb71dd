"""Vertex AI: addresses, credentials, what differs in the bodies, and Claude's recorded exchanges there."""

import json
import random
import re
from typing import Any

import pytest

from tests.recordings import Recording, for_recordings
from tests.translators.anthropic_to_openai import normalised, openai_request
from tests.translators.anthropic_wire import answer_of, told
from translators.base import ClientRequest
from translators.openai_request import read_request
from translators.types import Ended, Event, Failed, Target, WireRequest
from translators.vertex import VertexClaude, VertexGemini

GEMINI = "gemini-2.5-flash"
CLAUDE = "claude-sonnet-4-5@20250929"
WIRE = WireRequest("POST", "https://provider.example", {}, {}, b"")


def request(model: str, **fields: Any) -> ClientRequest:
    raw = {"model": model, "messages": [{"role": "user", "content": "Hello"}], **fields}
    return read_request(json.dumps(raw).encode())


def target(model: str, *, region: str = "us-east5", base_url: str = "", key: str = "ya29.token") -> Target:
    return Target(base_url=base_url, model=model, alias=model, key=key, project="my-project", region=region)


def gemini(region: str = "us-east5", base_url: str = "", **fields: Any) -> WireRequest:
    return VertexGemini().build(request(GEMINI, **fields), target(GEMINI, region=region, base_url=base_url))


def claude(region: str = "us-east5", base_url: str = "", **fields: Any) -> WireRequest:
    return VertexClaude().build(request(CLAUDE, **fields), target(CLAUDE, region=region, base_url=base_url))


# --- addresses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east5", "https://us-east5-aiplatform.googleapis.com"),
        ("global", "https://aiplatform.googleapis.com"),
        ("us", "https://aiplatform.us.rep.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_pitfall_089_every_region_has_its_host(region: str, host: str) -> None:
    """`global` another than the rest, groups of regions a third kind. (TZ PR#4315, EN#1984)"""
    path = f"/projects/my-project/locations/{region}/publishers"
    assert gemini(region).url == f"{host}/v1beta1{path}/google/models/{GEMINI}:generateContent"
    assert claude(region).url == f"{host}/v1{path}/anthropic/models/{CLAUDE}:rawPredict"


def test_pitfall_090_streams_have_their_own_method() -> None:
    """Gemini's always as SSE. (UA 7da7bd9, Routstr PR#543)"""
    assert gemini(stream=True).url.endswith(f"{GEMINI}:streamGenerateContent?alt=sse")
    assert claude(stream=True).url.endswith(f"{CLAUDE}:streamRawPredict")


@pytest.mark.parametrize(
    ("base_url", "start"),
    [
        ("http://localhost:9", "http://localhost:9/v1"),
        ("http://localhost:9/vertex/", "http://localhost:9/vertex/v1"),
        ("http://localhost:9/vertex?key=secret", "http://localhost:9/vertex/v1"),
        ("https://private.example/v1", "https://private.example/v1"),
        ("https://us-central1-aiplatform.googleapis.com", "https://europe-west1-aiplatform.googleapis.com/v1"),
        ("https://aiplatform.googleapis.com/v1/projects/x", "https://europe-west1-aiplatform.googleapis.com/v1"),
    ],
)
def test_base_url_replaces_the_host(base_url: str, start: str) -> None:
    """The path behind it stays; Vertex's own hosts go with the region, so those only say that this is Vertex."""
    url = claude("europe-west1", base_url).url
    assert url.startswith(f"{start}/projects/my-project/locations/europe-west1/publishers/anthropic/")


def test_models_of_ones_own() -> None:
    """Are named by their path behind the region."""
    made = VertexGemini().build(request("endpoints/123"), target("endpoints/123"))
    assert made.url.endswith("/locations/us-east5/endpoints/123:generateContent")


def test_the_token_is_kept_apart() -> None:
    """In a header, and in no repr."""
    for made in (gemini(), claude()):
        assert made.credentials == {"authorization": "Bearer ya29.token"}
        assert "ya29" not in repr(made)
        assert "ya29" not in made.url
    assert VertexGemini().build(request(GEMINI), target(GEMINI, key="")).credentials == {}


# --- bodies ---------------------------------------------------------------------------------------------------


def test_geminis_fields_that_only_one_of_the_hosts_has() -> None:
    """Labels are Vertex's, tiers and the record of server tools the Gemini API's."""
    tools = [
        {"type": "function", "function": {"name": "a"}},
        {"type": "google_search"},
    ]
    newer = "gemini-3-flash-preview"
    made = VertexGemini().build(
        request(newer, labels={"team": "x"}, service_tier="flex", tools=tools), target(newer, region="global")
    )
    body = json.loads(made.body)
    assert body["labels"] == {"team": "x"}
    assert not {"serviceTier", "toolConfig"} & set(body)
    assert [note.field for note in made.notes] == ["service_tier"]


def test_claudes_version_is_in_the_body_and_the_model_is_not() -> None:
    """(Claude documentation, "Claude on Vertex AI")"""
    made = claude(stream=True)
    body = json.loads(made.body)
    assert body["anthropic_version"] == "vertex-2023-10-16"
    assert body["stream"] is True
    assert "model" not in body
    assert "anthropic-version" not in made.headers


def test_pitfall_050_only_betas_that_vertex_has() -> None:
    """It refuses a request with any other; one has another name there. (LL PR#19343, EN#2512)"""
    made = claude(betas=["context-1m-2025-08-07", "files-api-2025-04-14", "advanced-tool-use-2025-11-20"])
    assert made.headers["anthropic-beta"] == "context-1m-2025-08-07,tool-search-tool-2025-10-19"
    assert [note.field for note in made.notes] == ["betas"]
    assert "anthropic-beta" not in claude(betas=["files-api-2025-04-14"]).headers


def test_pitfall_048_marks_for_the_cache_have_no_scope() -> None:
    """Vertex refuses it; the mark and its ttl stay, and the client's request. (LL PR#15395)"""
    mark = {"type": "ephemeral", "ttl": "1h", "scope": "global"}
    marked = {"type": "text", "text": "a", "cache_control": mark}
    messages = [{"role": "system", "content": [marked]}, {"role": "user", "content": [marked]}]
    made = claude(messages=messages, cache_control=mark)
    body = json.loads(made.body)
    for holder in (body, body["system"][0], body["messages"][0]["content"][0]):
        assert holder["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert [note.field for note in made.notes] == ["cache_control.scope"]
    plain = {"role": "user", "content": [{**marked, "cache_control": {"type": "ephemeral"}}]}
    assert claude(messages=[plain]).notes == ()


def test_json_of_claude_is_a_tools_input() -> None:
    """Structured outputs are switched off on Vertex unless an organisation allows them."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    made = claude(response_format=form)
    body = json.loads(made.body)
    assert "output_config" not in body
    assert body["tool_choice"]["name"] == made.context["answer_tool"]


# --- what Claude really sent and got on Vertex ----------------------------------------------------------------

DIFFERENT = {
    "vertex-claude-chat-claude-haiku-4-5-20251001-tool-round-trip-2-1e976c": (
        "calls in the history and no tools, which Vertex took: defined all the same, pitfall 35"
    ),
    "vertex-claude-chat-claude-sonnet-4-5-20250929-tool-round-trip-2-a57e18": (
        "calls in the history and no tools, which Vertex took: defined all the same, pitfall 35"
    ),
}
"""Recording → why it is, on purpose, not built as it was sent."""


def read(pieces: list[bytes]) -> list[Event]:
    stream = VertexClaude().stream(WIRE)
    events = [event for piece in pieces for event in stream.feed(piece)]
    return events + stream.close()


@for_recordings("vertex-claude", endpoint="chat")
def test_a_recorded_request_of_claude_is_built_equal(recording: Recording) -> None:
    """Body and address."""
    path, _, model = recording.request["url"].partition("/models/")
    model, _, rpc = model.partition(":")
    raw = openai_request(recording.request_body, model=model)
    place = re.search(r"locations/([^/]+)", path)
    assert place
    destination = Target(base_url="", model=model, alias=model, project="example-project", region=place[1])
    made = VertexClaude().build(read_request(json.dumps(raw).encode()), destination)
    assert made.url == f"{path}/models/{model}:{rpc}"
    body = json.loads(made.body)
    assert body.pop("anthropic_version") == recording.request_body["anthropic_version"]
    same = normalised(body) == normalised(recording.request_body)
    assert same is (recording.id not in DIFFERENT)


@for_recordings("vertex-claude", endpoint="chat", stream=False)
def test_a_whole_answer_of_claude_says_what_the_recording_says(recording: Recording) -> None:
    """Words, reasoning, calls, finish reason and usage."""
    assert told(VertexClaude().parse(recording.response_bytes, WIRE)) == answer_of(recording)


@for_recordings("vertex-claude", endpoint="chat", stream=True)
def test_a_stream_of_claude_says_what_the_recording_says(recording: Recording) -> None:
    """Whole, byte by byte, with either line end."""
    body = recording.response_bytes
    events = read([body])
    assert told(events) == answer_of(recording)
    assert isinstance(events[-1], Ended)
    assert read([body[i : i + 1] for i in range(len(body))]) == events
    bare = body.replace(b"\r\n", b"\n")
    assert read([bare]) == read([bare.replace(b"\n", b"\r\n")]) == events


@for_recordings("vertex-claude", endpoint="chat", stream=True)
def test_a_stream_of_claude_cut_off_has_failed(recording: Recording) -> None:
    """After each event before the end marker, and inside some."""
    body = recording.response_bytes
    end = body.index(b"event: message_stop")
    between = [match.end() for match in re.finditer(rb"\r?\n\r?\n", body[:end])]
    for place in [0, *between, *random.Random(recording.id).sample(range(end), 10)]:
        events = read([body[:place]])
        assert isinstance(events[-1], Failed)
        assert not any(isinstance(event, Ended) for event in events)
