"""The engine gemini: Google's generateContent, at the Gemini API and at every host that speaks it.

    the client's request   gemini_request.py        what goes where in the body
                           gemini_contents.py       the conversation: system instruction, turns, calls and results
                           gemini_parts.py          one part of a message, one part of a content
                           gemini_tools.py          tools and the choice between them
                           gemini_options.py        generationConfig, thinking, the form of the answer, own settings
                           gemini_schema.py         JSON schemas as Gemini takes them
    Gemini's answer        gemini_answer.py         a stream or a whole answer → events
                           gemini_answer_parts.py   one candidate's parts
                           gemini_answer_calls.py   arguments that come in pieces
                           gemini_answer_sources.py grounding, citations, logprobs
                           gemini_answer_sound.py   sound
    facts                  models.py                what a model takes and refuses

Beyond OpenAI's fields this engine understands Gemini's own by their names, see gemini_options.py, and gives back what
an answer holds beyond OpenAI's, to be sent again with the next request:
- `extra_content.google.thought_signature` on tool calls and on `images`, as Google's OpenAI-compatible endpoint does;
- `thinking_blocks`: signatures of texts and signed thoughts (gemini_parts.SIGNATURE, THOUGHT);
- `native_blocks`: what Google's own tools did (gemini_parts.NATIVE_PART).
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from translators.base import ClientRequest, StreamTranslator
from translators.errors import Kind, UpstreamError
from translators.failures import error_fields, read_failure
from translators.gemini_answer import AnswerStream, whole_answer
from translators.gemini_options import BODY_FIELDS
from translators.gemini_request import Host, draft_request
from translators.jsontext import dumps, loads
from translators.types import Event, Target, WireRequest
from translators.urls import VERSION

ADDRESS = "https://generativelanguage.googleapis.com"
GEMINI_API = Host(fields=BODY_FIELDS | {"serviceTier"}, tells_server_tools=True)


class Gemini:
    """The engine: the Gemini API and hosts like it."""

    name = "gemini"
    speaks: str | None = None

    def build(self, request: ClientRequest, target: Target) -> WireRequest:
        """Raises RequestError if the request is wrong, UntranslatableError if the wire cannot say it."""
        draft = draft_request(request.chat, target, GEMINI_API)
        return WireRequest(
            method="POST",
            url=self.url(target, method(stream=request.stream)),
            headers=content_headers(stream=request.stream),
            credentials=self.credentials(target),
            body=dumps(draft.body),
            notes=draft.notes,
            context=draft.context,
        )

    def url(self, target: Target, call: str) -> str:
        """The address at which the model is called so: "generateContent"."""
        model = target.model if "/" in target.model else f"models/{target.model}"
        return f"{address(target)}/{quote(model)}:{call}"

    def credentials(self, target: Target) -> Mapping[str, str]:
        """The headers with the key in them."""
        return {"x-goog-api-key": target.key} if target.key else {}

    def parse(self, body: bytes, wire: WireRequest) -> list[Event]:
        return whole_answer(body, wire.context)

    def stream(self, wire: WireRequest) -> StreamTranslator:
        return AnswerStream(wire.context)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return google_failure(status, headers, body)


def address(target: Target) -> str:
    """What stands before `/models`: a path with a version in it stays, else the one with every feature is added."""
    base_url = re.sub(r"/models(/.*)?$", "", (target.base_url or ADDRESS).split("?", 1)[0].rstrip("/"))
    return base_url if VERSION.search(base_url.split("://", 1)[-1]) else base_url + "/v1beta"


def method(*, stream: bool) -> str:
    """Without `alt=sse` a stream would be a JSON array."""
    return "streamGenerateContent?alt=sse" if stream else "generateContent"


def content_headers(*, stream: bool) -> Mapping[str, str]:
    return {"content-type": "application/json", "accept": "text/event-stream" if stream else "application/json"}


def google_failure(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """As everywhere, but for 400 FAILED_PRECONDITION: not the request is wrong, but this project in this place, so
    that another channel may serve it (Gemini API, "Troubleshooting")."""
    failure = read_failure(status, headers, body)
    if failure.kind is not Kind.BAD_REQUEST or status_word(body) != "FAILED_PRECONDITION":
        return failure
    return UpstreamError(
        Kind.NOT_FOUND,
        failure.message,
        status=failure.status,
        upstream_status=status,
        type=failure.type,
        code="failed_precondition",
        request_id=failure.request_id,
    )


def status_word(body: bytes) -> str:
    """google.rpc's name of an error's status, INVALID_ARGUMENT for example; empty if there is none."""
    try:
        return str(error_fields(loads(body))["status"] or "")
    except ValueError:
        return ""
