"""Cloudflare's wire: /cloudflare/client/v4/accounts/<account>/ai/v1/… like OpenAI's, /ai/run/<model> Workers AI's own.

An answer to a JSON schema is an object, usage comes twice, the second time as zeros, and content that is not one
string is refused, as some of Cloudflare's models do (its documentation, and exchanges recorded there).
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from scripts.demo.brain import answer, tokens
from scripts.demo.conversation import Prompt, Reply
from scripts.demo.media import vector
from scripts.demo.wires import embeddings
from scripts.demo.wires.base import Refused, Wire, reading, stream
from scripts.demo.wires.chat import Reader, deltas, event, message_of, usage_of

KEY = "simulated-cloudflare"
ACCOUNT = "0123456789abcdef0123456789abcdef"
MODELS = ("@cf/simulator/echo-8b", "@cf/simulator/echo-70b")
EMBEDDING = "@cf/simulator/embed"
KINDS: dict[type, str] = {list: "array", dict: "object"}
CODES = {400: 5006, 401: 10000, 404: 7000, 429: 3036}


# --- errors -------------------------------------------------------------------------------------------------


def failure(status: int, message: str, param: str | None = None, code: str | None = None) -> web.Response:
    """An error answer; `param` and `code` are OpenAI's alone."""
    return web.json_response(_errors(status, message), status=status)


def _errors(status: int, message: str) -> dict[str, Any]:
    error = {"message": message, "code": CODES.get(status, 3043)}
    return {"errors": [error], "success": False, "result": {}, "messages": []}


def broken(message: str) -> bytes:
    """A stream that is nothing but an error."""
    return event(_errors(500, f"AiError: {message}"))


# --- requests -----------------------------------------------------------------------------------------------

READER = Reader(failure)


def _authorised(request: web.Request) -> None:
    if request.headers.get("authorization") != f"Bearer {KEY}":
        raise Refused(failure(401, "Authentication error"))
    if request.match_info["account"] != ACCOUNT:
        raise Refused(failure(404, "Could not route to the account: check the account's id"))


def _prompt(body: Mapping[str, Any], model: str | None) -> Prompt:
    for index, message in enumerate(body.get("messages") or []):
        with reading(failure):
            content = message.get("content")
        if not isinstance(content, str):
            wrong = (
                f"Type mismatch of '/messages/{index}/content', '{KINDS.get(type(content), 'null')}' not in 'string'"
            )
            raise Refused(failure(400, f"AiError: Bad input: Error: oneOf at '/' not met, 0 matches: {wrong}"))
    return READER.prompt(body, model, MODELS)


# --- answers like OpenAI's ----------------------------------------------------------------------------------


async def _complete(request: web.Request) -> web.StreamResponse:
    _authorised(request)
    body = await READER.body(request)
    prompt = _prompt(body, body.get("model"))
    reply = answer(prompt)
    now = time.time()
    head = {"id": f"id-{int(now * 1000)}", "created": int(now), "model": prompt.model}
    if body.get("stream"):
        return await stream(request, _chunks(reply, head))
    message = message_of(reply, "reasoning_content") | {"content": _content(reply, prompt), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish}
    return web.json_response(head | {"object": "chat.completion", "choices": [choice], "usage": usage_of(reply)})


def _content(reply: Reply, prompt: Prompt) -> Any:
    """Text, but an object where a schema was asked for and the answer fits it."""
    if prompt.schema is None or reply.calls or reply.finish == "length" or reply.stopped_by:
        return None if reply.calls else reply.text
    return json.loads(reply.text)


def _chunks(reply: Reply, head: Mapping[str, Any]) -> Iterator[bytes]:
    """The stream. Its second usage is said to count what the cache held, and counts nothing."""

    def chunk(delta: Mapping[str, Any], finish: str | None = None, **fields: Any) -> bytes:
        choice = {"index": 0, "delta": delta} | ({"finish_reason": finish} if finish else {})
        return event({**head, "object": "chat.completion.chunk", "choices": [choice], **fields})

    for delta in deltas(reply, "reasoning_content"):
        yield chunk(delta)
    usage = usage_of(reply)
    yield chunk({}, reply.finish, usage=usage)
    yield chunk({}, reply.finish, usage=dict.fromkeys(usage, 0) | {"prompt_tokens_details": {"cached_tokens": 0}})
    yield b"data: [DONE]\n\n"


# --- Workers AI's own answers -------------------------------------------------------------------------------


async def _run(request: web.Request) -> web.StreamResponse:
    """The model is in the path. Calls have no ids, arguments are objects."""
    _authorised(request)
    body = await READER.body(request)
    if request.match_info["model"] == EMBEDDING:
        with reading(failure):
            vectors = [vector(text) for text in embeddings.texts_of(body.get("text"))]
        if not vectors:
            raise Refused(failure(400, "AiError: Bad input: Error: required properties at '/' are 'text'"))
        result = {"shape": [len(vectors), len(vectors[0])], "data": vectors, "pooling": "mean"}
        return web.json_response({"result": result, "success": True, "errors": [], "messages": []})
    prompt = _prompt(body, request.match_info["model"])
    reply = answer(prompt)
    if body.get("stream"):
        return await stream(request, _pieces(reply))
    result = {"response": _content(reply, prompt), "tool_calls": _calls(reply), "usage": usage_of(reply)}
    return web.json_response({"result": result, "success": True, "errors": [], "messages": []})


def _calls(reply: Reply) -> list[dict[str, Any]]:
    return [{"name": call.name, "arguments": call.arguments} for call in reply.calls]


def _pieces(reply: Reply) -> Iterator[bytes]:
    for piece in tokens(reply.text):
        yield event({"response": piece})
    if reply.calls:
        yield event({"response": None, "tool_calls": _calls(reply)})
    yield event({"response": "", "usage": usage_of(reply)})
    yield b"data: [DONE]\n\n"


# --- embeddings ---------------------------------------------------------------------------------------------


async def _embed(request: web.Request) -> web.Response:
    """Like OpenAI's; the vectors' length is the model's own, and base64 is not known."""
    _authorised(request)
    body = await READER.body(request)
    with reading(failure):
        texts = embeddings.texts_of(body.get("input"))
    if body.get("model") != EMBEDDING or not texts:
        raise Refused(failure(400, "AiError: Bad input: Error: required properties at '/' are 'text'"))
    return web.json_response(embeddings.answer({}, texts, EMBEDDING))


# --- models -------------------------------------------------------------------------------------------------


async def _search(request: web.Request) -> web.Response:
    _authorised(request)
    tasks = {**dict.fromkeys(MODELS, "Text Generation"), EMBEDDING: "Text Embeddings"}
    shared = {"source": 1, "description": "A simulation.", "tags": []}
    result = [{"id": name, "name": name, "task": {"name": task}, **shared} for name, task in tasks.items()]
    return web.json_response({"success": True, "result": result, "errors": [], "messages": []})


AI = "/client/v4/accounts/{account}/ai"
WIRE = Wire(
    name="cloudflare",
    routes={
        f"POST {AI}/v1/chat/completions": _complete,
        f"POST {AI}/v1/embeddings": _embed,
        f"POST {AI}/run/{{model:.+}}": _run,
        f"GET {AI}/models/search": _search,
    },
    failure=failure,
    broken=broken,
)
