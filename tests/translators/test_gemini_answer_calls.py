"""Calls in Gemini's answers: their numbers, ids, arguments, signatures, and how a turn of calls finishes."""

import json
from typing import Any

import pytest

from tests.translators.gemini_exchange import chunk, client_chunks, fold, message, streamed, whole

STOP = chunk(finish="STOP")


def calling(name: str = "look_up", args: Any = None, **fields: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": args or {}, **fields}}


def finish(*chunks: Any) -> str:
    return str(fold(streamed(*chunks))["choices"][0]["finish_reason"])


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(calling("a"), calling("b"), calling("c"), finish="STOP")],
        [chunk(calling("a")), chunk(calling("b"), calling("c")), STOP],
        [chunk(calling("a")), chunk(calling("b")), chunk(calling("c"), finish="STOP")],
    ],
)
def test_pitfall_002_calls_are_numbered_over_all_chunks(chunks: Any) -> None:
    """0, 1, 2, however the parallel calls are spread. (LL PR#16194, PR#11999, EN#1524)"""
    deltas = [choice["delta"] for item in client_chunks(*chunks) for choice in item["choices"]]
    calls = [made for delta in deltas for made in delta.get("tool_calls", []) if "id" in made]
    assert [(made["index"], made["function"]["name"]) for made in calls] == [(0, "a"), (1, "b"), (2, "c")]
    assert len({made["id"] for made in calls}) == 3
    assert finish(*chunks) == "tool_calls"


def test_pitfall_005_a_call_without_arguments_has_an_empty_object() -> None:
    """Never an empty text. (PK c9003a33)"""
    assert (
        message(chunk({"functionCall": {"name": "a"}}, finish="STOP"))["tool_calls"][0]["function"]["arguments"] == "{}"
    )


def test_pitfall_007_a_part_with_text_and_call_says_both() -> None:
    """And so do two parts of one chunk. (hermes-agent PR#109862, LL PR#17652)"""
    said = message(chunk({"text": "Look:", **calling()}, finish="STOP"))
    assert (said["content"], len(said["tool_calls"])) == ("Look:", 1)
    said = message(chunk({"text": "Look:"}, calling(), finish="STOP"))
    assert (said["content"], len(said["tool_calls"])) == ("Look:", 1)


def test_pitfall_007_a_thought_beside_a_call_hides_neither() -> None:
    """The signature is the call's, which has to come back with it. (hermes-agent PR#109862)"""
    part = {"thought": True, "text": "Hm.", **calling("a"), "thoughtSignature": "c2ln"}
    said = message(chunk(part, finish="STOP"))
    assert said["reasoning_content"] == "Hm."
    assert "thinking_blocks" not in said
    (made,) = said["tool_calls"]
    assert made["function"]["name"] == "a"
    assert made["extra_content"] == {"google": {"thought_signature": "c2ln"}}


def test_pitfall_009_a_turn_of_calls_finishes_with_tool_calls() -> None:
    """Gemini says STOP. (LL PR#21577, LL#21041)"""
    assert finish(chunk(calling(), finish="STOP")) == "tool_calls"
    assert finish(chunk({"text": "Hi"}, finish="STOP")) == "stop"


def test_pitfall_010_also_when_stop_comes_a_chunk_later() -> None:
    """Gemini 3 sends the call, then an empty text with STOP. (EN PR#2399)"""
    assert finish(chunk(calling()), chunk({"text": ""}, finish="STOP")) == "tool_calls"


@pytest.mark.parametrize(("reason", "expected"), [("MAX_TOKENS", "length"), ("SAFETY", "content_filter")])
def test_pitfall_011_a_cut_answer_stays_cut(reason: str, expected: str) -> None:
    """Only STOP becomes tool_calls. (hermes-agent PR#43478)"""
    assert finish(chunk(calling()), chunk(finish=reason)) == expected


def test_pitfall_015_each_candidate_has_its_number() -> None:
    """By its index, or by its place where it has none. (EN#1487, LL PR#15962)"""
    candidates = [
        {"index": 1, "content": {"parts": [{"text": "one"}]}, "finishReason": "STOP"},
        {"index": 0, "content": {"parts": [{"text": "nought"}, calling()]}, "finishReason": "STOP"},
    ]
    choices = fold(streamed({"candidates": candidates}))["choices"]
    assert [choice["message"]["content"] for choice in choices] == ["nought", "one"]
    assert [choice["finish_reason"] for choice in choices] == ["tool_calls", "stop"]
    without = [{name: value for name, value in item.items() if name != "index"} for item in candidates]
    assert [choice["message"]["content"] for choice in fold(whole({"candidates": without}))["choices"]] == [
        "one",
        "nought",
    ]


def test_pitfall_017_made_ids_are_short_and_signatures_apart() -> None:
    """An id of Gemini's own stays; one that it did not give has 29 characters, the same at every reading."""
    chunks = [chunk({**calling("a", id="own"), "thoughtSignature": "c2ln" * 500}, calling("a"), finish="STOP")]
    first, second = message(*chunks)["tool_calls"]
    assert first["id"] == "own"
    assert len(second["id"]) == 29
    assert message(*chunks)["tool_calls"][1]["id"] == second["id"]
    assert first["extra_content"] == {"google": {"thought_signature": "c2ln" * 500}}
    assert "extra_content" not in second
    other = chunk(calling("a"), finish="STOP", responseId="r2")
    assert message(other)["tool_calls"][0]["id"] != message(chunk(calling("a"), finish="STOP"))["tool_calls"][0]["id"]


def test_arguments_that_come_in_pieces() -> None:
    """Texts that go on, numbers, truth, nothing, lists; put together when the call ends."""
    pieces = [
        {"jsonPath": "$.city", "stringValue": "New ", "willContinue": True},
        {"jsonPath": "$.city", "stringValue": "Delhi"},
        {"jsonPath": "$.days[0].n", "numberValue": 1},
        {"jsonPath": "$.days[1].n", "numberValue": 2.5},
        {"jsonPath": "$['odd name']", "boolValue": True},
        {"jsonPath": "$.none", "nullValue": "NULL_VALUE"},
    ]
    opened = {"functionCall": {"name": "weather", "willContinue": True}, "thoughtSignature": "c2ln"}
    chunks = [chunk(opened), *(chunk({"functionCall": {"partialArgs": [it], "willContinue": True}}) for it in pieces)]
    made = message(*chunks, chunk({"functionCall": {}}), chunk(calling("other"), finish="STOP"))["tool_calls"]
    assert json.loads(made[0]["function"]["arguments"]) == {
        "city": "New Delhi",
        "days": [{"n": 1}, {"n": 2.5}],
        "odd name": True,
        "none": None,
    }
    assert [call["function"]["name"] for call in made] == ["weather", "other"]


@pytest.mark.parametrize("path", ["", "$", "city", "$[0]", "$.a[99999]", "$..a", "$.a[b]", "$.city[0]", 5])
def test_pieces_of_arguments_without_a_place_do_no_harm(path: Any) -> None:
    """They are left out, and the others stay."""
    pieces = [{"jsonPath": "$.city", "stringValue": "Delhi"}, {"jsonPath": path, "numberValue": 1}]
    made = message(chunk({"functionCall": {"name": "weather", "willContinue": True, "partialArgs": pieces}}), STOP)
    assert json.loads(made["tool_calls"][0]["function"]["arguments"])["city"] == "Delhi"
