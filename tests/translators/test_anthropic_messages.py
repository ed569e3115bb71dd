"""How the engine claude writes the conversation: system prompt, turns, calls and results, media, cache marks."""

import copy
import json
from typing import Any

import pytest

from tests.translators.anthropic_exchange import USER, body, call, called, fixture, noted, result, wire
from translators.anthropic import Claude
from translators.errors import RequestError
from translators.openai_request import read_request
from translators.types import Target

PNG_DATA = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PNG = f"data:image/png;base64,{PNG_DATA}"
MARK = {"type": "ephemeral"}
SIGNED = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
REDACTED = {"type": "redacted_thinking", "data": "eHl6"}


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def turns(*messages: Any, model: str = "claude-sonnet-4-5") -> list[tuple[str, list[Any]]]:
    """Role and blocks of every message that goes to Claude."""
    return [(message["role"], message["content"]) for message in body(messages=list(messages), model=model)["messages"]]


def blocks(*messages: Any) -> list[Any]:
    """The blocks of the only message."""
    ((_, content),) = turns(*messages)
    return content


def test_a_conversation_with_everything_in_it() -> None:
    """The whole of it: an example request and what Claude gets."""
    request = json.loads(fixture("conversation.openai.json"))
    sent = wire(request)
    assert json.loads(sent.body) == json.loads(fixture("conversation.anthropic.json"))
    assert [note.field for note in sent.notes] == ["stop"]


# --- texts and turns ------------------------------------------------------------------------------------------


def test_pitfall_022_empty_text_is_left_out() -> None:
    """llama_index PR#17278, anthropic-sdk-python#461: "text content blocks must be non-empty"."""
    assert turns(USER, {"role": "assistant", "content": "", "tool_calls": [call("a")]}, result("a"))[1] == (
        "assistant",
        [{"type": "tool_use", "id": "a", "name": "look_up", "input": {}}],
    )
    spoken = {"role": "user", "content": [text(""), text(" \n"), text("Hello")]}
    assert blocks(spoken) == [text("Hello")]
    assert turns(USER, {"role": "assistant", "content": " "}, USER) == [("user", [text("Hello"), text("Hello")])]


def test_pitfall_026_messages_of_one_role_are_one_turn() -> None:
    """octo-agent PR#250: roles have to alternate."""
    said = {"role": "assistant", "content": "Yes"}
    assert [role for role, _ in turns(USER, USER, said, said, USER)] == ["user", "assistant", "user"]


def test_pitfall_031_a_system_prompt_alone_gets_a_user() -> None:
    """UA 4503792: Claude needs at least one message of the user's; also in front of the assistant's first words."""
    assert turns({"role": "system", "content": "Be brief"}) == [("user", [text("Begin.")])]
    roles = [role for role, _ in turns({"role": "assistant", "content": "Hi"}, USER)]
    assert roles == ["user", "assistant", "user"]


def test_pitfall_032_a_prefill_goes_only_where_it_is_taken() -> None:
    """llm-exe#503, opencode#13768: refused since 4.6, so the user says Continue there, and a note says so."""
    start = {"role": "assistant", "content": "The answer is \n"}
    assert turns(USER, start)[-1] == ("assistant", [text("The answer is")])
    assert turns(USER, start, model="claude-opus-4-6")[-1] == ("user", [text("Continue.")])
    assert noted(messages=[USER, start], model="claude-opus-4-6") == {"messages"}
    assert not noted(messages=[USER, start])


@pytest.mark.parametrize(
    "field",
    [
        {"reasoning_effort": "low"},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "string"}}}},
    ],
    ids=["thinking", "constrained decoding"],
)
def test_a_prefill_does_not_go_with_everything(field: dict[str, Any]) -> None:
    """Neither of these can begin in the middle of an answer."""
    sent = body(field, messages=[USER, {"role": "assistant", "content": "So"}])
    assert sent["messages"][-1] == {"role": "user", "content": [text("Continue.")]}


def test_a_refusal_is_what_the_assistant_said() -> None:
    """OpenAI has a field of its own for it."""
    assert turns(USER, {"role": "assistant", "refusal": "No."}, USER)[1] == ("assistant", [text("No.")])


def test_names_of_speakers_are_noted() -> None:
    """Claude's messages have none."""
    assert noted(messages=[{**USER, "name": "Ann"}]) == {"messages[0].name"}


# --- system ---------------------------------------------------------------------------------------------------


def test_pitfall_028_every_leading_system_message_counts() -> None:
    """outlines PR#1967: not only the first one."""
    messages = [{"role": "system", "content": "One"}, {"role": "developer", "content": "Two"}, USER]
    assert body(messages=messages)["system"] == [text("One"), text("Two")]


def test_pitfall_029_developer_is_system() -> None:
    """EN#127: a role that only OpenAI knows."""
    assert body(messages=[{"role": "developer", "content": "Be brief"}, USER])["system"] == [text("Be brief")]


def test_pitfall_030_cache_marks_of_the_system_prompt_stay() -> None:
    """EN#2488: flattened to a string, it lost them."""
    content = [{**text("Long"), "cache_control": MARK}, text("Short")]
    assert body(messages=[{"role": "system", "content": content}, USER])["system"] == content


def test_pitfall_027_system_messages_inside_stay_where_they_are() -> None:
    """OR#6954, cherry-studio PR#19025: neither hoisted nor the assistant's; a turn of their own since Opus 4.8."""
    said, inside = {"role": "assistant", "content": "Yes"}, {"role": "system", "content": "Now in French"}
    marked = text("<system>\nNow in French\n</system>")
    assert turns(USER, inside, said, USER)[0] == ("user", [text("Hello"), marked])
    assert turns(USER, inside, said, USER, model="claude-opus-4-8")[:2] == [
        ("user", [text("Hello")]),
        ("system", [text("Now in French")]),
    ]


@pytest.mark.parametrize(
    "messages",
    [
        [USER, {"role": "assistant", "content": "Yes"}, {"role": "system", "content": "Now"}, USER],
        [USER, called("a"), {"role": "system", "content": "Now"}, result("a")],
    ],
)
def test_a_system_message_may_not_stand_everywhere(messages: list[Any]) -> None:
    """It must follow the user and precede the assistant: elsewhere it is marked text in the user's turn."""
    last = turns(*messages, model="claude-opus-4-8")[-1]
    assert (last[0], text("<system>\nNow\n</system>") in last[1]) == ("user", True)


# --- calls and results ----------------------------------------------------------------------------------------


def test_pitfall_023_all_results_are_one_message_with_the_words_after_them() -> None:
    """req_llm PR#250: one message each gave "tool_use ids were found without tool_result blocks"."""
    sent = turns(USER, called("a", "b"), result("b"), USER, result("a"))
    assert [role for role, _ in sent] == ["user", "assistant", "user"]
    assert [block.get("tool_use_id") for block in sent[2][1]] == ["a", "b", None]


def test_pitfall_024_results_of_parallel_calls_stay_together() -> None:
    """adk-rust PR#279: split over messages they teach Claude to call one at a time."""
    sent = turns(USER, called("a", "b", "c"), result("a"), result("b"), result("c"))
    assert [block["type"] for block in sent[2][1]] == ["tool_result"] * 3


def test_pitfall_025_calls_and_results_are_always_pairs() -> None:
    """BrowserOS-agent PR#103, LL PR#23104: lost results are said to be lost, results without a call are left out."""
    messages = [USER, called("a", "b"), result("a"), result("a", "again"), result("zzz"), USER]
    answers = turns(*messages)[2][1]
    assert [block.get("tool_use_id") for block in answers] == ["a", "b", None]
    assert (answers[0]["content"], answers[1]["is_error"]) == ("found", True)
    assert noted(messages=messages, tools=[]) == {"messages"}


def test_calls_at_the_end_get_results_too() -> None:
    """The history was cut between call and result."""
    last = turns(USER, called("a"))[-1]
    assert (last[0], last[1][0]["tool_use_id"], last[1][0]["is_error"]) == ("user", "a", True)


def test_pitfall_016_ids_of_other_providers_become_claudes() -> None:
    """BF#5097: `functions.Bash:0` is refused; the same id on call and result, different ones stay different."""
    sent = turns(USER, called("functions.a:0", "functions.a_0"), result("functions.a_0"), result("functions.a:0"))
    ids = [block["id"] for block in sent[1][1]]
    assert ids[1] == "functions_a_0" or ids[1].startswith("functions_a_0_")
    assert len(set(ids)) == 2
    assert all(id_.replace("_", "").isalnum() for id_ in ids)
    assert [block["tool_use_id"] for block in sent[2][1]] == ids


def test_an_id_used_in_two_turns_is_used_once() -> None:
    """Some providers begin at call_0 in every turn; Claude wants each id once."""
    sent = turns(USER, called("call_0"), result("call_0", "one"), called("call_0"), result("call_0", "two"))
    pairs = [(sent[i][1][0]["id"], sent[i + 1][1][0]["tool_use_id"]) for i in (1, 3)]
    assert pairs == [("call_0", "call_0"), ("call_0_2", "call_0_2")]
    assert sent[4][1][0]["content"] == "two"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [("", {}), ("null", {}), ("{}", {}), ('{"a": 1}', {"a": 1}), ("[1]", {}), ('{"a":', {})],
)
def test_pitfall_005_arguments_are_always_an_object(arguments: str, expected: Any) -> None:
    """LL PR#18414: empty, null or broken text becomes {}."""
    message = {"role": "assistant", "tool_calls": [call("a", arguments=arguments)]}
    assert turns(USER, message, result("a"))[1][1][0]["input"] == expected


def test_pitfall_020_positions_of_calls_are_left_out() -> None:
    """LL remove_index_from_tool_calls: clients send back the `index` that streams give."""
    message = {"role": "assistant", "tool_calls": [call("a", index=0)]}
    assert "index" not in turns(USER, message, result("a"))[1][1][0]


def test_pitfall_021_arguments_that_are_objects_are_taken() -> None:
    """LL PR#10130: some hosts give, and some clients send back, an object instead of text."""
    function = {"name": "look_up", "arguments": {"a": 1}}
    message = {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": function}]}
    assert turns(USER, message, result("a"))[1][1][0]["input"] == {"a": 1}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ""),
        (" ", " "),
        (None, ""),
        ({"temperature": 21}, '{"temperature":21}'),
        (21, "21"),
        ([1, 2], "[1,2]"),
        ([text("a"), text("b")], [text("a"), text("b")]),
    ],
)
def test_pitfall_033_any_result_is_a_result(content: Any, expected: Any) -> None:
    """PK 623ef2e7, BF emptytoolresult_test: objects and numbers as text, empty ones kept."""
    assert turns(USER, called("a"), result("a", content))[2][1][0]["content"] == expected


def test_pitfall_034_pictures_in_results_stay() -> None:
    """LL PR#16492: as image blocks inside the tool_result."""
    content = [text("Screen:"), {"type": "image_url", "image_url": {"url": PNG}}]
    inside = turns(USER, called("a"), result("a", content))[2][1][0]["content"]
    assert inside[1]["source"] == {"type": "base64", "media_type": "image/png", "data": PNG_DATA}


def test_a_result_may_be_an_error() -> None:
    """`is_error` on a tool message, as Anthropic has it."""
    assert turns(USER, called("a"), result("a", is_error=True))[2][1][0]["is_error"] is True


# --- reasoning and what Claude's own tools did ----------------------------------------------------------------


def test_pitfall_046_reasoning_is_sent_back_first_and_unchanged() -> None:
    """pydantic-ai#2040, LL#8767: with its signature, redacted blocks too, also if a stream numbered it."""
    message = called("a", content="I look", thinking_blocks=[{"index": 0, **SIGNED}, {"index": 1, **REDACTED}])
    assert turns(USER, message, result("a"))[1][1][:3] == [SIGNED, REDACTED, text("I look")]


def test_pitfall_046_only_claudes_reasoning_is_sent_back() -> None:
    """OR#5312: a made-up signature corrupts the answer; what has none is left out, and said to be."""
    foreign = [{"type": "reasoning.text", "text": "hm"}, {"type": "thinking", "thinking": "hm", "signature": ""}]
    messages = [USER, {"role": "assistant", "content": "Yes", "thinking_blocks": foreign}, USER]
    assert turns(*messages)[1][1] == [text("Yes")]
    assert noted(messages=messages) == {"messages[1].thinking_blocks"}
    said = {"role": "assistant", "content": "Yes", "reasoning_content": "hm"}
    assert noted(messages=[USER, said, USER]) == {"messages[1].reasoning_content"}


def test_reasoning_that_nothing_follows_is_left_out() -> None:
    """An answer cut while Claude was thinking: "The final block … cannot be `thinking`"."""
    cut = {"role": "assistant", "content": None, "thinking_blocks": [SIGNED]}
    assert turns(USER, cut, USER) == [("user", [text("Hello"), text("Hello")])]


SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "cats"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}


def test_what_claudes_own_tools_did_is_sent_back() -> None:
    """native_blocks of an answer: after the reasoning, before the words, without the stream's numbers."""
    message = {
        "role": "assistant",
        "content": "Cats.",
        "thinking_blocks": [SIGNED],
        "native_blocks": [{"index": 0, **SEARCH}, {"index": 1, **FOUND}],
    }
    assert turns(USER, message, USER)[1][1] == [SIGNED, SEARCH, FOUND, text("Cats.")]


def test_a_paused_turn_is_continued() -> None:
    """It ends with Claude's own blocks and goes back as it is, even to a model without prefill."""
    paused = {"role": "assistant", "content": "Let me see.", "native_blocks": [SEARCH]}
    assert turns(USER, paused, model="claude-opus-4-8")[-1] == ("assistant", [text("Let me see."), SEARCH])


def test_a_compaction_comes_first() -> None:
    """It stands for everything before it."""
    compaction = {"type": "compaction", "content": "So far"}
    message = {"role": "assistant", "content": "Yes", "native_blocks": [compaction], "thinking_blocks": [SIGNED]}
    assert turns(message, USER)[0] == ("assistant", [compaction, SIGNED, text("Yes")])


def test_blocks_in_the_content_keep_their_order() -> None:
    """Parts of Anthropic's types pass as they came, calls and results among them."""
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    answer = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [text("ok")]}
    sent = turns(
        USER, {"role": "assistant", "content": [SIGNED, use]}, {"role": "user", "content": [text("so?"), answer]}
    )
    assert sent[1:] == [("assistant", [SIGNED, use]), ("user", [answer, text("so?")])]


def test_native_blocks_of_others_are_noted() -> None:
    """Only what Claude knows goes back."""
    message = {"role": "assistant", "content": "Yes", "native_blocks": [{"type": "executable_code"}]}
    assert noted(messages=[USER, message, USER]) == {"messages[1].native_blocks"}


# --- caching --------------------------------------------------------------------------------------------------


def marks(sent: Any) -> list[str]:
    """Texts and names of everything marked."""
    everything = [*sent.get("tools", ()), *sent.get("system", ())]
    everything += [block for message in sent["messages"] for block in message["content"]]
    return [block.get("text") or block.get("name") for block in everything if "cache_control" in block]


def test_pitfall_048_four_cache_marks_at_most() -> None:
    """copilot-api PR#287, LL PR#15395: the last ones cover the most; the whole request's own counts."""
    content = [{**text(str(number)), "cache_control": MARK} for number in range(5)]
    messages = [{"role": "user", "content": content}]
    tool = {"type": "function", "function": {"name": "f"}, "cache_control": MARK}
    assert marks(body(messages=messages, tools=[tool])) == ["1", "2", "3", "4"]
    assert marks(body(messages=messages, cache_control=MARK)) == ["2", "3", "4"]
    assert noted(messages=messages) == {"cache_control"}
    assert not noted(messages=[{"role": "user", "content": content[:4]}])


def test_pitfall_048_a_messages_mark_is_on_its_last_block() -> None:
    """ax PR#479: on a block, and never on an empty text."""
    message = {"role": "user", "content": [text("a"), text("b"), text(" ")], "cache_control": MARK}
    assert marks(body(messages=[message])) == ["b"]
    empty = {"role": "user", "content": [{**text(""), "cache_control": MARK}, text("a")]}
    assert marks(body(messages=[empty])) == []
    assert noted(messages=[empty]) == {"messages[0].content[0].cache_control"}


def test_a_tool_messages_mark_is_on_the_result() -> None:
    """Anthropic caches up to a whole result."""
    sent = turns(USER, called("a"), result("a", cache_control=MARK))
    assert sent[2][1][0]["cache_control"] == MARK


def test_building_changes_nothing_in_the_request() -> None:
    """Another attempt is built from the same."""
    request = read_request(fixture("conversation.openai.json"))
    before = copy.deepcopy(request.raw)
    target = Target(base_url="", model="claude-sonnet-4-5", alias="c")
    assert Claude().build(request, target).body == Claude().build(request, target).body
    assert request.raw == before


def test_wrong_requests_are_refused_by_the_dialect() -> None:
    """A part that is none: the error names it."""
    with pytest.raises(RequestError) as caught:
        body(messages=[{"role": "user", "content": [{"text": "no type"}]}])
    assert caught.value.param == "messages[0].content[0]"
