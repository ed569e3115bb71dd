"""An answer in Gemini's wire, read a second time by simple means, to compare with what the engine makes of it.

Nothing of the code under test is used to read: lines are split by hand, JSON by the standard library.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.recordings import Recording, recordings
from translators.types import (
    Ended,
    Event,
    Extension,
    Failed,
    Finished,
    ReasoningDelta,
    Started,
    TextDelta,
    ThinkingBlock,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)

FINISH = {
    None: "stop",
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "UNEXPECTED_TOOL_CALL": "stop",  # With the call that was not expected.
}
FAILED = {"MALFORMED_FUNCTION_CALL", "OTHER"}

NO_ANSWERS = {
    "gemini-chat-test-compatible-api-with-tool-calls-without-id-49263f": "OpenAI's wire, the engine gpt's",
    "gemini-chat-test-compatible-api-with-tool-calls-without-id-9a81f4": "OpenAI's wire, the engine gpt's",
    "gemini-chat-use-cache-with-structured-1-c13f7a": "the answer of another endpoint: a cache that was made",
    "vertex-gemini-chat-unary-success-detailed-token-response-37a127": "the answer of another endpoint: tokens counted",
}
"""Recordings that are no answers in Gemini's wire, and why."""


@dataclass
class Said:
    """One candidate. `calls`: name, arguments, and the id and the signature where Gemini gave them."""

    text: str = ""
    reasoning: str = ""
    calls: list[tuple[str, Any, str | None, str | None]] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    sound: int = 0
    """Bytes of it."""
    native: list[Any] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    """Of texts and thoughts."""
    finish: str | None = None


@dataclass
class Answer:
    """`failed`: the answer says that it is none."""

    id: str | None = None
    model: str | None = None
    candidates: list[Said] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)
    failed: bool = False


def gemini_answers(provider: str, *, stream: bool) -> list[Recording]:
    """Every recorded answer in Gemini's wire; a JSON array is a stream that nobody asked for as SSE."""
    return recordings(
        provider,
        endpoint="chat",
        status=200,
        where=lambda recording: recording.id not in NO_ANSWERS and ("sse" in recording.response) == stream,
    )


def chunks_of(recording: Recording) -> list[Any]:
    response = recording.response
    if "sse" in response:
        return [json.loads(line[5:]) for line in response["sse"].splitlines() if line.startswith("data:")]
    return response["body"] if isinstance(response["body"], list) else [response["body"]]


def answer_of(recording: Recording) -> Answer:
    """What the recorded answer says."""
    answer = Answer()
    usage: dict[str, Any] = {}
    finish: dict[int, str] = {}
    for chunk in chunks_of(recording):
        answer.id = answer.id or chunk.get("responseId")
        answer.model = answer.model or chunk.get("modelVersion", "").removeprefix("models/")
        usage |= chunk.get("usageMetadata", {})
        for candidate in chunk.get("candidates", []):
            index = candidate.get("index", 0)
            while len(answer.candidates) <= index:
                answer.candidates.append(Said())
            for part in candidate.get("content", {}).get("parts", []):
                add(answer.candidates[index], part)
            finish[index] = candidate.get("finishReason", finish.get(index))
    for index, said in enumerate(answer.candidates):
        answer.failed = answer.failed or finish[index] in FAILED
        said.finish = FINISH.get(finish[index])
        if said.finish == "stop" and said.calls:
            said.finish = "tool_calls"
    if answer.failed or not answer.candidates:
        return Answer(failed=True)  # Nothing was said in any of those that were recorded.
    if usage:
        answer.usage = {
            "prompt": usage.get("promptTokenCount", 0) + usage.get("toolUsePromptTokenCount", 0),
            "completion": usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0),
            "cached": usage.get("cachedContentTokenCount", 0),
            "reasoning": usage.get("thoughtsTokenCount", 0),
        }
        total = answer.usage["prompt"] + answer.usage["completion"]
        answer.usage["total"] = usage.get("totalTokenCount", total)
    return answer


def add(said: Said, part: Any) -> None:
    signature = part.get("thoughtSignature")
    if "functionCall" in part:
        add_call(said, part["functionCall"], signature)
    elif part.get("inlineData", {}).get("mimeType", "").startswith("image/"):
        said.images.append(f"data:{part['inlineData']['mimeType']};base64,{part['inlineData']['data']}")
    elif "inlineData" in part:
        said.sound += len(part["inlineData"]["data"]) * 3 // 4
    elif set(part) - {"text", "thought", "thoughtSignature"}:
        said.native.append(part)
    elif part:
        if part.get("thought"):
            said.reasoning += part["text"]
        else:
            said.text += part.get("text", "")
        if signature:
            said.signatures.append(signature)


def add_call(said: Said, call: Any, signature: str | None) -> None:
    """Whole, or in pieces: of the recorded ones the texts alone are told apart, by their path."""
    if "name" in call:
        said.calls.append((call["name"], call.get("args", {}), call.get("id"), signature))
    for piece in call.get("partialArgs", []):
        name, arguments, id_, signed = said.calls[-1]
        path = piece["jsonPath"]
        value = piece.get("stringValue", piece.get("numberValue"))
        if isinstance(value, str):
            value = arguments.get(path, "") + value
        said.calls[-1] = (name, {**arguments, path: value}, id_, signed)


# --- what the engine made of it -------------------------------------------------------------------------------


def told(events: Iterable[Event]) -> Answer:
    """The same of a list of events."""
    answer = Answer(failed=True)
    said: dict[int, Said] = {}
    arguments: dict[tuple[int, int], str] = {}
    starts: dict[tuple[int, int], ToolCallStart] = {}
    for event in events:
        candidate = said.setdefault(event.choice, Said()) if hasattr(event, "choice") else Said()
        match event:
            case Started(id_, model):
                answer.id, answer.model = id_, model
            case TextDelta(text):
                candidate.text += text
            case ReasoningDelta(text):
                candidate.reasoning += text
            case ThinkingBlock(block):
                candidate.signatures.append(block["thought_signature"])
            case ToolCallStart(index, choice=choice):
                starts[choice, index], arguments[choice, index] = event, ""
            case ToolCallDelta(index, text, choice):
                arguments[choice, index] += text
            case Extension("images", images):
                candidate.images += [image["image_url"]["url"] for image in images]
            case Extension("audio", audio):
                candidate.sound = len(audio["data"]) * 3 // 4
            case Extension("native_blocks", blocks):
                candidate.native += [block["part"] for block in blocks]
            case Finished(reason):
                candidate.finish = reason
            case UsageReport(usage):
                answer.usage = {name: getattr(usage, name) for name in ("prompt", "completion", "cached", "reasoning")}
                answer.usage["total"] = usage.prompt + usage.completion if usage.total is None else usage.total
            case Ended():
                answer.failed = False
            case Failed():
                return Answer(failed=True)
    for (choice, index), start in starts.items():
        calls = said[choice].calls
        assert len(calls) == index, "calls are numbered 0, 1, 2 in order of appearance"
        signature = start.extra.get("extra_content", {}).get("google", {}).get("thought_signature")
        calls.append((start.name, json.loads(arguments[choice, index] or "{}"), start.id, signature))
        said[choice].finish = "tool_calls" if said[choice].finish == "stop" else said[choice].finish
    answer.candidates = [said[index] for index in sorted(said)]
    return answer


def client_told(body: Any) -> Answer:
    """The same of the client's `chat.completion`."""
    usage = body.get("usage")
    answer = Answer(body["id"], body["model"])
    for choice in body["choices"]:
        message = choice["message"]
        said = Said(message["content"] or "", message.get("reasoning_content", ""), finish=choice["finish_reason"])
        for call in message.get("tool_calls", []):
            signature = call.get("extra_content", {}).get("google", {}).get("thought_signature")
            function = call["function"]
            said.calls.append((function["name"], json.loads(function["arguments"]), call["id"], signature))
        said.images = [image["image_url"]["url"] for image in message.get("images", [])]
        said.sound = len(message.get("audio", {}).get("data", "")) * 3 // 4
        said.native = [block["part"] for block in message.get("native_blocks", [])]
        said.signatures = [block["thought_signature"] for block in message.get("thinking_blocks", [])]
        answer.candidates.append(said)
    if usage:
        answer.usage = {
            "prompt": usage["prompt_tokens"],
            "completion": usage["completion_tokens"],
            "cached": usage["prompt_tokens_details"]["cached_tokens"],
            "reasoning": usage["completion_tokens_details"]["reasoning_tokens"],
            "total": usage["total_tokens"],
        }
    return answer


def same(found: Answer, expected: Answer, *, known_id: bool = True) -> None:
    """Assert that both say the same. Where Gemini gave a call no id, any will do that no other call has."""
    ids = [id_ for said in found.candidates for _, _, id_, _ in said.calls]
    assert len(set(ids)) == len(ids), "every call has an id of its own"
    assert all(id_ and len(id_) <= 64 for id_ in ids)
    for said, wanted in zip(found.candidates, expected.candidates, strict=True):
        wanted_calls = [
            (name, with_paths(arguments), id_ or call[2], signature)
            for (name, arguments, id_, signature), call in zip(wanted.calls, said.calls, strict=True)
        ]
        assert said.calls == wanted_calls
        said.calls, wanted.calls = [], []
    if not known_id or expected.id is None:
        found.id, expected.id = None, None
    if not expected.model:
        found.model, expected.model = None, None
    assert found == expected


def with_paths(arguments: Any) -> Any:
    """Arguments that came in pieces, put together: `$.a[0].b` and its value → nested."""
    if not (isinstance(arguments, dict) and any(name.startswith("$.") for name in arguments)):
        return arguments
    root: Any = {}
    for path, value in arguments.items():
        node, steps = root, path[2:].replace("[", ".#").replace("]", "").split(".")
        for step, following in pairwise(steps):
            node = child(node, step, [] if following.startswith("#") else {})
        child(node, steps[-1], value)
    return root


def child(node: Any, step: str, missing: Any) -> Any:
    if not step.startswith("#"):
        return node.setdefault(step, missing)
    if int(step[1:]) == len(node):
        node.append(missing)
    return node[int(step[1:])]
