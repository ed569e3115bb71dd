"""The endpoints beside chat, as a person reads them."""

import json
from typing import Any

import pytest

from inspection.views.chat import Chat
from inspection.views.layout import GAP
from inspection.views.readings import READINGS
from tests.inspection.views.flows import event_stream, flow_of, shown
from translators.services import OFFERS

CHAT = Chat()
PNG = "iVBORw0KGgoAAAANSUhEUg=="


def asked(endpoint: str, **request: Any) -> list[str]:
    return shown(CHAT, flow_of({"model": "m", **request}, endpoint=endpoint)).split("\n")


def answered(endpoint: str, answer: Any, content_type: str = "application/json") -> list[str]:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    text = shown(CHAT, flow_of({"model": "m"}, body, endpoint=endpoint, content_type=content_type), "response")
    return text.split("\n")[:-2]  # Without the line about the whole request.


def test_every_endpoint_that_providers_answer_can_be_read():
    """A new one needs its reading."""
    assert OFFERS.keys() <= READINGS.keys()


def test_embeddings():
    """The texts; how long the vectors are, never all of them; usage."""
    assert asked("/v1/embeddings", input=["one", "two"], dimensions=2) == ["m", "dimensions: 2", "one", "two"]
    assert asked("/v1/embeddings", input=[[1, 2, 3]])[1:] == ["[1, 2, 3]"]
    data = [{"index": 0, "embedding": [0.5] * 900}, {"index": 1, "embedding": "AAAA"}]
    assert answered("/v1/embeddings", {"data": data, "usage": {"prompt_tokens": 2}}) == [
        "2 vectors",
        "0: 900 numbers, [0.5, 0.5, 0.5, 0.5]",
        "1: [base64: numbers, 3b]",
        "usage: 2 prompt tokens, 0 completion tokens",
    ]


def test_pictures():
    """By their address, or their type and size."""
    assert asked("/v1/images/generations", prompt="A boat", n=2) == ["m", "n: 2", "A boat"]
    data = [{"b64_json": PNG, "revised_prompt": "A red boat"}, {"url": "https://pictures.example/a.png"}]
    assert answered("/v1/images/generations", {"data": data}) == [
        "[image: image/png, 16b]",
        "made from: A red boat",
        "[image: https://pictures.example/a.png]",
    ]


def test_moderations():
    """What was found and how surely."""
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://x.example"}}]
    assert asked("/v1/moderations", input=parts)[1:] == ["a", "[image: https://x.example]"]
    results = [
        {"flagged": True, "categories": {"hate": True, "violence": False}, "category_scores": {"hate": 0.9}},
        {"flagged": False, "categories": {}},
    ]
    assert answered("/v1/moderations", {"results": results}) == ["0: flagged (hate 0.9)", "1: not flagged"]


def test_a_transcription_is_asked_for_by_a_form():
    """Its fields, and of the file its name, type and size."""
    form = (
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
        + b"\x00" * 2048
        + b"\r\n--b--\r\n"
    )
    flow = flow_of(form, endpoint="/v1/audio/transcriptions")
    flow.metadata["uniapi"]["client"]["headers"] = [[b"Content-Type", b"multipart/form-data; boundary=b"]]
    assert shown(CHAT, flow).split("\n") == ["model: whisper", "file: [file: a.wav, audio/wav, 2.0k]"]
    flow.metadata["uniapi"]["client"] |= {"body": form[:-100], "cut": 100}
    assert shown(CHAT, flow).split("\n")[0] == "model: whisper"
    assert shown(CHAT, flow).split("\n")[-1] == "… (the last 100b were not kept)"


@pytest.mark.parametrize("content_type", ["application/x-subrip", "text/plain"])
def test_a_transcription_in_another_form_is_shown_as_it_came(content_type: str):
    """JSON by its text first."""
    assert answered("/v1/audio/transcriptions", b"1\n00:00 --> 00:01\nHi", content_type)[2] == "Hi"
    assert answered("/v1/audio/transcriptions", {"text": "Hi", "language": "en"}) == ["Hi", 'language: "en"']


def test_speech_is_a_size_and_a_type():
    """Nobody reads sound."""
    assert asked("/v1/audio/speech", input="Hello", voice="alloy") == ["m", 'voice: "alloy"', "Hello"]
    assert answered("/v1/audio/speech", b"\xff\xfb\x90\x00" * 512, "audio/mpeg") == ["(2.0k of audio/mpeg)"]


def test_completions_whole_and_streamed():
    """The text of each choice."""
    assert asked("/v1/completions", prompt="Once upon", max_tokens=3) == ["m", "max_tokens: 3", "Once upon"]
    choice = {"index": 0, "text": " a time", "finish_reason": "length"}
    assert answered("/v1/completions", {"choices": [choice]}) == ["── 0 · length ──", " a time"]
    pieces = [{"choices": [{"index": 0, "text": text}]} for text in (" a", " time")]
    assert answered("/v1/completions", event_stream(*pieces, "[DONE]"), "text/event-stream") == ["── 0 ──", " a time"]
    cut = answered("/v1/completions", event_stream(*pieces), "text/event-stream")
    assert cut == ["── 0 ──", " a time", "✗ It broke off here."]


def test_a_completion_that_nobody_waited_for_did_not_break_off():
    """As with chats."""
    flow = flow_of(
        {"model": "m"},
        event_stream({"choices": [{"index": 0, "text": " a time"}]}),
        endpoint="/v1/completions",
        content_type="text/event-stream",
        outcome="cancelled",
        stopped=True,
    )
    assert shown(CHAT, flow, "response").split("\n")[:4] == ["── 0 ──", " a time", GAP, "… (stopped in mitmproxy here)"]


def test_a_ranking():
    """Which document fits how well."""
    results = [{"index": 2, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]
    assert answered("/v1/rerank", {"results": results}) == ["document 2: 0.9", "document 0: 0.1"]


def test_an_answer_of_another_shape_is_shown_as_it_is():
    """Rather than as nothing."""
    assert answered("/v1/embeddings", b"not JSON", "text/plain") == ["not JSON"]
