"""Gemini's generateContent, the answer: one candidate's parts → events (Gemini API reference, "Candidate", "Part").

What an upstream sends is nobody's promise: a member that is missing or of another type counts as empty.
"""

from collections.abc import Mapping
from typing import Any

from translators.call_ids import made_call_id
from translators.errors import Kind, UpstreamError
from translators.gemini_answer_calls import PartialArguments
from translators.gemini_answer_sound import Sound
from translators.gemini_answer_sources import Sources, openai_logprobs
from translators.gemini_parts import NATIVE_PART, SIGNATURE, THOUGHT
from translators.jsontext import dumps, object_in, objects_in, text_in
from translators.types import (
    Event,
    Extension,
    Finished,
    LogProbs,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ThinkingBlock,
    ToolCallDelta,
    ToolCallStart,
)

JsonObject = dict[str, Any]

FINISH_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "TOO_MANY_TOOL_CALLS": "length",  # Google's own tools were called too often before there was an answer.
    "CONTINUATION": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "ESCALATION": "content_filter",
    "PUP_LIMITED_DISABLED": "content_filter",
}
"""finishReason → finish_reason; whatever is not here ended by itself."""

BROKEN = ("MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE")
"""The model said something that nobody can use: another attempt may do better."""
SILENT = ("OTHER", "IMAGE_OTHER", "NO_IMAGE", "UNEXPECTED_TOOL_CALL")
"""The same, if nothing else was said."""


class CandidateReader:
    """One candidate. `answer_id`: the answer's id, of which calls get theirs where Gemini gives them none."""

    def __init__(self, choice: int, answer_id: str | None, context: Mapping[str, Any]) -> None:
        self._choice = choice
        self._answer_id = answer_id
        self._names: Mapping[str, str] = context.get("tools", {})
        self._calls = 0
        self._partial: PartialArguments | None = None
        self._thought: list[str] = []
        self._sources = Sources(choice)
        self._sound = Sound(choice, context.get("audio", ""))
        self._ratings: list[JsonObject] = []
        self._said_anything = False
        self._finish_message = ""
        self.finish_reason = ""

    def read(self, candidate: JsonObject) -> list[Event]:
        """What a chunk says of this candidate."""
        events: list[Event] = []
        for part in objects_in(object_in(candidate.get("content")).get("parts")):
            events += self._part(part)
        self._said_anything = self._said_anything or bool(events) or bool(self._sound)
        logprobs = openai_logprobs(object_in(candidate.get("logprobsResult")))
        if logprobs:
            events.append(LogProbs(logprobs, self._choice))
        self._sources.read(candidate)
        self._ratings = objects_in(candidate.get("safetyRatings")) or self._ratings
        self.finish_reason = text_in(candidate.get("finishReason")) or self.finish_reason
        self._finish_message = text_in(candidate.get("finishMessage")) or self._finish_message
        return events

    def failure(self) -> UpstreamError | None:
        """Why this is no answer, if it is none."""
        reason = self.finish_reason
        if reason in BROKEN or (reason in SILENT and not self._said_anything):
            words = f": {self._finish_message}" if self._finish_message else "."
            return UpstreamError(
                Kind.MALFORMED, f"The model broke off its answer with {reason}{words}", code=reason.lower()
            )
        return None

    def end(self) -> list[Event]:
        """What is known only when all of it is there, and how it ended."""
        events = self._close_call()
        events += self._sound.end()
        events += self._sources.end()
        finish = FINISH_REASONS.get(self.finish_reason, "stop")
        if finish == "content_filter":
            if self._finish_message:
                events.append(RefusalDelta(self._finish_message, self._choice))
            if self._ratings:
                events.append(Extension("safety_ratings", self._ratings, self._choice))
        return [*events, Finished(finish, self._choice, self.finish_reason or None)]

    # --- parts ---

    def _part(self, part: JsonObject) -> list[Event]:
        """A part may say several things at once."""
        signature = text_in(part.get("thoughtSignature"))
        members = {name for name, value in part.items() if isinstance(value, dict)}
        events: list[Event] = []
        if "functionCall" not in members:
            events += self._close_call()
        text = text_in(part.get("text"))
        if part.get("thought") is True:
            if "functionCall" not in members:
                return events + self._thinking(text, signature)
            events += self._thinking(text, "")  # The signature is the call's.
        elif text:
            self._sources.text(text)
            events.append(TextDelta(text, self._choice))
        if "functionCall" in members:
            return events + self._call(part["functionCall"], signature)
        if "inlineData" in members:
            return events + self._media(part, signature)
        if members - {"videoMetadata", "partMetadata"}:  # executableCode, codeExecutionResult, toolCall, …
            block = {"type": NATIVE_PART, "part": {name: value for name, value in part.items() if name != "text"}}
            return [*events, Extension("native_blocks", [block], self._choice)]
        if signature:
            block = {"type": SIGNATURE, "thought_signature": signature}
            events.append(ThinkingBlock(block, self._choice))
        return events

    def _thinking(self, text: str, signature: str) -> list[Event]:
        events: list[Event] = []
        if text:
            self._thought.append(text)
            events.append(ReasoningDelta(text, self._choice))
        if signature:
            block = {"type": THOUGHT, "text": "".join(self._thought), "thought_signature": signature}
            events.append(ThinkingBlock(block, self._choice))
            self._thought = []
        return events

    def _media(self, part: JsonObject, signature: str) -> list[Event]:
        """Pictures as `images`, as most hosts of such models send them; sound as OpenAI's `audio`."""
        mime, data = text_in(part["inlineData"].get("mimeType")), text_in(part["inlineData"].get("data"))
        if mime.startswith("audio/"):
            self._sound.add(mime, data)
            return []
        if not mime.startswith("image/"):
            return [Extension("native_blocks", [{"type": NATIVE_PART, "part": part}], self._choice)]
        image: JsonObject = {"type": "image_url", "image_url": {"url": f"data:{mime};base64,{data}"}}
        return [Extension("images", [image | extra_content(signature)], self._choice)]

    # --- calls ---

    def _call(self, call: JsonObject, signature: str) -> list[Event]:
        """A call comes whole, or, where its arguments were asked for as a stream, in pieces of them."""
        events: list[Event] = []
        if call.get("name"):
            events += self._close_call()
            events.append(self._start(call, signature))
        elif self._partial is None:
            return []  # A piece of a call that was never opened.
        if call.get("willContinue") is True or self._partial:
            self._partial = self._partial or PartialArguments()
            self._partial.read(objects_in(call.get("partialArgs")))
            return events if call.get("willContinue") is True else events + self._close_call()
        arguments = object_in(call.get("args"))
        if arguments:
            events.append(ToolCallDelta(self._calls - 1, dumps(arguments).decode(), self._choice))
        return events

    def _start(self, call: JsonObject, signature: str) -> ToolCallStart:
        number, name = self._calls, text_in(call.get("name"))
        self._calls += 1
        id_ = text_in(call.get("id")) or made_call_id(self._answer_id, self._choice, number, name, call.get("args"))
        return ToolCallStart(number, id_, self._names.get(name, name), self._choice, extra_content(signature))

    def _close_call(self) -> list[Event]:
        if self._partial is None:
            return []
        arguments = dumps(self._partial.value).decode()
        self._partial = None
        return [ToolCallDelta(self._calls - 1, arguments, self._choice)]


def extra_content(signature: str) -> JsonObject:
    """A signature where Google's own OpenAI-compatible endpoint puts it (Gemini API, "OpenAI compatibility")."""
    return {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}
