"""OpenAI's wire: /v1/completions, /v1/embeddings and /v1/moderations (OpenAI API reference, pages of these names)."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from scripts.demo.brain import answer, tokens
from scripts.demo.conversation import Prompt, Reply, Turn
from scripts.demo.media import MOST_DIMENSIONS, verdict
from scripts.demo.wires import embeddings
from scripts.demo.wires.base import new_id, reading, stream
from scripts.demo.wires.chat import event, usage_of
from scripts.demo.wires.openai_rules import MOST_CHOICES, READER, authorised, check, check_model, check_range, failure

COMPLETING = "completion-simulated"
EMBEDDING = "embedding-simulated"
MODERATING = "moderation-simulated"
MOST_PROMPTS = 128
MODELS = (COMPLETING, EMBEDDING, MODERATING)


# --- completions --------------------------------------------------------------------------------------------


async def _complete(request: web.Request) -> web.StreamResponse:
    authorised(request)
    body = await READER.body(request)
    model = check_model(body, [COMPLETING])
    count = check_range(body, "n", 1, MOST_CHOICES)
    with reading(failure):
        prompts = list(_prompts(body, model))
    check(len(prompts) <= MOST_PROMPTS, f"'prompt' may hold {MOST_PROMPTS} prompts at most.", "prompt")
    replies = [reply for prompt in prompts for reply in [answer(prompt)] * count]
    head = {"id": new_id("cmpl-", 29), "object": "text_completion", "created": int(time.time()), "model": model}
    usage = _total(replies)
    if body.get("stream"):
        asked = (body.get("stream_options") or {}).get("include_usage") is True
        return await stream(request, _chunks(replies, head, usage if asked else None))
    choices = [_choice(reply.text, index, reply.finish) for index, reply in enumerate(replies)]
    return web.json_response(head | {"choices": choices, "usage": usage}, headers={"x-request-id": new_id("req_", 32)})


def _prompts(body: Mapping[str, Any], model: str) -> Iterator[Prompt]:
    """One for each text."""
    texts = body.get("prompt") or ""
    stop = body.get("stop") or ()
    for text in embeddings.texts_of(texts) or [""]:
        yield Prompt(
            model,
            (Turn("user", text),),
            max_tokens=16 if body.get("max_tokens") is None else body["max_tokens"],
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
        )


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
    with reading(failure):
        texts = embeddings.texts_of(body.get("input"))
    check(texts and all(texts), "'$.input' is invalid.", "input")
    if body.get("dimensions") is not None:
        check_range(body, "dimensions", 1, MOST_DIMENSIONS)
    return web.json_response(embeddings.answer(body, texts, model), headers={"x-request-id": new_id("req_", 32)})


# --- moderations --------------------------------------------------------------------------------------------


async def _moderate(request: web.Request) -> web.Response:
    authorised(request)
    body = await READER.body(request)
    model = check_model(body, [MODERATING])
    given: Any = body.get("input")
    check(given, "Missing required parameter: 'input'.", "input")
    parts = given if isinstance(given, list) else [given]
    with reading(failure):  # Texts and pictures are one message.
        is_text = all(isinstance(part, str) for part in parts)
        texts = parts if is_text else [" ".join(part.get("text", "") for part in parts)]
    answer = {"id": new_id("modr-", 8), "model": model, "results": [_result(text) for text in texts]}
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
