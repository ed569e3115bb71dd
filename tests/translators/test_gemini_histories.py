"""Whatever history a client sends, what the engine gemini builds is accepted and repeatable, and spares the request."""

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.translators.gemini_exchange import IDENTITY
from tests.translators.gemini_types import assert_fits
from tests.translators.gemini_validator import MODELS, problems
from translators.gemini import Gemini
from translators.openai import OpenAIChat
from translators.openai_request import read_request
from translators.types import Target

PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"
IDS = st.sampled_from(["call_1", "call_2", "functions.Bash:0", "", "call 2"])
NAMES = st.sampled_from(["search", "files.read", "tool with spaces", "7é", "x" * 80])
TEXTS = st.sampled_from(["", " ", "Hello", "Good day \n", "{}", "日本"])
SIGNATURE = {"extra_content": {"google": {"thought_signature": "c2lnbmF0dXJl"}}}


def present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


TEXT_PARTS = TEXTS.map(lambda text: {"type": "text", "text": text})
IMAGE_PARTS = st.sampled_from([PNG, PNG.replace("png", "jpg", 1), "https://example.com/cat.png"]).map(
    lambda url: {"type": "image_url", "image_url": {"url": url}}
)
FILE_PARTS = st.sampled_from(
    [
        {"type": "file", "file": {"filename": "notes.txt", "file_data": "data:text/plain,notes"}},
        {"type": "file", "file": {"file_id": "files/abc", "filename": "a.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ]
)
USER_CONTENT = TEXTS | st.lists(TEXT_PARTS | IMAGE_PARTS | FILE_PARTS, max_size=3)
CALLS = st.builds(
    lambda id_, name, arguments, extra: {
        "id": id_,
        "type": "function",
        "index": 0,
        "function": {"name": name, "arguments": arguments},
        **extra,
    },
    IDS,
    NAMES,
    st.sampled_from(["", "{}", '{"a": 1}', "null", "[1]", "{broken"]),
    st.sampled_from([{}, SIGNATURE]),
)
THINKING = st.sampled_from(
    [
        {"type": "gemini.thought_signature", "thought_signature": "c2ln"},
        {"type": "gemini.thought", "text": "hm", "thought_signature": "c2ln", "index": 0},
        {"type": "thinking", "thinking": "another provider's", "signature": "c2ln"},
    ]
)
NATIVE = [
    {"type": "gemini.part", "part": {"executableCode": {"language": "PYTHON", "code": "1"}}, "index": 0},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
]
MESSAGES = st.one_of(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["system", "developer"]),
        TEXTS | st.lists(TEXT_PARTS, max_size=2),
    ),
    st.builds(lambda content: {"role": "user", "content": content}, USER_CONTENT),
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
        st.none() | st.lists(THINKING, max_size=3),
        st.sampled_from([None, None, NATIVE]),
        st.sampled_from([None, None, "I will not."]),
    ),
    st.builds(
        lambda id_, content: {"role": "tool", "tool_call_id": id_, "content": content},
        IDS,
        TEXTS
        | st.lists(TEXT_PARTS | IMAGE_PARTS, max_size=2)
        | st.sampled_from([{"temperature": 21}, '{"schema": {"$ref": "#/$defs/a"}}', '["a"]']),
    ),
)
NODE = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}
SCHEMAS = st.sampled_from(
    [
        {},
        {"type": "object", "properties": {}, "additionalProperties": False},
        {"properties": {"a": {"type": "integer", "exclusiveMinimum": 1, "default": 2}}, "required": ["a", "b"]},
        {"type": "object", "properties": {"a": {"type": ["integer", "null"], "enum": [1, 2, None]}}},
        {"type": "object", "properties": {"a": {"enum": ["", "x"]}, "b": {"const": 1}, "c": {"const": "y"}}},
        {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "b": {}}},
        {"$ref": "#/$defs/node", "$defs": {"node": NODE}, "$schema": "https://json-schema.org/draft/2020-12/schema"},
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/x", "description": "y"}},
            "$defs": {"x": {"const": 5}},
        },
        {"type": "object", "properties": {"a": {"allOf": [{"$ref": "#/$defs/x"}]}}, "$defs": {"x": NODE}},
        {"type": "object", "properties": {"a": {"type": "array", "prefixItems": [{"type": "string"}]}}},
        {"type": "object", "additionalProperties": {"type": "string", "format": "uri"}},
    ]
)
TOOLS = st.builds(
    lambda name, parameters, strict: {
        "type": "function",
        "function": present({"name": name, "parameters": parameters, "strict": strict}),
    },
    NAMES,
    st.none() | SCHEMAS,
    st.sampled_from([None, False, True]),
)
FORMATS = st.one_of(
    st.just({"type": "json_object"}),
    SCHEMAS.map(lambda schema: {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}),
)
REQUESTS = st.fixed_dictionaries(
    {"model": st.sampled_from(sorted(MODELS)), "messages": st.lists(MESSAGES, min_size=1, max_size=9)},
    optional={
        "stream": st.booleans(),
        "tools": st.lists(TOOLS, max_size=3),
        "tool_choice": st.sampled_from(
            ["auto", "none", "required", {"type": "function", "function": {"name": "files.read"}}]
        ),
        "parallel_tool_calls": st.booleans(),
        "response_format": FORMATS,
        "max_tokens": st.sampled_from([1, 100, 2_000, 500_000]),
        "temperature": st.sampled_from([0, 1, 1.7]),
        "top_p": st.sampled_from([0.5, 1]),
        "top_k": st.just(40),
        "n": st.sampled_from([1, 2, 8]),
        "seed": st.sampled_from([1, -1, 2**63 - 1]),
        "logprobs": st.booleans(),
        "top_logprobs": st.sampled_from([0, 5]),
        "frequency_penalty": st.just(0.5),
        "stop": st.sampled_from(["END", ["\n", "END"], ["1", "2", "3", "4", "5", "6"], ""]),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "odd"]),
        "user": st.just("somebody"),
        "metadata": st.just({"trace": "1"}),
    },
)


def names_a_tool(request: dict[str, Any]) -> bool:
    """Whether tool_choice, if it names a tool, names one that is there: OpenAI too refuses anything else."""
    named = isinstance(request.get("tool_choice"), dict)
    return not named or any(tool["function"]["name"] == "files.read" for tool in request.get("tools", []))


@given(REQUESTS.filter(names_a_tool))
@settings(max_examples=500)
def test_any_history_becomes_a_request_that_gemini_accepts(raw: dict[str, Any]) -> None:
    """Parallel calls, lost and doubled results, empty parts, odd roles, ids and schemas, on models old and new."""
    request = read_request(json.dumps(raw).encode())
    before = copy.deepcopy(request.raw)
    target = Target(base_url="", model=raw["model"], alias=raw["model"])
    first, second = Gemini().build(request, target), Gemini().build(request, target)
    body = json.loads(first.body)
    assert problems(body, raw["model"]) == []
    assert_fits(body)
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
        assert all(json.dumps(text, ensure_ascii=False)[1:-1] in sent for text in texts)


NUMBERS = st.integers(-(2**53), 2**53)
"""What JSON numbers hold everywhere (RFC 8259, §6)."""
SAID = st.fixed_dictionaries(
    {
        "text": st.sampled_from(["", "Hello", "日本 \n"]),
        "calls": st.lists(
            st.tuples(NAMES, st.dictionaries(st.text(max_size=3), NUMBERS | st.text(), max_size=3), st.booleans()),
            max_size=3,
        ),
        "signed": st.booleans(),
    }
)


@given(SAID, st.integers(min_value=1, max_value=40))
@settings(max_examples=200)
def test_what_an_assistant_said_survives_the_way_there_and_back(said: dict[str, Any], size: int) -> None:
    """A message on Gemini's wire, answered by Gemini word for word as a stream, is the same message again."""
    calls = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments, separators=(",", ":"), ensure_ascii=False)},
            **(SIGNATURE if signed else {}),
        }
        for number, (name, arguments, signed) in enumerate(said["calls"])
    ]
    block = {"type": "gemini.thought_signature", "thought_signature": "c2ln"}
    message = present({"role": "assistant", "content": said["text"], "tool_calls": calls or None})
    if said["signed"] and said["text"]:
        message["thinking_blocks"] = [block]
    raw = {"model": "gemini-2.5-pro", "messages": [{"role": "user", "content": "Hi"}, message]}
    wire = Gemini().build(read_request(json.dumps(raw).encode()), Target("", "gemini-2.5-pro", "gemini-2.5-pro"))
    spoken = [content for content in json.loads(wire.body)["contents"] if content["role"] == "model"]
    if not spoken:
        return  # Nothing was said.
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}
    candidate = {"content": spoken[0], "finishReason": "STOP"}
    data = f"data: {json.dumps({'candidates': [candidate], 'usageMetadata': usage})}\r\n\r\n".encode()
    stream = Gemini().stream(wire)
    events = [event for at in range(0, len(data), size) for event in stream.feed(data[at : at + size])] + stream.close()
    answer = json.loads(OpenAIChat().fold(events, IDENTITY))
    found = answer["choices"][0]["message"]
    assert (found["content"] or "") == said["text"]
    assert found.get("tool_calls", []) == calls
    assert found.get("thinking_blocks", []) == message.get("thinking_blocks", [])
    assert answer["choices"][0]["finish_reason"] == ("tool_calls" if calls else "stop")
    assert answer["usage"]["total_tokens"] == 7
