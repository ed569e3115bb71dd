"""OpenRouter's wire: /openrouter/api/v1/chat/completions and /openrouter/api/v1/models (OpenRouter documentation).

OpenAI's, with comments at the start of a stream, the provider's name in every chunk, and reasoning twice: as text
and as `reasoning_details`, which go back unchanged.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from scripts.demo.brain import answer
from scripts.demo.conversation import Reply
from scripts.demo.wires.base import Refused, Wire, new_id, stream
from scripts.demo.wires.chat import Reader, deltas, event, message_of, usage_of

KEY = "sk-or-v1-simulated"
MODELS = ("simulator/echo-1", "simulator/echo-1-mini")
PROVIDER = "Simulator"
DETAIL = {"type": "reasoning.text", "format": "unknown", "index": 0}


# --- errors -------------------------------------------------------------------------------------------------


def failure(status: int, message: str, param: str | None = None, code: str | None = None) -> web.Response:
    """An error answer; `param` and `code` are OpenAI's alone."""
    return web.json_response({"error": {"message": message, "code": status}}, status=status)


def broken(message: str) -> bytes:
    """A stream that is nothing but the error of the provider behind."""
    head = {"id": new_id("gen-", 20), "object": "chat.completion.chunk", "created": int(time.time())}
    choice = {"index": 0, "delta": {"content": "", "role": "assistant"}, "finish_reason": "error"}
    error = {"code": 502, "message": message, "metadata": {"provider_name": PROVIDER}}
    return event(head | {"model": MODELS[0], "provider": PROVIDER, "error": error, "choices": [choice]})


# --- requests -----------------------------------------------------------------------------------------------

READER = Reader(failure)


def _authorised(request: web.Request) -> None:
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    if key != KEY:
        raise Refused(failure(401, "User not found." if key else "No auth credentials found"))


# --- answers ------------------------------------------------------------------------------------------------


async def _complete(request: web.Request) -> web.StreamResponse:
    _authorised(request)
    body = await READER.body(request)
    prompt = READER.prompt(body, body.get("model"), MODELS)
    reply = answer(prompt)
    id_, created = new_id(f"gen-{int(time.time())}-", 20), int(time.time())
    head = {"id": id_, "created": created, "model": prompt.model, "provider": PROVIDER}
    if body.get("stream"):
        return await stream(request, _chunks(reply, head))
    message = message_of(reply, "reasoning") | {"refusal": None}
    message.setdefault("reasoning", None)
    if reply.reasoning:
        message["reasoning_details"] = [DETAIL | {"text": reply.reasoning}]
    choice = {"index": 0, "message": message, "logprobs": None, **_finish(reply)}
    fields = {"object": "chat.completion", "service_tier": None, "system_fingerprint": None}
    return web.json_response(head | fields | {"choices": [choice], "usage": _usage(reply)})


def _finish(reply: Reply) -> dict[str, str]:
    return {"finish_reason": reply.finish, "native_finish_reason": reply.finish}


def _usage(reply: Reply) -> dict[str, Any]:
    return usage_of(reply) | {
        "cost": 0,
        "is_byok": False,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, "audio_tokens": 0, "video_tokens": 0},
        "cost_details": {
            "upstream_inference_cost": 0,
            "upstream_inference_prompt_cost": 0,
            "upstream_inference_completions_cost": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": reply.usage.reasoning,
            "image_tokens": 0,
            "audio_tokens": 0,
        },
    }


def _chunks(reply: Reply, head: Mapping[str, Any]) -> Iterator[bytes]:
    """The stream: comments while the provider is waited for, then chunks; the finish comes twice, then with usage."""

    def chunk(delta: Mapping[str, Any], finish: Mapping[str, str | None], **fields: Any) -> bytes:
        choice = {"index": 0, "delta": {"content": "", "role": "assistant", **delta}, **finish}
        return event({**head, "object": "chat.completion.chunk", **fields, "choices": [choice]})

    unfinished = {"finish_reason": None, "native_finish_reason": None}
    yield b": OPENROUTER PROCESSING\n\n"
    yield b": OPENROUTER PROCESSING\n\n"
    for delta in deltas(reply, "reasoning"):
        if "reasoning" in delta:
            delta["reasoning_details"] = [DETAIL | {"text": delta["reasoning"]}]
        if "tool_calls" in delta:
            delta["content"] = None
        yield chunk(delta, unfinished)
    yield chunk({}, _finish(reply))
    yield chunk({}, _finish(reply), service_tier=None, usage=_usage(reply))
    yield b"data: [DONE]\n\n"


# --- models -------------------------------------------------------------------------------------------------


async def _list(request: web.Request) -> web.Response:
    shared = {"created": 1769817600, "context_length": 128000, "description": "Repeats what it was told."}
    return web.json_response({"data": [{"id": name, "name": name, **shared} for name in MODELS]})


WIRE = Wire(
    name="openrouter",
    routes={"POST /api/v1/chat/completions": _complete, "GET /api/v1/models": _list},
    failure=failure,
    broken=broken,
)
