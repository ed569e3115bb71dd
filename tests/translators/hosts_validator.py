"""What hosts of OpenAI's wire accept, as far as their SDKs' types and their refusals tell.

Written apart from the engines: `problems(host, body)` gives a sentence for everything the host would answer 400 for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

PLAIN = {"role", "content", "tool_calls", "tool_call_id"}
ROLES = {"system", "user", "assistant", "tool"}


@dataclass(frozen=True)
class Takes:
    """Fields of messages, roles, fields that are refused, and what an id must look like; None: any."""

    message: set[str] | None = None
    roles: set[str] = field(default_factory=lambda: ROLES | {"developer"})
    refused: set[str] = field(default_factory=set)
    ids: str = ".*"
    cache_marks: bool = True
    text_only: bool = False
    reasons: bool = False
    """It thinks unasked, with what follows from that."""


HOSTS = {
    "https://api.openai.com/v1": Takes(
        PLAIN | {"name", "refusal", "audio", "annotations", "function_call"}, ids=".{1,40}", cache_marks=False
    ),
    "https://api.groq.com/openai/v1": Takes(
        PLAIN | {"name", "function_call"},
        refused={"store", "metadata", "logprobs", "top_logprobs", "logit_bias", "thinking", "prompt_cache_key"},
        cache_marks=False,
    ),
    "https://api.mistral.ai/v1": Takes(
        PLAIN | {"prefix"},
        ROLES,
        {"max_completion_tokens", "stream_options", "seed", "user", "store", "logit_bias", "thinking", "verbosity"},
        "[a-zA-Z0-9]{9}",
        cache_marks=False,
    ),
    "https://api.deepseek.com": Takes(None, ROLES, {"max_completion_tokens"}, reasons=True),
    "https://api.x.ai/v1": Takes(refused={"presence_penalty", "frequency_penalty", "stop"}),
    "https://integrate.api.nvidia.com/v1": Takes(
        None, ROLES, {"prompt_cache_key", "thinking", "max_completion_tokens"}
    ),
    "cloudflare": Takes(PLAIN | {"name"}, ROLES, {"max_completion_tokens"}, cache_marks=False, text_only=True),
    "openrouter": Takes(refused={"reasoning_effort"}),
    "azure": Takes(PLAIN | {"name", "refusal", "audio", "annotations", "function_call"}, cache_marks=False),
    "https://llm.example/v1": Takes(),
}
"""Base URL, or engine → what it takes."""


def problems(host: str, body: Json) -> list[str]:
    """Why the host would refuse the request; empty if it would not."""
    takes = HOSTS[host]
    return [
        *(f"{name}: unsupported" for name in body if name in takes.refused),
        *(["tools: empty"] if body.get("tools") == [] else []),
        *(problem for message in body["messages"] for problem in wrong_message(message, takes)),
        *(wrong_thinking(body) if takes.reasons else []),
        *(["cache_control: unsupported"] if not takes.cache_marks and "cache_control" in str(body) else []),
    ]


def wrong_message(message: Json, takes: Takes) -> Iterator[str]:
    if message["role"] not in takes.roles:
        yield f"role {message['role']}: unknown variant"
    for name in message:
        if name in ("thinking_blocks", "native_blocks") or (takes.message is not None and name not in takes.message):
            yield f"property {name} is unsupported"
    ids = [message["tool_call_id"]] if "tool_call_id" in message else []
    for call in message.get("tool_calls") or []:
        ids.append(call["id"])
        if "index" in call or "extra_content" in call:
            yield "tool_calls: unknown field"
    yield from (f"id {id_!r}" for id_ in ids if not re.fullmatch(takes.ids, id_, re.DOTALL))
    content = message.get("content")
    text = isinstance(content, list) and all(part["type"] == "text" for part in content)
    if takes.text_only and (text or ("content" in message and content is None)):
        yield "content: must be a string"


def wrong_thinking(body: Json) -> Iterator[str]:
    """DeepSeek's rules, which hold while it thinks."""
    if body.get("thinking") == {"type": "disabled"} or body.get("reasoning_effort") == "none":
        return
    if body.get("tool_choice") == "required" or isinstance(body.get("tool_choice"), dict):
        yield "Thinking mode does not support this tool_choice"
    if any(message.get("tool_calls") and "reasoning_content" not in message for message in body["messages"]):
        yield "The reasoning_content in the thinking mode must be passed back"
