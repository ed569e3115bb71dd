"""OpenAI's wire, the request read: JSON → ChatRequest."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import Recording, for_recordings
from tests.translators.openai_wire import PROVIDERS, speaks_openai
from translators.errors import RequestError, UntranslatableError
from translators.openai_request import read_request
from translators.types import (
    AudioPart,
    ChatRequest,
    FilePart,
    ImagePart,
    Message,
    NativePart,
    NativeTool,
    RefusalPart,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
    ToolChoice,
)

USER = {"role": "user", "content": "hi"}
NOT_OPENAIS = {
    "openai-chat-test-open-ai-function-calls-with-events-with-no-content-c91213": "retired `functions`",
    "mistral-chat-blocking-raw-model-sends-audio-2b6374": "Mistral's own form of input_audio",
}
"""Recorded requests that only the provider they went to understands: they pass there, and nowhere else."""


def chat(**fields: Any) -> ChatRequest:
    return read_request(json.dumps({"model": "m", "messages": [USER], **fields}).encode()).chat


def message(**fields: Any) -> Message:
    (found,) = chat(messages=[fields]).messages
    return found


def refused(**fields: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        chat(**fields)
    return caught.value


# --- recorded requests --------------------------------------------------------------------------------------------


@for_recordings(PROVIDERS, endpoint="chat", where=lambda one: one.request_recorded and speaks_openai(one))
def test_recorded_requests_can_be_read(recording: Recording) -> None:
    """Roles, texts, calls, tools: everything arrives in its part. At Azure the model stands in the URL."""
    body = {"model": "at-azure", **recording.request_body}
    request = read_request(json.dumps(body).encode())
    if recording.id in NOT_OPENAIS:
        with pytest.raises(RequestError):
            _ = request.chat
        return
    chat = request.chat
    assert chat.model == request.model == body["model"], recording.id
    assert chat.stream == request.stream == recording.stream, recording.id
    assert [one.role for one in chat.messages] == [one["role"] for one in body["messages"]], recording.id
    assert [one.text for one in chat.messages] == [text_of(one) for one in body["messages"]], recording.id
    assert [call.arguments for one in chat.messages for call in one.tool_calls] == [
        call["function"]["arguments"] for one in body["messages"] for call in one.get("tool_calls") or []
    ], recording.id
    assert [tool.name for tool in chat.tools if isinstance(tool, Tool)] == [
        tool["function"]["name"] for tool in body.get("tools") or [] if "function" in tool
    ], recording.id
    assert not set(chat.extensions) & {"model", "messages", "tools", "stream", "temperature"}, recording.id


def text_of(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


# --- the request as a whole ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        (b"{", None, "not JSON"),
        (b"\xff", None, "not JSON"),
        (b"[]", None, "must be a JSON object, not a list"),
        (b"null", None, "must be a JSON object, not null"),
        (b'{"messages":[{"role":"user","content":"x"}]}', "model", "/v1/models"),
        (b'{"model":"","messages":[]}', "model", "/v1/models"),
        (b'{"model":7,"messages":[]}', "model", "/v1/models"),
        (b'{"model":"m"}', "messages", "at least one"),
        (b'{"model":"m","messages":[]}', "messages", "at least one"),
        (b'{"model":"m","messages":"x"}', "messages", "at least one"),
    ],
)
def test_what_every_engine_needs_is_checked_at_once(body: bytes, param: str | None, words: str) -> None:
    """JSON, a model, messages: else 400, naming the field."""
    with pytest.raises(RequestError, match=words) as caught:
        read_request(body)
    assert (caught.value.status, caught.value.param) == (400, param)
    assert caught.value.type == caught.value.code == "invalid_request_error"


def test_the_rest_is_checked_only_when_an_engine_asks_for_it() -> None:
    """What passes through as it came is the provider's to judge."""
    request = read_request(b'{"model":"m","messages":[7],"stream":true,"stream_options":{"include_usage":true}}')
    assert (request.model, request.stream, request.include_usage) == ("m", True, True)
    with pytest.raises(RequestError, match="messages"):
        _ = request.chat


@pytest.mark.parametrize("options", [None, [], "x", {"include_usage": False}, {"include_usage": "yes"}])
def test_usage_is_asked_for_by_nothing_but_true(options: Any) -> None:
    """`stream_options` of any other kind asks for nothing."""
    body = {"model": "m", "messages": [USER], "stream": True, "stream_options": options}
    assert read_request(json.dumps(body).encode()).include_usage is False


def test_every_known_field_has_its_place_and_the_others_are_kept() -> None:
    """Unknown fields are never lost: engines take them from `extensions`, or say that they did not."""
    found = chat(
        stream=True,
        temperature=0.5,
        top_p=1,
        n=2.0,
        seed=7,
        frequency_penalty=0.1,
        presence_penalty=-0.1,
        logit_bias={"50256": -100},
        logprobs=True,
        top_logprobs=3,
        reasoning_effort="low",
        user="u",
        parallel_tool_calls=False,
        stop="END",
        stream_options={"include_usage": True},
        metadata={"a": "b"},
        top_k=5,
        nothing=None,
    )
    assert found == ChatRequest(
        model="m",
        messages=(Message("user", (TextPart("hi"),)),),
        stream=True,
        temperature=0.5,
        top_p=1,
        n=2,
        seed=7,
        frequency_penalty=0.1,
        presence_penalty=-0.1,
        logit_bias={"50256": -100},
        logprobs=True,
        top_logprobs=3,
        reasoning_effort="low",
        user="u",
        parallel_tool_calls=False,
        stop=("END",),
        extensions={"metadata": {"a": "b"}, "top_k": 5},
    )


@pytest.mark.parametrize(
    ("fields", "limit"),
    [({"max_tokens": 5}, 5), ({"max_completion_tokens": 6}, 6), ({"max_tokens": 5, "max_completion_tokens": 6}, 6)],
)
def test_both_names_of_the_limit_are_read(fields: dict[str, int], limit: int) -> None:
    """OpenAI's newer name wins."""
    assert chat(**fields).max_tokens == limit


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"temperature": "hot"}, "temperature", "a number; got text"),
        ({"temperature": True}, "temperature", "a number; got a boolean"),
        ({"n": 1.5}, "n", "a whole number"),
        ({"seed": []}, "seed", "got a list"),
        ({"stop": 7}, "stop", "text or a list"),
        ({"stop": ["a", None]}, "stop", "text or a list"),
        ({"logit_bias": []}, "logit_bias", "an object, not a list"),
        ({"reasoning_effort": 3}, "reasoning_effort", "text, not a number"),
        ({"tools": {}}, "tools", "a list"),
        ({"tools": [7]}, "tools[0]", "an object"),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "missing"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name", "missing"),
        ({"tool_choice": "maybe"}, "tool_choice", "required"),
        ({"tool_choice": {"type": "function"}}, "tool_choice", "required"),
        ({"response_format": "json"}, "response_format", "json_schema"),
        ({"response_format": {"type": "json_schema"}}, "response_format", "json_schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": []}}},
            "response_format.json_schema.schema",
            "an object, not a list",
        ),
    ],
)
def test_a_wrong_type_is_named_with_its_place(fields: dict[str, Any], param: str, words: str) -> None:
    """What is wrong, where, and what it must be."""
    error = refused(**fields)
    assert error.param == param
    assert words in error.message


CUSTOM_CALL = {"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}
CUSTOM_TOOL = {"type": "custom", "custom": {"name": "f"}}


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"functions": [{"name": "f"}]}, "functions", "retired"),
        ({"function_call": "auto"}, "function_call", "retired"),
        ({"messages": [USER, {"role": "function", "name": "f", "content": "x"}]}, "messages[1].role", "retired"),
        (
            {"messages": [USER, {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}]},
            "messages[1].function_call",
            "retired",
        ),
        (
            {"messages": [USER, {"role": "assistant", "tool_calls": [CUSTOM_CALL]}]},
            "messages[1].tool_calls[0]",
            "custom tools are OpenAI's own",
        ),
        ({"tool_choice": CUSTOM_TOOL}, "tool_choice", "custom tools are OpenAI's own"),
        (
            {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [CUSTOM_TOOL]}}},
            "tool_choice",
            "custom tools are OpenAI's own",
        ),
    ],
)
def test_what_only_openai_knows_is_left_to_another_provider(fields: dict[str, Any], param: str, words: str) -> None:
    """Legal requests: a provider with OpenAI's wire gets them as they came, so they are not refused for good."""
    error = refused(**fields)
    assert isinstance(error, UntranslatableError)
    assert error.param == param
    assert words in error.message


def test_what_is_not_there_is_called_missing() -> None:
    """And not "null", which the client never wrote."""
    error = refused(messages=[USER, {"role": "assistant", "tool_calls": [{"id": "c"}]}])
    assert error.message == "`messages[1].tool_calls[0].function` is missing."


# --- messages -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        (7, ""),
        ({"role": "robot", "content": "x"}, ".role"),
        ({"role": {"a": 1}}, ".role"),
        ({"role": "tool", "content": "x"}, ".tool_call_id"),
        ({"role": "user", "content": 7}, ".content"),
        ({"role": "assistant", "tool_calls": [{}]}, ".tool_calls[0].function"),
        ({"role": "assistant", "tool_calls": [{"id": 7, "function": {"name": "f"}}]}, ".tool_calls[0].id"),
        ({"role": "assistant", "thinking_blocks": ["x"]}, ".thinking_blocks[0]"),
    ],
)
def test_a_wrong_message_is_named_with_its_place(raw: Any, param: str) -> None:
    """Its number in the list, and the member of it."""
    assert refused(messages=[USER, raw]).param == "messages[1]" + param


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        ({"text": "x"}, ""),
        ({"type": "text"}, ".text"),
        ({"type": "image_url"}, ".image_url.url"),
        ({"type": "input_audio", "input_audio": {}}, ".input_audio.data"),
        ({"type": "file", "file": {}}, ".file"),
        ({"type": "file", "file": {"file_data": 7}}, ".file.file_data"),
        ({"type": "refusal"}, ".refusal"),
    ],
)
def test_a_wrong_part_is_named_with_its_place(raw: Any, param: str) -> None:
    """Down to the member of the part."""
    assert refused(messages=[{"role": "user", "content": ["x", raw]}]).param == "messages[0].content[1]" + param


def test_every_kind_of_part_is_read() -> None:
    """Texts, images in both forms, sound, files, refusals, and what only some engine knows."""
    mark = {"type": "ephemeral"}
    found = message(
        role="user",
        name="anna",
        content=[
            "bare text",
            {"type": "text", "text": "x", "cache_control": mark},
            {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}, "cache_control": mark},
            {"type": "image_url", "image_url": "data:image/png;base64,AA=="},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}},
            {"type": "file", "file": {"file_id": "file-1"}},
            {"type": "refusal", "refusal": "no"},
            {"type": "document", "source": {"type": "url"}},
        ],
    )
    assert found.parts == (
        TextPart("bare text"),
        TextPart("x", cache=mark),
        ImagePart("https://a/b.png", detail="low", cache=mark),
        ImagePart("data:image/png;base64,AA=="),
        AudioPart("AA==", "wav"),
        FilePart(data="data:application/pdf;base64,AA==", filename="a.pdf"),
        FilePart(file_id="file-1"),
        RefusalPart("no"),
        NativePart("document", {"type": "document", "source": {"type": "url"}}),
    )
    assert (found.name, found.text) == ("anna", "bare textx")


@pytest.mark.parametrize("content", [None, "", []])
def test_no_content_is_no_parts(content: Any) -> None:
    """Null, empty text and an empty list mean the same."""
    assert message(role="assistant", content=content).parts == ()


def test_an_assistants_message_keeps_all_that_it_said() -> None:
    """Calls, refusal, reasoning as text and as blocks; positions that streams add are gone."""
    block = {"type": "thinking", "thinking": "hm", "signature": "s"}
    found = message(
        role="assistant",
        content="x",
        refusal="no",
        reasoning_content="hm",
        thinking_blocks=[{"index": 0, **block}],
        tool_calls=[{"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}, "note": 1}],
        reasoning_details=[{"type": "reasoning.text"}],
    )
    assert found == Message(
        role="assistant",
        parts=(TextPart("x"), RefusalPart("no")),
        tool_calls=(ToolCall("a", "f", '{"x":1}', extra={"note": 1}),),
        reasoning="hm",
        thinking=(block,),
        extra={"reasoning_details": [{"type": "reasoning.text"}]},
    )


@pytest.mark.parametrize(
    ("fields", "reasoning", "extra"),
    [
        ({"reasoning_content": "a"}, "a", {}),
        ({"reasoning": "a"}, "a", {}),
        ({"reasoning_content": "", "reasoning": "a"}, "a", {}),
        ({"reasoning_content": ""}, None, {}),
        ({"reasoning": {"effort": "low"}}, None, {"reasoning": {"effort": "low"}}),
    ],
)
def test_reasoning_is_read_under_both_names(fields: dict[str, Any], reasoning: str | None, extra: Any) -> None:
    """DeepSeek's and OpenRouter's; what is no text stays visible as what it is."""
    found = message(role="assistant", content="x", **fields)
    assert (found.reasoning, found.extra) == (reasoning, extra)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"a": 1}, '{"a":1}'),
        (7, "7"),
        (False, "false"),
        ([1, "ü"], '[1,"ü"]'),
        ([{"a": 1}], '[{"a":1}]'),
        ([{"type": None}], '[{"type":null}]'),
        ([{"type": "text", "text": "x"}], "x"),
    ],
)
def test_a_tools_result_may_be_any_json(content: Any, text: str) -> None:
    """Clients put objects, numbers and lists there; what is no list of parts becomes text."""
    assert message(role="tool", tool_call_id="a", content=content).text == text


# --- tools and format ---------------------------------------------------------------------------------------------


def test_tools_are_read() -> None:
    """Functions with all they have, and tools that are none as they came."""
    mark = {"type": "ephemeral"}
    schema = {"type": "object", "properties": {}}
    function = {"name": "f", "description": "d", "parameters": schema, "strict": True, "x": 1}
    found = chat(
        tools=[
            {"type": "function", "function": function, "cache_control": mark, "y": 2},
            {"function": {"name": "g", "parameters": None}},
            {"type": "web_search", "max_uses": 1},
        ]
    )
    assert found.tools == (
        Tool("f", "d", schema, strict=True, cache=mark, extra={"x": 1, "y": 2}),
        Tool("g"),
        NativeTool("web_search", {"type": "web_search", "max_uses": 1}),
    )


ALLOWED = {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}, {}, None, {"function": 7}]}


@pytest.mark.parametrize(
    ("raw", "choice"),
    [
        (None, None),
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ("any", ToolChoice("required")),
        ({"type": "auto"}, ToolChoice("auto")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("named", "f")),
        ({"type": "function", "name": "f"}, ToolChoice("named", "f")),
        ({"type": "tool", "name": "f"}, ToolChoice("named", "f")),
        ({"type": "allowed_tools", "allowed_tools": ALLOWED}, ToolChoice("required", allowed=("f",))),
        ({"type": "allowed_tools", "allowed_tools": {"tools": 7}}, ToolChoice("auto")),
        (
            {"type": "allowed_tools", "allowed_tools": {"tools": [{"type": "function", "name": "f"}]}},
            ToolChoice("auto", allowed=("f",)),
        ),
    ],
)
def test_every_form_of_tool_choice_is_read(raw: Any, choice: ToolChoice | None) -> None:
    """OpenAI's, Mistral's word, and what clients of Anthropic leave in."""
    assert chat(tool_choice=raw).tool_choice == choice


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"type": "text"}, ResponseFormat("text")),
        ({"type": "json_object"}, ResponseFormat("json_object")),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True}},
            ResponseFormat("json_schema", name="n", schema={"type": "object"}, strict=True),
        ),
        ({"type": "json_schema", "json_schema": {"name": "n"}}, ResponseFormat("json_schema", name="n", schema={})),
    ],
)
def test_every_response_format_is_read(raw: Any, expected: ResponseFormat) -> None:
    """Text, any JSON, a schema."""
    assert chat(response_format=raw).response_format == expected


# --- pitfalls -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "text"), [(None, "{}"), ("", ""), ("{}", "{}"), ({}, "{}"), ({"x": 1}, '{"x":1}'), ("oops", "oops")]
)
def test_pitfall_005_arguments_of_any_kind_are_text_here(arguments: Any, text: str) -> None:
    """bifrost paramlesstool_test: null and objects in replayed calls; engines know what to make of them."""
    (call,) = message(
        role="assistant", tool_calls=[{"id": "a", "function": {"name": "f", "arguments": arguments}}]
    ).tool_calls
    assert call.arguments == text


def test_pitfall_020_positions_of_replayed_calls_are_dropped() -> None:
    """litellm remove_index_from_tool_calls: `index` is an artefact of streams."""
    (call,) = message(
        role="assistant", tool_calls=[{"index": 0, "id": "a", "type": "function", "function": {"name": "f"}}]
    ).tool_calls
    assert call == ToolCall("a", "f", "{}")


# --- anything at all ------------------------------------------------------------------------------------------------

NAMES = (
    "role content tool_calls tool_call_id function name arguments type text image_url url file file_data id input_audio"
)
MORE_NAMES = (
    "data format refusal thinking_blocks reasoning_content cache_control parameters strict json_schema schema tools"
)
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "user", "tool", "assistant", "text", "image_url", "file", "input_audio", "function", "auto"])
    | st.sampled_from(["json_schema", "allowed_tools", "refusal"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(f"{NAMES} {MORE_NAMES}".split()), inner, max_size=4)
    ),
    max_leaves=15,
)
FIELDS = "tools tool_choice response_format stop temperature n seed logit_bias logprobs max_tokens user stream"


@given(st.lists(ODD, min_size=1, max_size=3), st.dictionaries(st.sampled_from(FIELDS.split()), ODD, max_size=3))
def test_any_request_is_read_or_refused(messages: list[Any], fields: dict[str, Any]) -> None:
    """Whatever stands in the known fields: a ChatRequest, or a RequestError that names one."""
    request = read_request(json.dumps({"model": "m", "messages": messages, **fields}).encode())
    refusal = None
    try:
        assert request.chat.model == "m"
    except RequestError as error:
        refusal = error
    assert refusal is None or refusal.param


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Bytes that are no JSON are a 400, not a crash."""
    with pytest.raises(RequestError):
        read_request(body)
