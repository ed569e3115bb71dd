"""Reasoning that clients lose comes back to the engine that made it, and to no other."""

import json
from typing import Any

from balancing.signatures import ReasoningStore
from tests.balancing.world import Clock
from translators import DIALECTS, ENGINES
from translators.base import AnswerIdentity, ClientRequest
from translators.openai_request import read_request
from translators.types import Event, Finished, Target, ThinkingBlock, ToolCallStart

SIGNED = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
TEXT_SIGNATURE = {"type": "gemini.thought_signature", "thought_signature": "dGV4dA=="}
IDENTITY = AnswerIdentity("chatcmpl-1", 1_700_000_000, "m", renamed=False, include_usage=False)


def answered(*ids: str, thinking: Any = None, extra: Any = None, choice: int = 0) -> list[Event]:
    """An answer with calls, the first of which has the extra fields."""
    events: list[Event] = [ThinkingBlock(thinking, choice)] if thinking else []
    for number, id_ in enumerate(ids):
        events.append(ToolCallStart(number, id_, "look_up", choice, extra if extra and not number else {}))
    return [*events, Finished("tool_calls", choice)]


def asked(*ids: str, **message: Any) -> ClientRequest:
    """The next request of a client that sends back calls, and what `message` says, but nothing else."""
    calls = [{"id": id_, "type": "function", "function": {"name": "look_up", "arguments": "{}"}} for id_ in ids]
    history: list[Any] = [
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": None, "tool_calls": calls, **message},
        *({"role": "tool", "tool_call_id": id_, "content": "found"} for id_ in ids),
    ]
    return read_request(json.dumps({"model": "m", "messages": history}).encode())


def store(*answers: tuple[str, list[Event]], **limits: Any) -> ReasoningStore:
    made = ReasoningStore(Clock(), **limits)
    for engine, events in answers:
        made.watch("ann", engine).see(events)
    return made


def test_geminis_signatures_come_back_on_their_calls() -> None:
    """And only on those that had one."""
    kept = store(("gemini", answered("a", "b", extra=SIGNED, thinking=TEXT_SIGNATURE)))
    restored = kept.restore(asked("a", "b"), client="ann", engine="gemini").chat.messages[1]
    assert [call.extra for call in restored.tool_calls] == [SIGNED, {}]
    assert restored.thinking == (TEXT_SIGNATURE,)


def test_claudes_thinking_comes_back_before_its_calls() -> None:
    """To Claude on Vertex likewise: the signatures are the same."""
    kept = store(("claude", answered("a", thinking=THOUGHT)))
    for engine in ("claude", "vertex-claude"):
        assert kept.restore(asked("a"), client="ann", engine=engine).chat.messages[1].thinking == (THOUGHT,)


def test_nobody_else_gets_them() -> None:
    """Neither another engine nor another client, nor a call of another id."""
    kept = store(("gemini", answered("a", extra=SIGNED)))
    request = asked("a")
    assert kept.restore(request, client="ann", engine="claude") is request
    assert kept.restore(request, client="ann", engine="vertex-gemini") is request
    assert kept.restore(request, client="bob", engine="gemini") is request
    other = asked("b")
    assert kept.restore(other, client="ann", engine="gemini") is other


def test_what_the_client_sends_itself_stays() -> None:
    """It may have changed the conversation on purpose."""
    kept = store(("claude", answered("a", thinking=THOUGHT)))
    own = asked("a", thinking_blocks=[{"type": "thinking", "thinking": "own", "signature": "b3du"}])
    assert kept.restore(own, client="ann", engine="claude") is own


def test_the_clients_request_is_not_changed() -> None:
    """Every attempt is restored for its own engine."""
    kept = store(("gemini", answered("a", extra=SIGNED)))
    request = asked("a")
    restored = kept.restore(request, client="ann", engine="gemini")
    assert restored is not request
    assert request.chat.messages[1].tool_calls[0].extra == {}
    assert (restored.body, restored.model, restored.stream) == (request.body, request.model, request.stream)


def test_an_answer_may_come_in_any_portions() -> None:
    """Each choice is remembered when it is finished, not before."""
    kept = ReasoningStore(Clock())
    watch = kept.watch("ann", "claude")
    events = [*answered("b", thinking=THOUGHT, choice=1)[:-1], *answered("a", thinking=THOUGHT)]
    for event in events:
        watch.see([event])
    found = kept.restore(asked("a"), client="ann", engine="claude")
    assert found.chat.messages[1].thinking == (THOUGHT,)
    unfinished = asked("b")
    assert kept.restore(unfinished, client="ann", engine="claude") is unfinished


def test_it_forgets_in_time() -> None:
    """And by size, the oldest first; what is larger than all of it is not kept at all."""
    clock = Clock()
    kept = ReasoningStore(clock, seconds=60)
    kept.watch("ann", "claude").see(answered("a", thinking=THOUGHT))
    clock.now += 61
    request = asked("a")
    assert kept.restore(request, client="ann", engine="claude") is request
    small = store(*(("claude", answered(id_, thinking=THOUGHT)) for id_ in "abcd"), size=1_000)
    known = [
        id_ for id_ in "abcd" if small.restore(asked(id_), client="ann", engine="claude").chat.messages[1].thinking
    ]
    assert known
    assert known == list("abcd")[-len(known) :]
    assert len(known) < 4
    tiny = store(("claude", answered("a", thinking=THOUGHT)), size=10)
    assert tiny.restore(request, client="ann", engine="claude") is request


def test_a_tool_conversation_with_a_plain_client() -> None:
    """Gemini's answer, an OpenAI client that keeps only what OpenAI has, the next request on the wire (pitfall 70)."""
    engine, dialect = ENGINES["gemini"], DIALECTS["openai-chat"]
    target = Target(base_url="", model="gemini-3-flash-preview", alias="m")
    kept = ReasoningStore(Clock())
    part = {"functionCall": {"name": "look_up", "args": {}}, "thoughtSignature": "c2ln"}
    candidate = {"content": {"parts": [part]}, "finishReason": "STOP"}
    wire = engine.build(asked("x"), target)
    events = engine.parse(json.dumps({"candidates": [candidate], "responseId": "r"}).encode(), wire)
    kept.watch("ann", "gemini").see(events)
    message = json.loads(dialect.fold(events, IDENTITY))["choices"][0]["message"]
    request = asked(message["tool_calls"][0]["id"])
    lost = json.loads(engine.build(request, target).body)["contents"][1]["parts"][0]
    assert lost["thoughtSignature"] == "skip_thought_signature_validator"
    restored = kept.restore(request, client="ann", engine="gemini")
    assert json.loads(engine.build(restored, target).body)["contents"][1]["parts"][0] == {
        **part,
        "functionCall": {"id": message["tool_calls"][0]["id"], "name": "look_up", "args": {}},
    }


def test_pitfall_046_claudes_thinking_survives_a_plain_client() -> None:
    """With it Claude goes on thinking; without it thinking is switched off. (pydantic-ai#2040, opencode#3077)"""
    engine = ENGINES["claude"]
    target = Target(base_url="", model="claude-haiku-4-5", alias="m")
    kept = store(("claude", answered("a", thinking=THOUGHT)))
    request = read_request(json.dumps({**asked("a").raw, "reasoning_effort": "low"}).encode())
    assert "thinking" not in json.loads(engine.build(request, target).body)
    body = json.loads(engine.build(kept.restore(request, client="ann", engine="claude"), target).body)
    assert body["thinking"]["type"] == "enabled"
    assert body["messages"][1]["content"][0] == THOUGHT
