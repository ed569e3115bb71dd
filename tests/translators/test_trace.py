"""What became of each field of a client's request."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recordings import Recording, for_recordings
from translators import ENGINES
from translators.differences import changes, differences
from translators.errors import RequestError, UntranslatableError
from translators.trace import FieldTrace, Trace, build_of, trace
from translators.trace_marks import Marks
from translators.types import Note, Target, WireRequest

PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="
PDF = "data:application/pdf;base64,JVBERi0xLjcK"
MODELS = {
    "gpt": "gpt-4o",
    "claude": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
    "vertex-gemini": "gemini-2.5-flash",
    "vertex-claude": "claude-opus-4-6",
    "openrouter": "maker/model",
    "cohere": "command-a",
    "cloudflare": "@cf/maker/model",
    "azure": "gpt-4o",
}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
USER = {"role": "user", "content": "Hello"}


def call(id_: str, arguments: str = '{"city": "Oslo"}') -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": "weather", "arguments": arguments}}


CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": [{"type": "text", "text": "And here?"}, {"type": "image_url", "image_url": {"url": PNG}}],
    },
    {"role": "assistant", "content": None, "tool_calls": [call("c1"), call("c2")]},
    {"role": "tool", "tool_call_id": "c1", "content": '{"degrees": [1, 2]}'},
    {"role": "tool", "tool_call_id": "c2", "content": "rain"},
    {"role": "user", "content": "Thanks"},
]


def body(messages: list[Any] | None = None, **fields: Any) -> bytes:
    return json.dumps({"model": "alias", "messages": messages or [USER], **fields}).encode()


def target(engine: str, **fields: Any) -> Target:
    base_url = "https://name.openai.azure.com" if engine == "azure" else ""
    base_url = "https://api.openai.com/v1" if engine == "gpt" else base_url
    values = {"base_url": base_url, "model": MODELS[engine], "alias": "alias", **fields}
    return Target(**values)


def traced(engine: str, request: bytes, **fields: Any) -> Trace:
    return trace(request, target(engine, **fields), build_of("/v1/chat/completions", engine))


def places(found: Trace) -> dict[str, list[str]]:
    return {field.field: [place.name for place in field.places] for field in found.fields}


def field_of(found: Trace, name: str) -> FieldTrace:
    return next(field for field in found.fields if field.field == name)


# --- one field after another ----------------------------------------------------------------------------------


def test_a_parameter_is_found_under_its_other_name():
    """Claude calls `stop` otherwise, and keeps the user inside `metadata`."""
    found = places(traced("claude", body(stop=["END"], user="u-1", temperature=0.5)))
    assert found["stop"] == ["stop_sequences"]
    assert found["user"] == ["metadata"]
    assert found["temperature"] == ["temperature"]


def test_a_parameter_that_is_several_things_is_found_in_all_of_them():
    """Gemini's stream is asked for in the address; every stream in a header."""
    assert places(traced("gemini", body(stream=True)))["stream"] == ["header accept", "URL"]
    assert places(traced("gpt", body(stream=True)))["stream"] == ["stream", "stream_options", "header accept"]


def test_a_dropped_parameter_has_no_place_and_a_reason():
    """The reason is the translator's own note."""
    seed = field_of(traced("claude", body(seed=7)), "seed")
    assert (seed.places, seed.reasons) == ((), ("Claude has no such parameter",))


def test_a_changed_value_has_its_place_its_new_value_and_the_reason():
    """Claude's temperature ends at 1."""
    temperature = field_of(traced("claude", body(temperature=1.5)), "temperature")
    assert [(place.name, place.value) for place in temperature.places] == [("temperature", 1)]
    assert temperature.reasons == ("Claude's highest is 1",)


def test_a_parameter_that_makes_no_difference_has_neither():
    """One answer is what Claude gives anyway."""
    n = field_of(traced("claude", body(n=1)), "n")
    assert (n.places, n.kept_out, n.reasons) == ((), (), ())


def test_what_a_parameter_keeps_out_is_told():
    """Where a call is forced, DeepSeek must not think: the wanted effort is absent because of it."""
    request = body(tools=[WEATHER], tool_choice="required", reasoning_effort="high")
    found = traced("gpt", request, base_url="https://api.deepseek.com", model="deepseek-reasoner")
    choice = field_of(found, "tool_choice")
    assert {place.name for place in choice.places} == {"tool_choice", "thinking"}
    assert choice.kept_out == ("reasoning_effort",)


def test_the_model_is_found_where_its_upstream_name_stands():
    """In the body, in the address, or in both."""
    assert places(traced("claude", body()))["model"] == ["model"]
    assert places(traced("vertex-claude", body(), project="p", region="europe-west1"))["model"] == ["URL"]
    assert places(traced("azure", body()))["model"] == ["model", "URL"]


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_the_model_is_found_by_every_engine(engine: str):
    """Whatever its name looks like there."""
    model = field_of(traced(engine, body()), "model")
    assert model.value == "alias"
    assert model.places


# --- messages and tools ---------------------------------------------------------------------------------------


def test_messages_are_found_though_turns_are_joined_and_moved():
    """Claude's system prompt stands apart, and results of calls belong to the user's turn."""
    assert places(traced("claude", body(CONVERSATION, tools=[WEATHER]))) == {
        "model": ["model"],
        "messages[0]": ["system[0]"],
        "messages[1]": ["messages[0].content[0]", "messages[0].content[1]"],
        "messages[2]": ["messages[1].content[0]", "messages[1].content[1]"],
        "messages[3]": ["messages[2].content[0]"],
        "messages[4]": ["messages[2].content[1]"],
        "messages[5]": ["messages[2].content[2]"],
        "tools[0]": ["tools[0]"],
    }


def test_a_place_inside_a_message_has_its_role():
    """That of the provider's message: Gemini's assistant is the model."""
    found = traced("gemini", body(CONVERSATION, tools=[WEATHER]))
    assert [place.role for place in field_of(found, "messages[2]").places] == ["model", "model"]
    assert [place.name for place in field_of(found, "messages[3]").places] == ["contents[2].parts[0]"]
    assert [place.role for place in field_of(found, "messages[0]").places] == [""]


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_every_message_of_a_conversation_has_its_place_in_every_engine(engine: str):
    """And different ones: no two messages are taken for each other."""
    found = traced(engine, body(CONVERSATION, tools=[WEATHER]))
    names = [place.name for field in found.fields if field.field.startswith("messages") for place in field.places]
    assert all(field.places for field in found.fields)
    assert len(set(names)) == len(names)
    assert found.untraced == 0


def test_media_are_found_by_what_they_hold():
    """Base64 with a mark behind it is still base64; an address has it in its query."""
    parts = [
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}},
    ]
    found = traced("claude", body([{"role": "user", "content": parts}]))
    assert places(found)["messages[0]"] == [f"messages[0].content[{i}]" for i in range(3)]


def test_one_message_that_bears_no_mark_leaves_the_others_theirs():
    """Cohere reads a file as text; with a mark behind its base64 it is none, and is left out instead."""
    file = {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:text/plain;base64,aGkg"}}]}
    found = places(traced("cohere", body([USER, file, {"role": "assistant", "content": "Yes?"}, USER])))
    assert found["messages[1]"] == ["documents"]
    assert found["messages[0]"] == ["messages[0]"]
    assert found["messages[3]"] == ["messages[2]"]


def test_a_message_that_is_left_out_has_no_place():
    """A result without its call; the note about it is nobody's."""
    orphan = {"role": "tool", "tool_call_id": "gone", "content": "late"}
    found = traced("claude", body([USER, orphan]))
    assert field_of(found, "messages[1]").places == ()
    assert [note.field for note in found.notes] == ["messages"]


def test_a_note_about_a_part_of_a_message_is_the_messages():
    """With the part's name in front."""
    found = traced("claude", body([{**USER, "name": "bob"}]))
    assert field_of(found, "messages[0]").reasons == ("name: Claude's messages have no names",)


def test_tools_are_followed_one_by_one():
    """Gemini puts all functions into one tool, its own ones beside it."""
    own = {"type": "code_execution"}
    second = {"type": "function", "function": {"name": "second"}}
    found = places(traced("gemini", body(tools=[WEATHER, second]), model="gemini-3-flash"))
    assert found["tools[1]"] == ["tools[0].functionDeclarations[1]"]
    found = places(traced("claude", body(tools=[WEATHER, {"type": "web_search_20260318", "name": "web_search"}])))
    assert found["tools[1]"] == ["tools[1]"]
    with pytest.raises(UntranslatableError):
        traced("cohere", body(tools=[own]))


def test_what_no_field_became_is_added():
    """Claude must have a limit; a client that sets one leaves nothing to add."""
    assert [place.name for place in traced("claude", body()).added] == ["max_tokens"]
    assert traced("claude", body(max_tokens=5)).added == ()


# --- the whole ------------------------------------------------------------------------------------------------


def test_a_request_that_cannot_be_built_says_why():
    """Cohere gives one answer only."""
    with pytest.raises(UntranslatableError, match="`n` is more than 1"):
        traced("cohere", body(n=2))
    with pytest.raises(RequestError, match="no JSON object"):
        traced("cohere", b"[]")


def test_a_field_that_cannot_be_missing_says_so():
    """With the translator's own words."""

    def build(request: bytes, target: Target) -> WireRequest:
        if b"needed" not in request:
            raise RequestError("`needed` is missing.")
        return WireRequest("POST", "https://provider.example", {}, {}, request)

    found = trace(body(needed=True), target("gpt"), build)
    assert field_of(found, "needed").needed == "`needed` is missing."


def test_a_text_that_cannot_be_missing_is_changed_instead():
    """Without an input there is no request for embeddings: Gemini gets each as a request of its own."""
    request = json.dumps({"model": "alias", "input": ["one", "two"], "dimensions": 8}).encode()
    found = trace(request, target("gemini", model="gemini-embedding-001"), build_of("/v1/embeddings", "gemini"))
    assert places(found)["input"] == [f"requests[{i}].content.parts[0].text" for i in range(2)]
    assert all(name.endswith("imensionality") for name in places(found)["dimensions"])


def test_the_work_for_a_huge_request_is_bounded():
    """What is too much is counted; then nothing is called added, since the reason for it may be among the rest."""
    calls: list[Mapping[str, str]] = []

    def build(request: bytes, target: Target) -> WireRequest:
        calls.append({})
        return WireRequest("POST", "https://provider.example", {}, {}, b'{"own": 1}')

    found = trace(body([USER] * 3000, **{f"field{i}": i for i in range(2000)}), target("gpt"), build)
    assert len(calls) < 40
    assert found.untraced > 4000
    assert found.added == ()


def test_a_long_conversation_is_followed_with_two_requests():
    """The second holds the marks of all messages."""
    messages = [{"role": "assistant" if i % 2 else "user", "content": f"word {i}"} for i in range(2001)]
    found = traced("claude", body(messages, max_tokens=9))
    assert found.untraced == 0
    assert places(found)["messages[2000]"] == ["messages[2000].content[0]"]


def test_marks_are_unlike_anything_in_the_request():
    """Else a text of the client's would be taken for one."""
    assert Marks(b"nothing").of(3) not in Marks(b"Z00000000003").of(3)
    found = places(traced("gpt", body([USER, {"role": "user", "content": "Z00000000000 Z00100000000"}])))
    assert found["messages[0]"] == ["messages[0]"]
    assert found["messages[1]"] == ["messages[1]"]


@for_recordings("openai", kind="chat", where=lambda recording: "messages" in (recording.request_body or {}))
def test_recorded_requests_go_through_unchanged_and_are_found_unchanged(recording: Recording):
    """OpenAI's own requests to a host nobody knows: every message and tool is where it was."""
    request = {**recording.request_body, "stream": False}
    for names in ("stream", "stream_options", "functions", "function_call"):
        request.pop(names, None)
    found = traced("gpt", json.dumps(request).encode(), base_url="https://host.example/v1", model=request["model"])
    for field in found.fields:
        assert field.places
        assert all(place.name.startswith(field.field) for place in field.places)


# --- differences ----------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES, VALUES)
def test_two_values_differ_somewhere_or_nowhere(before: Any, after: Any):
    """Equal values have no differences, others have one; and every path that is said to be in the first is."""
    found = list(differences(before, after))
    assert bool(found) == (before != after)
    for path, there in found:
        value = before
        for step in path if there else ():
            value = value[step]


def test_an_item_that_is_gone_is_the_only_difference():
    """What is equal at both ends is the same."""
    assert list(differences([1, 2, 3, 4], [1, 3, 4])) == [((1,), True)]
    assert list(differences({"a": [1]}, {"a": [1, 2], "b": 0})) == [(("a",), False), (("b",), False)]


def test_changes_name_what_another_body_has_otherwise():
    """Both ways; what is no JSON object cannot be compared."""
    assert changes(b'{"a": {"b": 1}, "c": [1]}', b'{"a": {"b": 2}, "c": [1], "d": 0}') == ("a.b", "d")
    assert changes(b"[]", b"{}") == ()


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=5), st.lists(VALUES, max_size=3))
def test_an_unchanged_wire_is_found_unchanged(extensions: dict[str, Any], tools: list[Any]):
    """Where nothing is translated, every field is in its own place, whatever it is."""

    def build(request: bytes, target: Target) -> WireRequest:
        return WireRequest("POST", "https://provider.example", {}, {}, request, (Note("messages", "why"),))

    request = {**extensions, "model": "alias", "messages": [USER], "tools": tools}
    found = trace(json.dumps(request).encode(), target("gpt"), build)
    for field in found.fields:
        if field.field not in ("model", *(f"tools[{i}]" for i in range(len(tools)))):
            assert [place.path for place in field.places] in ([("body", field.field)], [("body", "messages", 0)])
