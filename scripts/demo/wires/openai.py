"""OpenAI's wire: /openai/v1/chat/completions and /openai/v1/models (OpenAI API reference, "Chat")."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from scripts.demo.brain import answer, tokens
from scripts.demo.conversation import Prompt, Reply, Tool, ToolResult, Turn
from scripts.demo.example import as_json
from scripts.demo.wires.base import Refused, Wire, new_id, stream

KEY = "sk-simulated-openai"
MODELS = {"gpt-simulated": "gpt-simulated-2026-01-31", "gpt-simulated-mini": "gpt-simulated-mini-2026-01-31"}
"""Names, and the dated names that answers bear."""
ANY_OBJECT = {"type": "object", "properties": {"answer": {"type": "string"}}}
UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
    "'tool_call_id'. The following tool_call_ids did not have response messages: "
)
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
    return _event(_error(500, message))


def _check(holds: object, message: str, param: str, code: str | None = None) -> None:
    if not holds:
        raise Refused(failure(400, message, param, code))


# --- requests -----------------------------------------------------------------------------------------------


def _authorised(request: web.Request) -> None:
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    if key != KEY:
        shown = f"{key[:8]}****{key[-4:]}" if len(key) > 12 else "****"
        raise Refused(failure(401, f"Incorrect API key provided: {shown}."))


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(failure(400, "We could not parse the JSON body of your request."))
    return body


def _prompt(body: Mapping[str, Any]) -> Prompt:
    model = body.get("model")
    _check(model, "you must provide a model parameter", "model")
    if model not in MODELS:
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise Refused(failure(404, message))
    messages = body.get("messages")
    _check(messages, "Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    assert isinstance(messages, list)
    choice = body.get("tool_choice", "auto")
    stop = body.get("stop") or []
    return Prompt(
        model=model,
        turns=tuple(_turns(messages)),
        system=" ".join(_text(item) for item in messages if item.get("role") in ("system", "developer")),
        tools=tuple(_tool(tool, index) for index, tool in enumerate(body.get("tools", []))),
        choice="required" if isinstance(choice, dict) else choice,
        forced=choice.get("function", {}).get("name") if isinstance(choice, dict) else None,
        parallel=body.get("parallel_tool_calls") is not False,
        schema=_schema(body.get("response_format") or {}),
        reasoning=body.get("reasoning_effort") not in (None, "none"),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
    )


def _turns(messages: list[dict[str, Any]]) -> Iterator[Turn]:
    """The conversation; checks that every tool call is answered, and nothing else is."""
    open_calls: dict[str, str] = {}
    results: list[ToolResult] = []
    for index, message in enumerate(messages):
        role = message.get("role")
        if role == "tool":
            name = open_calls.pop(message.get("tool_call_id", ""), "")
            wrong = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
            _check(name, f"Invalid parameter: {wrong}", f"messages.[{index}].role")
            results.append(ToolResult(name, _text(message)))
            if not open_calls:
                yield Turn("user", results=tuple(results))
                results = []
            continue
        _check(not open_calls, f"{UNANSWERED}{', '.join(open_calls)}", f"messages.[{index}].role")
        if role == "assistant":
            open_calls = {call["id"]: call["function"]["name"] for call in message.get("tool_calls") or []}
            yield Turn("assistant", _text(message))
        elif role == "user":
            content = message.get("content")
            parts = content if isinstance(content, list) else []
            yield Turn("user", _text(message), sum(part.get("type") != "text" for part in parts))
        else:
            known = role in ("system", "developer")
            _check(known, f"Invalid value: '{role}'.", f"messages[{index}].role", "invalid_value")
    _check(not open_calls, f"{UNANSWERED}{', '.join(open_calls)}", "messages")


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if part.get("type") == "text")


def _tool(tool: Mapping[str, Any], index: int) -> Tool:
    function = tool.get("function", {})
    _check(function.get("name"), f"Missing required parameter: 'tools[{index}].function.name'.", "tools")
    return Tool(function["name"], function.get("parameters") or {"type": "object", "properties": {}})


def _schema(form: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if form.get("type") == "json_schema":
        return dict(form["json_schema"].get("schema") or ANY_OBJECT)
    return ANY_OBJECT if form.get("type") == "json_object" else None


# --- answers ------------------------------------------------------------------------------------------------


async def _complete(request: web.Request) -> web.StreamResponse:
    _authorised(request)
    body = await _body(request)
    prompt = _prompt(body)
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
    message: dict[str, Any] = {"role": "assistant", "content": None if reply.calls else reply.text}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.calls:
        message["tool_calls"] = [
            {
                "id": new_id("call_", 24),
                "type": "function",
                "function": {"name": call.name, "arguments": as_json(call.arguments)},
            }
            for call in reply.calls
        ]
    message |= {"refusal": None, "annotations": []}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": reply.finish}


def _usage(reply: Reply) -> dict[str, Any]:
    usage = reply.usage
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
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
        return _event(fields | {"obfuscation": new_id("", length)})

    for delta in _deltas(reply):
        yield chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}])
    yield chunk([{"index": 0, "delta": {}, "logprobs": None, "finish_reason": reply.finish}])
    if with_usage:
        yield chunk([], _usage(reply))
    yield b"data: [DONE]\n\n"


def _deltas(reply: Reply) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": None if reply.calls else "", "refusal": None}
    for piece in tokens(reply.reasoning):
        yield {"reasoning_content": piece}
    for piece in tokens(reply.text):
        yield {"content": piece}
    for index, call in enumerate(reply.calls):
        function = {"name": call.name, "arguments": ""}
        opening = {"index": index, "id": new_id("call_", 24), "type": "function", "function": function}
        yield {"tool_calls": [opening]}
        for piece in tokens(as_json(call.arguments)):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _event(data: Mapping[str, Any]) -> bytes:
    return f"data: {as_json(data)}\n\n".encode()


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
