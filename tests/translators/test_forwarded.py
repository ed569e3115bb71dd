"""translators/forwarded.py: endpoints whose request and answer go through as they came."""

import json
from typing import Any

import pytest

from tests.recordings import Recording, for_recordings
from translators.azure import Azure
from translators.base import AnswerIdentity, AnswerStream, JsonRequest, WholeAnswer
from translators.errors import Kind, UpstreamError
from translators.forwarded import Forwarded
from translators.openai import Gpt
from translators.types import Target, WireRequest

BASE_URL = "https://llm.example/v1"
SERVICE = Forwarded(Gpt(), "/moderations")
ANSWER = {
    "id": "1",
    "model": "m-001",
    "results": [{"flagged": False}],
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}


def request(**fields: Any) -> JsonRequest:
    raw = {"model": "m", "input": "text", **fields}
    return JsonRequest(json.dumps(raw, indent=1).encode(), raw)


def built(model: str = "m", **fields: Any) -> WireRequest:
    return SERVICE.build(request(**fields), Target(BASE_URL, model, "m", key="secret-key"))


def identity(alias: str = "m", *, renamed: bool = False) -> AnswerIdentity:
    return AnswerIdentity("", 0, alias, renamed=renamed, include_usage=False)


def whole(body: bytes, content_type: str = "application/json", **named: Any) -> WholeAnswer:
    return SERVICE.whole(built(), identity(**named), body, content_type=content_type, see=None)


# --- the request ----------------------------------------------------------------------------------------------


def test_the_body_goes_out_byte_for_byte() -> None:
    """Fields that nobody knows, white space and all."""
    sent = built(unknown={"a": 1})
    assert sent.body == request(unknown={"a": 1}).body
    assert (sent.method, sent.url, sent.notes) == ("POST", f"{BASE_URL}/moderations", ())
    assert sent.headers == {"content-type": "application/json", "accept": "*/*"}


def test_the_key_is_in_the_credentials_alone() -> None:
    """And in no repr."""
    sent = built()
    assert sent.credentials == {"authorization": "Bearer secret-key"}
    assert "secret-key" not in repr(sent)


def test_the_models_name_is_the_providers() -> None:
    """Nothing else is touched, also where the name stands in the text as well."""
    assert built("upstream").body == request().body.replace(b'"m"', b'"upstream"')
    sent = built("upstream", input='say "model": "m"')
    assert json.loads(sent.body) == {"model": "upstream", "input": 'say "model": "m"'}


def test_a_stream_is_asked_for_as_one() -> None:
    """Some hosts look at the header."""
    assert built(stream=True).headers["accept"] == "text/event-stream"


def test_the_address_and_the_header_are_the_engines() -> None:
    """A deployment, here."""
    service = Forwarded(Azure(), "/images/generations")
    sent = service.build(request(), Target("https://name.openai.azure.com", "dalle", "m", key="k"))
    assert sent.url.startswith("https://name.openai.azure.com/openai/deployments/dalle/images/generations?api-version=")
    assert sent.credentials == {"api-key": "k"}
    assert service.name == "azure"


# --- the answer -----------------------------------------------------------------------------------------------


def test_an_answer_goes_through_as_it_came() -> None:
    """Byte for byte, its tokens counted."""
    body = json.dumps(ANSWER, indent=2).encode()
    got = whole(body)
    assert (got.body, got.content_type) == (body, "application/json")
    assert got.usage is not None
    assert (got.usage.prompt, got.usage.total) == (3, 3)


def test_a_renamed_model_is_called_by_its_alias() -> None:
    """Where the answer names one; none is put in."""
    body = json.dumps(ANSWER, indent=2).encode()
    assert whole(body, alias="alias", renamed=True).body == body.replace(b"m-001", b"alias")
    assert whole(b'{"data": []}', alias="alias", renamed=True).body == b'{"data": []}'
    twice = json.dumps({"model": "m-001", "of": {"model": "m-001"}}).encode()
    got = json.loads(whole(twice, alias="alias", renamed=True).body)
    assert got == {"model": "alias", "of": {"model": "m-001"}}


def test_what_is_no_json_goes_through_with_its_type() -> None:
    """Sound, plain text, captions."""
    got = whole(b"1\n00:00 --> 00:01\n", "text/plain; charset=utf-8", renamed=True)
    assert got == WholeAnswer(b"1\n00:00 --> 00:01\n", None, "text/plain; charset=utf-8")


@pytest.mark.parametrize(
    ("body", "content_type", "kind"),
    [
        (b"", "application/json", Kind.EMPTY),
        (b"", "audio/mpeg", Kind.EMPTY),
        (b"<html>Welcome</html>", "text/html", Kind.MALFORMED),
        (b"[]", "application/json", Kind.MALFORMED),
        (b'{"data": ', "application/json", Kind.MALFORMED),
        (b'{"error": {"message": "no", "code": 429}}', "application/json", Kind.RATE_LIMIT),
        (b'{"object": "error", "message": "no"}', "application/json; charset=utf-8", Kind.SERVER),
    ],
)
def test_an_answer_that_is_none_fails(body: bytes, content_type: str, kind: Kind) -> None:
    """Another provider may do better."""
    with pytest.raises(UpstreamError) as error:
        whole(body, content_type)
    assert error.value.kind is kind


def test_without_events_every_answer_is_taken_whole() -> None:
    """Whatever the provider calls it."""
    assert SERVICE.open(built(), identity(), stream=True, content_type="text/event-stream", see=None) is None


def test_events_are_watched_where_the_endpoint_has_some() -> None:
    """And where the provider sends some, not only where they were asked for."""
    opened: list[AnswerIdentity] = []

    def watch(named: AnswerIdentity) -> AnswerStream:
        opened.append(named)
        return stream

    stream: Any = object()
    service = Forwarded(Gpt(), "/images/generations", watch)
    assert service.open(built(), identity(), stream=True, content_type="application/json", see=None) is None
    assert service.open(built(), identity("alias"), stream=False, content_type="text/event-stream", see=None) is stream
    assert opened == [identity("alias")]


def test_a_failure_is_read_by_the_engine() -> None:
    """With what there is to wait."""
    failure = SERVICE.failure(429, {"retry-after": "7"}, b'{"error": {"message": "slow down"}}')
    assert (failure.kind, failure.message, failure.retry_after) == (Kind.RATE_LIMIT, "slow down", 7)


# --- recordings -----------------------------------------------------------------------------------------------


@for_recordings(("openai", "mistral"), kind="moderation", status=200)
def test_recorded_moderations_go_through_as_they_came(recording: Recording) -> None:
    """Request and answer."""
    raw = recording.request_body
    asked = JsonRequest(json.dumps(raw).encode(), raw)
    sent = SERVICE.build(asked, Target(recording.request["url"], raw["model"], raw["model"]))
    assert (sent.url, json.loads(sent.body)) == (recording.request["url"], raw)
    assert whole(recording.response_bytes).body == recording.response_bytes


@for_recordings("openai", kind="images", status=200)
def test_recorded_images_go_through_as_they_came(recording: Recording) -> None:
    """With the tokens that the newer models count."""
    got = whole(recording.response_bytes)
    assert got.body == recording.response_bytes
    assert (got.usage is not None) == ("usage" in recording.response["body"])
