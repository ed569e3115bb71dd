"""An answer in OpenAI's wire, read a second time by simple means, to compare with what the translators make of it.

The readers here use nothing of the code under test: lines are split by hand, JSON by the standard library.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.recordings import Recording, recordings
from translators.base import StreamTranslator
from translators.errors import UpstreamError
from translators.types import (
    Ended,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStart,
    Usage,
    UsageReport,
)

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "openai"
STREAMS = sorted(FIXTURES.glob("*.sse"))
"""Small streams that a plain clone has."""

PROVIDERS = ("openai", "azure", "groq", "deepseek", "mistral", "xai", "openrouter", "cloudflare")


def speaks_openai(recording: Recording) -> bool:
    """Whether the exchange is in OpenAI's wire: Azure also offers Anthropic's, Cloudflare also its own."""
    url = recording.request["url"]
    return "/anthropic/" not in url and "/ai/run/" not in url


def answer_filters(*, stream: bool) -> dict[str, Any]:
    """The filters for chat answers in OpenAI's wire, without those that are errors from the first word on."""
    return {
        "endpoint": "chat",
        "stream": stream,
        "status": 200,
        "where": lambda recording: speaks_openai(recording) and "error_in_200" not in recording.features,
    }


def answers(provider: str, *, stream: bool) -> list[Recording]:
    """The provider's recordings that fit them."""
    return recordings(provider, **answer_filters(stream=stream))


@dataclass
class Call:
    """A tool call; `arguments` as JSON, or as text where a limit cut them."""

    id: str
    name: str
    arguments: Any


@dataclass
class Said:
    """What one choice said."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    calls: list[Call] = field(default_factory=list)
    finish: str | None = None


@dataclass
class Answer:
    id: str | None = None
    model: str | None = None
    choices: dict[int, Said] = field(default_factory=dict)
    usage: dict[str, int] | None = None
    ended: bool = False
    failed: bool = False


def data_of(sse: str) -> list[str]:
    """The data of every event, in order."""
    return [line.removeprefix("data:").strip() for line in sse.split("\n") if line.startswith("data:")]


def answer_of(recording: Recording) -> Answer:
    """What the recorded answer says."""
    if "sse" in recording.response:
        return streamed(recording.response["sse"])
    return whole(recording.response["body"])


def whole(body: Any) -> Answer:
    answer = Answer(body.get("id"), body.get("model"), usage=counted(body), ended=True)
    for choice in body.get("choices", []):
        said = answer.choices.setdefault(choice["index"], Said())
        add(said, choice.get("message") or {}, choice)
    return parsed(answer)


def streamed(sse: str) -> Answer:
    answer = Answer()
    for data in data_of(sse):
        if data == "[DONE]":
            answer.ended = True
            break
        chunk = json.loads(data)
        if "error" in chunk:
            answer.failed = True
            break
        answer.usage = counted(chunk) or answer.usage
        for choice in chunk["choices"]:
            answer.id, answer.model = answer.id or chunk["id"], answer.model or chunk["model"]
            said = answer.choices.setdefault(choice["index"], Said())
            add(said, choice.get("delta") or {}, choice)
    return parsed(answer)


def add(said: Said, message: dict[str, Any], choice: dict[str, Any]) -> None:
    content = message.get("content")
    for part in content if isinstance(content, list) else []:
        if part["type"] == "text":
            said.text += part["text"]
        else:
            said.reasoning += "".join(piece["text"] for piece in part["thinking"])
    if isinstance(content, str):
        said.text += content
    elif isinstance(content, dict):
        said.text += json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    said.reasoning += message.get("reasoning_content") or message.get("reasoning") or ""
    said.refusal += message.get("refusal") or ""
    for call in message.get("tool_calls") or []:
        if call.get("type") == "custom":
            continue  # No chat wire but OpenAI's has these: they only ever pass through as they came.
        function = call["function"]
        known = [one for one in said.calls if one.id == call.get("id")]
        if call.get("id") and not known:
            said.calls.append(Call(call["id"], function["name"], ""))
        one = known[0] if known else said.calls[-1]
        one.arguments += function.get("arguments") or ""
    said.finish = choice.get("finish_reason") or said.finish


def parsed(answer: Answer) -> Answer:
    for said in answer.choices.values():
        for call in said.calls:
            call.arguments = json_or_text(call.arguments)
    return answer


def json_or_text(arguments: str) -> Any:
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


def counted(answer: dict[str, Any]) -> dict[str, int] | None:
    """prompt, completion (reasoning included), cached, reasoning."""
    usage = answer.get("usage") or (answer.get("x_groq") or {}).get("usage")
    if not usage:
        return None
    reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens", 0)
    completion = usage["completion_tokens"]
    # xAI's completion_tokens leave reasoning out: its total is the sum of all three.
    apart = reasoning and usage["total_tokens"] - usage["prompt_tokens"] - completion == reasoning
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    return {
        "prompt": usage["prompt_tokens"],
        "completion": completion + reasoning if apart else completion,
        "cached": cached or usage.get("prompt_cache_hit_tokens") or usage.get("num_cached_tokens") or 0,
        "reasoning": reasoning,
        "total": usage["total_tokens"],
    }


def usage_counts(usage: Usage) -> dict[str, int]:
    return {
        "prompt": usage.prompt,
        "completion": usage.completion,
        "cached": usage.cached,
        "reasoning": usage.reasoning,
        "total": usage.prompt + usage.completion if usage.total is None else usage.total,
    }


def fed(reader: StreamTranslator, *pieces: bytes) -> list[Event]:
    """Everything that a stream's reader makes of these pieces."""
    return [event for piece in pieces for event in reader.feed(piece)] + reader.close()


def failure(events: list[Event]) -> UpstreamError:
    """The failure that a list of events ends with."""
    last = events[-1]
    assert isinstance(last, Failed)
    return last.error


def told(events: Iterable[Event]) -> Answer:
    """The same of a list of events."""
    answer = Answer()
    calls: dict[tuple[int, int], Call] = {}
    for event in events:
        if isinstance(event, UsageReport):
            answer.usage = usage_counts(event.usage)
        elif isinstance(event, Ended):
            answer.ended = True
        elif isinstance(event, Failed):
            answer.failed = True
        elif isinstance(event, TextDelta | ReasoningDelta | RefusalDelta | Finished | ToolCallStart | ToolCallDelta):
            said = answer.choices.setdefault(event.choice, Said())
            match event:
                case TextDelta(text):
                    said.text += text
                case ReasoningDelta(text):
                    said.reasoning += text
                case RefusalDelta(text):
                    said.refusal += text
                case Finished():
                    said.finish = event.native
                case ToolCallStart():
                    calls[event.choice, event.index] = Call(event.id, event.name, "")
                    said.calls.append(calls[event.choice, event.index])
                case ToolCallDelta():
                    calls[event.choice, event.index].arguments += event.arguments
    return parsed(answer)
