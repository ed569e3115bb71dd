"""Gemini's generateContent: the conversation. OpenAI's list of messages → system instruction and contents.

What Gemini asks for (Gemini API, "Function calling" and "Thought signatures"; pitfalls 27, 31, 34, 66 to 73, 75):
- contents of user and model in turns, the first and the last one user's; no empty parts;
- right behind a model's calls one content with as many results, in the calls' order, and nothing else in it;
- results that are objects, without JSON Schema's references in them;
- from Gemini 3 on, the thought signature that a call came with, at least on the first of a batch.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from translators.errors import UntranslatableError
from translators.gemini_parts import (
    JsonObject,
    PartWriter,
    call_part,
    native_parts,
    signature_in,
    signed,
    thoughts_and_signatures,
)
from translators.jsontext import loads_object, object_in, objects_in, text_in
from translators.models import GeminiModel
from translators.names import ToolNames
from translators.types import ImagePart, Message, Note, TextPart

PLACEHOLDER = "Begin."
"""What the user says where Gemini needs a user's message and the client sent none."""
CONTINUE = "Continue."
"""What the user says after the model's last words, which Gemini does not go on from by itself."""
UNANSWERED = "No result of this call was recorded."
UNSIGNED = "skip_thought_signature_validator"
"""Stands for a signature that nobody has any more (Gemini API, "Thought signatures", questions and answers)."""

SYSTEM = ("system", "developer")
REPLAYED = frozenset({"native_blocks", "images", "annotations", "citations", "extra_content", "is_error"})
"""Message fields that need no note: taken up elsewhere, or nothing but an answer's decoration."""

Numbered = tuple[int, Message]
"""A message and its place in the client's list."""


@dataclass(slots=True)
class Content:
    """One content as Gemini gets it. `results`: it answers calls, and takes nothing else in."""

    role: str
    parts: list[JsonObject]
    results: bool = False


@dataclass(slots=True)
class Heard:
    """What stands between two of the model's contents."""

    results: dict[str, list[Numbered]] = field(default_factory=dict)
    """Call id → its results, in the order they came."""
    spoken: list[JsonObject] = field(default_factory=list)


class ConversationWriter:
    """Messages → system instruction and contents."""

    def __init__(self, names: ToolNames, model: GeminiModel, notes: list[Note], *, images: bool) -> None:
        self._names = names
        self._model = model
        self._notes = notes
        self._parts = PartWriter(notes, images=images)

    def write(self, messages: tuple[Message, ...]) -> tuple[list[JsonObject], list[JsonObject]]:
        """Raises UntranslatableError, naming the part, for what the wire cannot say."""
        leading = 0
        while leading < len(messages) and messages[leading].role in SYSTEM:
            leading += 1
        numbered = list(enumerate(messages))
        system = [part for position, message in numbered[:leading] for part in self._system(position, message)]
        contents = bounded(joined(self._contents(numbered[leading:])), self._notes)
        return system, [{"role": content.role, "parts": content.parts} for content in contents]

    # --- turns ---

    def _contents(self, messages: list[Numbered]) -> Iterator[Content]:
        waiting: list[tuple[str, str]] = []
        for speaks, group in groupby(messages, key=lambda numbered: numbered[1].role == "assistant"):
            if speaks:
                waiting = []
                for position, message in group:
                    yield Content("model", self._model_parts(position, message))
                    waiting += [(call.id, call.name) for call in message.tool_calls]
            else:
                heard = self._heard(group)
                answers, media = self._answers(heard, waiting)
                yield Content("user", answers, results=True)
                yield Content("user", media + heard.spoken)
                waiting = []
        yield Content("user", self._answers(Heard(), waiting)[0], results=True)

    def _heard(self, messages: Iterable[Numbered]) -> Heard:
        heard = Heard()
        for position, message in messages:
            if message.role == "tool":
                heard.results.setdefault(message.tool_call_id or "", []).append((position, message))
            else:
                parts = self._spoken(position, message)
                heard.spoken += [as_instruction(part) for part in parts] if message.role in SYSTEM else parts
        return heard

    def _answers(self, heard: Heard, waiting: list[tuple[str, str]]) -> tuple[list[JsonObject], list[JsonObject]]:
        """A result for every call, in the calls' order, and none without a call; and what could not stand in one."""
        answers: list[JsonObject] = []
        outside: list[JsonObject] = []
        for id_, name in waiting:
            made: JsonObject = {"id": id_} if id_ else {}
            made["name"] = self._names.wire(name)
            if heard.results.get(id_):
                position, message = heard.results[id_].pop(0)
                made |= self._result(position, message, outside)
            else:
                self._notes.append(Note("messages", f"the call {id_!r} has no result: one saying so was added"))
                made["response"] = {"error": UNANSWERED}
            answers.append({"functionResponse": made})
        for id_, left in heard.results.items():
            if left:
                self._notes.append(Note("messages", f"a result of {id_!r} has no call before it: left out"))
        return answers, outside

    # --- one message ---

    def _spoken(self, position: int, message: Message) -> list[JsonObject]:
        path = f"messages[{position}]"
        self._note_unsaid(message, path)
        return self._parts.parts(message.parts, path)

    def _system(self, position: int, message: Message) -> list[JsonObject]:
        parts = self._spoken(position, message)
        if all("text" in part for part in parts):
            return parts
        where = f"messages[{position}].content"
        raise UntranslatableError(f"`{where}` is not text; Gemini's system instruction is text only.", param=where)

    def _model_parts(self, position: int, message: Message) -> list[JsonObject]:
        """Thoughts, what Gemini's own tools did, the words, pictures, and last the calls."""
        path = f"messages[{position}]"
        self._note_unsaid(message, path)
        thoughts, signatures = thoughts_and_signatures(message, path, self._notes)
        words = self._parts.parts(message.parts, path)
        parts = thoughts + native_parts(message, path, self._notes) + with_signatures(words, signatures)
        parts += self._pictures(message, path)
        calls = []
        for number, call in enumerate(message.tool_calls):
            where = f"{path}.tool_calls[{number}]"
            calls.append(call_part(call, self._names.wire(call.name), where, self._notes))
        if calls and self._model.signed_calls and "thoughtSignature" not in calls[0]:
            calls[0] = signed(calls[0], UNSIGNED)
        return parts + calls

    def _pictures(self, message: Message, path: str) -> list[JsonObject]:
        """The pictures of an earlier answer."""
        written = []
        for number, image in enumerate(objects_in(message.extra.get("images"))):
            picture = ImagePart(text_in(object_in(image.get("image_url")).get("url")))
            part = self._parts.part(picture, f"{path}.images[{number}]")
            if part is not None:
                written.append(signed(part, signature_in(image)))
        return written

    def _result(self, position: int, message: Message, outside: list[JsonObject]) -> JsonObject:
        """`response`, and `parts` where the model takes media in results; else they go to the user's words behind."""
        path = f"messages[{position}]"
        self._note_unsaid(message, path)
        text = "\n".join(part.text for part in message.parts if isinstance(part, TextPart))
        others = tuple(part for part in message.parts if not isinstance(part, TextPart))
        result: JsonObject = {"response": response_object(text, failed=message.extra.get("is_error") is True)}
        media = self._parts.parts(others, path)
        if media and self._model.media_results:
            result["parts"] = media
        elif media:
            outside += [{"text": f"Returned by the call {message.tool_call_id}:"}, *media]
        return result

    def _note_unsaid(self, message: Message, path: str) -> None:
        if message.name and message.role != "tool":
            self._notes.append(Note(f"{path}.name", "Gemini's contents have no names"))
        for name, value in message.extra.items():
            if name not in REPLAYED and value:
                self._notes.append(Note(f"{path}.{name}", "Gemini's contents have no such field"))


def response_object(text: str, *, failed: bool) -> JsonObject:
    """A tool's result as the object that it must be. An object stays what it is, unless references stand in it, which
    Gemini would take for its own."""
    value = loads_object(text) if text.lstrip().startswith("{") else None
    if failed:
        return {"error": text}
    if value is None or '"$ref"' in text or '"$defs"' in text:
        return {"output": text}
    return value


def with_signatures(words: list[JsonObject], signatures: list[str]) -> list[JsonObject]:
    """The last signature on the last text, where a stream brings it; others on texts of their own."""
    if not signatures:
        return words
    *earlier, last = signatures
    alone = [signed({"text": ""}, signature) for signature in earlier]
    if not words or "text" not in words[-1]:
        return [*words, *alone, signed({"text": ""}, last)]
    return [*words[:-1], *alone, signed(words[-1], last)]


def as_instruction(part: JsonObject) -> JsonObject:
    """A system message's text where only the user may speak: marked, so that it reads as what it is."""
    return {"text": f"<system>\n{part['text']}\n</system>"} if "text" in part else part


# --- all of them ----------------------------------------------------------------------------------------------


def joined(contents: Iterable[Content]) -> list[Content]:
    """Without empty contents; neighbours of one role as one, except that results stay by themselves."""
    kept: list[Content] = []
    for content in contents:
        before = kept[-1] if kept else None
        if not content.parts:
            continue
        if before and before.role == content.role and not (before.results or content.results):
            before.parts.extend(content.parts)
        else:
            kept.append(content)
    return kept


def bounded(contents: list[Content], notes: list[Note]) -> list[Content]:
    """With the user's content in front and at the end."""
    if not contents or contents[0].role == "model":
        contents = [Content("user", [{"text": PLACEHOLDER}]), *contents]
    if contents[-1].role == "model":
        notes.append(
            Note("messages", f"Gemini does not continue a model's content: the user says {CONTINUE!r} after it")
        )
        contents = [*contents, Content("user", [{"text": CONTINUE}])]
    return contents
