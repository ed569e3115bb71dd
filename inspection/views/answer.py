"""A chat's answer as the client got it: a stream put together again, or a whole one; and errors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inspection.views.conversation import message_lines
from inspection.views.layout import GAP
from inspection.views.text import MOST_PARSED, body_lines, one_line
from translators.base import AnswerIdentity
from translators.errors import UpstreamError
from translators.jsontext import loads_object, object_in, objects_in, text_in
from translators.openai_answer import fold
from translators.openai_events import ChunkReader, read_usage, whole_events
from translators.types import Event, Failed, Finished, Usage

NOBODY = AnswerIdentity(id="", created=0, model="", renamed=False, include_usage=False)


def answer_lines(body: bytes, content_type: str) -> Iterator[str]:
    """Each choice, the usage, and what broke it off."""
    if len(body) > MOST_PARSED:
        yield from body_lines(body, content_type)
        return
    yield from told(answer_events(body, content_type), body, content_type)


def beginning_lines(body: bytes, content_type: str) -> Iterator[str]:
    """A stream of which the end is missing, for a reason that is not the provider's."""
    yield from told(ChunkReader().feed(body), body, content_type)


def told(events: Sequence[Event], body: bytes, content_type: str) -> Iterator[str]:
    """The events of a body, put together. A choice that has not ended has no finish reason."""
    failure = next((event.error for event in events if isinstance(event, Failed)), None)
    answer = loads_object(fold([event for event in events if not isinstance(event, Failed)], NOBODY)) or {}
    ended = {event.choice for event in events if isinstance(event, Finished)}
    choices = objects_in(answer.get("choices"))
    for choice in choices:
        if choice is not choices[0]:
            yield GAP
        yield choice_heading(choice, len(choices), finished=choice.get("index") in ended)
        yield from message_lines(object_in(choice.get("message")))
    usage = read_usage(answer.get("usage"))
    if usage is not None:
        yield GAP
        yield usage_line(usage)
    if failure is not None:
        yield from failure_lines(failure, body, content_type, begun=bool(choices))


def answer_events(body: bytes, content_type: str) -> list[Event]:
    if not is_stream(body, content_type):
        return whole_events(body)
    reader = ChunkReader()
    return reader.feed(body) + reader.close()


def is_stream(body: bytes, content_type: str) -> bool:
    """Whether a body is server-sent events, also where its type does not say so."""
    return "event-stream" in content_type or body.lstrip()[:5] == b"data:"


def has_end(stream: bytes) -> bool:
    """Whether the last event is there, which OpenAI's streams end with."""
    return b"[DONE]" in stream[-100:]


def choice_heading(choice: Mapping[str, Any], choices: int, *, finished: bool) -> str:
    """`── assistant · stop ──`, with the choice's number where there are several."""
    number = f" {choice.get('index')}" if choices > 1 else ""
    reason = f" · {one_line(text_in(choice.get('finish_reason')), 80)}" if finished else ""
    return f"── assistant{number}{reason} ──"


def usage_line(usage: Usage) -> str:
    """`usage: 12 prompt tokens (3 cached), 34 completion tokens (10 reasoning)`."""
    cached = f" ({usage.cached} cached)" if usage.cached else ""
    reasoning = f" ({usage.reasoning} reasoning)" if usage.reasoning else ""
    return f"usage: {usage.prompt} prompt tokens{cached}, {usage.completion} completion tokens{reasoning}"


def failure_lines(failure: UpstreamError, body: bytes, content_type: str, *, begun: bool) -> Iterator[str]:
    if begun:
        yield GAP
        yield f"✗ It broke off here: {failure.message}"
    else:
        yield f"✗ {failure.message}"
        yield GAP
        yield from body_lines(body, content_type)


def error_lines(status: int, body: bytes, content_type: str) -> Iterator[str]:
    """OpenAI's error body in words, with the attempts that the gateway lists in it; any other body as it is."""
    error = object_in((loads_object(body) or {}).get("error")) if len(body) <= MOST_PARSED else {}
    if not text_in(error.get("message")):
        yield f"✗ {status}"
        yield from body_lines(body, content_type)
        return
    yield f"✗ {status}: {error['message']}"
    for name in ("type", "code", "param"):
        if error.get(name) not in (None, ""):
            yield f"{name}: {one_line(str(error[name]))}"
    for attempt in objects_in(error.get("attempts")):
        what = attempt.get("status") or attempt.get("reason")
        yield f"tried {one_line(f'{attempt.get("provider")}/{attempt.get("model")}: {what}, {attempt.get("ms")} ms')}"
