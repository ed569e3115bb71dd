"""translators/audio/speech.py: text in, sound out while it is being made."""

import json
from base64 import b64encode

import pytest

from tests.recordings import Recording, for_recordings
from tests.translators.endpoint_exchange import opened, passed, single_bytes, target, whole
from translators.audio.speech import SERVICES, read
from translators.errors import Kind, RequestError, UpstreamError

GPT = SERVICES["gpt"]
BODY = b'{"model": "tts-1", "input": "Hello", "voice": "alloy", "speed": 1.0, "instructions": "softly"}'
MP3 = b"ID3\x04\x00\x00" + bytes(range(256))


def test_the_request_goes_out_as_it_came() -> None:
    """Every field of it."""
    wire = GPT.build(read(BODY, "application/json"), target("tts-1"))
    assert (wire.body, wire.url) == (BODY, "https://llm.example/v1/audio/speech")


def test_sound_passes_as_it_comes() -> None:
    """Every piece at once, whatever the client said about streams; complete when the message is."""
    for stream in (True, False):
        sound = opened(GPT, "audio/mpeg", stream=stream)
        assert sound is not None
        assert sound.content_type == "audio/mpeg"
        assert [sound.feed(piece) for piece in single_bytes(MP3)] == single_bytes(MP3)
        assert sound.has_output
        assert not sound.ended
        assert sound.close() == b""
        assert sound.ended
        assert sound.failure is None


@pytest.mark.parametrize("content_type", ["audio/wav", "application/octet-stream", "audio/pcm;rate=24000", ""])
def test_the_type_is_the_providers(content_type: str) -> None:
    """Whatever it calls its sound."""
    sound = opened(GPT, content_type)
    assert sound is not None
    assert sound.content_type == content_type


def test_no_sound_is_no_answer() -> None:
    """An empty body, so that another provider is tried."""
    sound = opened(GPT, "audio/mpeg")
    assert sound is not None
    assert passed(sound, [b""]) == b""
    assert not sound.ended
    assert sound.failure is not None
    assert sound.failure.kind is Kind.EMPTY


def test_a_broken_connection_leaves_no_words_in_the_sound() -> None:
    """They would be heard as noise."""
    sound = opened(GPT, "audio/mpeg")
    assert sound is not None
    sound.feed(MP3)
    assert not sound.ended
    assert sound.last_words(UpstreamError(Kind.CLOSED, "gone")) == b""


def test_sound_in_events_is_watched() -> None:
    """`stream_format: sse`; without its last event it is cut."""
    delta = b'data: {"type":"speech.audio.delta","audio":"aGk="}\n\n'
    done = b'data: {"type":"speech.audio.done","usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}\n\n'
    stream = opened(GPT, "text/event-stream", stream=False)
    assert stream is not None
    assert passed(stream, [delta, done]) == delta + done
    assert stream.ended
    cut = opened(GPT, "text/event-stream")
    assert cut is not None
    passed(cut, [delta])
    assert cut.failure is not None


@pytest.mark.parametrize(
    ("content_type", "body", "message"),
    [
        ("application/json", b'{"error": {"message": "no such voice", "code": 503}}', "no such voice"),
        ("application/json", b'{"audio": 1}', "no sound"),
        ("application/json", b'{"audio_data": "%%%"}', "no base64"),
        ("application/json", b"{", "no JSON"),
        ("application/json", b"", "empty"),
        ("text/html", b"<html>", "HTML"),
    ],
)
def test_json_in_a_200_is_looked_into(content_type: str, body: bytes, message: str) -> None:
    """It is no sound: an error, most likely."""
    assert opened(GPT, content_type) is None
    wire = GPT.build(read(BODY, ""), target())
    with pytest.raises(UpstreamError, match=message):
        whole(GPT, body, content_type, wire)


@pytest.mark.parametrize(
    ("format", "mime"), [(None, "audio/mpeg"), ("wav", "audio/wav"), ("pcm", "audio/pcm"), (["x"], "audio/mpeg")]
)
def test_sound_inside_json_is_taken_out(format: object, mime: str) -> None:
    """Mistral's form; clients save what they get as the file that they asked for."""
    request = read(json.dumps({"model": "m", "input": "a", "response_format": format}).encode(), "")
    wire = GPT.build(request, target())
    answer = whole(GPT, json.dumps({"audio_data": b64encode(MP3).decode()}).encode(), "application/json", wire)
    assert (answer.body, answer.content_type) == (MP3, mime)


@for_recordings("mistral", kind="audio")
def test_recorded_sound_inside_json_is_taken_out(recording: Recording) -> None:
    """As Mistral sends it."""
    request = read(json.dumps(recording.request_body).encode(), "application/json")
    wire = GPT.build(request, target(request.model))
    answer = whole(GPT, recording.response_bytes, recording.response["headers"]["content-type"], wire)
    assert answer.body.startswith(b"ID3")


@for_recordings(("openai", "openrouter"), kind="audio", where=lambda recording: "speech" in recording.request["url"])
def test_recorded_requests_and_types(recording: Recording) -> None:
    """The request byte for byte; the answer is a stream of bytes."""
    body = json.dumps(recording.request_body).encode()
    service = SERVICES["gpt" if recording.provider == "openai" else "openrouter"]
    request = read(body, "application/json")
    assert service.build(request, target(request.model)).body == body
    sound = opened(service, recording.response["headers"]["content-type"], stream=False)
    assert sound is not None
    assert passed(sound, [MP3]) == MP3


@pytest.mark.parametrize("value", [None, "", 5])
def test_an_input_is_asked_for(value: object) -> None:
    """400 with the field's name."""
    with pytest.raises(RequestError) as caught:
        read(json.dumps({"model": "tts-1", "input": value}).encode(), "application/json")
    assert caught.value.param == "input"
