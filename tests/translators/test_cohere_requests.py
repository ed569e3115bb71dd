"""The engine cohere, the request: everything in it but the conversation."""

from typing import Any

import pytest

from tests.translators.cohere_exchange import CITY, MODEL, REASONING_MODEL, TOOL, USER, body, noted, wire
from tests.translators.cohere_validator import problems
from translators import ENGINES
from translators.errors import Kind, RequestError, UntranslatableError

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def function(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": CITY, **fields}}


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def schema_format(schema: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}


# --- the request as a whole -----------------------------------------------------------------------------------


def test_the_key_goes_into_its_header() -> None:
    """And into no repr."""
    sent = wire({"stream": True}, key="co-secret")
    assert sent.credentials == {"authorization": "Bearer co-secret"}
    assert sent.headers == {"content-type": "application/json", "accept": "text/event-stream"}
    assert "co-secret" not in repr(sent)
    assert wire().headers["accept"] == "application/json"


def test_the_engine_is_registered() -> None:
    """Its answers are translated, its errors read like everybody's."""
    engine = ENGINES["cohere"]
    assert (engine.name, engine.speaks) == ("cohere", None)
    assert engine.failure(429, {"retry-after": "2"}, b'{"message":"m"}').kind is Kind.RATE_LIMIT


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("", "https://api.cohere.com/v2/chat"),
        ("https://api.cohere.ai/v2", "https://api.cohere.ai/v2/chat"),
        ("https://proxy.example/cohere/", "https://proxy.example/cohere/v2/chat"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v2/chat"),
    ],
)
def test_the_endpoint(base_url: str, url: str) -> None:
    """Cohere's own, or behind whatever stands before it."""
    assert wire(base_url=base_url).url == url


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.cohere.com/v1/chat",
        "https://api.cohere.com/v1",
        "https://api.cohere.com/v2/chat",
        "https://api.cohere.com/compatibility/v1",
        "https://api.cohere.com/compatibility/v1/chat/completions",
    ],
)
def test_pitfall_099_version_2_is_asked(base_url: str) -> None:
    """PK#1028: version 1 is gone, whatever an older configuration says."""
    assert wire(base_url=base_url).url == "https://api.cohere.com/v2/chat"


def test_building_is_repeatable() -> None:
    """The same bytes for the same request, so that prompt caches hit."""
    request = {"tools": [function("b"), function("a.b")], "stop": ["x"], "stream": True}
    assert wire(request) == wire(request)
    assert body(stream=True)["stream"] is True


# --- tools ----------------------------------------------------------------------------------------------------


def test_tools_keep_their_order_and_get_a_schema() -> None:
    """A function without parameters takes an object without properties."""
    tools = [function("b", description="B."), {"type": "function", "function": {"name": "a"}}]
    assert [tool["function"] for tool in body(tools=tools)["tools"]] == [
        {"name": "b", "description": "B.", "parameters": CITY},
        {"name": "a", "parameters": {"type": "object", "properties": {}}},
    ]


def test_names_that_cohere_refuses_are_replaced() -> None:
    """Reversibly, each by its own, also in the history."""
    tools = [function("files.read"), function("files-read"), function("2nd")]
    sent = wire({"tools": tools})
    names = [tool["function"]["name"] for tool in body(tools=tools)["tools"]]
    assert len(set(names)) == 3
    assert sent.context["tools"] == dict(zip(names, ["files.read", "files-read", "2nd"], strict=True))
    assert problems(body(tools=tools)) == []


def test_pitfall_074_a_name_counts_once() -> None:
    """Two functions of one name are told apart by nobody; the first stays. (OR PR#13738)"""
    tools = [function("a", description="first"), function("a", description="second")]
    (sent,) = body(tools=tools)["tools"]
    assert sent["function"]["description"] == "first"
    assert set(noted(tools=tools)) == {"tools[1]"}


@pytest.mark.parametrize(
    ("choice", "tools", "expected"),
    [
        ("auto", ["a", "b"], None),
        ("required", ["a", "b"], "REQUIRED"),
        ("none", ["a", "b"], "NONE"),
        (named("b"), ["b"], "REQUIRED"),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named("a")]}}, ["a"], None),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named("a")]}}, ["a"], "REQUIRED"),
    ],
)
def test_pitfall_039_the_choice_of_tools(choice: Any, tools: list[str], expected: str | None) -> None:
    """litellm _map_tool_choice: one tool is forced by offering no other; none keeps the tools."""
    sent = body(tools=[function("a"), function("b")], tool_choice=choice)
    assert [tool["function"]["name"] for tool in sent["tools"]] == tools
    assert sent.get("tool_choice") == expected


def test_a_choice_without_tools() -> None:
    """None is said to Cohere, a forced call cannot be."""
    assert body(tool_choice="none")["tool_choice"] == "NONE"
    assert "tool_choice" not in body(tool_choice="required")
    assert list(noted(tool_choice="required")) == ["tool_choice"]


def test_a_provider_without_tools_gets_none() -> None:
    """And whoever sent some is told."""
    sent = wire({"tools": [TOOL], "tool_choice": "required"}, tools=False)
    assert b"tool" not in sent.body
    assert [note.field for note in sent.notes] == ["tools"]


def test_strict_tools_are_strict_together() -> None:
    """With schemas that decoding can follow; otherwise none is, and a note says why."""
    ranged = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
    sent = body(tools=[function("a", strict=True), function("b", strict=True, parameters=ranged)])
    assert sent["strict_tools"] is True
    assert sent["tools"][1]["function"]["parameters"]["properties"]["n"] == {
        "type": "integer",
        "description": "(minimum: 1)",
    }
    assert problems(sent) == []
    for tools in (
        [function("a", strict=True), function("b")],
        [function("a", strict=True, parameters={"type": "object", "properties": {}})],
        [function("a", strict=True, parameters=SCHEMA | {"properties": {str(n): {} for n in range(201)}})],
    ):
        assert "strict_tools" not in body(tools=tools)
        assert list(noted(tools=tools)) == ["tools.strict"]


@pytest.mark.parametrize("tool", [{"type": "web_search"}, {"type": "code_execution_20250825", "name": "x"}])
def test_pitfall_038_another_providers_tools_are_an_error(tool: Any) -> None:
    """EN#2467: not left out in silence."""
    with pytest.raises(UntranslatableError) as caught:
        body(tools=[TOOL, tool])
    assert caught.value.param == "tools[1]"


def test_pitfall_036_an_empty_list_of_tools_is_none() -> None:
    """PK c9fe94d3, BF emptytools_test.go."""
    assert "tools" not in body(tools=[])


# --- the form of the answer -----------------------------------------------------------------------------------


def test_json_is_asked_for_by_format() -> None:
    """Any object, or one of a schema; text is the default."""
    assert body(response_format={"type": "json_object"})["response_format"] == {"type": "json_object"}
    sent = body(response_format=schema_format(SCHEMA))
    assert sent["response_format"] == {"type": "json_object", "json_schema": SCHEMA}
    assert "response_format" not in body(response_format={"type": "text"})


def test_json_beside_tools_is_asked_for_in_words() -> None:
    """Cohere does not combine them, nor with documents."""
    for fields in ({"tools": [TOOL]}, {"documents": ["a"]}):
        sent = body(response_format=schema_format(SCHEMA), **fields)
        assert problems(sent) == []
        assert sent["messages"][0]["role"] == "system"
        assert '"required":["name"]' in sent["messages"][0]["content"]
        assert list(noted(response_format=schema_format(SCHEMA), **fields)) == ["response_format"]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {"not": {"type": "string"}}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "object"}}, "required": ["a"]},
        {"type": "object", "properties": {"a": True}, "required": ["a"]},
        {"type": "object", "anyOf": 5, "required": ["a"]},
    ],
)
def test_a_schema_that_decoding_cannot_follow_is_said_in_words(schema: Any) -> None:
    """Any JSON object is still asked for."""
    sent = body(response_format=schema_format(schema))
    assert sent["response_format"] == {"type": "json_object"}
    assert sent["messages"][0]["role"] == "system"
    assert list(noted(response_format=schema_format(schema))) == ["response_format"]


def test_limits_in_a_schema_are_said_in_its_descriptions() -> None:
    """As they would be refused; choices are choices, formats that Cohere knows stay."""
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "description": "A.", "pattern": "^x$", "minLength": 2},
            "b": {"oneOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "email"}]},
            "c": {"type": "array", "items": {"$ref": "#/$defs/d"}, "maxItems": 3},
        },
        "required": ["a"],
        "$defs": {"d": {"type": "string", "pattern": "[a-z]+"}},
    }
    sent = body(response_format=schema_format(schema))["response_format"]["json_schema"]
    assert sent == {
        "type": "object",
        "properties": {
            "a": {"type": "string", "description": "A. (pattern: ^x$, minLength: 2)"},
            "b": {
                "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "description": "(format: email)"}]
            },
            "c": {"type": "array", "items": {"$ref": "#/$defs/d"}, "description": "(maxItems: 3)"},
        },
        "required": ["a"],
        "$defs": {"d": {"type": "string", "pattern": "[a-z]+"}},
    }


# --- limits, sampling, thinking -------------------------------------------------------------------------------


def test_openais_parameters_by_cohere_names() -> None:
    """Limits, stops, sampling."""
    sent = body(
        max_completion_tokens=9, stop="x", temperature=0.5, top_p=0.5, top_k=7, seed=1, logprobs=True, stream=False
    )
    assert sent == {
        "model": MODEL,
        "messages": [USER],
        "max_tokens": 9,
        "stop_sequences": ["x"],
        "temperature": 0.5,
        "seed": 1,
        "k": 7,
        "p": 0.5,
        "logprobs": True,
    }


def test_numbers_beyond_coheres_ranges_become_the_nearest() -> None:
    """With notes; no limit on probabilities needs none."""
    sent = body(temperature=1.5, frequency_penalty=-1, presence_penalty=2, top_p=0)
    values = [sent[name] for name in ("temperature", "frequency_penalty", "presence_penalty", "p")]
    assert values == [1, 0, 1, 0.01]
    assert set(noted(temperature=1.5, frequency_penalty=-1, presence_penalty=2, top_p=0)) == {
        "temperature",
        "frequency_penalty",
        "presence_penalty",
        "top_p",
    }
    assert body(top_p=1)["p"] == 0.99
    assert noted(top_p=1) == {}


def test_pitfall_041_stop_sequences() -> None:
    """litellm#3286: empty ones are refused, and so are more than five."""
    assert body(stop=["a", "", "b"])["stop_sequences"] == ["a", "b"]
    assert "stop_sequences" not in body(stop="")
    assert body(stop=list("abcdef"))["stop_sequences"] == list("abcde")
    assert list(noted(stop=list("abcdef"))) == ["stop"]


@pytest.mark.parametrize(
    ("effort", "thinking"),
    [
        ("none", {"type": "disabled"}),
        ("low", {"type": "enabled", "token_budget": 2048}),
        ("medium", {"type": "enabled", "token_budget": 8192}),
        ("high", {"type": "enabled"}),
        ("xhigh", {"type": "enabled"}),
    ],
)
def test_effort_is_thinking(effort: str, thinking: Any) -> None:
    """For models that reason; others are told nothing, and the client is."""
    assert body(model=REASONING_MODEL, reasoning_effort=effort)["thinking"] == thinking
    assert "thinking" not in body(reasoning_effort=effort)
    assert list(noted(reasoning_effort=effort)) == ([] if effort == "none" else ["reasoning_effort"])


def test_an_unknown_effort_is_noted() -> None:
    """Rather than refused."""
    assert list(noted(model=REASONING_MODEL, reasoning_effort="extreme")) == ["reasoning_effort"]


def test_thinking_in_coheres_and_in_anthropics_form() -> None:
    """It goes before reasoning_effort."""
    own = {"type": "enabled", "token_budget": 500}
    assert body(thinking=own, reasoning_effort="none")["thinking"] == own
    assert body(thinking={"type": "enabled", "budget_tokens": 500})["thinking"] == own
    assert body(thinking={"type": "adaptive"})["thinking"] == {"type": "enabled"}
    assert body(thinking={"type": "disabled"})["thinking"] == {"type": "disabled"}


@pytest.mark.parametrize("field", ["thinking", "documents", "p"])
def test_a_field_of_coheres_must_have_its_type(field: str) -> None:
    """The message names it."""
    with pytest.raises(RequestError) as caught:
        body(**{field: "yes"})
    assert caught.value.param in (field, "top_p")


def test_coheres_own_fields_pass() -> None:
    """By their own names."""
    own = {"citation_options": {"mode": "FAST"}, "safety_mode": "STRICT", "priority": 1, "documents": ["a"]}
    sent = body(**own)
    assert own.items() <= sent.items()
    assert problems(sent) == []


def test_parameters_without_a_place_are_noted() -> None:
    """OpenAI's and everybody else's; several answers at once are an error."""
    fields = {
        "logit_bias": {"1": 2},
        "top_logprobs": 3,
        "user": "ada",
        "parallel_tool_calls": False,
        "metadata": {"a": "b"},
        "verbosity": "low",
    }
    assert set(noted(**fields)) == set(fields)
    assert set(noted(turns=0, quiet=False, mood="", other=None)) == {"turns", "quiet", "mood"}
    assert noted(store=False, parallel_tool_calls=True, n=1) == {}
    with pytest.raises(UntranslatableError, match="one answer"):
        body(n=2)


# --- the validator itself -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"logit_bias": {}},
        {"messages": [{"role": "user", "content": 5}]},
        {"messages": [{"role": "robot", "content": "a"}]},
        {"messages": [{"role": "user", "content": "a", "name": "b"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {}}]}]},
        {"messages": [USER, {"role": "assistant", "tool_calls": [{"id": "a", "type": "function"}]}]},
        {"messages": [USER, {"role": "tool", "tool_call_id": "a", "content": "b"}]},
        {"tools": [{"type": "function", "function": {"name": "a"}}]},
        {"tools": [{"type": "function", "function": {"name": "a-b", "parameters": CITY}}]},
        {"tools": [TOOL], "response_format": {"type": "json_object"}},
        {"temperature": 2},
        {"thinking": {"token_budget": 5}},
    ],
)
def test_the_validator_refuses_what_cohere_refuses(wrong: Any) -> None:
    """Otherwise the tests that use it could not fail."""
    assert problems({"model": MODEL, "messages": [USER]}) == []
    assert problems({"model": MODEL, "messages": [USER], **wrong}) != []
