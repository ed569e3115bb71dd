"""Google's wire: /gemini/v1beta/models/… (Gemini API reference, "Generating content", "Models").

What is no text (pictures, vectors) is in gemini_media.py.
"""

from collections.abc import Container, Iterator, Mapping
from typing import Any, Literal

from aiohttp import web

from scripts.demo.brain import answer, tokens
from scripts.demo.conversation import Prompt, Reply, Tool, ToolResult, Turn
from scripts.demo.example import as_json
from scripts.demo.wires import gemini_media
from scripts.demo.wires.base import Refused, Wire, json_object, new_id, reading, stream
from scripts.demo.wires.gemini_rules import calls_of, declared, problem, signature

KEY = "AIza-simulated"
MODELS = ("gemini-3-flash-simulated", "gemini-2.5-flash-simulated", gemini_media.PICTURING)
WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
CHOICES: dict[str, Literal["auto", "required", "none"]] = {"AUTO": "auto", "ANY": "required", "NONE": "none"}
FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}
ANY_OBJECT = {"type": "object", "properties": {"answer": {"type": "string"}}}


# --- errors -------------------------------------------------------------------------------------------------


def failure(status: int, message: str) -> web.Response:
    """An error answer."""
    return web.json_response(_error(status, message), status=status)


def _error(status: int, message: str) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": WORDS.get(status, "UNKNOWN")}}


def broken(message: str) -> bytes:
    """A stream that is nothing but an error."""
    return _event(_error(503, message))


# --- requests -----------------------------------------------------------------------------------------------


def _authorised(request: web.Request) -> None:
    if request.headers.get("x-goog-api-key") != KEY:
        raise Refused(failure(400, "API key not valid. Please pass a valid API key."))


async def json_of(request: web.Request, model: str, models: Container[str]) -> dict[str, Any]:
    """The request's JSON, if the model is one of `models`."""
    body = await json_object(request)
    if body is None:
        raise Refused(failure(400, "Invalid JSON payload received."))
    if model not in models:
        raise Refused(failure(404, f"models/{model} is not found for API version v1beta."))
    return body


async def body_of(request: web.Request, model: str) -> dict[str, Any]:
    """The request's JSON, if it is one that the model takes."""
    body = await json_of(request, model, MODELS)
    with reading(failure):
        wrong = problem(model, body)
    if wrong:
        raise Refused(failure(400, wrong))
    return body


@reading(failure)
def _prompt(model: str, body: Mapping[str, Any]) -> Prompt:
    config = body.get("generationConfig", {})
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    allowed = calling.get("allowedFunctionNames", [])
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    return Prompt(
        model=model,
        turns=tuple(_turn(content) for content in body["contents"]),
        system=" ".join(part["text"] for part in body.get("systemInstruction", {}).get("parts", [])),
        tools=tuple(Tool(item["name"], _parameters(item)) for item in declared(body)),
        choice=CHOICES[calling.get("mode", "AUTO")],
        forced=allowed[0] if len(allowed) == 1 else None,
        schema=schema or (ANY_OBJECT if config.get("responseMimeType") == "application/json" else None),
        reasoning=bool(config.get("thinkingConfig", {}).get("includeThoughts")),
        max_tokens=config.get("maxOutputTokens"),
        stop=tuple(config.get("stopSequences", ())),
    )


def _parameters(item: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = item.get("parametersJsonSchema") or item.get("parameters") or {}
    return found or {"type": "object", "properties": {}}


def _turn(content: Mapping[str, Any]) -> Turn:
    parts = content["parts"]
    return Turn(
        role="assistant" if content.get("role") == "model" else "user",
        text="".join(part["text"] for part in parts if "text" in part and not part.get("thought")),
        attachments=sum("inlineData" in part or "fileData" in part for part in parts),
        results=tuple(
            ToolResult(part["functionResponse"]["name"], _result_text(part["functionResponse"]["response"]))
            for part in parts
            if "functionResponse" in part
        ),
    )


def _result_text(response: Mapping[str, Any]) -> str:
    """Google's own words for a result are `output` and `error`."""
    output = response.get("output", response.get("error"))
    return output if isinstance(output, str) else as_json(response)


# --- answers ------------------------------------------------------------------------------------------------


async def _generate(request: web.Request) -> web.StreamResponse:
    _authorised(request)
    return await generated(request, request.match_info["model"])


async def generated(request: web.Request, model: str) -> web.StreamResponse:
    """What the model answers: whole, as a stream of events, or, where nobody asked for those, as one JSON list."""
    body = await body_of(request, model)
    if model == gemini_media.PICTURING:
        with reading(failure):
            return web.json_response(gemini_media.pictured(body, model))
    reply = answer(_prompt(model, body))
    chunks = _chunks(reply, model)
    if not request.path.endswith(":streamGenerateContent"):
        parts = [part for chunk in chunks for part in chunk["candidates"][0]["content"]["parts"]]
        whole = chunks[-1]["candidates"][0] | {"content": {"parts": _joined(parts), "role": "model"}}
        return web.json_response(chunks[-1] | {"candidates": [whole]})
    if request.query.get("alt") != "sse":
        return web.json_response(chunks)
    return await stream(request, map(_event, chunks))


def _chunks(reply: Reply, model: str) -> list[dict[str, Any]]:
    """The answer in pieces; the last says how it ended."""
    identity = {"modelVersion": model, "responseId": new_id("", 22)}
    pieces = [*_parts(reply), {"text": ""}]
    chunks: list[dict[str, Any]] = []
    for part in pieces:
        candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}, "index": 0}
        usage = {"promptTokenCount": reply.usage.prompt, "totalTokenCount": reply.usage.prompt}
        chunks.append({"candidates": [candidate], "usageMetadata": usage, **identity})
    chunks[-1]["candidates"][0]["finishReason"] = FINISH[reply.finish]
    chunks[-1]["usageMetadata"] = {
        "promptTokenCount": reply.usage.prompt,
        "candidatesTokenCount": reply.usage.completion - reply.usage.reasoning,
        "thoughtsTokenCount": reply.usage.reasoning,
        "totalTokenCount": reply.usage.prompt + reply.usage.completion,
    }
    return chunks


def _parts(reply: Reply) -> Iterator[dict[str, Any]]:
    for piece in tokens(reply.reasoning):
        yield {"text": piece, "thought": True}
    for piece in tokens(reply.text):
        yield {"text": piece}
    for number, call in enumerate(reply.calls):
        made = {"name": call.name, "args": dict(call.arguments), "id": new_id("", 8)}
        yield {"functionCall": made} | ({"thoughtSignature": signature(made)} if number == 0 else {})


def _joined(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Texts and thoughts in one piece each, as a whole answer has them."""
    thoughts = "".join(part["text"] for part in parts if part.get("thought"))
    text = "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))
    joined: list[dict[str, Any]] = [{"text": thoughts, "thought": True}] if thoughts else []
    joined += [{"text": text}] if text else []
    return joined + [dict(part) for part in calls_of({"parts": parts})]


def _event(chunk: Mapping[str, Any]) -> bytes:
    return f"data: {as_json(chunk)}\r\n\r\n".encode()


# --- pictures and vectors -----------------------------------------------------------------------------------


async def _predict(request: web.Request) -> web.Response:
    _authorised(request)
    body = await json_of(request, request.match_info["model"], [gemini_media.IMAGEN])
    with reading(failure):
        return web.json_response(gemini_media.predicted(body))


async def _embed(request: web.Request) -> web.Response:
    _authorised(request)
    return web.json_response(await embedded(request, request.match_info["model"]))


async def embedded(request: web.Request, model: str) -> dict[str, Any]:
    """The vectors of one content, or of many."""
    body = await json_of(request, model, [gemini_media.EMBEDDING])
    with reading(failure):
        if request.path.endswith(":embedContent"):
            return gemini_media.embedded(body)
        return gemini_media.all_embedded(body["requests"])


# --- models -------------------------------------------------------------------------------------------------


async def _list(request: web.Request) -> web.Response:
    _authorised(request)
    methods = {name: ["generateContent", "countTokens"] for name in MODELS}
    methods |= {gemini_media.IMAGEN: ["predict"], gemini_media.EMBEDDING: ["embedContent", "countTextTokens"]}
    models = [
        {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": known}
        for name, known in methods.items()
    ]
    return web.json_response({"models": models})


WIRE = Wire(
    name="gemini",
    routes={
        "POST /v1beta/models/{model}:generateContent": _generate,
        "POST /v1beta/models/{model}:streamGenerateContent": _generate,
        "POST /v1beta/models/{model}:predict": _predict,
        "POST /v1beta/models/{model}:embedContent": _embed,
        "POST /v1beta/models/{model}:batchEmbedContents": _embed,
        "GET /v1beta/models": _list,
    },
    failure=failure,
    broken=broken,
)
