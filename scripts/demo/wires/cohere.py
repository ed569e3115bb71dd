"""Cohere's wire: /cohere/v2/chat, /v2/embed and /v1/models (Cohere API reference, "Chat with streaming", "Embed")."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal
from uuid import uuid4

from aiohttp import web

from scripts.demo.brain import answer, tokens
from scripts.demo.conversation import Call, Prompt, Reply, Tool, ToolResult, Turn, Usage
from scripts.demo.example import as_json
from scripts.demo.media import vector
from scripts.demo.wires.base import Refused, Wire, json_object, new_id, reading, stream

KEY = "simulated-cohere"
MODELS = ("command-simulated", "command-simulated-reasoning")
"""The second reasons, unless it is told not to."""
EMBEDDING = "embed-simulated"
FIELDS = {
    *("model", "messages", "tools", "documents", "citation_options", "response_format", "safety_mode", "max_tokens"),
    *("stop_sequences", "temperature", "seed", "frequency_penalty", "presence_penalty", "k", "p", "logprobs"),
    *("tool_choice", "thinking", "priority", "strict_tools", "stream", "raw_prompting"),
}
CHOICES: dict[str | None, Literal["auto", "required", "none"]] = {
    None: "auto",
    "REQUIRED": "required",
    "NONE": "none",
}
FINISH = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL"}
ANY_OBJECT = {"type": "object", "properties": {"answer": {"type": "string"}}}


# --- errors -------------------------------------------------------------------------------------------------


def failure(status: int, message: str) -> web.Response:
    """An error answer."""
    headers = {"x-debug-trace-id": uuid4().hex}
    return web.json_response({"id": str(uuid4()), "message": message}, status=status, headers=headers)


def broken(message: str) -> bytes:
    """A stream that ends with an error as soon as it has begun."""
    ending = {"finish_reason": "ERROR", "error": message, "usage": _usage(Usage(0, 0, 0))}
    return _opening(str(uuid4())) + _event("message-end", delta=ending)


# --- requests -----------------------------------------------------------------------------------------------


def _authorised(request: web.Request) -> None:
    if request.headers.get("authorization") != f"Bearer {KEY}":
        raise Refused(failure(401, "Incorrect API key provided: ***********."))


def _check(holds: object, message: str, status: int = 400) -> None:
    if not holds:
        raise Refused(failure(status, message))


async def _json(request: web.Request) -> dict[str, Any]:
    body = await json_object(request)
    if body is None:
        raise Refused(failure(400, "invalid request: the body is not a JSON object"))
    return body


async def _body(request: web.Request) -> dict[str, Any]:
    body = await _json(request)
    with reading(failure):
        _check_body(body)
    return body


def _check_body(body: Mapping[str, Any]) -> None:
    unknown = body.keys() - FIELDS
    _check(not unknown, f"invalid request: unknown field: parameter '{min(unknown, default='')}' is not a valid field")
    model = body.get("model")
    _check(model, "invalid request: model is required")
    _check(model in MODELS, f"model '{model}' not found, make sure the correct model ID was used", 404)
    _check(body.get("messages"), "invalid request: at least one message is required")


@reading(failure)
def _prompt(body: Mapping[str, Any]) -> Prompt:
    choice, form = body.get("tool_choice"), body.get("response_format") or {}
    thinking = (body.get("thinking") or {}).get("type", "enabled") == "enabled"
    _check(choice in CHOICES, f"invalid request: tool_choice '{choice}' is not one of REQUIRED, NONE")
    _check(choice is None or body.get("tools"), "invalid request: tool_choice without tools")
    asked = form.get("type") == "json_object"
    _check(not asked or not body.get("tools"), "invalid request: response_format and tools cannot be combined")
    return Prompt(
        model=body["model"],
        turns=tuple(_turns(body["messages"])),
        system=" ".join(_text(message) for message in body["messages"] if message["role"] == "system"),
        tools=tuple(
            Tool(tool["function"]["name"], tool["function"].get("parameters") or {"type": "object", "properties": {}})
            for tool in body.get("tools") or ()
        ),
        choice=CHOICES[choice],
        schema=(form.get("json_schema") or ANY_OBJECT) if asked else None,
        reasoning=thinking and body["model"].endswith("reasoning"),
        max_tokens=body.get("max_tokens"),
        stop=tuple(body.get("stop_sequences") or ()),
    )


def _turns(messages: list[dict[str, Any]]) -> Iterator[Turn]:
    """The conversation; every call must be answered, and nothing else."""
    names: dict[str, str] = {}
    results: list[ToolResult] = []
    for message in messages:
        role = message.get("role")
        if role == "tool":
            name = names.pop(message.get("tool_call_id", ""), None)
            _check(name, "invalid request: tool message does not answer a tool call of the message before")
            results.append(ToolResult(str(name), _text(message)))
            if not names:
                yield Turn("user", results=tuple(results))
                results = []
            continue
        _check(not names, "invalid request: tool calls must be followed by tool messages that answer them")
        if role == "assistant":
            names = {call["id"]: call["function"]["name"] for call in message.get("tool_calls") or ()}
            _check(names or _text(message), "invalid request: assistant message must have content or tool calls")
            yield Turn("assistant", _text(message))
        elif role == "user":
            parts = message["content"] if isinstance(message["content"], list) else []
            yield Turn("user", _text(message), sum(part["type"] != "text" for part in parts))
        else:
            _check(role == "system", f"invalid request: role '{role}' is not known")
    _check(not names, "invalid request: tool calls must be followed by tool messages that answer them")


def _text(message: Mapping[str, Any]) -> str:
    """Text, and of documents their data."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    texts = (part["text"] for part in content if part["type"] == "text")
    documents = (as_json(part["document"]["data"]) for part in content if part["type"] == "document")
    return " ".join([*texts, *documents])


# --- answers ------------------------------------------------------------------------------------------------


async def _chat(request: web.Request) -> web.StreamResponse:
    _authorised(request)
    body = await _body(request)
    reply = answer(_prompt(body))
    id_ = str(uuid4())
    if body.get("stream"):
        return await stream(request, _events(reply, id_))
    message: dict[str, Any] = {"role": "assistant"}
    if reply.calls:
        message |= {"tool_plan": _plan(reply), "tool_calls": [_call(call, call.arguments) for call in reply.calls]}
    if content := [{"type": kind, kind: text} for kind, text in _content(reply)]:
        message["content"] = content
    fields = {"id": id_, "message": message, "finish_reason": _finish(reply), "usage": _usage(reply.usage)}
    return web.json_response(fields, headers={"x-debug-trace-id": uuid4().hex})


def _content(reply: Reply) -> list[tuple[str, str]]:
    """Type and text of the parts. What is thought before a call comes as a thinking part, too."""
    parts = [("thinking", reply.reasoning), ("text", reply.text)]
    return [(kind, text) for kind, text in parts if text]


def _plan(reply: Reply) -> str:
    return f"I will use {', '.join(dict.fromkeys(call.name for call in reply.calls))}."


def _call(call: Call, arguments: Mapping[str, Any] | None) -> dict[str, Any]:
    """A call, whose id begins with the tool's name; without arguments in a stream, where they follow."""
    function = {"name": call.name, "arguments": "" if arguments is None else as_json(arguments)}
    return {"id": new_id(f"{call.name}_", 12).lower(), "type": "function", "function": function}


def _finish(reply: Reply) -> str:
    return "STOP_SEQUENCE" if reply.stopped_by else FINISH[reply.finish]


def _usage(usage: Usage) -> dict[str, Any]:
    """Billed is what the client wrote; the tokens are those of the whole prompt that Cohere makes of it."""
    billed = {"input_tokens": usage.prompt, "output_tokens": usage.completion}
    tokens = {"input_tokens": usage.prompt + 1300, "output_tokens": usage.completion + 2}
    if usage.reasoning:
        tokens["reasoning_tokens"] = usage.reasoning
    return {"billed_units": billed, "tokens": tokens, "cached_tokens": 0}


def _events(reply: Reply, id_: str) -> Iterator[bytes]:
    """The stream: parts of the content one after the other, the plan, the calls, how it ended."""
    yield _opening(id_)
    for index, (kind, text) in enumerate(_content(reply)):
        yield _event("content-start", index=index, delta={"message": {"content": {"type": kind, kind: ""}}})
        for piece in tokens(text):
            yield _event("content-delta", index=index, delta={"message": {"content": {kind: piece}}})
        yield _event("content-end", index=index)
    for piece in tokens(_plan(reply)) if reply.calls else ():
        yield _event("tool-plan-delta", delta={"message": {"tool_plan": piece}})
    for index, call in enumerate(reply.calls):
        yield _event("tool-call-start", index=index, delta={"message": {"tool_calls": _call(call, None)}})
        for piece in tokens(as_json(call.arguments)):
            function = {"function": {"arguments": piece}}
            yield _event("tool-call-delta", index=index, delta={"message": {"tool_calls": function}})
        yield _event("tool-call-end", index=index)
    yield _event("message-end", delta={"finish_reason": _finish(reply), "usage": _usage(reply.usage)})
    yield b"data: [DONE]\n\n"


def _opening(id_: str) -> bytes:
    message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    return _event("message-start", id=id_, delta={"message": message})


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {as_json({'type': kind, **fields})}\n\n".encode()


# --- embeddings ---------------------------------------------------------------------------------------------


async def _embed(request: web.Request) -> web.Response:
    _authorised(request)
    body = await _json(request)
    _check(body.get("model") == EMBEDDING, f"model '{body.get('model')}' not found", 404)
    texts = body.get("texts")
    _check(texts, "invalid request: valid texts must be provided")
    _check(body.get("input_type"), "invalid request: valid input_type must be provided with the provided model")
    with reading(failure):
        vectors = [vector(text, body.get("output_dimension")) for text in texts or ()]
        billed = {"input_tokens": sum(len(tokens(text)) for text in texts or ())}
    meta = {"api_version": {"version": "2"}, "billed_units": billed}
    answer = {"id": str(uuid4()), "texts": texts, "embeddings": {"float": vectors}, "meta": meta}
    return web.json_response(answer | {"response_type": "embeddings_by_type"})


# --- models -------------------------------------------------------------------------------------------------


async def _list(request: web.Request) -> web.Response:
    _authorised(request)
    shared = {"finetuned": False, "context_length": 128000, "default_endpoints": []}
    endpoints = {name: ["chat"] for name in MODELS} | {EMBEDDING: ["embed"]}
    models = [{"name": name, "endpoints": known, **shared} for name, known in endpoints.items()]
    return web.json_response({"models": models})


WIRE = Wire(
    name="cohere",
    routes={"POST /v2/chat": _chat, "POST /v2/embed": _embed, "GET /v1/models": _list},
    failure=failure,
    broken=broken,
)
