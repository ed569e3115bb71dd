"""Anthropic's Messages: the conversation. OpenAI's list of messages → the system prompt and turns that Claude accepts.

What Claude asks for (Claude documentation, "Using the Messages API", "Handle tool calls", "Preserving thinking blocks",
"Mid-conversation system messages"):
- user and assistant in turns, the first one user's; no empty text;
- every tool_use answered in the very next message, all results of a turn together and before any other content;
- ids of [a-zA-Z0-9_-], each used once;
- reasoning first in the assistant's message, unmodified, and never at its end.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby

from translators.anthropic_blocks import (
    Block,
    PartWriter,
    call_block,
    is_native,
    marked,
    text_block,
    thinking_blocks,
)
from translators.errors import UntranslatableError
from translators.jsontext import objects_in, text_in
from translators.names import ToolNames
from translators.types import Message, Note, TextPart

PLACEHOLDER = "Begin."
"""What the user says where Claude needs a user's message and the client sent none."""

CONTINUE = "Continue."
"""What the user says after an assistant's last words, for models that do not go on from them by themselves."""

UNANSWERED = "No result of this call was recorded."

CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")
SYSTEM = ("system", "developer")
REASONING = ("thinking", "redacted_thinking")

REPLAYED = frozenset({"native_blocks", "annotations", "citations", "container", "reasoning", "is_error"})
"""Message fields that need no note: taken up elsewhere, or nothing but an answer's decoration."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as Claude gets it; `role` is user, assistant or system."""

    role: str
    blocks: list[Block]


class ConversationWriter:
    """Messages → system prompt and turns. `inline_system`: the model takes system messages inside the conversation."""

    def __init__(self, names: ToolNames, notes: list[Note], *, inline_system: bool, images: bool) -> None:
        self._names = names
        self._notes = notes
        self._inline_system = inline_system
        self._parts = PartWriter(notes, images=images)
        self._ids = CallIds()

    def write(self, messages: tuple[Message, ...]) -> tuple[list[Block], list[Turn]]:
        """Raises UntranslatableError, naming the part, for what the wire cannot say."""
        leading = 0
        while leading < len(messages) and messages[leading].role in SYSTEM:
            leading += 1
        system: list[Block] = []
        for position, message in enumerate(messages[:leading]):
            system += self._system(message, f"messages[{position}]")
        pieces = [
            self._piece(message, f"messages[{position}]")
            for position, message in enumerate(messages[leading:], leading)
        ]
        return system, self._turns(piece for piece in pieces if piece.blocks)

    # --- one message ---

    def _piece(self, message: Message, path: str) -> Turn:
        self._note_unsaid(message, path)
        if message.role in SYSTEM:
            return Turn("system", self._cached(self._parts.blocks(message.parts, path), message, path))
        if message.role == "assistant":
            return Turn("assistant", self._assistant(message, path))
        if message.role == "tool":
            return Turn("user", [self._result(message, path)])
        return Turn("user", self._cached(self._parts.blocks(message.parts, path), message, path))

    def _system(self, message: Message, path: str) -> list[Block]:
        self._note_unsaid(message, path)
        blocks = self._cached(self._parts.blocks(message.parts, path), message, path)
        for block in blocks:
            if block["type"] != "text":
                raise UntranslatableError(
                    f"`{path}.content` holds a part of type {block['type']!r}; Claude's system prompt is text only.",
                    param=f"{path}.content",
                )
        return blocks

    def _assistant(self, message: Message, path: str) -> list[Block]:
        """Reasoning, what Claude's own tools did, the words, and last the calls."""
        compacted, done, pending = self._native_blocks(message, path)
        blocks = compacted + thinking_blocks(message, path, self._notes) + done
        blocks += [block for block in self._parts.blocks(message.parts, path) if not self._is_image(block, path)]
        blocks += pending
        for position, call in enumerate(message.tool_calls):
            where = f"{path}.tool_calls[{position}]"
            blocks.append(call_block(call, self._names.wire(call.name), where, self._notes))
        while blocks and blocks[-1]["type"] in REASONING:
            blocks.pop()
            self._notes.append(Note(f"{path}.thinking_blocks", "reasoning that nothing follows is refused"))
        return self._cached(blocks, message, path)

    def _native_blocks(self, message: Message, path: str) -> tuple[list[Block], list[Block], list[Block]]:
        """Of an earlier answer: compactions; calls of Claude's tools with their results; calls still without one."""
        raw = message.extra.get("native_blocks")
        if not isinstance(raw, list):
            return [], [], []
        compacted: list[Block] = []
        done: list[Block] = []
        pending: list[Block] = []
        answered = {text_in(block.get("tool_use_id")) for block in objects_in(raw)}
        for item in raw:
            if not isinstance(item, dict) or not is_native(item.get("type")):
                self._notes.append(Note(f"{path}.native_blocks", "holds a block that Claude does not know"))
                continue
            block = {name: value for name, value in item.items() if name != "index"}  # A stream numbers them.
            if block["type"] == "compaction":
                compacted.append(block)
            elif "input" in block and text_in(block.get("id")) not in answered:
                pending.append(block)
            else:
                done.append(block)
        return compacted, done, pending

    def _is_image(self, block: Block, path: str) -> bool:
        if block["type"] != "image":
            return False
        self._notes.append(Note(f"{path}.content", "Claude takes images from the user and from tools only"))
        return True

    def _result(self, message: Message, path: str) -> Block:
        """One tool_result; nothing in it is dropped, an empty result is a result."""
        block: Block = {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": ""}
        match message.parts:
            case ():
                pass
            case (TextPart(text, cache=None),):
                block["content"] = text
            case parts:
                block["content"] = self._parts.blocks(parts, path) or ""
        if isinstance(message.extra.get("is_error"), bool):
            block["is_error"] = message.extra["is_error"]
        return marked(block, message.cache)

    def _cached(self, blocks: list[Block], message: Message, path: str) -> list[Block]:
        """A message's own cache mark belongs on its last block."""
        if message.cache is None:
            return blocks
        if not blocks or blocks[-1]["type"] in REASONING:
            self._notes.append(Note(f"{path}.cache_control", "there is no block to mark"))
            return blocks
        return [*blocks[:-1], marked(blocks[-1], message.cache)]

    def _note_unsaid(self, message: Message, path: str) -> None:
        if message.name and message.role != "tool":
            self._notes.append(Note(f"{path}.name", "Claude's messages have no names"))
        for name, value in message.extra.items():
            if name not in REPLAYED and value:
                self._notes.append(Note(f"{path}.{name}", "Claude's messages have no such field"))

    # --- all of them ---

    def _turns(self, pieces: Iterable[Turn]) -> list[Turn]:
        turns: list[Turn] = []
        waiting: list[tuple[str, str]] = []
        for speaks, group in groupby(pieces, key=lambda piece: piece.role == "assistant"):
            if speaks:
                blocks = [block for piece in group for block in piece.blocks]
                if turns and turns[-1].role == "assistant":  # Nothing was left of what stood between.
                    turns[-1].blocks.extend(blocks)
                else:
                    turns.append(Turn("assistant", blocks))
                waiting = self._renamed_calls(blocks)
            else:
                turns += self._heard(list(group), waiting)
                waiting = []
        if waiting:
            turns.append(Turn("user", self._answers({}, waiting)))
        return turns

    def _renamed_calls(self, blocks: list[Block]) -> list[tuple[str, str]]:
        """Give the turn's calls their ids on the wire; (client's id, wire's id) of each."""
        calls = []
        for block in blocks:
            if block["type"] == "tool_use":
                own = text_in(block.get("id"))
                block["id"] = self._ids.wire(own)
                calls.append((own, block["id"]))
        return calls

    def _heard(self, pieces: list[Turn], waiting: list[tuple[str, str]]) -> list[Turn]:
        """What stands between two assistant turns: a user's, results first, and a system turn where it may stand."""
        trailing: list[Block] = []
        while self._inline_system and pieces and pieces[-1].role == "system":
            trailing = pieces.pop().blocks + trailing
        results: dict[str, list[Block]] = {}
        spoken: list[Block] = []
        for piece in pieces:
            for block in piece.blocks:
                if block["type"] == "tool_result":
                    results.setdefault(text_in(block.get("tool_use_id")), []).append(block)
                else:
                    spoken.append(as_instruction(block) if piece.role == "system" else block)
        blocks = self._answers(results, waiting) + spoken
        if trailing and not blocks:
            return [Turn("user", [as_instruction(block) for block in trailing])]
        turns = [Turn("user", blocks), Turn("system", trailing)]
        return [turn for turn in turns if turn.blocks]

    def _answers(self, results: dict[str, list[Block]], waiting: list[tuple[str, str]]) -> list[Block]:
        """A result for every call, in the calls' order, and none without a call."""
        answers = []
        for own, wire in waiting:
            if results.get(own):
                answers.append({**results[own].pop(0), "tool_use_id": wire})
            else:
                self._notes.append(Note("messages", f"the call {own!r} has no result: one saying so was added"))
                answers.append({"type": "tool_result", "tool_use_id": wire, "content": UNANSWERED, "is_error": True})
        for own, left in results.items():
            if left:
                self._notes.append(Note("messages", f"a result of {own!r} has no call before it: left out"))
        return answers


class CallIds:
    """Ids of calls as Claude takes them: of its alphabet, and each once in a conversation."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def wire(self, own: str) -> str:
        """The id of the next call that the client calls `own`; the same conversation gives the same ids."""
        wanted = own
        if not CALL_ID.fullmatch(own):
            wanted = re.sub(r"[^a-zA-Z0-9_-]", "_", own) + "_" + sha256(own.encode("utf-8", "replace")).hexdigest()[:8]
        wire, count = wanted, 1
        while wire in self._used:
            count += 1
            wire = f"{wanted}_{count}"
        self._used.add(wire)
        return wire


def as_instruction(block: Block) -> Block:
    """A system message's block where only the user may speak: marked, so that it reads as what it is."""
    if block["type"] != "text":
        return block
    return {**block, "text": f"<system>\n{block['text']}\n</system>"}


# --- the ends of the conversation -----------------------------------------------------------------------------


def bounded(turns: list[Turn], notes: list[Note], *, prefill: bool) -> list[Turn]:
    """With a user's turn in front, and one at the end unless the model goes on from the assistant's words."""
    if not turns or (turns[0].role == "assistant" and turns[0].blocks[0]["type"] != "compaction"):
        turns = [Turn("user", [text_block(PLACEHOLDER)]), *turns]
    last = turns[-1]
    if last.role != "assistant" or last.blocks[-1]["type"] != "text":
        return turns  # A turn that a tool of Claude's own paused is continued as it stands.
    if prefill:
        words = {**last.blocks[-1], "text": last.blocks[-1]["text"].rstrip()}
        return [*turns[:-1], Turn("assistant", [*last.blocks[:-1], words])]
    notes.append(
        Note("messages", f"this model does not continue an assistant's message: the user says {CONTINUE!r} after it")
    )
    return [*turns, Turn("user", [text_block(CONTINUE)])]


def lacks_reasoning(turns: list[Turn]) -> bool:
    """Whether results are being returned for calls whose turn does not begin with the reasoning it was written with.

    A turn lasts over all its calls and results, from the user's last words on.
    """
    opening: Turn | None = None
    for turn in reversed(turns):
        if turn.role == "assistant":
            opening = turn
        elif turn.role == "user" and not any(block["type"] == "tool_result" for block in turn.blocks):
            break
    return opening is not None and turns[-1].role != "assistant" and opening.blocks[0]["type"] not in REASONING
