"""A conversation with tools that begins with one engine and goes on with another, for every ordered pair."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.translators import anthropic_validator, cohere_validator, gemini_validator, hosts_validator
from translators import DIALECTS, ENGINES
from translators.base import AnswerIdentity
from translators.relay import whole_answer
from translators.types import Target

Json = dict[str, Any]

DIALECT = DIALECTS["openai-chat"]
IDENTITY = AnswerIdentity("chatcmpl-1", 1, "alias", renamed=False, include_usage=False)
QUESTION = {"role": "user", "content": "What is the weather in Paris and in Rome?"}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
CITIES = ("Paris", "Rome")
THOUGHT = "The user wants two cities, so two calls."
CLAUDE_SIGNATURE = "Q2xhdWRlJ3Mgc2lnbmF0dXJl"
GEMINI_SIGNATURE = "R2VtaW5pJ3Mgc2lnbmF0dXJl"
ROUTER_SECRET = "T3BlblJvdXRlcidzIGRldGFpbHM="


def openai_answer(**message: Any) -> Json:
    calls = [
        {
            "id": f"call_{city}_of_the_first_turn",
            "type": "function",
            "function": {"name": "get_weather", "arguments": json.dumps({"city": city})},
        }
        for city in CITIES
    ]
    said = {"role": "assistant", "content": "Let me look.", "tool_calls": calls, **message}
    return {"id": "x", "model": "m", "choices": [{"index": 0, "message": said, "finish_reason": "tool_calls"}]}


CLAUDE_ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
    "content": [
        {"type": "thinking", "thinking": THOUGHT, "signature": CLAUDE_SIGNATURE},
        {"type": "text", "text": "Let me look."},
        *(
            {"type": "tool_use", "id": f"toolu_{city}", "name": "get_weather", "input": {"city": city}}
            for city in CITIES
        ),
    ],
}
GEMINI_ANSWER = {
    "responseId": "g1",
    "modelVersion": "gemini-3-flash-preview",
    "candidates": [
        {
            "index": 0,
            "finishReason": "STOP",
            "content": {
                "role": "model",
                "parts": [
                    {"text": THOUGHT, "thought": True},
                    {
                        "functionCall": {"name": "get_weather", "args": {"city": "Paris"}},
                        "thoughtSignature": GEMINI_SIGNATURE,
                    },
                    {"functionCall": {"name": "get_weather", "args": {"city": "Rome"}}},
                ],
            },
        }
    ],
}
COHERE_ANSWER = {
    "id": "c1",
    "finish_reason": "TOOL_CALL",
    "message": {
        "role": "assistant",
        "tool_plan": THOUGHT,
        "tool_calls": [
            {
                "id": f"get_weather_{city.lower()}",
                "type": "function",
                "function": {"name": "get_weather", "arguments": json.dumps({"city": city})},
            }
            for city in CITIES
        ],
    },
    "usage": {"tokens": {"input_tokens": 1, "output_tokens": 1}},
}
ROUTER_DETAILS = [{"type": "reasoning.encrypted", "data": ROUTER_SECRET, "format": "openai-responses-v1", "index": 0}]


@dataclass(frozen=True)
class Side:
    """An engine as one side of the conversation: where it is, how it calls, what it accepts, what is its own."""

    engine: str
    base_url: str
    model: str
    answer: Json
    problems: Callable[[Json], list[str]]
    own: str = ""
    """Something in its answers that only it understands, and gets back."""

    def target(self) -> Target:
        return Target(
            base_url=self.base_url,
            model=self.model,
            alias="alias",
            key="sk-test",
            project="project",
            region="global",
            account="account",
        )


def host(name: str) -> Callable[[Json], list[str]]:
    return lambda body: hosts_validator.problems(name, body)


def claude_on_vertex(body: Json) -> list[str]:
    """Vertex takes the version in the body, and the model in the address."""
    assert body.pop("anthropic_version")
    return anthropic_validator.problems(body | {"model": "claude-haiku-4-5"})


def gemini(body: Json) -> list[str]:
    return gemini_validator.problems(body, "gemini-3-flash-preview")


OPENAI, MISTRAL, GROQ = "https://api.openai.com/v1", "https://api.mistral.ai/v1", "https://api.groq.com/openai/v1"
SIDES = {
    "openai": Side("gpt", OPENAI, "gpt-4o", openai_answer(), host(OPENAI)),
    "mistral": Side("gpt", MISTRAL, "mistral-large-latest", openai_answer(), host(MISTRAL)),
    "groq": Side("gpt", GROQ, "llama-3.3-70b-versatile", openai_answer(reasoning=THOUGHT), host(GROQ)),
    "deepseek": Side(
        "gpt",
        "https://api.deepseek.com",
        "deepseek-reasoner",
        openai_answer(reasoning_content=THOUGHT),
        host("https://api.deepseek.com"),
    ),
    "openrouter": Side(
        "openrouter",
        "",
        "openai/gpt-5",
        openai_answer(reasoning=THOUGHT, reasoning_details=ROUTER_DETAILS),
        host("openrouter"),
        own=ROUTER_SECRET,
    ),
    "azure": Side("azure", "https://r.openai.azure.com", "gpt-4o", openai_answer(), host("azure")),
    "cloudflare": Side("cloudflare", "", "@cf/meta/llama-3.3-70b", openai_answer(), host("cloudflare")),
    "cohere": Side("cohere", "", "command-a-03-2025", COHERE_ANSWER, cohere_validator.problems),
    "claude": Side("claude", "", "claude-haiku-4-5", CLAUDE_ANSWER, anthropic_validator.problems, own=CLAUDE_SIGNATURE),
    "vertex-claude": Side(
        "vertex-claude", "", "claude-haiku-4-5@20251001", CLAUDE_ANSWER, claude_on_vertex, own=CLAUDE_SIGNATURE
    ),
    "gemini": Side("gemini", "", "gemini-3-flash-preview", GEMINI_ANSWER, gemini, own=GEMINI_SIGNATURE),
    "vertex-gemini": Side("vertex-gemini", "", "gemini-3-flash-preview", GEMINI_ANSWER, gemini, own=GEMINI_SIGNATURE),
}


def request_of(messages: list[Json]) -> Any:
    body = {"model": "alias", "messages": messages, "tools": TOOLS, "max_tokens": 8000, "reasoning_effort": "low"}
    return DIALECT.read(json.dumps(body).encode())


def first_turns(side: Side) -> list[Json]:
    """Question, the engine's calls as a client keeps them, and the results."""
    translator = ENGINES[side.engine]
    wire = translator.build(request_of([QUESTION]), side.target())
    answer = whole_answer(
        translator, DIALECT, wire, IDENTITY, json.dumps(side.answer).encode(), arrives_as_stream=False
    )
    message = json.loads(answer.body)["choices"][0]["message"]
    assert [json.loads(call["function"]["arguments"])["city"] for call in message["tool_calls"]] == list(CITIES)
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "sunny"} for call in message["tool_calls"]]
    return [QUESTION, message, *results]


@pytest.mark.parametrize(("first", "second"), itertools.product(SIDES, SIDES))
def test_a_conversation_goes_on_with_another_engine(first, second):
    """The second accepts the history; what only the first understands reaches nobody else."""
    begun, target = SIDES[first], SIDES[second]
    wire = ENGINES[target.engine].build(request_of(first_turns(begun)), target.target())
    assert target.problems(json.loads(wire.body)) == []
    assert wire.body.count(b"Paris") >= 2  # the question and the call
    assert wire.body.count(b"sunny") == len(CITIES)
    if begun.own:
        assert (begun.own.encode() in wire.body) == (begun.own == target.own)


@pytest.mark.parametrize("through", SIDES)
def test_a_conversation_comes_back_to_where_it_began(through):
    """Claude's thinking and Gemini's signatures are still there after a turn elsewhere."""
    for begun in (SIDES["claude"], SIDES["gemini"]):
        history = first_turns(begun)
        elsewhere = first_turns(SIDES[through])[1:]
        again = [*history, {"role": "user", "content": "And now?"}, *elsewhere]
        wire = ENGINES[begun.engine].build(request_of(again), begun.target())
        assert begun.problems(json.loads(wire.body)) == []
        assert begun.own.encode() in wire.body


# --- the same in every process --------------------------------------------------------------------------------

ROOT = Path(__file__).resolve().parents[2]
BUILD_ALL = """
from pathlib import Path
from tests.translators.test_cross_engines import DIALECT, ENGINES, ROOT, SIDES
from translators.jsontext import dumps, loads
conversation = loads(Path(ROOT, "tests/fixtures/anthropic/conversation.openai.json").read_bytes())
unknown = {f"field_{number}": number for number in range(20)}
for side in SIDES.values():
    wire = ENGINES[side.engine].build(DIALECT.read(dumps(conversation | unknown)), side.target())
    print(wire.url, dict(wire.headers), wire.body, wire.notes, wire.context)
"""


def test_pitfall_049_the_same_request_gives_the_same_bytes() -> None:
    """suna PR#3724: keys and tools in a stable order, so that prompt caches hit, also those of another process.

    Python orders a set of texts by their hashes, which every process draws anew.
    """
    written = {
        subprocess.run(
            [sys.executable, "-c", BUILD_ALL],
            check=True,
            capture_output=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(written) == 1
