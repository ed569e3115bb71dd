"""An answer in Anthropic's wire, read a second time by simple means, to compare with what the engine makes of it.

Nothing of the code under test is used to read: lines are split by hand, JSON by the standard library.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.recordings import Recording, recordings
from translators.types import (
    Ended,
    Event,
    Extension,
    Failed,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
    ThinkingBlock,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)

PROVIDERS = ("anthropic", "vertex-claude", "azure")

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
COUNTED = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


@dataclass
class Answer:
    """`calls`: id, name and arguments (JSON, or text where a limit cut them); `native`: types of native blocks."""

    id: str | None = None
    model: str | None = None
    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    thinking_blocks: list[Any] = field(default_factory=list)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    native: list[Any] = field(default_factory=list)
    cited: list[tuple[str, str]] = field(default_factory=list)
    """Address of what is cited and the text that cites it."""
    finish: str | None = None
    usage: dict[str, int] = field(default_factory=dict)
    ended: bool = False


def messages_answers(*, stream: bool) -> list[Recording]:
    """Every recorded answer in Anthropic's wire."""
    return [
        recording
        for provider in PROVIDERS
        for recording in recordings(
            provider, endpoint="chat", stream=stream, status=200, where=lambda it: in_anthropics_wire(it)
        )
    ]


def in_anthropics_wire(recording: Recording) -> bool:
    return any(part in recording.request["url"] for part in ("/messages", "awPredict"))


def data_of(sse: str) -> list[Any]:
    """The JSON of every event, up to the end of the first message (some recordings hold several)."""
    events = []
    for line in sse.splitlines():
        if line.startswith("data:") and line[5:].strip() != "[DONE]":
            events.append(json.loads(line[5:]))
            if events[-1]["type"] == "message_stop":
                break
    return events


def streamed(sse: str) -> Any:
    """A stream as the whole message that it adds up to."""
    message: Any = {}
    parts: dict[int, str] = {}
    for event in data_of(sse):
        match event["type"]:
            case "message_start":
                message = event["message"] | {"content": []}
            case "content_block_start":
                message["content"].append(event["content_block"])
                parts[event["index"]] = ""
            case "content_block_delta":
                add(message["content"][event["index"]], event["delta"], parts, event["index"])
            case "message_delta":
                message |= event["delta"]
                for name, value in event["usage"].items():
                    message["usage"][name] = max(value, message["usage"].get(name) or 0) if name in COUNTED else value
    for index, text in parts.items():
        if text:
            message["content"][index]["input"] = json_or_text(text)
    return message


def add(block: Any, delta: Any, parts: dict[int, str], index: int) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] += delta["signature"]
        case "input_json_delta":
            parts[index] += delta["partial_json"]
        case "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta["citation"]]
        case "compaction_delta":
            block |= {name: value for name, value in delta.items() if name != "type" and value is not None}


def json_or_text(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def answer_of(recording: Recording) -> Answer:
    """What the recorded answer says."""
    response = recording.response
    return told_by(streamed(response["sse"]) if "sse" in response else response["body"])


def told_by(message: Any) -> Answer:
    answer = Answer(message.get("id"), message.get("model"), ended=True, finish=FINISH[message["stop_reason"]])
    for block in message["content"]:
        match block["type"]:
            case "text":
                answer.text += block["text"]
                for citation in block.get("citations") or ():
                    if citation.get("url"):
                        answer.cited.append((citation["url"], block["text"]))
            case "thinking":
                answer.reasoning += block["thinking"]
                answer.thinking_blocks.append(block)
            case "redacted_thinking":
                answer.thinking_blocks.append(block)
            case "tool_use":
                answer.calls.append((block["id"], block["name"], block["input"]))
            case _:
                answer.native.append(block)
    answer.refusal = (message.get("stop_details") or {}).get("explanation") or ""
    usage = {name: message["usage"].get(name) or 0 for name in COUNTED}
    answer.usage = {
        "prompt": sum(usage.values()) - usage["output_tokens"],
        "completion": usage["output_tokens"],
        "cached": usage["cache_read_input_tokens"],
        "cache_written": usage["cache_creation_input_tokens"],
        "reasoning": (message["usage"].get("output_tokens_details") or {}).get("thinking_tokens", 0),
    }
    return answer


# --- what the engine made of it -------------------------------------------------------------------------------


def told(events: Iterable[Event]) -> Answer:
    """The same of a list of events."""
    answer = Answer()
    calls: dict[int, list[str]] = {}
    annotations: list[Any] = []
    for event in events:
        match event:
            case Started(id_, model):
                answer.id, answer.model = id_, model
            case TextDelta(text):
                answer.text += text
            case ReasoningDelta(text):
                answer.reasoning += text
            case RefusalDelta(text):
                answer.refusal += text
            case ThinkingBlock(block):
                answer.thinking_blocks.append(block)
            case ToolCallStart(index, id_, name):
                calls[index] = [id_, name, ""]
            case ToolCallDelta(index, arguments):
                calls[index][2] += arguments
            case Extension("native_blocks", blocks):
                answer.native += blocks
            case Extension("annotations", items):
                annotations += items
            case Finished(reason):
                answer.finish = reason
            case UsageReport(usage):
                names = ("prompt", "completion", "cached", "cache_written", "reasoning")
                answer.usage = {name: getattr(usage, name) for name in names}
            case Ended():
                answer.ended = True
            case Failed():
                answer.ended = False
    assert list(calls) == list(range(len(calls))), "calls are numbered 0, 1, 2 in order of appearance"
    answer.calls = [(id_, name, json_or_text(arguments)) for id_, name, arguments in calls.values()]
    for annotation in annotations:
        place = annotation["url_citation"]
        answer.cited.append((place["url"], answer.text[place["start_index"] : place["end_index"]]))
    return answer


def client_told(body: Any) -> Answer:
    """The same of the client's `chat.completion`."""
    message, usage = body["choices"][0]["message"], body["usage"]
    answer = Answer(body["id"], body["model"], text=message["content"] or "", refusal=message["refusal"] or "")
    answer.reasoning = message.get("reasoning_content", "")
    answer.thinking_blocks = message.get("thinking_blocks", [])
    answer.native = message.get("native_blocks", [])
    answer.calls = [
        (call["id"], call["function"]["name"], json_or_text(call["function"]["arguments"]))
        for call in message.get("tool_calls", [])
    ]
    for annotation in message.get("annotations", []):
        place = annotation["url_citation"]
        answer.cited.append((place["url"], answer.text[place["start_index"] : place["end_index"]]))
    answer.finish = body["choices"][0]["finish_reason"]
    answer.usage = {
        "prompt": usage["prompt_tokens"],
        "completion": usage["completion_tokens"],
        "cached": usage["prompt_tokens_details"]["cached_tokens"],
        "cache_written": usage["prompt_tokens_details"]["cache_write_tokens"],
        "reasoning": usage["completion_tokens_details"]["reasoning_tokens"],
    }
    answer.ended = True
    return answer
