"""The engine cohere, the request: the conversation."""

from typing import Any

import pytest

from tests.translators.cohere_exchange import (
    MODEL,
    REASONING_MODEL,
    TOOL,
    USER,
    body,
    call,
    called,
    messages,
    noted,
    result,
    wire,
)
from tests.translators.cohere_validator import problems
from translators.errors import UntranslatableError

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def image(url: str, **fields: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **fields}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def test_one_text_is_a_string_and_several_are_parts() -> None:
    """Empty ones say nothing."""
    assert messages(USER) == [USER]
    assert messages(user(text("a"), text(" "), text(""))) == [{"role": "user", "content": "a"}]
    assert messages(user(text("a"), text("b"))) == [user(text("a"), text("b"))]


def test_messages_that_say_nothing_are_left_out() -> None:
    """An assistant's empty turn, a user's empty line."""
    assert messages({"role": "assistant", "content": ""}, {"role": "user", "content": " "}, USER) == [USER]


def test_calls_stand_before_their_results() -> None:
    """In the calls' order, whatever the order of the results, and also where a user spoke between them."""
    conversation = [USER, called("a", "b"), result("b", "2"), {"role": "user", "content": "Well?"}, result("a", "1")]
    assert messages(*conversation) == [
        USER,
        {"role": "assistant", "tool_calls": [call("a"), call("b")]},
        {"role": "tool", "content": "1", "tool_call_id": "a"},
        {"role": "tool", "content": "2", "tool_call_id": "b"},
        {"role": "user", "content": "Well?"},
    ]


def test_ids_used_twice_are_told_apart() -> None:
    """Hosts without ids of their own number every turn's calls from the start; each result stays with its call."""
    written = messages(USER, called("call_1"), result("call_1", "1"), called("call_1"), result("call_1", "2"))
    ids = [message["tool_calls"][0]["id"] for message in written if "tool_calls" in message]
    results = [(message["tool_call_id"], message["content"]) for message in written if message["role"] == "tool"]
    assert ids == ["call_1", "call_1_2"]
    assert results == [("call_1", "1"), ("call_1_2", "2")]


@pytest.mark.parametrize(("arguments", "notes"), [("", 0), ("null", 0), (" {} ", 0), ("[1]", 1), ("{broken", 1)])
def test_a_call_without_arguments_has_an_empty_object(arguments: str, notes: int) -> None:
    """Cohere says "null", and it comes back; what is no object is noted."""
    message = {"role": "assistant", "tool_calls": [call("a", arguments=arguments)]}
    conversation: list[dict[str, Any]] = [USER, message, result("a")]
    assert messages(*conversation)[1]["tool_calls"][0]["function"]["arguments"] == "{}"
    assert len(noted(messages=conversation)) == notes


def test_images_go_with_the_type_that_the_bytes_have() -> None:
    """By URL as they are; a missing or wrong type is put right (pitfall 85)."""
    parts = [
        image("https://a/b.png", detail="low"),
        image(f"data:image/jpg;base64, {PNG}"),
        image(f"data:;base64,{PNG}"),
    ]
    png = image(f"data:image/png;base64,{PNG}")
    assert messages(user(*parts)) == [user(image("https://a/b.png", detail="low"), png, png)]


def test_a_provider_without_images_gets_none() -> None:
    """And whoever sent one is told; a picture as a file is a picture too."""
    file = {"type": "file", "file": {"file_data": f"data:image/png;base64,{PNG}"}}
    bare = {"type": "file", "file": {"file_data": PNG, "filename": "a"}}
    request = {"messages": [user(text("a"), image("https://a/b.png"), file, bare)]}
    assert [note.field for note in wire(request, image=False).notes] == [
        "messages[0].content[1]",
        "messages[0].content[2]",
        "messages[0].content[3]",
    ]
    assert messages(user(text("a"), file))[0]["content"][1]["type"] == "image_url"


def test_a_text_file_is_a_document() -> None:
    """Beside the client's own documents; the conversation goes on without it."""
    file = {"type": "file", "file": {"filename": "notes.txt", "file_data": "data:text/plain,Oslo%20is%20a%20city."}}
    sent = body(messages=[user(text("Where?"), file)], documents=["Rome is a city."])
    document = {"id": "file:0", "data": {"title": "notes.txt", "text": "Oslo is a city."}}
    assert sent["documents"] == ["Rome is a city.", document]
    assert sent["messages"] == [{"role": "user", "content": "Where?"}]


@pytest.mark.parametrize(
    ("role", "part"),
    [
        ("user", {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0xLjcK/w=="}}),
        ("user", {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0xLjcK"}}),
        ("user", {"type": "file", "file": {"file_data": "JVBERi0xLjcK"}}),
        ("user", {"type": "file", "file": {"file_id": "file-1"}}),
        ("user", {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
        ("user", {"type": "video_url", "video_url": {"url": "https://a/b.mp4"}}),
        ("user", {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}}),
        ("assistant", {"type": "image_url", "image_url": {"url": "https://a/b.png"}}),
        ("system", {"type": "file", "file": {"file_data": "data:text/plain,a"}}),
    ],
)
def test_what_cohere_has_no_part_for_is_an_error(role: str, part: Any) -> None:
    """It names the part: another provider may take it."""
    with pytest.raises(UntranslatableError) as caught:
        body(messages=[{"role": role, "content": [text("a"), part]}, USER])
    assert caught.value.param == "messages[0].content[1]"


def test_documents_come_back_from_tools() -> None:
    """Cohere cites them; pictures from tools have no place and are noted."""
    document = {"type": "document", "document": {"id": "d", "data": {"title": "t"}}}
    conversation = [USER, called("a"), result("a", [document, text("b"), image("https://a/b.png")])]
    assert messages(*conversation)[2]["content"] == [document, text("b")]
    assert list(noted(messages=conversation)) == ["messages[2].content[2]"]


# --- reasoning ------------------------------------------------------------------------------------------------


def test_reasoning_comes_back_as_the_plan_of_calls() -> None:
    """That is what Cohere called it; without calls there is no plan."""
    conversation = [USER, called("a", reasoning_content="I look it up."), result("a")]
    assert messages(*conversation)[1]["tool_plan"] == "I look it up."
    alone = [USER, {"role": "assistant", "content": "Hi", "reasoning_content": "Hm."}, USER]
    assert messages(*alone)[1] == {"role": "assistant", "content": "Hi"}
    assert list(noted(messages=alone)) == ["messages[1].reasoning_content"]


def test_a_reasoning_model_gets_its_reasoning_back_as_such() -> None:
    """As the part that it was."""
    conversation = [USER, {"role": "assistant", "content": "Hi", "reasoning_content": "Hm."}, USER]
    sent = messages(*conversation, model=REASONING_MODEL)
    assert sent[1]["content"] == [{"type": "thinking", "thinking": "Hm."}, text("Hi")]


@pytest.mark.parametrize("model", [MODEL, REASONING_MODEL])
def test_other_providers_thinking_stays_away(model: str) -> None:
    """Claude's signed blocks, and the text of them."""
    block = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    conversation = [USER, called("a", thinking_blocks=[block], reasoning_content="Hm."), result("a")]
    sent = wire({"model": model, "messages": conversation})
    assert b"Hm." not in sent.body
    assert [note.field for note in sent.notes] == ["messages[1].thinking_blocks"]


def test_citations_come_back_with_the_words_they_belong_to() -> None:
    """Without the position that streams give them; another provider's citations stay away."""
    citation = {"start": 0, "end": 2, "text": "Hi", "sources": [{"type": "document", "id": "d"}]}
    message = {"role": "assistant", "content": "Hi", "citations": [{"index": 0, **citation}, {"url": "https://a"}]}
    assert messages(USER, message, USER)[1]["citations"] == [citation]


def test_fields_without_a_place_are_noted() -> None:
    """Names, cache marks, whatever else a client sends along."""
    conversation = [
        {"role": "user", "content": [text("a") | {"cache_control": {"type": "ephemeral"}}], "name": "Ada"},
        {"role": "assistant", "content": "b", "audio": {"id": "x"}, "refusal": None},
        USER,
    ]
    assert set(noted(messages=conversation)) == {
        "messages[0].name",
        "messages[0].cache_control",
        "messages[1].audio",
    }


# --- pitfalls -------------------------------------------------------------------------------------------------


def test_pitfall_020_positions_of_replayed_calls_are_stripped() -> None:
    """litellm remove_index_from_tool_calls: clients replay what streams said."""
    message = {"role": "assistant", "tool_calls": [call("a", index=0)]}
    assert "index" not in messages(USER, message, result("a"))[1]["tool_calls"][0]


def test_pitfall_025_calls_and_results_without_each_other() -> None:
    """BrowserOS-agent PR#103: a lost result is said to be lost, a result without its call left out; both are noted."""
    conversation = [USER, called("a", "b"), result("b"), result("b"), result("z")]
    sent = body(messages=conversation, tools=[TOOL])
    assert problems(sent) == []
    assert [message["content"] for message in sent["messages"][2:]] == ["No result of this call was recorded.", "found"]
    assert list(noted(messages=conversation).values()) != []
    assert len(wire({"messages": conversation}).notes) == 3


def test_pitfall_029_the_developer_is_the_system() -> None:
    """EN#127, EN#2189: also in the middle of a conversation, in its place (pitfall 27)."""
    conversation = [{"role": "developer", "content": "Be brief."}, USER, {"role": "system", "content": "Now sing."}]
    assert [message["role"] for message in messages(*conversation)] == ["system", "user", "system"]


def test_pitfall_031_somebody_has_to_speak() -> None:
    """UA 4503792: instructions alone get a user's message."""
    sent = messages({"role": "system", "content": "Greet."}, called("a"), result("a"))
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool"]


@pytest.mark.parametrize(
    ("content", "expected"), [("", ""), ({"temperature": 21}, '{"temperature":21}'), (7, "7"), (None, "")]
)
def test_pitfall_033_any_result_is_a_result(content: Any, expected: str) -> None:
    """PK 623ef2e7, BF emptytoolresult_test.go: objects and numbers as text, an empty one as it is."""
    assert messages(USER, called("a"), result("a", content))[2]["content"] == expected
