"""The simulator's endpoints beyond chat: as the openai SDK reads them, and as the gateway's services use them."""

import json
import struct
from base64 import b64decode
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import httpx2
import openai
import pytest

from tests.translators.endpoint_exchange import FORM_TYPE, form, identity
from translators import embeddings
from translators.audio import speech, transcriptions
from translators.base import Service
from translators.errors import UpstreamError
from translators.images import edits, generations
from translators.types import Target

ACCOUNT = "0123456789abcdef0123456789abcdef"
FORBIDDEN = "please attack the simulation"
SOUND = ("a.wav", b"RIFF" + bytes(100), "audio/wav")
HEARD = f"I heard 104 bytes named a.wav, whose hash begins with {sha256(SOUND[1]).hexdigest()[:16]}."
VERTEX = {"key": "ya29.simulated", "project": "p", "region": "us-central1"}
GOOGLE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "gemini": ("gemini", "/gemini/v1beta", {"key": "AIza-simulated"}),
    "vertex": ("vertex-gemini", "/vertex", VERTEX),
}
EMBEDDERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "openai": ("gpt", "/openai/v1", {"model": "embedding-simulated", "key": "sk-simulated-openai"}),
    "gemini": ("gemini", "/gemini/v1beta", {"model": "gemini-embedding-simulated", "key": "AIza-simulated"}),
    "vertex": ("vertex-gemini", "/vertex", {"model": "gemini-embedding-simulated", **VERTEX}),
    "vertex, predict": ("vertex-gemini", "/vertex", {"model": "text-embedding-simulated", **VERTEX}),
    "cohere": ("cohere", "/cohere/v2", {"model": "embed-simulated", "key": "simulated-cohere"}),
    "cloudflare": (
        "cloudflare",
        "/cloudflare/client/v4",
        {"model": "@cf/simulator/embed", "key": "simulated-cloudflare", "account": ACCOUNT},
    ),
    "cloudflare, run": (
        "cloudflare",
        f"/cloudflare/client/v4/accounts/{ACCOUNT}/ai/run",
        {"model": "@cf/simulator/embed", "key": "simulated-cloudflare"},
    ),
}


@pytest.fixture
def client(simulator: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{simulator}/openai/v1", api_key="sk-simulated-openai", max_retries=0) as client:
        yield client


@pytest.fixture
def ask(simulator: str) -> Callable[..., Any]:
    """Sends a request by a service, and gives the client's whole answer as JSON. Raises UpstreamError."""

    def ask(service: Service[Any], request: Any, path: str, **fields: Any) -> Any:
        wire = service.build(request, Target(simulator + path, alias="alias", **fields))
        reply = httpx2.post(wire.url, headers={**wire.headers, **wire.credentials}, content=wire.body)
        if reply.status_code >= 400:
            raise service.failure(reply.status_code, reply.headers, reply.content)
        answer = service.whole(wire, identity(), reply.content, content_type=reply.headers["content-type"], see=None)
        return json.loads(answer.body)

    return ask


# --- pictures -------------------------------------------------------------------------------------------------


def colour(image: Any) -> bytes:
    """Whether it is a PNG, and what is in it."""
    data = b64decode(image["b64_json"] if isinstance(image, dict) else image.b64_json)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (16, 16)
    return data


def test_the_sdk_makes_pictures(client: openai.OpenAI) -> None:
    """The same for the same request, others for another."""
    one = client.images.generate(model="image-simulated", prompt="a cat", n=2, size="1536x1024")
    assert one.data is not None
    assert one.usage is not None
    assert len({colour(image) for image in one.data}) == 2
    again = client.images.generate(model="image-simulated", prompt="a cat", n=2, size="1536x1024")
    assert again.data == one.data
    other = client.images.generate(model="image-simulated", prompt="a dog")
    assert other.data not in (None, one.data[:1])


def test_the_sdk_streams_pictures(client: openai.OpenAI) -> None:
    """Half ones first."""
    stream = client.images.generate(model="image-simulated", prompt="a cat", stream=True, partial_images=2)
    assert [event.type for event in stream] == [
        *["image_generation.partial_image"] * 2,
        "image_generation.completed",
    ]


def test_the_sdk_changes_pictures(client: openai.OpenAI) -> None:
    """Every file counts."""
    made = {
        tuple(
            colour(image) for image in client.images.edit(model="image-simulated", prompt="p", image=files).data or []
        )
        for files in ([b"one"], [b"one", b"two"], [b"two"])
    }
    assert len(made) == 3


@pytest.mark.parametrize("provider", GOOGLE)
@pytest.mark.parametrize("model", ["gemini-3-pro-image-simulated", "imagen-4.0-simulated"])
def test_googles_pictures(ask: Callable[..., Any], provider: str, model: str) -> None:
    """By both wires; forbidden words are filtered."""
    engine, path, fields = GOOGLE[provider]

    def make(prompt: str) -> Any:
        body = json.dumps({"model": "alias", "prompt": prompt, "size": "1024x1536"}).encode()
        return ask(generations.SERVICES[engine], generations.read(body, ""), path, model=model, **fields)

    assert colour(make("a cat")["data"][0]) != colour(make("a dog")["data"][0])
    with pytest.raises(UpstreamError) as refused:
        make(FORBIDDEN)
    assert refused.value.code == "content_filter"


@pytest.mark.parametrize("provider", GOOGLE)
def test_google_changes_pictures(ask: Callable[..., Any], provider: str) -> None:
    """Sent inside the request."""
    engine, path, fields = GOOGLE[provider]
    fields = fields | {"model": "gemini-3-pro-image-simulated"}
    made = set()
    for data in (b"\x89PNG\r\n\x1a\n1", b"\x89PNG\r\n\x1a\n2"):
        body = form(("model", None, b"alias"), ("prompt", None, b"a hat"), ("image", "a.png", data))
        answer = ask(edits.SERVICES[engine], edits.read(body, FORM_TYPE), path, **fields)
        made.add(colour(answer["data"][0]))
    assert len(made) == 2


# --- sound ----------------------------------------------------------------------------------------------------


def test_the_sdk_hears(client: openai.OpenAI) -> None:
    """In every format, and as a stream."""
    hear = client.audio.transcriptions.create
    model = "transcription-simulated"
    assert hear(model=model, file=SOUND).text == HEARD
    assert hear(model=model, file=SOUND, response_format="text") == f"{HEARD}\n"
    assert hear(model=model, file=SOUND, response_format="srt").startswith("1\n00:00:00,000 --> 00:00:0")
    assert hear(model=model, file=SOUND, response_format="vtt").startswith("WEBVTT\n\n00:00:00.000 --> 00:00:0")
    verbose = hear(model=model, file=SOUND, response_format="verbose_json")
    assert verbose.segments is not None
    assert (verbose.text, verbose.segments[0].text) == (HEARD, HEARD)
    events = list(hear(model=model, file=SOUND, stream=True))
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == HEARD
    assert events[-1].type == "transcript.text.done"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_sdk_translates(client: openai.OpenAI) -> None:
    """Which it calls deprecated."""
    translation = client.audio.translations.create(model="transcription-simulated", file=SOUND)
    assert translation.text == f"In English: {HEARD}"


@pytest.mark.parametrize(("kind", "start"), [("mp3", b"\xff\xfb"), ("wav", b"RIFF"), ("pcm", b"")])
def test_the_sdk_has_text_spoken(client: openai.OpenAI, kind: Any, start: bytes) -> None:
    """In pieces, a tenth of a second for each token."""
    spoken = client.audio.speech.with_streaming_response.create
    with spoken(model="speech-simulated", voice="alloy", input="one two three", response_format=kind) as reply:
        sound = b"".join(reply.iter_bytes())
    assert sound.startswith(start)
    assert len(sound) >= 3 * 1600


def test_services_hear_and_speak(simulator: str, ask: Callable[..., Any]) -> None:
    """As the gateway does it."""
    fields = {"path": "/openai/v1", "key": "sk-simulated-openai"}
    body = form(("file", "a.wav", SOUND[1]), ("model", None, b"alias"))
    request = transcriptions.read(body, FORM_TYPE)
    assert ask(transcriptions.SERVICES["gpt"], request, model="transcription-simulated", **fields)["text"] == HEARD
    service = speech.SERVICES["gpt"]
    spoken = speech.read(b'{"model": "alias", "input": "Hello", "voice": "alloy", "response_format": "wav"}', "")
    wire = service.build(spoken, Target(f"{simulator}/openai/v1", "speech-simulated", "alias", "sk-simulated-openai"))
    with httpx2.stream("POST", wire.url, headers={**wire.headers, **wire.credentials}, content=wire.body) as reply:
        sound = service.open(wire, identity(), stream=False, content_type=reply.headers["content-type"], see=None)
        assert sound is not None
        data = b"".join(sound.feed(piece) for piece in reply.iter_bytes()) + sound.close()
    assert data.startswith(b"RIFF")
    assert sound.ended


# --- texts ----------------------------------------------------------------------------------------------------


def test_the_sdk_completes(client: openai.OpenAI) -> None:
    """Whole and streamed: the same text."""
    fields: dict[str, Any] = {"model": "completion-simulated", "prompt": "Count to 5", "max_tokens": 50}
    whole = client.completions.create(**fields)
    assert whole.choices[0].text == "1, 2, 3, 4, 5"
    chunks = list(client.completions.create(**fields, stream=True, stream_options={"include_usage": True}))
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == whole.choices[0].text
    assert chunks[-1].usage == whole.usage


def test_the_sdk_moderates(client: openai.OpenAI) -> None:
    """Texts one by one; parts of a message together."""
    create = client.moderations.create
    results = create(model="moderation-simulated", input=["hello", FORBIDDEN]).results
    assert [result.flagged for result in results] == [False, True]
    parts: Any = [{"type": "text", "text": FORBIDDEN}, {"type": "image_url", "image_url": {"url": "data:,"}}]
    assert create(model="moderation-simulated", input=parts).results[0].categories.violence


@pytest.mark.parametrize("provider", EMBEDDERS)
def test_vectors_of_every_wire(ask: Callable[..., Any], provider: str) -> None:
    """One for each text, of length 1, the same for the same text; and tokens counted where the wire does."""
    engine, path, fields = EMBEDDERS[provider]
    body = json.dumps({"model": "alias", "input": ["one", "two", "one"]}).encode()
    answer = ask(embeddings.SERVICES[engine], embeddings.read(body, ""), path, **fields)
    first, second, third = (item["embedding"] for item in answer["data"])
    assert first == third != second
    assert sum(number * number for number in first) == pytest.approx(1)
    assert answer["usage"]["prompt_tokens"] == (0 if "run" in provider else 3)


def test_the_sdk_gets_vectors_of_texts_and_tokens(client: openai.OpenAI) -> None:
    """The SDK asks for base64."""
    for given, count in (("one", 1), (["one", "two"], 2), ([1, 2, 3], 1), ([[1], [2]], 2)):
        found = client.embeddings.create(model="embedding-simulated", input=given, dimensions=40).data
        assert [len(item.embedding) for item in found] == [40] * count


@pytest.mark.parametrize(
    ("path", "fields", "param"),
    [
        ("images/generations", {"model": "image-simulated"}, "prompt"),
        ("audio/speech", {"model": "speech-simulated", "input": "a"}, "voice"),
        ("moderations", {"model": "moderation-simulated"}, "input"),
        ("embeddings", {"model": "embedding-simulated", "input": []}, "input"),
        ("completions", {}, "model"),
    ],
)
def test_wrong_requests_are_refused(simulator: str, path: str, fields: dict[str, Any], param: str) -> None:
    """In OpenAI's form, with the field's name."""
    headers = {"authorization": "Bearer sk-simulated-openai"}
    reply = httpx2.post(f"{simulator}/openai/v1/{path}", headers=headers, json=fields)
    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == param


def test_a_form_without_a_file_is_refused(simulator: str) -> None:
    """Text in its place is no file."""
    reply = httpx2.post(
        f"{simulator}/openai/v1/audio/transcriptions",
        headers={"authorization": "Bearer sk-simulated-openai", "content-type": FORM_TYPE},
        content=form(("model", None, b"transcription-simulated"), ("file", None, b"text")),
    )
    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "file"
