"""OpenAI's wire: /openai/v1/chat/completions and /openai/v1/models (OpenAI API reference, "Chat")."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from scripts.demo.brain import answer
from scripts.demo.conversation import Reply
from scripts.demo.example import as_json
from scripts.demo.wires.base import Refused, Wire, new_id, stream
from scripts.demo.wires.chat import Reader, deltas, event, message_of, usage_of

KEY = "sk-simulated-openai"
MODELS = {"gpt-simulated": "gpt-simulated-2026-01-31", "gpt-simulated-mini": "gpt-simulated-mini-2026-01-31"}
"""Names, and the dated names that answers bear."""
TYPES = {400: "invalid_request_error", 401: "invalid_request_error", 404: "invalid_request_error"}
CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


# --- errors -------------------------------------------------------------------------------------------------


def failure(status: int, message: str, param: str | None = None, code: str | None = None) -> web.Response:
    """An error answer."""
    headers = {"x-request-id": new_id("req_", 32)}
    return web.json_response(_error(status, message, param, code), status=status, headers=headers)


def _error(status: int, message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    kind = "requests" if status == 429 else TYPES.get(status, "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code or CODES.get(status)}}


def broken(message: str) -> bytes:
    """A stream that is nothing but an error."""
    return event(_error(500, message))


# --- requests -----------------------------------------------------------------------------------------------


READER = Reader(failure)


def _authorised(request: web.Request) -> None:
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    if key != KEY:
        shown = f"{key[:8]}****{key[-4:]}" if len(key) > 12 else "****"
        raise Refused(failure(401, f"Incorrect API key provided: {shown}."))


# --- answers ------------------------------------------------------------------------------------------------


async def _complete(request: web.Request) -> web.StreamResponse:
    _authorised(request)
    body = await READER.body(request)
    prompt = READER.prompt(body, body.get("model"), MODELS)
    reply = answer(prompt)
    head = {"id": new_id("chatcmpl-", 29), "created": int(time.time()), "model": MODELS[prompt.model]}
    if body.get("stream"):
        options = body.get("stream_options") or {}
        return await stream(request, _chunks(reply, head, options.get("include_usage") is True))
    choices = [_choice(reply, index) for index in range(body.get("n") or 1)]
    return web.json_response(
        {
            "id": head["id"],
            "object": "chat.completion",
            "created": head["created"],
            "model": head["model"],
            "choices": choices,
            "usage": _usage(reply),
            "service_tier": "default",
            "system_fingerprint": "fp_simulated0",
        },
        headers={"x-request-id": new_id("req_", 32)},
    )


def _choice(reply: Reply, index: int) -> dict[str, Any]:
    message = message_of(reply, "reasoning_content") | {"refusal": None, "annotations": []}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": reply.finish}


def _usage(reply: Reply) -> dict[str, Any]:
    return usage_of(reply) | {
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reply.usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _chunks(reply: Reply, head: Mapping[str, Any], with_usage: bool) -> Iterator[bytes]:
    """The stream. With usage, every chunk has the field, and a last one without choices its value."""

    def chunk(choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
        fields = {
            "id": head["id"],
            "object": "chat.completion.chunk",
            "created": head["created"],
            "model": head["model"],
            "service_tier": "default",
            "system_fingerprint": "fp_simulated0",
            "choices": choices,
        }
        if with_usage:
            fields["usage"] = usage
        # Chunks of any length look alike: their sizes would give the text away.
        length = 1 + len(as_json(choices)) % 11
        return event(fields | {"obfuscation": new_id("", length)})

    role = {"role": "assistant", "content": None if reply.calls else "", "refusal": None}
    for delta in (role, *deltas(reply, "reasoning_content")):
        yield chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}])
    yield chunk([{"index": 0, "delta": {}, "logprobs": None, "finish_reason": reply.finish}])
    if with_usage:
        yield chunk([], _usage(reply))
    yield b"data: [DONE]\n\n"


# --- models -------------------------------------------------------------------------------------------------


async def _list(request: web.Request) -> web.Response:
    _authorised(request)
    shared = {"object": "model", "created": 1769817600, "owned_by": "simulator"}
    data = [{"id": name, **shared} for name in MODELS]
    return web.json_response({"object": "list", "data": data})


WIRE = Wire(
    name="openai",
    routes={"POST /v1/chat/completions": _complete, "GET /v1/models": _list},
    failure=failure,
    broken=broken,
)
