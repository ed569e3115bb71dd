"""Whatever history a client sends: what the engine claude builds of it is accepted, and the same every time."""

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.translators.anthropic_types import type_problems
from tests.translators.anthropic_validator import MODELS, problems
from translators.anthropic import Claude
from translators.openai_request import read_request
from translators.types import Target

PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
IDS = st.sampled_from(["toolu_1", "call_2", "functions.Bash:0", "", "call 2", "toolu_1 "])
NAMES = st.sampled_from(["search", "files.read", "tool with spaces", "é"])
TEXTS = st.sampled_from(["", " ", "Hello", "Good day \n", "{}", "日本"])
MARK = {"type": "ephemeral"}


def maybe_marked(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(parts, st.booleans()).map(lambda pair: {**pair[0], "cache_control": MARK} if pair[1] else pair[0])


TEXT_PARTS = maybe_marked(TEXTS.map(lambda text: {"type": "text", "text": text}))
IMAGE_PARTS = maybe_marked(
    st.sampled_from([PNG, PNG.replace("png", "jpg", 1), "https://example.com/cat.png"]).map(
        lambda url: {"type": "image_url", "image_url": {"url": url}}
    )
)
FILE_PARTS = st.just({"type": "file", "file": {"filename": "notes.txt", "file_data": "data:text/plain,notes"}})
USER_CONTENT = TEXTS | st.lists(TEXT_PARTS | IMAGE_PARTS | FILE_PARTS, max_size=3)
CALLS = st.builds(
    lambda id_, name, arguments: {
        "id": id_,
        "type": "function",
        "index": 0,
        "function": {"name": name, "arguments": arguments},
    },
    IDS,
    NAMES,
    st.sampled_from(["", "{}", '{"a": 1}', "null", "[1]", "{broken"]),
)
THINKING = st.sampled_from(
    [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "thinking", "thinking": "", "signature": "c2ln", "index": 0},
        {"type": "redacted_thinking", "data": "eHl6"},
        {"type": "thinking", "thinking": "unsigned", "signature": ""},
        {"type": "reasoning.text", "text": "another provider's"},
    ]
)
SEARCHED = [
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "cats"}, "index": 0},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
]


def present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


MESSAGES = st.one_of(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["system", "developer"]),
        TEXTS | st.lists(TEXT_PARTS, max_size=2),
    ),
    st.builds(
        lambda content, mark: present({"role": "user", "content": content, "cache_control": mark}),
        USER_CONTENT,
        st.sampled_from([None, None, MARK]),
    ),
    st.builds(
        lambda content, calls, thinking, native, refusal: present(
            {
                "role": "assistant",
                "content": content,
                "tool_calls": calls,
                "thinking_blocks": thinking,
                "native_blocks": native,
                "refusal": refusal,
            }
        ),
        st.none() | TEXTS | st.lists(TEXT_PARTS, max_size=2),
        st.none() | st.lists(CALLS, max_size=3),
        st.none() | st.lists(THINKING, max_size=2),
        st.sampled_from([None, None, SEARCHED]),
        st.sampled_from([None, None, "I will not."]),
    ),
    st.builds(
        lambda id_, content: {"role": "tool", "tool_call_id": id_, "content": content},
        IDS,
        TEXTS | st.lists(TEXT_PARTS | IMAGE_PARTS, max_size=2) | st.just({"temperature": 21}),
    ),
)
TOOLS = st.builds(
    lambda name, parameters, strict, mark: (
        {
            "type": "function",
            "function": present({"name": name, "parameters": parameters, "strict": strict}),
        }
        | present({"cache_control": mark})
    ),
    NAMES,
    st.sampled_from(
        [
            None,
            {},
            {"properties": {"a": {"type": "integer", "minimum": 1}}, "required": ["a"]},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ]
    ),
    st.sampled_from([None, False, True]),
    st.sampled_from([None, MARK]),
)
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
FORMATS = st.sampled_from(
    [
        {"type": "json_object"},
        {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}},
        {"type": "json_schema", "json_schema": {"name": "map", "schema": {"type": "object"}}},
        {"type": "json_schema", "json_schema": {"name": "list", "schema": {"type": "array"}}},
    ]
)
REQUESTS = st.fixed_dictionaries(
    {"model": st.sampled_from(sorted(MODELS)), "messages": st.lists(MESSAGES, min_size=1, max_size=9)},
    optional={
        "stream": st.booleans(),
        "tools": st.lists(TOOLS, max_size=3, unique_by=lambda tool: tool["function"]["name"]),
        "tool_choice": st.sampled_from(
            ["auto", "none", "required", {"type": "function", "function": {"name": "files.read"}}]
        ),
        "parallel_tool_calls": st.booleans(),
        "response_format": FORMATS,
        "max_tokens": st.sampled_from([1, 100, 2000, 500_000]),
        "temperature": st.sampled_from([0, 1, 1.7]),
        "top_p": st.sampled_from([0.5, 1]),
        "top_k": st.just(40),
        "stop": st.sampled_from(["END", ["\n", "END"], [" "], ""]),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh"]),
        "user": st.just("somebody"),
        "metadata": st.just({"trace": "1"}),
        "cache_control": st.just(MARK),
    },
)


def names_a_tool(request: dict[str, Any]) -> bool:
    """Whether tool_choice, if it names a tool, names one that is there: OpenAI too refuses anything else."""
    named = isinstance(request.get("tool_choice"), dict)
    return not named or any(tool["function"]["name"] == "files.read" for tool in request.get("tools", []))


@given(REQUESTS.filter(names_a_tool))
@settings(max_examples=500)
def test_any_history_becomes_a_request_that_claude_accepts(raw: dict[str, Any]) -> None:
    """Parallel calls, lost and doubled results, empty parts, odd roles and ids, on models old and new."""
    request = read_request(json.dumps(raw).encode())
    before = copy.deepcopy(request.raw)
    target = Target(base_url="https://api.anthropic.com", model=raw["model"], alias=raw["model"])
    first, second = Claude().build(request, target), Claude().build(request, target)
    body = json.loads(first.body)
    assert problems(body) == []
    assert type_problems(body) == []
    assert first == second, "the same request gives the same bytes, so that prompt caches hit"
    assert request.raw == before, "the client's request is never changed"
    assert_said(raw, body)


def assert_said(raw: dict[str, Any], body: dict[str, Any]) -> None:
    """Nothing that somebody said got lost on the way: every text of the request is in the body."""
    sent = json.dumps(body, ensure_ascii=False)
    for message in raw["messages"]:
        content = message.get("content") or ()
        if message["role"] == "tool":
            continue  # A result without its call is left out.
        texts = [content] if isinstance(content, str) else [part.get("text", "") for part in content]
        assert all(json.dumps(text.rstrip(), ensure_ascii=False)[1:-1] in sent for text in texts)
