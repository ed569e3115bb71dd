"""The engine claude: Anthropic's Messages API, at Anthropic's and at every host that speaks it.

    the client's request   anthropic_request.py        what goes where in the body
                           anthropic_messages.py       the conversation: system prompt, turns, calls and results
                           anthropic_blocks.py         one part of a message, one block
                           anthropic_tools.py          tools, tool_choice, response_format
                           anthropic_options.py        thinking, limits, sampling, everything else
    Claude's answer        anthropic_answer.py         a stream or a whole message → events
                           anthropic_answer_blocks.py  one block, its events
    facts                  models.py                   what a model takes and refuses

Beyond OpenAI's fields this engine understands Anthropic's own, by their own names: in the body `thinking`, `top_k`,
`container`, `mcp_servers`, `context_management`, `output_config`, `cache_control`, `speed`, `betas` and more; content
parts and tools of Anthropic's types; `thinking_blocks` and `native_blocks`, which an answer holds and the next request
gives back.
"""

from collections.abc import Mapping

from translators.anthropic_answer import MessageStream, whole_message
from translators.anthropic_request import draft_request
from translators.base import ClientRequest, StreamTranslator
from translators.errors import UpstreamError
from translators.failures import read_failure
from translators.jsontext import dumps
from translators.models import claude_model
from translators.types import Event, Target, WireRequest
from translators.urls import prefix

HOST = "https://api.anthropic.com/v1"
VERSION = "2023-06-01"
"""The API's version in which older and newer models take the same requests (Claude API, "Versions")."""


class Claude:
    """The engine: any provider with Anthropic's wire."""

    name = "claude"
    speaks: str | None = None

    def build(self, request: ClientRequest, target: Target) -> WireRequest:
        """Raises RequestError if the request is wrong, UntranslatableError if the wire cannot say it."""
        draft = draft_request(request.chat, target, claude_model(target.model))
        headers = {
            "content-type": "application/json",
            "accept": "text/event-stream" if request.stream else "application/json",
            "anthropic-version": VERSION,
        }
        if draft.betas:
            headers["anthropic-beta"] = ",".join(draft.betas)
        return WireRequest(
            method="POST",
            url=address(target) + "/messages",
            headers=headers,
            credentials=self.credentials(target),
            body=dumps({"model": target.model, **draft.body}),
            notes=draft.notes,
            context=draft.context,
        )

    def credentials(self, target: Target) -> Mapping[str, str]:
        """The headers with the key in them."""
        return {"x-api-key": target.key} if target.key else {}

    def parse(self, body: bytes, wire: WireRequest) -> list[Event]:
        return whole_message(body, wire.context)

    def stream(self, wire: WireRequest) -> StreamTranslator:
        return MessageStream(wire.context)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return read_failure(status, headers, body)


def address(target: Target) -> str:
    """What stands before `/messages`, `/models`."""
    return prefix(target.base_url) if target.base_url else HOST
