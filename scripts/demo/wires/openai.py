"""OpenAI's wire: /openai/v1/chat/completions and /openai/v1/models (OpenAI API reference, "Chat").

Its other endpoints are in openai_texts.py, openai_images.py and openai_audio.py.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from scripts.demo.brain import answer
from scripts.demo.conversation import Reply
from scripts.demo.example import as_json
from scripts.demo.wires import openai_audio, openai_images, openai_texts
from scripts.demo.wires.base import Wire, new_id, stream
from scripts.demo.wires.chat import deltas, event, message_of, usage_of
from scripts.demo.wires.openai_rules import MOST_CHOICES, READER, authorised, broken, check_range, failure

MODELS = {"gpt-simulated": "gpt-simulated-2026-01-31", "gpt-simulated-mini": "gpt-simulated-mini-2026-01-31"}
"""Names, and the dated names that answers bear."""


# --- answers ------------------------------------------------------------------------------------------------


async def _complete(request: web.Request) -> web.StreamResponse:
    authorised(request)
    body = await READER.body(request)
    prompt = READER.prompt(body, body.get("model"), MODELS)
    count = check_range(body, "n", 1, MOST_CHOICES)
    reply = answer(prompt)
    head = {"id": new_id("chatcmpl-", 29), "created": int(time.time()), "model": MODELS[prompt.model]}
    if body.get("stream"):
        options = body.get("stream_options") or {}
        return await stream(request, _chunks(reply, head, options.get("include_usage") is True))
    return web.json_response(
        {
            "id": head["id"],
            "object": "chat.completion",
            "created": head["created"],
            "model": head["model"],
            "choices": [_choice(reply, index) for index in range(count)],
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
    authorised(request)
    shared = {"object": "model", "created": 1769817600, "owned_by": "simulator"}
    others = (*openai_texts.MODELS, *openai_images.MODELS, *openai_audio.MODELS)
    data = [{"id": name, **shared} for name in (*MODELS, *others)]
    return web.json_response({"object": "list", "data": data})


WIRE = Wire(
    name="openai",
    routes={
        "POST /v1/chat/completions": _complete,
        "GET /v1/models": _list,
        **openai_texts.ROUTES,
        **openai_images.ROUTES,
        **openai_audio.ROUTES,
    },
    failure=failure,
    broken=broken,
)
