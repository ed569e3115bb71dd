"""Tools for Gemini: functions, names, the choice between them, and tools that Google runs."""

import json
from typing import Any

import pytest

from tests.translators.gemini_exchange import body, call, chunk, message, noted, result, tool, wire
from translators.errors import UntranslatableError

OLD = "gemini-2.5-flash"


def functions(**fields: Any) -> Any:
    return body(**fields)["tools"][0]["functionDeclarations"]


def choice(tool_choice: Any, **fields: Any) -> Any:
    tools = [tool("search"), tool("my tool")]
    return body(tools=tools, tool_choice=tool_choice, **fields).get("toolConfig", {}).get("functionCallingConfig")


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def test_functions_stand_in_one_list() -> None:
    """With name and description; no schema where there are no parameters."""
    tools = [tool("a", description="does a"), tool("b", {"type": "object", "properties": {}}), tool("c")]
    assert functions(tools=tools) == [{"name": "a", "description": "does a"}, {"name": "b"}, {"name": "c"}]


def test_older_models_take_no_open_objects() -> None:
    """A function whose parameters may be anything is declared without, and a note says so."""
    anything = tool("a", {"type": "object", "additionalProperties": {"type": "string"}})
    assert functions(tools=[anything], model="gemini-1.5-pro") == [{"name": "a"}]
    assert noted(tools=[anything], model="gemini-1.5-pro") == {"tools[0].function.parameters"}
    assert "parametersJsonSchema" in functions(tools=[anything])[0]


def test_an_empty_list_of_tools_is_left_out() -> None:
    """It would be refused (pitfall 36)."""
    assert "tools" not in body(tools=[])


@pytest.mark.parametrize("name", ["my tool", "7days", "é", "x" * 65, "a/b", "", "ns:tool"])
def test_pitfall_074_names_that_gemini_refuses_are_made_anew(name: str) -> None:
    """In declarations, choice and history alike, and back in the answer. (OR#13715, gemini-cli PR#20987)"""
    history = [
        {"role": "user", "content": "Go"},
        {"role": "assistant", "tool_calls": [call("a", name)]},
        result("a"),
    ]
    request = {"tools": [tool(name)], "tool_choice": named(name), "messages": history}
    made = body(request)
    wired = made["tools"][0]["functionDeclarations"][0]["name"]
    assert wired != name
    assert len(wired) <= 64
    assert wired.replace("_", "a").replace("-", "a").isalnum()
    assert not wired[0].isdigit()
    assert made["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"] == [wired]
    assert made["contents"][1]["parts"][0]["functionCall"]["name"] == wired
    assert made["contents"][2]["parts"][0]["functionResponse"]["name"] == wired
    answer = chunk({"functionCall": {"name": wired, "args": {}}}, finish="STOP")
    assert message(answer, **request)["tool_calls"][0]["function"]["name"] == name


def test_pitfall_074_a_name_counts_once() -> None:
    """Two functions of one name are refused; the first stays. (OR PR#13738)"""
    tools = [tool("a", description="first"), tool("a", description="second")]
    assert functions(tools=tools) == [{"name": "a", "description": "first"}]
    assert "tools[1]" in noted(tools=tools)


def test_the_choice_between_tools() -> None:
    """Every form that OpenAI has; auto is Gemini's default."""
    assert choice("auto") is None
    assert choice("none") == {"mode": "NONE"}
    assert choice("required") == {"mode": "ANY"}
    assert choice(named("search")) == {"mode": "ANY", "allowedFunctionNames": ["search"]}
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named("search")]}}
    assert choice(allowed) == {"mode": "ANY", "allowedFunctionNames": ["search"]}


def test_allowed_tools_that_may_be_left_alone_are_the_only_ones() -> None:
    """Gemini names allowed functions only where one must be called."""
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named("b")]}}
    assert functions(tools=[tool("a"), tool("b")], tool_choice=allowed) == [{"name": "b"}]


def test_a_choice_without_functions_is_noted() -> None:
    """It would be refused."""
    assert "toolConfig" not in body(tool_choice="required")
    assert "tool_choice" in noted(tool_choice="required")


def test_what_functions_cannot_be_told_is_noted() -> None:
    """Strictness, one call at a time, unknown fields."""
    tools = [tool("a", strict=True, color="red")]
    assert noted(tools=tools, parallel_tool_calls=False) == {
        "tools[0].function.strict",
        "tools[0].color",
        "parallel_tool_calls",
    }


@pytest.mark.parametrize(
    ("given", "wired"),
    [
        ({"type": "google_search"}, {"googleSearch": {}}),
        (
            {"type": "google_search", "google_search": {"excludeDomains": ["a.com"]}},
            {"googleSearch": {"excludeDomains": ["a.com"]}},
        ),
        ({"type": "googleSearch", "googleSearch": {}}, {"googleSearch": {}}),
        ({"type": "code_execution"}, {"codeExecution": {}}),
        ({"type": "url_context"}, {"urlContext": {}}),
        ({"type": "file_search", "fileSearchStoreNames": ["s"]}, {"fileSearch": {"fileSearchStoreNames": ["s"]}}),
    ],
)
def test_tools_that_google_runs(given: dict[str, Any], wired: dict[str, Any]) -> None:
    """By their names, with their settings, which may stand under the name or beside the type."""
    assert body(tools=[given])["tools"] == [wired]


def test_openais_search_is_googles() -> None:
    """`web_search_options` asks for a search; its settings have no counterpart."""
    assert body(web_search_options={})["tools"] == [{"googleSearch": {}}]
    assert "web_search_options" in noted(web_search_options={"search_context_size": "low"})
    assert noted(web_search_options={}) == set()


def test_others_tools_are_refused_by_name() -> None:
    """Not dropped silently (pitfall 38)."""
    with pytest.raises(UntranslatableError, match=r"tools\[0\]` is of type 'web_search_20260318'"):
        body(tools=[{"type": "web_search_20260318", "name": "web_search"}])


def test_functions_beside_googles_tools_tell_what_those_did() -> None:
    """From Gemini 3 on; before, the provider says that both do not go together."""
    tools = [tool("a"), {"type": "google_search"}]
    assert body(tools=tools)["toolConfig"] == {"includeServerSideToolInvocations": True}
    assert "toolConfig" not in body(tools=tools, model=OLD)
    config = {"includeServerSideToolInvocations": False}
    assert body(tools=tools, tool_config=config)["toolConfig"] == config


def test_a_provider_without_tools_gets_none() -> None:
    """And a note."""
    made = wire({"tools": [tool("a")]}, tools=False)
    assert "tools" not in json.loads(made.body)
    assert [note.field for note in made.notes] == ["tools"]
