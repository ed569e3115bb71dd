"""The simulated model: no intelligence, but answers that show what arrived, the same for the same request.

It repeats what it was told; calls the tools that the user's words name (or that it must call), several at
once when several are named; puts tool results into words; keeps to an answer schema; counts on request
("count to 300" makes a long stream); honours stop texts and the limit on tokens.
"""

import re
from collections.abc import Iterator, Mapping

from scripts.demo.conversation import Call, Prompt, Reply, Tool, Turn, Usage
from scripts.demo.example import as_json, example

VERBS = {
    "get",
    "set",
    "list",
    "find",
    "search",
    "fetch",
    "make",
    "create",
    "read",
    "write",
    "look",
    "with",
    "tool",
}
"""Words in tool names that say nothing about when to call the tool."""
MOST_CALLS = 4
MOST_COUNTED = 5000


def tokens(text: str) -> list[str]:
    """The text in token-like pieces, which joined give it back: up to six letters with the space before."""
    return re.findall(r"\s*\w{1,6}|\s*[^\w\s]|\s+", text)


def answer(prompt: Prompt) -> Reply:
    """The model's answer."""
    limit = prompt.max_tokens if prompt.max_tokens is not None else 1 << 20
    reasoning = tokens(_reasoning(prompt) if prompt.reasoning else "")[:limit]
    limit -= len(reasoning)
    calls = _calls(prompt)
    if calls:
        kept = _affordable(calls, limit)
        spent = sum(_cost(call) for call in kept)
        text, stopped_by, cut = "", None, len(kept) < len(calls)
    else:
        kept = ()
        text, stopped_by = _stopped(_text(prompt), prompt.stop)
        pieces = tokens(text)
        text, spent, cut = "".join(pieces[:limit]), min(len(pieces), limit), len(pieces) > limit
    return Reply(
        usage=Usage(_prompt_tokens(prompt), len(reasoning) + spent, len(reasoning)),
        finish="length" if cut else "tool_calls" if kept else "stop",
        reasoning="".join(reasoning),
        text=text,
        calls=kept,
        stopped_by=None if cut else stopped_by,
    )


# --- words ------------------------------------------------------------------------------------------------


def _text(prompt: Prompt) -> str:
    if prompt.schema is not None:
        return as_json(example(prompt.schema, iter(_names(_said(prompt)))))
    last = prompt.turns[-1]
    if last.results:
        return "\n".join(f"{result.name} answered: {result.text or 'nothing'}" for result in last.results)
    if last.role == "assistant":
        return " … and so on, as I had begun to say."
    counted = re.search(r"\bcount(?: up)? to (\d{1,9})", last.text, re.IGNORECASE)
    if counted:
        return ", ".join(str(number) for number in range(1, min(int(counted[1]), MOST_COUNTED) + 1))
    return " ".join(_reflection(prompt, last))


def _reflection(prompt: Prompt, last: Turn) -> Iterator[str]:
    yield f"You said: “{last.text}”" if last.text else "You said nothing."
    if last.attachments:
        yield f"You attached {last.attachments} file{'s' if last.attachments > 1 else ''}."
    earlier = [turn.text for turn in prompt.turns[:-1] if turn.role == "user" and turn.text]
    if earlier:
        yield f"Before that you said: “{earlier[-1]}”"
    if prompt.system:
        yield f"My instructions are: “{prompt.system}”"
    yield f"I am {prompt.model}, a simulation with no model behind it."


def _reasoning(prompt: Prompt) -> str:
    return f"The user says: “{_said(prompt)}” I have no thoughts of my own about that, so I shall reflect it."


def _said(prompt: Prompt) -> str:
    """The user's latest words."""
    return next((turn.text for turn in reversed(prompt.turns) if turn.role == "user" and turn.text), "")


def _names(text: str) -> list[str]:
    """Words that look like names: capitalised inside a sentence; the whole text when there are none."""
    return re.findall(r"(?<![.!?:“\"]\s)(?<!^)\b[A-Z][\w-]*", text) or [text]


def _stopped(text: str, stop: tuple[str, ...]) -> tuple[str, str | None]:
    """The text before the first stop text, and that stop text."""
    found = [(text.index(word), word) for word in stop if word and word in text]
    if not found:
        return text, None
    end, word = min(found)
    return text[:end], word


# --- tools --------------------------------------------------------------------------------------------------


def _calls(prompt: Prompt) -> list[Call]:
    if prompt.choice == "none" or not prompt.tools:
        return []
    said = _said(prompt)
    tools = _wanted(prompt, said)
    names = _names(said)
    if len(tools) == 1 and _takes_one_text(tools[0]):
        fillings = [[name] for name in names[:MOST_CALLS]]
        calls = [Call(tools[0].name, example(tools[0].schema, iter(filling))) for filling in fillings]
    else:
        calls = [Call(tool.name, example(tool.schema, iter(names))) for tool in tools]
    return calls if prompt.parallel else calls[:1]


def _wanted(prompt: Prompt, said: str) -> list[Tool]:
    """The tools to call: the forced one, else those that the user's words name, else one if it must be."""
    if prompt.forced:
        return [tool for tool in prompt.tools if tool.name == prompt.forced]
    last = prompt.turns[-1]
    named = [tool for tool in prompt.tools if _is_named(tool, said)]
    if prompt.choice == "required":
        return named or [prompt.tools[0]]
    return named if last.role == "user" and not last.results else []


def _is_named(tool: Tool, said: str) -> bool:
    """`get_weather` is named by "get_weather" and by "weather"."""
    words = {word.lower() for word in re.findall(r"[A-Za-z][a-z]+", tool.name)} - VERBS
    heard = {word.lower() for word in re.findall(r"\w+", said)}
    return tool.name in said or not words.isdisjoint(heard)


def _takes_one_text(tool: Tool) -> bool:
    """Then it is called once for each name the user mentions: the weather in Paris and in Rome."""
    properties = list(tool.schema.get("properties", {}).values())
    only = properties[0] if len(properties) == 1 and isinstance(properties[0], Mapping) else {}
    return only.get("type") == "string" and "enum" not in only


def _affordable(calls: list[Call], limit: int) -> tuple[Call, ...]:
    """The calls that fit into `limit` tokens whole: half a call is of no use to anybody."""
    kept: list[Call] = []
    for call in calls:
        limit -= _cost(call)
        if limit < 0:
            break
        kept.append(call)
    return tuple(kept)


# --- tokens -------------------------------------------------------------------------------------------------


def _cost(call: Call) -> int:
    return len(tokens(call.name)) + len(tokens(as_json(call.arguments)))


def _prompt_tokens(prompt: Prompt) -> int:
    """Text, a few tokens a message for its form, and a flat price for attachments and tools."""
    total = len(tokens(prompt.system))
    for turn in prompt.turns:
        total += 4 + len(tokens(turn.text)) + 256 * turn.attachments
        total += sum(len(tokens(result.text)) for result in turn.results)
    return total + sum(len(tokens(tool.name)) + len(tokens(as_json(tool.schema))) for tool in prompt.tools)
