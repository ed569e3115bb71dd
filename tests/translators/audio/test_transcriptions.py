"""translators/audio/transcriptions.py and translations.py: forms with a sound, forwarded whole."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.recordings import Recording, for_recordings
from tests.translators.endpoint_exchange import FORM_TYPE, form, opened, target, whole
from translators.audio import transcriptions, translations
from translators.base import Service
from translators.errors import Kind, RequestError, UpstreamError
from translators.types import Usage

ENDPOINTS = {"transcriptions": transcriptions.SERVICES, "translations": translations.SERVICES}
FORM = form(
    ("file", "a.wav", b"RIFF\x00\r\n--bits"),
    ("model", None, b"whisper-1"),
    ("response_format", None, b"verbose_json"),
    ("timestamp_granularities[]", None, b"word"),
    ("timestamp_granularities[]", None, b"segment"),
    ("unknown", None, "ü".encode()),
)
REQUEST = transcriptions.read(FORM, FORM_TYPE)
SRT = b"1\n00:00:00,000 --> 00:00:03,000\nRuby is a language.\n\n"

every = pytest.mark.parametrize(("path", "services"), ENDPOINTS.items(), ids=ENDPOINTS)


@every
def test_the_form_goes_out_byte_for_byte(path: str, services: Mapping[str, Service[Any]]) -> None:
    """The very same bytes, not a copy of them, with the same boundary."""
    wire = services["gpt"].build(REQUEST, target("whisper-1"))
    assert wire.body is FORM
    assert wire.headers["content-type"] == FORM_TYPE
    assert wire.url == f"https://llm.example/v1/audio/{path}"


@every
def test_another_model_changes_the_model_alone(path: str, services: Mapping[str, Service[Any]]) -> None:
    """Once for every attempt, always from what the client sent."""
    for name in ("whisper-large-v3", "w"):
        wire = services["gpt"].build(REQUEST, target(name))
        assert wire.body == FORM.replace(b"\r\n\r\nwhisper-1\r\n", f"\r\n\r\n{name}\r\n".encode())
    assert REQUEST.body is FORM


@pytest.mark.parametrize(
    ("engine", "base_url", "url"),
    [
        ("azure", "https://x.openai.azure.com", "/openai/deployments/m/audio/transcriptions?api-version=2024-10-21"),
        (
            "azure",
            "https://x.openai.azure.com/openai/deployments/d/audio/transcriptions?api-version=2025-03-01-preview",
            "/openai/deployments/d/audio/transcriptions?api-version=2025-03-01-preview",
        ),
        ("openrouter", "", "https://openrouter.ai/api/v1/audio/transcriptions"),
        ("cohere", "", "https://api.cohere.com/v2/audio/transcriptions"),
        ("cohere", "https://cohere.example/v2/audio/transcriptions", "https://cohere.example/v2/audio/transcriptions"),
        ("gpt", "https://api.groq.com/openai/v1/chat/completions", "/openai/v1/audio/transcriptions"),
    ],
)
def test_the_address_is_the_engines(engine: str, base_url: str, url: str) -> None:
    """Wherever an engine has its endpoints."""
    assert transcriptions.SERVICES[engine].build(REQUEST, target(base_url=base_url)).url.endswith(url)


def test_cohere_has_transcriptions_only() -> None:
    """And other engines have an endpoint for neither."""
    assert set(transcriptions.SERVICES) - set(translations.SERVICES) == {"cohere"}
    assert set(translations.SERVICES) == {"gpt", "openrouter", "azure"}


@every
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain; charset=utf-8", b"Ruby is a language.\n"),
        ("text/plain", SRT),
        ("text/vtt", b"WEBVTT\n\n00:00.000 --> 00:03.000\nRuby\n"),
        ("application/x-subrip", SRT),
        ("application/json", b'{"text": "Ruby", "words": [{"word": "Ruby", "start": 0.0}]}'),
        ("text/plain", b"\n"),
    ],
)
def test_answers_of_any_format_pass_untouched(
    path: str, services: Mapping[str, Service[Any]], content_type: str, body: bytes
) -> None:
    """With the type that the provider names; also the text of silence."""
    assert opened(services["gpt"], content_type) is None
    answer = whole(services["gpt"], body, content_type)
    assert (answer.body, answer.content_type) == (body, content_type)


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        ("text/plain", b"", Kind.EMPTY),
        ("application/json", b"", Kind.EMPTY),
        ("text/html; charset=utf-8", b"<html>", Kind.MALFORMED),
        ("application/json", b'{"text": ', Kind.MALFORMED),
        ("application/json", b'{"error": {"message": "overloaded", "code": 503}}', Kind.OVERLOADED),
    ],
)
def test_what_is_no_answer_is_a_failure(content_type: str, body: bytes, kind: Kind) -> None:
    """Inside a 200, so that another provider is tried."""
    with pytest.raises(UpstreamError) as caught:
        whole(transcriptions.SERVICES["gpt"], body, content_type)
    assert caught.value.kind is kind


def test_events_are_passed_on_as_they_come() -> None:
    """`stream` in a form is text."""
    streaming = transcriptions.read(
        form(("stream", None, b"true"), ("model", None, b"m"), ("file", "a", b"x")), FORM_TYPE
    )
    assert streaming.stream
    wire = transcriptions.SERVICES["gpt"].build(streaming, target())
    assert wire.headers["accept"] == "text/event-stream"
    stream = opened(transcriptions.SERVICES["gpt"], "text/event-stream; charset=utf-8")
    assert stream is not None
    data = b'data: {"type":"transcript.text.delta","delta":"a"}\n\n'
    assert stream.feed(data) == data
    assert stream.has_output


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (form(("model", None, b"m")), "file"),
        (form(("file", "a.wav", b"RIFF")), "model"),
    ],
)
def test_a_file_and_a_model_are_asked_for(body: bytes, param: str) -> None:
    """400 with the field's name."""
    with pytest.raises(RequestError) as caught:
        transcriptions.read(body, FORM_TYPE)
    assert caught.value.param == param


def test_a_host_may_take_the_address_of_a_file() -> None:
    """Groq's `url`, for example."""
    body = form(("model", None, b"whisper-large-v3"), ("url", None, b"https://example.org/a.wav"))
    assert transcriptions.read(body, FORM_TYPE).model == "whisper-large-v3"


def test_json_is_refused_with_what_to_send() -> None:
    """Not with a riddle about boundaries."""
    with pytest.raises(
        RequestError, match="must be a form with a file in it, multipart/form-data, not application/json"
    ):
        transcriptions.read(b'{"model": "whisper-1"}', "application/json")


@for_recordings(
    ("openai", "groq", "cohere"), kind="audio", stream=False, where=lambda r: "transcri" in r.request["url"]
)
def test_recorded_transcriptions_pass_untouched(recording: Recording) -> None:
    """Texts, segments and all; tokens are counted where they are told."""
    service = transcriptions.SERVICES["cohere" if recording.provider == "cohere" else "gpt"]
    answer = whole(service, recording.response_bytes)
    assert answer.body == recording.response_bytes
    told = recording.response["body"].get("usage", {}).get("total_tokens")
    assert (answer.usage.total if answer.usage else None) == told


@for_recordings("openai", kind="error", endpoint="audio")
def test_recorded_errors_keep_their_words(recording: Recording) -> None:
    """The provider's own message, and no other attempt: the request is at fault."""
    error = transcriptions.SERVICES["gpt"].failure(recording.status, {}, recording.response_bytes)
    assert (error.kind, error.status) == (Kind.BAD_REQUEST, 400)
    assert "response_format" in error.message


def test_usage_has_other_names_here() -> None:
    """Tokens that go in and come out."""
    body = b'{"text": "a", "usage": {"type": "tokens", "input_tokens": 3, "output_tokens": 2, "total_tokens": 5}}'
    assert whole(transcriptions.SERVICES["gpt"], body).usage == Usage(3, 2, total=5)
