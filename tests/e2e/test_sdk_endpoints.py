"""The openai SDK at every endpoint beside chat, sync and async, against the demo's simulated providers.

What the simulator makes is a function of the request, so that the results are known to the byte.
"""

import asyncio
import io
import json
import time
import wave
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from scripts.demo.media import FORBIDDEN, heard, picture, speech, vector
from tests.e2e.conftest import config_of, provider
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.upstream import dead_url

KEY = "sk-demo"
DELAY = 0.02
"""Seconds between two pieces of what the simulator streams."""

Call = Callable[..., Any]
"""A method of the SDK by its path, "images.generate", called with its arguments."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    directory = tmp_path_factory.mktemp("demo")
    with GatewayProcess(directory, None, confdir=directory, demo=True) as gateway:
        gateway.wait_for_log("Your own providers go into api.yaml")
        yield gateway
    assert "Traceback" not in gateway.log


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, demo: GatewayProcess) -> Call:
    """The SDK's two clients; what they stream is given as a list."""
    options: dict[str, Any] = {"base_url": demo.base_url, "api_key": KEY, "max_retries": 0, "timeout": 30}

    def sync_call(path: str, **arguments: Any) -> Any:
        with openai.OpenAI(**options) as client:
            result = method_of(client, path)(**arguments)
            return list(result) if isinstance(result, openai.Stream) else result

    async def async_call(path: str, **arguments: Any) -> Any:
        async with openai.AsyncOpenAI(**options) as client:
            result = await method_of(client, path)(**arguments)
            return [event async for event in result] if isinstance(result, openai.AsyncStream) else result

    if request.param == "sync":
        return sync_call
    return lambda path, **arguments: asyncio.run(async_call(path, **arguments))


def method_of(client: Any, path: str) -> Any:
    for name in path.split("."):
        client = getattr(client, name)
    return client


@pytest.fixture(scope="module")
def recording() -> tuple[str, bytes, str]:
    """A WAV file of a second, with a name that is not ASCII."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(8000)
        written.writeframes(bytes(range(256)) * 62 + b"\r\n--")
    return "größe.wav", file.getvalue(), "audio/wav"


# --- pictures -------------------------------------------------------------------------------------------------


def test_pictures_of_openais_wire(call: Call) -> None:
    """Several of them, with their usage."""
    answer = call("images.generate", model="image-demo", prompt="a cat", n=2, size="1536x1024")
    expected = [picture("a cat", "1536x1024", number) for number in range(2)]
    assert [b64decode(image.b64_json) for image in answer.data] == expected
    assert (answer.size, answer.output_format) == ("1536x1024", "png")
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gemini-image-demo", picture("a cat", '{"aspectRatio":"2:3"}')),
        ("imagen-demo", picture("a cat", "3:4", 0)),
    ],
)
def test_pictures_of_googles_wires(call: Call, model: str, expected: bytes) -> None:
    """In OpenAI's form; its size is Google's ratio; as a data URL for who wants a URL."""
    answer = call("images.generate", model=model, prompt="a cat", size="1024x1536")
    assert [b64decode(image.b64_json) for image in answer.data] == [expected]
    assert answer.created > 1_700_000_000
    answer = call("images.generate", model=model, prompt="a cat", size="1024x1536", response_format="url")
    assert answer.data[0].url == f"data:image/png;base64,{b64encode(expected).decode()}"


@pytest.mark.parametrize("model", ["image-demo", "gemini-image-demo"])
def test_pictures_as_a_stream(call: Call, model: str) -> None:
    """Half pictures where the provider has them, and the whole one at the end."""
    events = call("images.generate", model=model, prompt="a cat", stream=True, partial_images=2)
    kinds = [event.type for event in events]
    partial = ["image_generation.partial_image"] * (2 if model == "image-demo" else 0)
    assert kinds == [*partial, "image_generation.completed"]
    whole = call("images.generate", model=model, prompt="a cat")
    assert events[-1].b64_json == whole.data[0].b64_json
    assert events[-1].usage.total_tokens == whole.usage.total_tokens


def test_changed_pictures(call: Call) -> None:
    """Every file and the mask reach the provider as they are."""
    files = [("a.png", b"\x89PNG\r\n\x1a\none", "image/png"), ("b.png", b"\x89PNG\r\n\x1a\ntwo", "image/png")]
    answer = call("images.edit", model="image-demo", image=files, mask=b"mask", prompt="a “hat”")
    expected = picture("a “hat”", "1024x1024", 0, files[0][1], files[1][1], b"mask")
    assert b64decode(answer.data[0].b64_json) == expected
    answer = call("images.edit", model="gemini-image-demo", image=files, prompt="a “hat”")
    assert b64decode(answer.data[0].b64_json) == picture("a “hat”", "{}", files[0][1], files[1][1])


def test_pictures_that_cannot_be_had(call: Call) -> None:
    """What the provider's filter holds back, and what its wire cannot say: 400 with the reason."""
    with pytest.raises(openai.BadRequestError) as refused:
        call("images.generate", model="imagen-demo", prompt=FORBIDDEN)
    assert refused.value.code == "content_filter"
    with pytest.raises(openai.BadRequestError) as refused:
        call("images.generate", model="gemini-image-demo", prompt="a cat", n=3)
    assert refused.value.param == "n"


# --- sound ----------------------------------------------------------------------------------------------------


def test_transcriptions_in_every_format(call: Call, recording: tuple[str, bytes, str]) -> None:
    """As the provider writes them, of the very bytes that were sent."""
    name, sound, _ = recording
    said = heard(name, sound)

    def hear(**arguments: Any) -> Any:
        return call("audio.transcriptions.create", model="transcription-demo", file=recording, **arguments)

    answer = hear()
    assert answer.text == said
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens > 0
    assert hear(response_format="text") == f"{said}\n"
    seconds = f"{len(said.split()) * 0.5:06.3f}"
    assert hear(response_format="srt") == f"1\n00:00:00,000 --> 00:00:{seconds.replace('.', ',')}\n{said}\n\n"
    assert hear(response_format="vtt") == f"WEBVTT\n\n00:00:00.000 --> 00:00:{seconds}\n{said}\n\n"
    verbose = hear(response_format="verbose_json", timestamp_granularities=["segment", "word"])
    assert (verbose.text, verbose.task, [segment.text for segment in verbose.segments]) == (said, "transcribe", [said])


def test_a_transcription_as_a_stream(call: Call, recording: tuple[str, bytes, str]) -> None:
    """Piece by piece, and the whole of it at the end."""
    events = call("audio.transcriptions.create", model="transcription-demo", file=recording, stream=True)
    said = heard(*recording[:2])
    assert "".join(event.delta for event in events[:-1]) == said
    assert (events[-1].type, events[-1].text) == ("transcript.text.done", said)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_translations(call: Call, recording: tuple[str, bytes, str]) -> None:
    """The same with another task; the SDK calls it deprecated."""
    answer = call("audio.translations.create", model="transcription-demo", file=recording)
    assert answer.text == f"In English: {heard(*recording[:2])}"


TEXT = " ".join(f"word{number}" for number in range(50))


def test_speech_is_heard_before_it_is_finished(demo: GatewayProcess, tmp_path: Any) -> None:
    """Into a file, to the byte what the provider sent; the first sound comes long before the last."""
    expected = b"".join(speech(TEXT, "wav"))
    pieces = sum(1 for _ in speech(TEXT, "wav"))
    arguments: dict[str, Any] = {"model": "speech-demo", "voice": "alloy", "input": TEXT, "response_format": "wav"}
    with openai.OpenAI(base_url=demo.base_url, api_key=KEY, max_retries=0) as client:
        started = time.monotonic()
        with client.audio.speech.with_streaming_response.create(**arguments) as reply:
            assert reply.headers["content-type"] == "audio/wav"
            arrived = iter(reply.iter_bytes())
            sound = next(arrived)
            first = time.monotonic() - started
            sound += b"".join(arrived)
            last = time.monotonic() - started
        assert sound == expected
        # The simulator waits before each piece: had the gateway waited for the last, nothing could lie between.
        assert last - first > DELAY * pieces / 2
        client.audio.speech.create(**arguments).write_to_file(tmp_path / "speech.wav")
    assert (tmp_path / "speech.wav").read_bytes() == expected


def test_speech_by_the_asynchronous_client(demo: GatewayProcess, tmp_path: Any) -> None:
    """Streamed into a file, as MP3."""

    async def speak() -> None:
        async with openai.AsyncOpenAI(base_url=demo.base_url, api_key=KEY, max_retries=0) as client:
            speaking = client.audio.speech.with_streaming_response
            async with speaking.create(model="speech-demo", voice="alloy", input="one two") as reply:
                await reply.stream_to_file(tmp_path / "speech.mp3")

    asyncio.run(speak())
    assert (tmp_path / "speech.mp3").read_bytes() == b"".join(speech("one two", "mp3"))


# --- texts ----------------------------------------------------------------------------------------------------


def test_moderations(call: Call) -> None:
    """Without a model, as the SDK's users write it, and with one; texts one by one."""
    answer = call("moderations.create", input="hello")
    assert [result.flagged for result in answer.results] == [False]
    assert answer.model == "omni-moderation-latest"
    answer = call("moderations.create", model="omni-moderation-latest", input=["hello", f"Please {FORBIDDEN}."])
    assert [result.flagged for result in answer.results] == [False, True]
    assert answer.results[1].category_scores.violence == 0.98


@pytest.mark.parametrize(
    "model", ["embedding-demo", "gemini-embedding-demo", "cohere-embedding-demo", "cloudflare-embedding-demo"]
)
def test_embeddings_of_texts(call: Call, model: str) -> None:
    """One text and a list of them, on every wire; the SDK asks for base64, others for numbers."""
    one = call("embeddings.create", model=model, input="one")
    assert one.data[0].embedding == pytest.approx(vector("one"))
    assert one.model == model
    many = call("embeddings.create", model=model, input=["one", "two"], encoding_format="float")
    assert [item.index for item in many.data] == [0, 1]
    assert [item.embedding for item in many.data] == [pytest.approx(vector("one")), pytest.approx(vector("two"))]
    assert many.usage.total_tokens == 2


def test_embeddings_of_tokens(call: Call) -> None:
    """Which only OpenAI's wire knows: elsewhere 400 says so."""
    for tokens, texts in (([1, 2, 3], ["1 2 3"]), ([[1], [2, 3]], ["1", "2 3"])):
        answer = call("embeddings.create", model="embedding-demo", input=tokens, dimensions=32)
        assert [item.embedding for item in answer.data] == [pytest.approx(vector(text, 32)) for text in texts]
    with pytest.raises(openai.BadRequestError) as refused:
        call("embeddings.create", model="cohere-embedding-demo", input=[1, 2, 3])
    assert refused.value.param == "input"


def test_completions(call: Call) -> None:
    """Whole and streamed: the same text, and the usage that was asked for."""
    arguments: dict[str, Any] = {"model": "completion-demo", "prompt": "Count to 5", "max_tokens": 50}
    whole = call("completions.create", **arguments)
    assert whole.choices[0].text == "1, 2, 3, 4, 5"
    assert whole.model == "completion-demo"
    chunks = call("completions.create", **arguments, stream=True, stream_options={"include_usage": True})
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == whole.choices[0].text
    assert chunks[-1].usage == whole.usage


# --- models ---------------------------------------------------------------------------------------------------


def test_every_model_of_the_list_can_be_asked_for_by_its_name(
    start: Callable[..., GatewayProcess], sdk: Callable[[GatewayProcess], openai.OpenAI]
) -> None:
    """Whatever is in the name: the SDK percent-encodes it."""
    names = ["org/model", "großes model", "100%25", "plain"]
    client = sdk(start(config_of(*(provider("p", dead_url(), model=name) for name in names))))
    assert [model.id for model in client.models.list()] == names
    assert [client.models.retrieve(name).id for name in names] == names


# --- what all of them share -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "arguments", "param"),
    [
        ("images.generate", {"model": "image-demo", "prompt": ""}, "prompt"),
        ("images.edit", {"model": "image-demo", "prompt": "p", "image": b""}, "image"),
        ("audio.speech.create", {"model": "speech-demo", "voice": "alloy", "input": ""}, "input"),
        ("moderations.create", {"input": ""}, "input"),
        ("audio.transcriptions.create", {"model": "", "file": b"x"}, "model"),
    ],
)
def test_wrong_requests_are_refused(call: Call, path: str, arguments: dict[str, Any], param: str) -> None:
    """400 with the field's name."""
    with pytest.raises(openai.BadRequestError) as refused:
        call(path, **arguments)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("images.generate", {"prompt": "p"}),
        ("images.edit", {"prompt": "p", "image": b"x"}),
        ("audio.transcriptions.create", {"file": b"x"}),
        ("audio.speech.create", {"voice": "alloy", "input": "x"}),
        ("embeddings.create", {"input": "x"}),
        ("moderations.create", {"input": "x"}),
        ("completions.create", {"prompt": "x"}),
    ],
)
def test_a_model_that_is_not_offered_is_not_found(call: Call, path: str, arguments: dict[str, Any]) -> None:
    """404, in the same words as for a chat."""
    with pytest.raises(openai.NotFoundError) as refused:
        call(path, model="no-such-model", **arguments)
    assert refused.value.code == "model_not_found"


def test_what_was_left_out_is_told(demo: GatewayProcess) -> None:
    """In a header, field by field."""
    with openai.OpenAI(base_url=demo.base_url, api_key=KEY, max_retries=0) as client:
        reply = client.images.with_raw_response.generate(
            model="imagen-demo", prompt="a cat", quality="hd", style="vivid", size="256x256"
        )
    assert reply.headers["x-uniapi-dropped"] == "quality, style, size"
    assert len(json.loads(reply.text)["data"]) == 1
