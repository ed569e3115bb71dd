"""Whatever history a client sends, what the engine cohere builds is accepted, repeatable, and says the same."""

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.translators.cohere_validator import problems
from tests.translators.openai_wire import whole
from translators.base import AnswerIdentity
from translators.cohere import Cohere
from translators.openai import OpenAIChat
from translators.openai_request import read_request
from translators.types import Target, WireRequest

PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
IDS = st.sampled_from(["call_1", "look_up_x1", "functions.Bash:0", "", "call 2"])
NAMES = st.sampled_from(["search", "files.read", "tool with spaces", "é", "2nd"])
TEXTS = st.sampled_from(["", " ", "Hello", "Good day \n", "{}", "日本"])
TEXT_PARTS = TEXTS.map(lambda text: {"type": "text", "text": text})
IMAGE_PARTS = st.sampled_from([PNG, PNG.replace("png", "jpg", 1), "https://example.com/cat.png"]).map(
    lambda url: {"type": "image_url", "image_url": {"url": url}}
)
FILE_PARTS = st.just({"type": "file", "file": {"filename": "notes.txt", "file_data": "data:text/plain,notes"}})
CALLS = st.builds(
    lambda id_, name, arguments: {
        "id": id_,
        "type": "function",
        "index": 0,
        "function": {"name": name, "arguments": arguments},
    },
    IDS,
    NAMES,
    st.sampled_from(["", "{}", '{"a": 1}', "null", "{broken"]),
)
THINKING = st.just([{"type": "thinking", "thinking": "signed", "signature": "c2ln"}])
CITATIONS = st.just([{"start": 0, "end": 5, "text": "Hello", "sources": [{"type": "tool", "id": "t"}]}, {"url": "x"}])


def present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


MESSAGES = st.one_of(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["system", "developer"]),
        TEXTS | st.lists(TEXT_PARTS, max_size=2),
    ),
    st.builds(
        lambda content: {"role": "user", "content": content},
        TEXTS | st.lists(TEXT_PARTS | IMAGE_PARTS | FILE_PARTS, max_size=3),
    ),
    st.builds(
        lambda content, calls, reasoning, thinking, citations: present(
            role="assistant",
            content=content,
            tool_calls=calls,
            reasoning_content=reasoning,
            thinking_blocks=thinking,
            citations=citations,
        ),
        maybe(TEXTS | st.lists(TEXT_PARTS, max_size=2)),
        maybe(st.lists(CALLS, max_size=3)),
        maybe(st.just("I think.")),
        maybe(THINKING),
        maybe(CITATIONS),
    ),
    st.builds(
        lambda id_, content: {"role": "tool", "tool_call_id": id_, "content": content},
        IDS,
        TEXTS | st.lists(TEXT_PARTS | IMAGE_PARTS, max_size=2) | st.just({"temperature": 21}),
    ),
)
SCHEMAS = st.sampled_from(
    [
        {},
        {"properties": {"a": {"type": "integer", "minimum": 1}}, "required": ["a"]},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"oneOf": [{"type": "string", "maxLength": 5}]}}, "required": ["a"]},
    ]
)
TOOLS = st.builds(
    lambda name, parameters, strict: {
        "type": "function",
        "function": present(name=name, parameters=parameters, strict=strict),
    },
    NAMES,
    maybe(SCHEMAS),
    st.sampled_from([None, False, True]),
)
FORMATS = st.just({"type": "json_object"}) | SCHEMAS.map(
    lambda schema: {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
)
REQUIRED: dict[str, st.SearchStrategy[Any]] = {
    "model": st.sampled_from(["command-a-03-2025", "command-a-reasoning-08-2025", "command-r7b-12-2024"]),
    "messages": st.lists(MESSAGES, min_size=1, max_size=9),
}
REQUESTS = st.fixed_dictionaries(
    REQUIRED,
    optional={
        "stream": st.booleans(),
        "tools": st.lists(TOOLS, max_size=3, unique_by=lambda tool: str(tool["function"])),
        "tool_choice": st.sampled_from(
            ["auto", "none", "required", {"type": "function", "function": {"name": "files.read"}}]
        ),
        "response_format": FORMATS,
        "max_tokens": st.sampled_from([1, 100, 500_000]),
        "temperature": st.sampled_from([0, 1, 1.7]),
        "top_p": st.sampled_from([0, 0.5, 1]),
        "top_k": st.just(40),
        "frequency_penalty": st.sampled_from([-2, 0.5, 2]),
        "stop": st.sampled_from(["END", ["\n", "END"], "", list("abcdefg")]),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh"]),
        "documents": st.sampled_from([[], ["Oslo is a city."], [{"data": {"text": "Rome"}}]]),
        "user": st.just("somebody"),
    },
)


@given(REQUESTS)
@settings(max_examples=500)
def test_any_history_becomes_a_request_that_cohere_accepts(raw: dict[str, Any]) -> None:
    """Parallel calls, lost and doubled results, empty parts, odd roles and ids; by rules and by the SDK's types."""
    request = read_request(json.dumps(raw).encode())
    before = copy.deepcopy(request.raw)
    target = Target(base_url="", model=raw["model"], alias=raw["model"])
    first, second = Cohere().build(request, target), Cohere().build(request, target)
    assert problems(json.loads(first.body)) == []
    assert first == second, "the same request gives the same bytes, so that prompt caches hit"
    assert request.raw == before, "the client's request is never changed"
    assert_said(raw, first.body.decode())
    assert "signed" not in first.body.decode(), "another provider's thinking stays away"


def assert_said(raw: dict[str, Any], sent: str) -> None:
    """Nothing that somebody said got lost on the way: every text of the request is in the body."""
    for message in raw["messages"]:
        content = message.get("content") or ()
        if message["role"] == "tool":
            continue  # A result without its call is left out.
        texts = [content] if isinstance(content, str) else [part.get("text", "") for part in content]
        assert all(json.dumps(text.rstrip(), ensure_ascii=False)[1:-1] in sent for text in texts)


# --- there and back -------------------------------------------------------------------------------------------

ARGUMENTS = st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2)
ANSWERS = st.builds(
    lambda plan, thinking, text, calls: {
        "id": "a1",
        "message": {
            "role": "assistant",
            "tool_plan": plan,
            "content": [
                *([{"type": "thinking", "thinking": thinking}] if thinking else []),
                *([{"type": "text", "text": text}] if text else []),
            ],
            "tool_calls": [
                {"id": f"id{i}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
                for i, (name, arguments) in enumerate(calls)
            ],
        },
        "finish_reason": "TOOL_CALL" if calls else "COMPLETE",
        "usage": {"tokens": {"input_tokens": 3, "output_tokens": 4}},
    },
    st.text(max_size=5),
    st.text(max_size=5),
    st.text(max_size=5),
    st.lists(st.tuples(st.sampled_from(["search", "read"]), ARGUMENTS), max_size=3),
)
IDENTITY = AnswerIdentity("id", 1, "command", renamed=False, include_usage=True)


@given(ANSWERS)
def test_an_answer_keeps_what_it_says(answer: dict[str, Any]) -> None:
    """Words, reasoning, calls, finish and usage, in the client's form; and the client's next request brings it back."""
    wire = WireRequest("POST", "", {}, {}, b"")
    body = json.loads(OpenAIChat().fold(Cohere().parse(json.dumps(answer).encode(), wire), IDENTITY))
    said = whole(body).choices[0]
    message = answer["message"]
    texts = {part["type"]: part.get("text") or part.get("thinking") for part in message["content"]}
    assert said.text == texts.get("text", "")
    assert said.reasoning == message["tool_plan"] + texts.get("thinking", "")
    assert [(call.id, call.name, call.arguments) for call in said.calls] == [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message["tool_calls"]
    ]
    assert said.finish == ("tool_calls" if message["tool_calls"] else "stop")
    assert body["usage"]["total_tokens"] == 7
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "ok"} for call in message["tool_calls"]]
    history = [{"role": "user", "content": "a"}, body["choices"][0]["message"], *results]
    request = read_request(json.dumps({"model": "command", "messages": history}).encode())
    sent = json.loads(Cohere().build(request, Target("", "command", "command")).body)
    assert problems(sent) == []
    calls = [call for item in sent["messages"] for call in item.get("tool_calls", [])]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [call.arguments for call in said.calls]
