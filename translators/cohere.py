"""The engine cohere: Cohere's Chat API, version 2.

    the client's request   cohere_request.py   what goes where in the body
                           cohere_messages.py  the conversation, calls beside their results
                           cohere_schema.py    JSON schemas that decoding can follow
    Cohere's answer        cohere_answer.py    a stream or a whole message → events

Beyond OpenAI's fields this engine understands Cohere's own, by their own names: in the body `documents`, `thinking`,
`citation_options`, `safety_mode`, `strict_tools`, `priority`, `k` and `p`; content parts of type `document` in tool
results; `citations`, which an answer holds and the next request gives back.
"""

import re
from collections.abc import Mapping

from translators.base import ClientRequest, StreamTranslator
from translators.cohere_answer import ChatStream, whole_chat
from translators.cohere_request import draft_request
from translators.errors import UpstreamError
from translators.failures import read_failure
from translators.jsontext import dumps
from translators.types import Event, Target, WireRequest

HOST = "https://api.cohere.com"
VERSION = re.compile(r"(/compatibility)?/v\d+(/chat|/chat/completions|/embed|/audio/transcriptions)?$")
"""The end of a base_url that is replaced: version 1, and the endpoint with OpenAI's wire, are not this engine's."""


class Cohere:
    """The engine: Cohere, or a private deployment of it."""

    name = "cohere"
    speaks: str | None = None

    def build(self, request: ClientRequest, target: Target) -> WireRequest:
        """Raises RequestError if the request is wrong, UntranslatableError if the wire cannot say it."""
        draft = draft_request(request.chat, target)
        return WireRequest(
            method="POST",
            url=self.url(target, "/chat"),
            headers={
                "content-type": "application/json",
                "accept": "text/event-stream" if request.stream else "application/json",
            },
            credentials=self.credentials(target),
            body=dumps(draft.body),
            notes=draft.notes,
            context=draft.context,
        )

    def url(self, target: Target, endpoint: str) -> str:
        """The address of an endpoint, which is its path behind the version: "/chat"."""
        return address(target) + "/v2" + endpoint

    def credentials(self, target: Target) -> Mapping[str, str]:
        """The headers with the key in them."""
        return {"authorization": f"Bearer {target.key}"} if target.key else {}

    def parse(self, body: bytes, wire: WireRequest) -> list[Event]:
        return whole_chat(body, wire.context)

    def stream(self, wire: WireRequest) -> StreamTranslator:
        return ChatStream(wire.context)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return read_failure(status, headers, body)


def address(target: Target) -> str:
    """What stands before the version."""
    return VERSION.sub("", (target.base_url or HOST).split("?", 1)[0].rstrip("/"))
