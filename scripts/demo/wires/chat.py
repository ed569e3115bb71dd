"""Chat Completions, as OpenAI and everybody after it speak them: a request read, the pieces of an answer.

What differs from provider to provider (addresses, keys, errors, decoration) is in each one's own file.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from aiohttp import web

from scripts.demo.brain import tokens
from scripts.demo.conversation import Prompt, Reply, Tool, ToolResult, Turn
from scripts.demo.example import as_json
from scripts.demo.wires.base import Refused, json_object, new_id, reading

ANY_OBJECT = {"type": "object", "properties": {"answer": {"type": "string"}}}
UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
    "'tool_call_id'. The following tool_call_ids did not have response messages: "
)

FieldTypes = Mapping[str, tuple[type, ...]]
FIELD_TYPES: FieldTypes = {
    **dict.fromkeys(("model", "reasoning_effort", "encoding_format"), (str,)),
    **dict.fromkeys(("messages", "tools"), (list,)),
    **dict.fromkeys(("stream_options", "response_format", "reasoning"), (dict,)),
    **dict.fromkeys(("n", "max_tokens", "max_completion_tokens", "dimensions"), (int,)),
    **dict.fromkeys(("stream", "parallel_tool_calls"), (bool,)),
    "prompt": (str, list),
    "stop": (str, list),
    "tool_choice": (str, dict),
}
"""Fields of chats, completions and embeddings; each may be null, too."""
JSON_TYPES: Mapping[type, str] = {
    **{str: "a string", bool: "a boolean", int: "an integer", float: "a number"},
    **{list: "an array", dict: "an object", type(None): "null"},
}
"""OpenAI's words for them."""

Failure = Callable[[int, str, str | None, str | None], web.Response]
"""Status, message, OpenAI's `param` and `code` → an error answer in the provider's form."""


# --- requests -----------------------------------------------------------------------------------------------


class Reader:
    """Reads requests; what is wrong with one is said in the provider's form."""

    def __init__(self, failure: Failure) -> None:
        self._failure = failure

    async def body(self, request: web.Request, types: FieldTypes = FIELD_TYPES) -> dict[str, Any]:
        """The JSON object in a request, its fields of their `types`."""
        body = await json_object(request)
        if body is None:
            raise Refused(self._failure(400, "We could not parse the JSON body of your request.", None, None))
        for name, allowed in types.items():
            given = type(body.get(name))
            words = " or ".join(JSON_TYPES[kind] for kind in allowed)
            wrong = f"Invalid type for '{name}': expected {words}, but got {JSON_TYPES[given]} instead."
            self._check(given in (*allowed, type(None)), wrong, name, "invalid_type")
        return body

    def prompt(self, body: Mapping[str, Any], model: str | None, models: Container[str]) -> Prompt:
        """What the model is asked; `model` is the one named in the request, one of `models`."""
        self._check(model, "you must provide a model parameter", "model")
        if model not in models:
            message = f"The model `{model}` does not exist or you do not have access to it."
            raise Refused(self._failure(404, message, None, None))
        messages = body.get("messages")
        self._check(messages, "Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
        assert isinstance(messages, list)
        assert model is not None
        with reading(lambda status, message: self._failure(status, message, None, None)):
            return self._prompt(body, model, messages)

    def _prompt(self, body: Mapping[str, Any], model: str, messages: list[dict[str, Any]]) -> Prompt:
        choice: Any = body.get("tool_choice") or "auto"
        stop = body.get("stop") or []
        effort = body.get("reasoning_effort") or (body.get("reasoning") or {}).get("effort")
        return Prompt(
            model=model,
            turns=tuple(self._turns(messages)),
            system=" ".join(text_of(item) for item in messages if item.get("role") in ("system", "developer")),
            tools=tuple(self._tool(tool, index) for index, tool in enumerate(body.get("tools") or [])),
            choice="required" if isinstance(choice, dict) else choice,
            forced=choice.get("function", {}).get("name") if isinstance(choice, dict) else None,
            parallel=body.get("parallel_tool_calls") is not False,
            schema=schema_of(body.get("response_format") or {}),
            reasoning=effort not in (None, "none"),
            max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
        )

    def _check(self, holds: object, message: str, param: str, code: str | None = None) -> None:
        if not holds:
            raise Refused(self._failure(400, message, param, code))

    def _turns(self, messages: list[dict[str, Any]]) -> Iterator[Turn]:
        """The conversation; checks that every tool call is answered, and nothing else is."""
        open_calls: dict[str, str] = {}
        results: list[ToolResult] = []
        for index, message in enumerate(messages):
            role = message.get("role")
            if role == "tool":
                name = open_calls.pop(message.get("tool_call_id", ""), "")
                wrong = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'."
                self._check(name, f"Invalid parameter: {wrong}", f"messages.[{index}].role")
                results.append(ToolResult(name, text_of(message)))
                if not open_calls:
                    yield Turn("user", results=tuple(results))
                    results = []
                continue
            self._check(not open_calls, f"{UNANSWERED}{', '.join(open_calls)}", f"messages.[{index}].role")
            if role == "assistant":
                open_calls = {call["id"]: call["function"]["name"] for call in message.get("tool_calls") or []}
                yield Turn("assistant", text_of(message))
            elif role == "user":
                content = message.get("content")
                parts = content if isinstance(content, list) else []
                yield Turn("user", text_of(message), sum(part.get("type") != "text" for part in parts))
            else:
                known = role in ("system", "developer")
                self._check(known, f"Invalid value: '{role}'.", f"messages[{index}].role", "invalid_value")
        self._check(not open_calls, f"{UNANSWERED}{', '.join(open_calls)}", "messages")

    def _tool(self, tool: Mapping[str, Any], index: int) -> Tool:
        function = tool.get("function", {})
        self._check(function.get("name"), f"Missing required parameter: 'tools[{index}].function.name'.", "tools")
        return Tool(function["name"], function.get("parameters") or {"type": "object", "properties": {}})


def text_of(message: Mapping[str, Any]) -> str:
    """The text in a message."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if part.get("type") == "text")


def schema_of(form: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema that a response_format asks for."""
    if form.get("type") == "json_schema":
        return dict(form["json_schema"].get("schema") or ANY_OBJECT)
    return ANY_OBJECT if form.get("type") == "json_object" else None


# --- answers ------------------------------------------------------------------------------------------------


def message_of(reply: Reply, reasoning: str) -> dict[str, Any]:
    """The answer's message; `reasoning` is the name that the provider has for it."""
    message: dict[str, Any] = {"role": "assistant", "content": None if reply.calls else reply.text}
    if reply.reasoning:
        message[reasoning] = reply.reasoning
    if reply.calls:
        message["tool_calls"] = [
            {
                "id": new_id("call_", 24),
                "type": "function",
                "function": {"name": call.name, "arguments": as_json(call.arguments)},
            }
            for call in reply.calls
        ]
    return message


def deltas(reply: Reply, reasoning: str) -> Iterator[dict[str, Any]]:
    """The same, piece by piece, behind the delta with the role."""
    for piece in tokens(reply.reasoning):
        yield {reasoning: piece}
    for piece in tokens(reply.text):
        yield {"content": piece}
    for index, call in enumerate(reply.calls):
        function = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [{"index": index, "id": new_id("call_", 24), "type": "function", "function": function}]}
        for piece in tokens(as_json(call.arguments)):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def usage_of(reply: Reply) -> dict[str, int]:
    """The three counts that every provider has."""
    usage = reply.usage
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
    }


def event(data: Mapping[str, Any]) -> bytes:
    """One event of a stream."""
    return f"data: {as_json(data)}\n\n".encode()
