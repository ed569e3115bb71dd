"""OpenAI's wire: /v1/completions, /v1/embeddings and /v1/moderations (OpenAI API reference, pages of these names)."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from scripts.demo.brain import answer, tokens
from scripts.demo.conversation import Prompt, Reply, Turn
from scripts.demo.media import verdict
from scripts.demo.wires import embeddings
from scripts.demo.wires.base import new_id, stream
from scripts.demo.wires.chat import event, usage_of
from scripts.demo.wires.openai_rules import READER, authorised, check, check_model

COMPLETING = "completion-simulated"
EMBEDDING = "embedding-simulated"
MODERATING = "moderation-simulated"
MODELS = (COMPLETING, EMBEDDING, MODERATING)


# --- completions --------------------------------------------------------------------------------------------


async def _complete(request: web.Request) -> web.StreamResponse:
    authorised(request)
    body = await READER.body(request)
    model = check_model(body, [COMPLETING])
    prompts = body.get("prompt") or ""
    prompts = [prompts] if isinstance(prompts, str) else prompts
    stop = body.get("stop") or ()
    replies = [
        answer(
            Prompt(
                model,
                (Turn("user", prompt),),
                max_tokens=body.get("max_tokens", 16),
                stop=(stop,) if isinstance(stop, str) else tuple(stop),
            )
        )
        for prompt in prompts
        for _ in range(body.get("n") or 1)
    ]
    head = {"id": new_id("cmpl-", 29), "object": "text_completion", "created": int(time.time()), "model": model}
    usage = _total(replies)
    if body.get("stream"):
        asked = (body.get("stream_options") or {}).get("include_usage") is True
        return await stream(request, _chunks(replies, head, usage if asked else None))
    choices = [_choice(reply.text, index, reply.finish) for index, reply in enumerate(replies)]
    return web.json_response(head | {"choices": choices, "usage": usage}, headers={"x-request-id": new_id("req_", 32)})


def _choice(text: str, index: int, finish: str | None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def _total(replies: list[Reply]) -> dict[str, int]:
    counts = [usage_of(reply) for reply in replies]
    return {
        name: sum(count[name] for count in counts) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    }


def _chunks(replies: list[Reply], head: Mapping[str, Any], usage: dict[str, int] | None) -> Iterator[bytes]:
    for index, reply in enumerate(replies):
        for piece in tokens(reply.text):
            yield event({**head, "choices": [_choice(piece, index, None)]})
        yield event({**head, "choices": [_choice("", index, reply.finish)]})
    if usage:
        yield event({**head, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


# --- embeddings ---------------------------------------------------------------------------------------------


async def _embed(request: web.Request) -> web.Response:
    authorised(request)
    body = await READER.body(request)
    model = check_model(body, [EMBEDDING])
    texts = embeddings.texts_of(body.get("input"))
    check(texts and all(texts), "'$.input' is invalid.", "input")
    return web.json_response(embeddings.answer(body, texts, model), headers={"x-request-id": new_id("req_", 32)})


# --- moderations --------------------------------------------------------------------------------------------


async def _moderate(request: web.Request) -> web.Response:
    authorised(request)
    body = await READER.body(request)
    model = check_model(body, [MODERATING])
    given: Any = body.get("input")
    check(given, "Missing required parameter: 'input'.", "input")
    parts = given if isinstance(given, list) else [given]
    if all(isinstance(part, str) for part in parts):
        results = [_result(part) for part in parts]
    else:  # Texts and pictures are one message.
        results = [_result(" ".join(part.get("text", "") for part in parts))]
    answer = {"id": new_id("modr-", 8), "model": model, "results": results}
    return web.json_response(answer, headers={"x-request-id": new_id("req_", 32)})


def _result(text: str) -> dict[str, Any]:
    scores = verdict(text)
    categories = {name: score > 0.5 for name, score in scores.items()}
    return {
        "flagged": any(categories.values()),
        "categories": categories,
        "category_scores": dict(scores),
        "category_applied_input_types": {name: ["text"] for name in scores},
    }


ROUTES = {
    "POST /v1/completions": _complete,
    "POST /v1/embeddings": _embed,
    "POST /v1/moderations": _moderate,
}
