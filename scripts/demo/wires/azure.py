"""Azure OpenAI's wire: /azure/openai/deployments/<deployment>/chat/completions?api-version=… and /azure/openai/v1/….

OpenAI's, with the key in `api-key`, the results of content filters everywhere, and a first chunk that has nothing
but those of the prompt (Microsoft Learn, "Azure OpenAI in Microsoft Foundry Models REST API reference").
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from scripts.demo.brain import answer
from scripts.demo.conversation import Reply
from scripts.demo.media import FORBIDDEN
from scripts.demo.wires.base import Refused, Wire, new_id, stream
from scripts.demo.wires.chat import Reader, deltas, event, message_of, usage_of

KEY = "simulated-azure"
DEPLOYMENTS = {"gpt-deployment": "gpt-simulated-2026-01-31", "gpt-deployment-mini": "gpt-simulated-mini-2026-01-31"}
"""Names, and the models behind them, whose names answers bear."""
HARMS = ("hate", "self_harm", "sexual", "violence")


# --- errors -------------------------------------------------------------------------------------------------


def failure(status: int, message: str, param: str | None = None, code: str | None = None) -> web.Response:
    """An error answer: with OpenAI's fields when the model was reached, else with Azure's."""
    if param:
        error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    else:
        error = {"code": code or str(status), "message": message}
    return web.json_response({"error": error}, status=status)


def broken(message: str) -> bytes:
    """A stream that is nothing but the results of the filters and an error."""
    return event(_filtered_prompt()) + event({"error": {"code": "500", "message": message}})


# --- requests -----------------------------------------------------------------------------------------------

READER = Reader(failure)


def _authorised(request: web.Request) -> None:
    if request.headers.get("api-key") != KEY:
        message = (
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
            "for an active subscription and use a correct regional API endpoint for your resource."
        )
        raise Refused(failure(401, message))


def _filter(messages: object) -> None:
    """Refuses what the content filter does not let through."""
    if FORBIDDEN not in str(messages).lower():
        return
    error = {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": _results() | {"violence": {"filtered": True, "severity": "high"}},
        },
    }
    raise Refused(web.json_response({"error": error}, status=400))


def _results() -> dict[str, Any]:
    return {harm: {"filtered": False, "severity": "safe"} for harm in HARMS}


def _filtered_prompt() -> dict[str, Any]:
    """The first chunk of every stream."""
    results = {"prompt_index": 0, "content_filter_results": _results() | {"jailbreak": _undetected()}}
    return {"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": [results]}


def _undetected() -> dict[str, bool]:
    return {"detected": False, "filtered": False}


# --- answers ------------------------------------------------------------------------------------------------


async def _deployed(request: web.Request) -> web.StreamResponse:
    """The deployment is in the path, and the version of the API must be named."""
    _authorised(request)
    deployment = request.match_info["deployment"]
    if "api-version" not in request.query:
        raise Refused(failure(404, "Resource not found"))
    if deployment not in DEPLOYMENTS:
        message = "The API deployment for this resource does not exist."
        raise Refused(failure(404, message, code="DeploymentNotFound"))
    return await _complete(request, await READER.body(request) | {"model": deployment})


async def _unversioned(request: web.Request) -> web.StreamResponse:
    """The deployment is the body's `model`."""
    _authorised(request)
    return await _complete(request, await READER.body(request))


async def _complete(request: web.Request, body: Mapping[str, Any]) -> web.StreamResponse:
    prompt = READER.prompt(body, body.get("model"), DEPLOYMENTS)
    _filter(body["messages"])
    reply = answer(prompt)
    head = {"id": new_id("chatcmpl-", 29), "created": int(time.time()), "model": DEPLOYMENTS[prompt.model]}
    head |= {"system_fingerprint": None}
    if body.get("stream"):
        options = body.get("stream_options") or {}
        return await stream(request, _chunks(reply, head, options.get("include_usage") is True))
    choice = {
        "content_filter_results": _results() if reply.text else {},
        "finish_reason": reply.finish,
        "index": 0,
        "logprobs": None,
        "message": message_of(reply, "reasoning_content") | {"annotations": [], "refusal": None},
    }
    fields = {"object": "chat.completion", "choices": [choice], "usage": _usage(reply)}
    return web.json_response(head | fields | {"prompt_filter_results": _filtered_prompt()["prompt_filter_results"]})


def _usage(reply: Reply) -> dict[str, Any]:
    return usage_of(reply) | {
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 0},
        "completion_tokens_details": {
            "accepted_prediction_tokens": 0,
            "audio_tokens": 0,
            "reasoning_tokens": reply.usage.reasoning,
            "rejected_prediction_tokens": 0,
        },
    }


def _chunks(reply: Reply, head: Mapping[str, Any], with_usage: bool) -> Iterator[bytes]:
    """The stream. Filters look at text, not at calls."""

    def chunk(choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
        fields = {**head, "object": "chat.completion.chunk", "choices": choices, "obfuscation": new_id("", 8)}
        return event(fields | ({"usage": usage} if with_usage else {}))

    def choice(delta: Mapping[str, Any], finish: str | None) -> dict[str, Any]:
        results = _results() if delta.get("content") else {}
        shared = {"content_filter_results": results, "index": 0, "logprobs": None}
        return shared | {"delta": delta, "finish_reason": finish}

    yield event(_filtered_prompt())
    role = {"role": "assistant", "content": None if reply.calls else "", "refusal": None}
    for delta in (role, *deltas(reply, "reasoning_content")):
        yield chunk([choice(delta, None)])
    yield chunk([choice({}, reply.finish)])
    if with_usage:
        yield chunk([], _usage(reply))
    yield b"data: [DONE]\n\n"


# --- models -------------------------------------------------------------------------------------------------


async def _list(request: web.Request) -> web.Response:
    """The models that the resource could deploy; of deployments Azure tells only under another address."""
    _authorised(request)
    shared = {"object": "model", "created_at": 1769817600, "status": "succeeded"}
    return web.json_response({"object": "list", "data": [{"id": name, **shared} for name in DEPLOYMENTS]})


WIRE = Wire(
    name="azure",
    routes={
        "POST /openai/deployments/{deployment}/chat/completions": _deployed,
        "POST /openai/v1/chat/completions": _unversioned,
        "GET /openai/v1/models": _list,
    },
    failure=failure,
    broken=broken,
)
