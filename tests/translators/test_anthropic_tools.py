"""How the engine claude writes tools, the choice between them and the form of the answer, and reads that form back."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.translators.anthropic_exchange import (
    TOOL,
    USER,
    block,
    body,
    called,
    noted,
    read_stream,
    result,
    sse,
    stop,
    wire,
)
from translators.anthropic import Claude
from translators.errors import UntranslatableError
from translators.types import Event, Finished, TextDelta, ToolCallStart

NAMED = {"type": "function", "function": {"name": "look_up"}}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
MAP = {"type": "object", "additionalProperties": {"type": "integer"}}
OLD = "claude-sonnet-4-0"
"""A model without structured outputs."""


def json_schema(schema: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, **fields}}


def function(**fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", **fields}}


# --- tools ----------------------------------------------------------------------------------------------------


def test_pitfall_035_tools_of_the_history_are_defined() -> None:
    """LL add_dummy_tool: calls without any definition are refused; defined, but not to be called."""
    sent = body(messages=[USER, called("a"), result("a")])
    assert sent["tools"] == [{"name": "look_up", "input_schema": {"type": "object", "properties": {}}}]
    assert sent["tool_choice"] == {"type": "none"}


def test_pitfall_036_an_empty_list_of_tools_is_none() -> None:
    """PK c9fe94d3: `tools: []` is refused."""
    assert "tools" not in body(tools=[])


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (None, {"type": "object", "properties": {}}),
        ({}, {"type": "object"}),
        ({"properties": {"a": {}}}, {"properties": {"a": {}}, "type": "object"}),
        ({"type": ["object", "null"]}, {"type": "object"}),
        (
            {"type": "object", "$defs": {"x": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/x"}}},
            {"type": "object", "$defs": {"x": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/x"}}},
        ),
    ],
)
def test_pitfall_037_a_tools_input_is_an_object(parameters: Any, expected: Any) -> None:
    """LL PR#23103, PR#16648: type object enforced, $defs kept."""
    assert body(tools=[function(parameters=parameters)])["tools"][0]["input_schema"] == expected


def test_pitfall_038_tools_of_others_are_an_error_that_names_them() -> None:
    """EN#2467: unsupported server tools were dropped in silence."""
    with pytest.raises(UntranslatableError) as caught:
        body(tools=[TOOL, {"type": "web_search_preview"}])
    assert caught.value.param == "tools[1]"


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "web_search_20260318", "name": "web_search", "max_uses": 3},
        {"type": "code_execution_20260521", "name": "code_execution"},
        {"type": "computer_toolset_20260801"},
        {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"},
        {"type": "mcp_toolset", "mcp_server_name": "files"},
        {"type": "custom", "name": "f", "input_schema": {"type": "object"}},
    ],
)
def test_claudes_own_tools_pass_as_they_came(tool: dict[str, Any]) -> None:
    """Whatever their version has for fields."""
    assert body(tools=[tool])["tools"] == [tool]


def test_what_claudes_tools_have_beyond_functions_passes() -> None:
    """Deferred loading, examples and the like; what Claude has not is noted."""
    extra = {"defer_loading": True, "input_examples": [{"a": 1}], "eager_input_streaming": True}
    assert body(tools=[{**function(), **extra}])["tools"][0].items() >= extra.items()
    assert noted(tools=[{**function(), "x-note": "?"}]) == {"tools[0].x-note"}


def test_names_that_claude_refuses_are_replaced_everywhere() -> None:
    """OR#13715: one bad name fails the whole request; the same one in tools, history and choice."""
    tool = {"type": "function", "function": {"name": "files.read"}}
    history = {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "files.read"}}]}
    sent = body(tools=[tool], messages=[USER, history, result("a")], tool_choice=tool)
    name = sent["tools"][0]["name"]
    assert name.startswith("files_read_")
    assert (sent["messages"][1]["content"][0]["name"], sent["tool_choice"]["name"]) == (name, name)


def test_strict_goes_where_it_is_taken() -> None:
    """With a schema for constrained decoding; elsewhere a note says that it does not hold."""
    limited = {**SCHEMA, "properties": {"city": {"type": "string", "minLength": 1}}}
    (tool,) = body(tools=[function(parameters=limited, strict=True)])["tools"]
    assert tool["strict"] is True
    assert tool["input_schema"]["properties"]["city"] == {"type": "string", "description": "(minLength: 1)"}
    assert noted(tools=[function(parameters=MAP, strict=True)]) == {"tools[0].function.strict"}
    assert noted(tools=[function(strict=True)], model=OLD) == {"tools[0].function.strict"}
    assert not noted(tools=[function(strict=False)], model=OLD)


def test_a_provider_without_tools_gets_none() -> None:
    """`tools: false`, and noted."""
    sent = wire({"tools": [TOOL], "tool_choice": "auto"}, tools=False)
    assert not {"tools", "tool_choice"} & set(json.loads(sent.body))
    assert [note.field for note in sent.notes] == ["tools"]


def test_pitfall_035_calls_of_the_history_are_defined_though_there_are_no_tools() -> None:
    """LL add_dummy_tool: with `tools: false`, too, calls without a definition are refused; none may be called."""
    sent = wire({"tools": [TOOL], "tool_choice": "auto", "messages": [USER, called("a"), result("a")]}, tools=False)
    made = json.loads(sent.body)
    assert made["tools"] == [{"name": "look_up", "input_schema": {"type": "object", "properties": {}}}]
    assert made["tool_choice"] == {"type": "none"}
    assert [note.field for note in sent.notes] == ["tools"]


def test_pitfall_074_a_name_counts_once() -> None:
    """Claude answers 400, "Tool names must be unique"; the first stays, also where Claude's own has its name."""
    own = {"type": "web_search_20260318", "name": "f"}
    tools = [function(description="first"), function(description="second"), own]
    (sent,) = body(tools=tools)["tools"]
    assert sent["description"] == "first"
    assert noted(tools=tools) == {"tools[1]", "tools[2]"}


# --- choice ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        ("auto", None, None),
        ("auto", True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", None, {"type": "any"}),
        ("required", False, {"type": "any", "disable_parallel_tool_use": True}),
        ("none", None, {"type": "none"}),
        ("none", False, {"type": "none"}),
        (NAMED, None, {"type": "tool", "name": "look_up"}),
        (NAMED, False, {"type": "tool", "name": "look_up", "disable_parallel_tool_use": True}),
    ],
)
def test_pitfall_039_every_choice_has_its_form(choice: Any, parallel: bool | None, expected: Any) -> None:
    """LL _map_tool_choice, PK 9316bc5f, EN#1490: none does not mean to drop the tools, and takes nothing beside it."""
    sent = body(tools=[TOOL], tool_choice=choice, parallel_tool_calls=parallel)
    assert sent.get("tool_choice") == expected
    assert len(sent["tools"]) == 1


def test_allowed_tools_are_the_only_ones() -> None:
    """OpenAI's allowed_tools: the others are not offered."""
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}}
    sent = body(tools=[function(), TOOL], tool_choice=choice)
    assert ([tool["name"] for tool in sent["tools"]], sent["tool_choice"]) == (["look_up"], {"type": "any"})


def test_a_choice_without_tools_is_left_out() -> None:
    """It is refused, and there is nothing to choose."""
    assert "tool_choice" not in body(tool_choice="none")
    assert not noted(tool_choice="none")
    assert noted(tool_choice="required") == {"tool_choice"}


def test_a_model_that_cannot_be_forced_decides_itself() -> None:
    """Claude documentation, "What's new in Claude Opus 5.5": forced tool use returns an error."""
    request = {"tools": [TOOL], "tool_choice": "required", "parallel_tool_calls": False, "model": "claude-opus-5-5"}
    assert body(request)["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert noted(**request) == {"tool_choice"}


def test_pitfall_040_a_forced_call_goes_before_thinking() -> None:
    """mastra#7507, LL#8901: "Thinking may not be enabled when tool_choice forces tool use"; with adaptive it may."""
    request = {"tools": [TOOL], "tool_choice": "required", "reasoning_effort": "high"}
    sent = body(request)
    assert (sent["tool_choice"], "thinking" in sent) == ({"type": "any"}, False)
    assert noted(**request) == {"reasoning_effort"}
    assert noted(tools=[TOOL], tool_choice=NAMED, thinking={"type": "enabled", "budget_tokens": 2000}) == {"thinking"}
    adaptive = body(request, model="claude-opus-4-6")
    assert (adaptive["tool_choice"], adaptive["thinking"]) == ({"type": "any"}, {"type": "adaptive"})


# --- the form of the answer -----------------------------------------------------------------------------------


def answers(request: dict[str, Any], *events: Mapping[str, Any]) -> list[Event]:
    return read_stream(sse(*events), wire(request))


def words(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def reasons(events: list[Event]) -> list[str]:
    return [event.reason for event in events if isinstance(event, Finished)]


def test_a_schema_is_decoded_where_the_model_can() -> None:
    """output_config.format, beside the effort, without a beta header."""
    sent = wire({"response_format": json_schema(SCHEMA), "reasoning_effort": "low", "model": "claude-opus-4-8"})
    config = json.loads(sent.body)["output_config"]
    assert config == {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}
    assert "anthropic-beta" not in sent.headers
    assert not sent.context


def test_pitfall_051_elsewhere_a_forced_tool_stands_for_the_schema() -> None:
    """LL PR#12463, PR#17438: its input comes back as content with finish "stop", streamed and whole."""
    request = {"response_format": json_schema(SCHEMA), "model": OLD}
    sent = body(request)
    name = sent["tools"][0]["name"]
    assert sent["tools"][0]["input_schema"] == SCHEMA
    assert sent["tool_choice"] == {"type": "tool", "name": name, "disable_parallel_tool_use": True}
    call = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}
    pieces = block(0, call, *({"type": "input_json_delta", "partial_json": text} for text in ('{"ci', 'ty": "Köln"}')))
    streamed = answers(request, *pieces, stop("tool_use"))
    assert (words(streamed), reasons(streamed)) == ('{"city": "Köln"}', ["stop"])
    assert not any(isinstance(event, ToolCallStart) for event in streamed)
    message = {"content": [{**call, "input": {"city": "Köln"}}], "stop_reason": "tool_use"}
    whole = Claude().parse(json.dumps(message).encode(), wire(request))
    assert (json.loads(words(whole)), reasons(whole)) == ({"city": "Köln"}, ["stop"])


def test_pitfall_051_real_tools_may_come_first() -> None:
    """TZ PR#5758: the model must call some tool; a call of the client's is a call, the answer's is the content."""
    request = {"response_format": json_schema(SCHEMA), "model": OLD, "tools": [TOOL]}
    sent = body(request)
    assert sent["tool_choice"] == {"type": "any"}
    name = sent["tools"][1]["name"]
    real = {"type": "tool_use", "id": "toolu_1", "name": "look_up", "input": {}}
    events = answers(request, *block(0, real), stop("tool_use"))
    assert (words(events), reasons(events)) == ("", ["tool_calls"])
    answer = {**real, "name": name, "input": {"city": "Köln"}}
    events = answers(request, *block(0, answer), *block(1, answer), stop("tool_use"))
    assert words(events) == '{"city":"Köln"}', "only the first answer counts"


def test_pitfall_051_thinking_yields_to_the_answers_tool() -> None:
    """LL#8901: the tool is forced, and thinking with a budget does not go with that."""
    request = {"response_format": json_schema(SCHEMA), "model": OLD, "reasoning_effort": "low"}
    assert "thinking" not in body(request)
    assert noted(**request) == {"reasoning_effort"}


def test_the_answers_tool_has_a_name_of_its_own() -> None:
    """Also if the client has a tool called so."""
    tool = {"type": "function", "function": {"name": "json_answer"}}
    sent = body(response_format=json_schema(SCHEMA), model=OLD, tools=[tool])
    assert [item["name"] for item in sent["tools"]] == ["json_answer", "json_answer_"]


def test_a_call_that_must_be_made_needs_no_form() -> None:
    """tool_choice asks for a call this time; the answer comes in the next turn."""
    sent = body(response_format=json_schema(SCHEMA), model=OLD, tools=[TOOL], tool_choice="required")
    assert (len(sent["tools"]), sent["tool_choice"]) == (1, {"type": "any"})


def test_a_schema_that_cannot_be_decoded_is_asked_for_by_tool_or_in_words() -> None:
    """Open maps: constrained decoding closes them. By a tool where one can be forced, and strict is noted."""
    assert body(response_format=json_schema(MAP))["tools"][0]["input_schema"] == MAP
    assert noted(response_format=json_schema(MAP, strict=True)) == {"response_format.json_schema.strict"}
    spoken = body(response_format=json_schema(MAP), model="claude-opus-5-5")
    assert json.dumps(MAP, separators=(",", ":")) in spoken["system"][0]["text"]
    assert "tools" not in spoken


def test_a_list_cannot_be_a_tools_input() -> None:
    """So a schema of one is asked for in words where the model does not decode."""
    sent = body(response_format=json_schema({"type": "array", "items": {"type": "string"}}), model=OLD)
    assert '"array"' in sent["system"][0]["text"]
    assert "tools" not in sent


def test_json_object_is_asked_for_in_words() -> None:
    """Claude has no such mode; the instruction is the last of the system prompt, after the client's."""
    sent = body(response_format={"type": "json_object"}, messages=[{"role": "system", "content": "Be brief"}, USER])
    assert [item["text"].split()[0] for item in sent["system"]] == ["Be", "Answer"]
    assert not {"tools", "output_config"} & set(sent)


def test_text_is_what_claude_writes_anyway() -> None:
    """response_format text asks for nothing."""
    assert body(response_format={"type": "text"}) == body()
