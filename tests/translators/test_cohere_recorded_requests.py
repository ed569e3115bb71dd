"""The engine cohere builds what real clients sent: recorded requests, put into OpenAI's form and built again."""

import json
from typing import Any

from tests.recordings import Recording, for_recordings
from tests.translators.cohere_to_openai import normalised, openai_request
from tests.translators.cohere_validator import problems
from tests.translators.cohere_wire import speaks_v2
from translators.cohere import Cohere
from translators.openai_request import read_request
from translators.types import Target

DIFFERENT: dict[str, str] = {}
"""Recording → why it is, on purpose, not built as it was sent."""


def was_recorded(recording: Recording) -> bool:
    return speaks_v2(recording) and recording.request_recorded and isinstance(recording.request_body, dict)


def built(recording: Recording) -> dict[str, Any]:
    model = recording.request_body["model"]
    request = json.dumps(openai_request(recording.request_body)).encode()
    wire = Cohere().build(read_request(request), Target(base_url="", model=model, alias=model))
    assert wire.url == "https://api.cohere.com/v2/chat"
    return json.loads(wire.body)


@for_recordings("cohere", endpoint="chat", where=was_recorded)
def test_a_recorded_request_is_built_equal(recording: Recording) -> None:
    """Up to key order and to what the documentation calls the same; and the SDK's types take it."""
    body = built(recording)
    assert problems(body) == []
    same = normalised(body) == normalised(recording.request_body)
    if recording.id in DIFFERENT:
        assert not same, f"{recording.id} is built as it was sent: no exception is needed any more"
        return
    assert normalised(body) == normalised(recording.request_body)
