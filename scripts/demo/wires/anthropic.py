"""Anthropic's wire: /anthropic/v1/messages and /anthropic/v1/models (Claude API reference, "Messages")."""

from collections.abc import Iterator, Mapping
from itertools import batched, count
from typing import Any, Literal

from aiohttp import web

from scripts.demo.brain import answer, tokens
from scripts.demo.conversation import Prompt, Reply, Tool, ToolResult, Turn
from scripts.demo.example import as_json
from scripts.demo.wires.anthropic_rules import Block, blocks, problem, signature, thinks
from scripts.demo.wires.base import Refused, Wire, json_object, new_id, reading, stream

KEY = "sk-ant-simulated"
MODELS = ("claude-sonnet-4-5-simulated", "claude-haiku-4-5-simulated")
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}
CHOICES: dict[str, Literal["auto", "required", "none"]] = {
    "auto": "auto",
    "any": "required",
    "tool": "required",
    "none": "none",
}
FINISH = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


# --- errors -------------------------------------------------------------------------------------------------


def failure(status: int, message: str) -> web.Response:
    """An error answer."""
    request_id = new_id("req_01", 22)
    body = {**_error(TYPES.get(status, "api_error"), message), "request_id": request_id}
    return web.json_response(body, status=status, headers={"request-id": request_id})


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


def broken(message: str) -> bytes:
    """A stream that is nothing but an error."""
    return f"event: error\ndata: {as_json(_error('overloaded_error', message))}\n\n".encode()


# --- requests -----------------------------------------------------------------------------------------------


def _authorised(request: web.Request) -> None:
    if request.headers.get("x-api-key") != KEY:
        raise Refused(failure(401, "invalid x-api-key"))
    if "anthropic-version" not in request.headers:
        raise Refused(failure(400, "anthropic-version: header is required"))


async def json_of(request: web.Request) -> dict[str, Any]:
    """The JSON object in a request."""
    body = await json_object(request)
    if body is None:
        raise Refused(failure(400, "The request body is not valid JSON"))
    return body


@reading(failure)
def _check(body: Mapping[str, Any]) -> None:
    if body.get("model", MODELS[0]) not in MODELS:
        raise Refused(failure(404, f"model: {body['model']}"))
    wrong = problem(body)
    if wrong:
        raise Refused(failure(400, wrong))


@reading(failure)
def _prompt(body: Mapping[str, Any]) -> Prompt:
    choice = body.get("tool_choice") or {"type": "auto"}
    form = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    return Prompt(
        model=body["model"],
        turns=tuple(_turns(body["messages"])),
        system=" ".join(block["text"] for block in blocks(body.get("system"))),
        tools=tuple(Tool(tool["name"], tool["input_schema"]) for tool in body.get("tools") or []),
        choice=CHOICES[choice["type"]],
        forced=choice.get("name"),
        parallel=not choice.get("disable_parallel_tool_use"),
        schema=form.get("schema"),
        reasoning=thinks(body),
        max_tokens=body["max_tokens"],
        stop=tuple(body.get("stop_sequences") or ()),
    )


def _turns(messages: list[dict[str, Any]]) -> Iterator[Turn]:
    names: dict[str, str] = {}
    for message in messages:
        content = blocks(message["content"])
        names |= {block["id"]: block["name"] for block in content if block["type"] == "tool_use"}
        yield Turn(
            role=message["role"],
            text="".join(block["text"] for block in content if block["type"] == "text"),
            attachments=sum(block["type"] in ("image", "document") for block in content),
            results=tuple(
                ToolResult(names[block["tool_use_id"]], _result_text(block))
                for block in content
                if block["type"] == "tool_result"
            ),
        )


def _result_text(block: Block) -> str:
    parts = blocks(block.get("content"))
    return " ".join(part["text"] if part["type"] == "text" else f"({part['type']})" for part in parts)


# --- answers ------------------------------------------------------------------------------------------------


async def _create(request: web.Request) -> web.StreamResponse:
    _authorised(request)
    return await created(request, await json_of(request))


async def created(request: web.Request, body: Mapping[str, Any]) -> web.StreamResponse:
    """The answer to a request's body, whole or as a stream."""
    _check(body)
    prompt = _prompt(body)
    reply = answer(prompt)
    message = {
        "model": prompt.model,
        "id": new_id("msg_01", 22),
        "type": "message",
        "role": "assistant",
        "content": list(_content(reply)),
        "stop_reason": "stop_sequence" if reply.stopped_by else FINISH[reply.finish],
        "stop_sequence": reply.stopped_by,
        "usage": _usage(reply.usage.prompt, reply.usage.completion),
    }
    if body.get("stream"):
        return await stream(request, _events(reply, message))
    return web.json_response(message, headers={"request-id": new_id("req_01", 22)})


def _content(reply: Reply) -> Iterator[dict[str, Any]]:
    if reply.reasoning:
        yield {"type": "thinking", "thinking": reply.reasoning, "signature": signature(reply.reasoning)}
    if reply.text:
        yield {"type": "text", "text": reply.text}
    for call in reply.calls:
        yield {
            "type": "tool_use",
            "id": new_id("toolu_01", 22),
            "name": call.name,
            "input": dict(call.arguments),
        }


def _usage(read: int, written: int) -> dict[str, Any]:
    return {
        "input_tokens": read,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": written,
        "service_tier": "standard",
    }


def _events(reply: Reply, message: Mapping[str, Any]) -> Iterator[bytes]:
    """The stream: the message without content, each block opened, filled and closed, then how it ended."""
    padding = count(1)

    def event(kind: str, **fields: Any) -> bytes:
        text = as_json({"type": kind, **fields})[:-1] + " " * (next(padding) * 7 % 16) + "}"
        return f"event: {kind}\ndata: {text}\n\n".encode()

    opening = {**message, "content": [], "stop_reason": None, "stop_sequence": None}
    yield event("message_start", message=opening | {"usage": _usage(reply.usage.prompt, 1)})
    for index, block in enumerate(message["content"]):
        yield event("content_block_start", index=index, content_block=_opened(block))
        if index == 0:
            yield b'event: ping\ndata: {"type": "ping"}\n\n'
        for delta in _deltas(block):
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    ending = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
    usage = {key: value for key, value in message["usage"].items() if isinstance(value, int)}
    yield event("message_delta", delta=ending, usage=usage)
    yield event("message_stop")


def _opened(block: Mapping[str, Any]) -> dict[str, Any]:
    """The block as it is before anything is in it."""
    empty: dict[str, Any] = {"thinking": "", "signature": "", "text": "", "input": {}}
    return {key: empty.get(key, value) for key, value in block.items()}


def _deltas(block: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    match block["type"]:
        case "thinking":
            for piece in _pieces(block["thinking"]):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "text":
            for piece in _pieces(block["text"]):
                yield {"type": "text_delta", "text": piece}
        case "tool_use":
            yield {"type": "input_json_delta", "partial_json": ""}
            for piece in _pieces(as_json(block["input"])):
                yield {"type": "input_json_delta", "partial_json": piece}


def _pieces(text: str) -> Iterator[str]:
    """Two tokens at a time."""
    return ("".join(pair) for pair in batched(tokens(text), 2))


# --- models -------------------------------------------------------------------------------------------------


async def _list(request: web.Request) -> web.Response:
    _authorised(request)
    created = "2026-01-31T00:00:00Z"
    data = [{"type": "model", "id": name, "display_name": name, "created_at": created} for name in MODELS]
    return web.json_response({"data": data, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]})


WIRE = Wire(
    name="anthropic",
    routes={"POST /v1/messages": _create, "GET /v1/models": _list},
    failure=failure,
    broken=broken,
)
