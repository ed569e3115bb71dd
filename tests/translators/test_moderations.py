"""translators/moderations.py: /v1/moderations, passed through."""

import json

import pytest

from tests.recordings import Recording, for_recordings
from tests.translators.endpoint_exchange import target, whole
from translators.errors import RequestError
from translators.moderations import SERVICES, USUAL_MODEL, read

GPT = SERVICES["gpt"]


@for_recordings(("openai", "mistral"), kind="moderation")
def test_recorded_moderations_pass_untouched(recording: Recording) -> None:
    """Request and answer, also where the categories are another provider's own."""
    body = json.dumps(recording.request_body).encode()
    request = read(body, "application/json")
    assert GPT.build(request, target(request.model)).body == body
    assert whole(GPT, recording.response_bytes).body == recording.response_bytes


def test_the_model_is_renamed_both_ways() -> None:
    """The provider's on the way there, the client's on the way back."""
    request = read(b'{"model": "alias", "input": "text"}', "application/json")
    wire = GPT.build(request, target("upstream-1"))
    assert wire.body == b'{"model": "upstream-1", "input": "text"}'
    assert wire.url == "https://llm.example/v1/moderations"
    answer = whole(GPT, b'{"id": "1", "model": "upstream-1", "results": []}', renamed=True)
    assert answer.body == b'{"id": "1", "model": "alias", "results": []}'


@pytest.mark.parametrize("body", [b'{"input": "text"}', b'{"input": "text", "model": null}'])
def test_without_a_model_it_is_the_usual_one(body: bytes) -> None:
    """As at OpenAI, whose SDK asks for none."""
    request = read(body, "application/json")
    assert request.model == USUAL_MODEL
    assert json.loads(GPT.build(request, target(USUAL_MODEL)).body) == {"input": "text", "model": USUAL_MODEL}
    assert json.loads(GPT.build(request, target("other")).body)["model"] == "other"


@pytest.mark.parametrize("body", [b"{}", b'{"input": ""}', b'{"input": []}', b'{"input": null}'])
def test_an_input_is_asked_for(body: bytes) -> None:
    """400 with the field's name."""
    with pytest.raises(RequestError) as caught:
        read(body, "application/json")
    assert caught.value.param == "input"
