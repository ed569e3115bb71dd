"""Adding a provider with a wire of its own: one file (the class below) and one line in ENGINES."""

import json
from collections.abc import Mapping
from typing import cast

import pytest

from balancing.exchange import Step
from tests.balancing.test_exchange import Trial
from tests.balancing.world import provider
from translators import DIALECTS, ENGINES
from translators.base import ClientRequest, StreamTranslator
from translators.chat import OPENAI_CHAT, Chat
from translators.errors import UpstreamError
from translators.failures import read_failure
from translators.relay import WholeReader
from translators.types import Ended, Event, Finished, Started, Target, TextDelta, WireRequest


class Parrot:
    """Takes one line of text, gives one line of text."""

    name = "parrot"
    speaks: str | None = None

    def build(self, request: ClientRequest, target: Target) -> WireRequest:
        text = request.chat.messages[-1].text
        return WireRequest("POST", f"{target.base_url}/squawk", {}, self.credentials(target), text.encode())

    def credentials(self, target: Target) -> dict[str, str]:
        return {"x-cracker": target.key}

    def parse(self, body: bytes, wire: WireRequest) -> list[Event]:
        return [Started(), TextDelta(body.decode()), Finished("stop"), Ended()]

    def stream(self, wire: WireRequest) -> StreamTranslator:
        return WholeReader(self, wire)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return read_failure(status, headers, body)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "parrot", Parrot())
    # Made of ENGINES when it is imported.
    monkeypatch.setitem(cast(dict[str, object], OPENAI_CHAT), "parrot", Chat(Parrot(), DIALECTS["openai-chat"]))


@pytest.mark.parametrize("stream", [False, True])
def test_an_imaginary_provider_is_served_like_any_other(stream: bool) -> None:
    """Whole and streamed, with all that goes on around it."""
    trial = Trial(provider("parrots", engine="parrot"), stream=stream)
    wire = trial.begin()
    assert (wire.url, wire.body) == ("https://parrots.example/v1/squawk", b"x")
    step = trial.answer(200, {"content-type": "text/plain"}, b"Polly")
    if stream:
        assert step is Step.DONE
        assert b'"content":"Polly"' in trial.call.take_output()
    else:
        assert trial.exchange.reply
        assert json.loads(trial.exchange.reply.body)["choices"][0]["message"]["content"] == "Polly"
