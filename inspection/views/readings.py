"""How requests and answers of each endpoint but chat are read to a person (OpenAI API reference)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inspection.views.answer import answer_lines, beginning_lines, has_end, is_stream, usage_line
from inspection.views.conversation import content_lines, heading_lines, request_lines
from inspection.views.media_lines import media_line
from inspection.views.text import body_lines, compact, counted, one_line, parsed
from translators.jsontext import loads_object, object_in, objects_in, text_in
from translators.openai_events import read_usage
from translators.sse import SseDecoder

Lines = Iterator[str]
ITEMS_SHOWN = 200
NUMBERS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """`request` reads the JSON of a request; `answer` an answer's body and its content type; `beginning` a stream
    that lacks its end."""

    request: Callable[[Mapping[str, Any]], Lines]
    answer: Callable[[bytes, str], Lines]
    beginning: Callable[[bytes, str], Lines] = body_lines


def said_in(request: Mapping[str, Any], field: str) -> Lines:
    """The settings, and below them the field that says it: a text, a list of texts or of parts, tokens."""
    yield from heading_lines({name: value for name, value in request.items() if name != field})
    said = request.get(field)
    for item in (said if isinstance(said, list) else [said])[:ITEMS_SHOWN]:
        if isinstance(item, dict):
            yield from content_lines([item])
        else:
            yield item if isinstance(item, str) else compact(item)


def saying(field: str) -> Callable[[Mapping[str, Any]], Lines]:
    return lambda request: said_in(request, field)


def reading_json(read: Callable[[Mapping[str, Any]], Lines]) -> Callable[[bytes, str], Lines]:
    """An answer that is a JSON object read by `read`, with its usage; anything else as it is."""

    def lines(body: bytes, content_type: str) -> Lines:
        answer = object_in(parsed(body)) if body[:1] == b"{" else {}
        if not answer:
            yield from body_lines(body, content_type)
            return
        yield from read(answer)
        usage = read_usage(answer.get("usage"))
        if usage is not None:
            yield usage_line(usage)

    return lines


# --- answers --------------------------------------------------------------------------------------------------


def vectors(answer: Mapping[str, Any]) -> Lines:
    """Embeddings: how long each vector is, and how it begins."""
    found = objects_in(answer.get("data"))
    yield counted(len(found), "vector")
    for position, item in enumerate(found[:ITEMS_SHOWN]):
        vector = item.get("embedding")
        if isinstance(vector, list):
            yield f"{position}: {len(vector)} numbers, {compact(vector[:NUMBERS_SHOWN])}"
        else:
            yield f"{position}: {media_line('base64', text_in(vector), 'numbers')}"


def pictures(answer: Mapping[str, Any]) -> Lines:
    """Made images: by their address or their size, with the prompt that they were made from."""
    for item in objects_in(answer.get("data"))[:ITEMS_SHOWN]:
        yield media_line("image", text_in(item.get("url")) or text_in(item.get("b64_json")))
        if text_in(item.get("revised_prompt")):
            yield f"made from: {item['revised_prompt']}"


def verdicts(answer: Mapping[str, Any]) -> Lines:
    """Moderations: what was found, with its score."""
    for position, item in enumerate(objects_in(answer.get("results"))[:ITEMS_SHOWN]):
        scores = object_in(item.get("category_scores"))
        found = [name for name, flag in object_in(item.get("categories")).items() if flag is True]
        listed = ", ".join(f"{name} {compact(scores.get(name))}" for name in found)
        verdict = "flagged" if item.get("flagged") is True else "not flagged"
        yield f"{position}: {verdict}{f' ({listed})' if listed else ''}"


def transcript(answer: Mapping[str, Any]) -> Lines:
    """What was heard, and everything else about it in short."""
    yield text_in(answer.get("text"))
    yield from (f"{name}: {compact(value)}" for name, value in answer.items() if name not in ("text", "usage"))


def completion(answer: Mapping[str, Any]) -> Lines:
    """Completions: the text of each choice."""
    for choice in objects_in(answer.get("choices")):
        reason = one_line(text_in(choice.get("finish_reason")), 80)
        yield f"── {choice.get('index', 0)}{f' · {reason}' if reason else ''} ──"
        yield text_in(choice.get("text"))


def completion_lines(body: bytes, content_type: str) -> Lines:
    """A completion, also one that came as a stream."""
    if not is_stream(body, content_type):
        yield from reading_json(completion)(body, content_type)
        return
    yield from completion_beginning(body, content_type)
    if not has_end(body):
        yield "✗ It broke off here."


def completion_beginning(body: bytes, _: str) -> Lines:
    """As far as a stream has come."""
    decoder = SseDecoder()
    texts: dict[int, list[str]] = {}
    for event in decoder.feed(body) + decoder.close():
        for choice in objects_in((loads_object(event.data) or {}).get("choices")):
            texts.setdefault(choice.get("index") or 0, []).append(text_in(choice.get("text")))
    for index, pieces in texts.items():
        yield f"── {index} ──"
        yield "".join(pieces)


def ranking(answer: Mapping[str, Any]) -> Lines:
    """Documents by how well they fit."""
    for item in objects_in(answer.get("results"))[:ITEMS_SHOWN]:
        yield f"document {item.get('index')}: {compact(item.get('relevance_score'))}"


READINGS: Mapping[str, Reading] = {
    "/v1/chat/completions": Reading(request_lines, answer_lines, beginning_lines),
    "/v1/completions": Reading(saying("prompt"), completion_lines, completion_beginning),
    "/v1/embeddings": Reading(saying("input"), reading_json(vectors)),
    "/v1/moderations": Reading(saying("input"), reading_json(verdicts)),
    "/v1/images/generations": Reading(saying("prompt"), reading_json(pictures)),
    "/v1/images/edits": Reading(saying("prompt"), reading_json(pictures)),
    "/v1/audio/speech": Reading(saying("input"), body_lines),
    "/v1/audio/transcriptions": Reading(saying("prompt"), reading_json(transcript)),
    "/v1/audio/translations": Reading(saying("prompt"), reading_json(transcript)),
    "/v1/rerank": Reading(saying("documents"), reading_json(ranking)),
}
"""By endpoint. A request that is a form is shown by its fields."""
