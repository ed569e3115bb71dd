"""Answers of Gemini: finish reasons, thoughts, blocks, usage, sources, pictures and sound."""

import base64
from typing import Any

import pytest

from tests.translators.gemini_exchange import (
    body,
    chunk,
    client_chunks,
    fold,
    message,
    read_stream,
    sse,
    streamed,
    whole,
)
from translators.errors import Kind, UpstreamError
from translators.gemini_answer import whole_answer
from translators.types import Ended, Event, Failed, Finished, KeepAlive, UsageReport

STOP = chunk(finish="STOP")


def failure(events: list[Event]) -> UpstreamError:
    """Why the answer failed; it must be the last thing said, and the only end."""
    assert isinstance(events[-1], Failed)
    assert not any(isinstance(event, Ended | Finished) for event in events)
    return events[-1].error


# --- what is not there ----------------------------------------------------------------------------------------


def test_pitfall_076_a_blocked_prompt_is_an_error_of_its_own() -> None:
    """400 content_filter with the reason, for the client at once. (gemini-ai PR#9, ai-dial PR#149)"""
    answer = {"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "Sorry."}, "usageMetadata": {}}
    for events in (streamed(answer), whole(answer)):
        error = failure(events)
        assert (error.kind, error.status, error.code) == (Kind.BLOCKED, 400, "content_filter")
        assert error.message == "The provider's safety filter blocked the prompt: SAFETY. Sorry."


@pytest.mark.parametrize("reason", ["SAFETY", "MAX_TOKENS", "RECITATION"])
def test_pitfall_077_a_candidate_without_content_is_an_empty_one(reason: str) -> None:
    """No exception. (BF PR#1408, OA#1718)"""
    for candidate in ({"finishReason": reason}, {"finishReason": reason, "content": {"role": "model"}}):
        answer = fold(whole({"candidates": [candidate]}))
        assert answer["choices"][0]["message"]["content"] == ""


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("LANGUAGE", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("IMAGE_PROHIBITED_CONTENT", "content_filter"),
        ("IMAGE_RECITATION", "content_filter"),
        ("MODEL_ARMOR", "content_filter"),
        ("TOO_MANY_TOOL_CALLS", "length"),
        ("OTHER", "stop"),
        ("SOMETHING_NEW", "stop"),
    ],
)
def test_pitfall_078_every_finish_reason_is_one_of_openais(reason: str, expected: str) -> None:
    """Google's own word stays beside it. (hermes-agent PR#53610)"""
    events = streamed(chunk({"text": "Well"}, finish=reason))
    assert [event for event in events if isinstance(event, Finished)] == [Finished(expected, 0, reason)]


def test_a_filtered_answer_says_why() -> None:
    """With Gemini's message and its ratings."""
    rating = {"category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH"}
    candidate = {"finishReason": "SAFETY", "finishMessage": "Unsafe.", "safetyRatings": [rating]}
    said = fold(whole({"candidates": [candidate]}))["choices"][0]["message"]
    assert (said["refusal"], said["safety_ratings"]) == ("Unsafe.", [rating])


@pytest.mark.parametrize("said", [[], [{"text": "Let me "}]])
def test_pitfall_079_a_malformed_call_is_an_error_that_is_tried_again(said: Any) -> None:
    """Not an empty stop, with or without words before. (BF PR#1408)"""
    error = failure(streamed(chunk(*said, finish="MALFORMED_FUNCTION_CALL")))
    assert (error.kind, error.status, error.code) == (Kind.MALFORMED, 502, "malformed_function_call")


@pytest.mark.parametrize("reason", ["OTHER", "NO_IMAGE", "UNEXPECTED_TOOL_CALL"])
def test_an_answer_that_says_nothing_for_a_reason_is_none(reason: str) -> None:
    """Another attempt may say something."""
    candidate = {"finishReason": reason, "finishMessage": "Internal error."}
    error = failure(whole({"candidates": [candidate]}))
    assert error.message == f"The model broke off its answer with {reason}: Internal error."


def test_pitfall_080_a_finish_on_every_chunk_is_said_once() -> None:
    """Old models say STOP all the time; null is none. (OA PR#1477, CLIP#5651)"""
    chunks = [chunk({"text": word}, finish="STOP") for word in ("one ", "two ", "three")]
    assert message(*chunks)["content"] == "one two three"
    finishes = [item["choices"][0]["finish_reason"] for item in client_chunks(*chunks) if item["choices"]]
    assert [reason for reason in finishes if reason] == ["stop"]
    assert finishes[-1] == "stop"
    unfinished = chunk({"text": "one"})
    unfinished["candidates"][0]["finishReason"] = None
    assert failure(streamed(unfinished)).kind is Kind.CLOSED


def test_a_stream_is_complete_when_all_its_candidates_are() -> None:
    """One that is still speaking was cut off."""
    half = {"candidates": [{"index": 0, "finishReason": "STOP"}, {"index": 1, "content": {"parts": [{"text": "I"}]}}]}
    assert failure(streamed(half)).kind is Kind.CLOSED
    rest = {"candidates": [{"index": 1, "finishReason": "STOP"}]}
    assert isinstance(streamed(half, rest)[-1], Ended)


@pytest.mark.parametrize("data", [b"", b": hello\n\n", b"data: not json\n\n", b"data: {}\n\n"])
def test_a_stream_without_an_answer_has_failed(data: bytes) -> None:
    """Before any output, so that another channel may answer."""
    assert failure(read_stream(data)).kind is Kind.EMPTY


def test_one_bad_line_does_not_spoil_the_answer() -> None:
    """It is skipped (pitfall 111); a comment is a sign of life."""
    events = read_stream(b"data: {broken\n\n: waiting\n\n" + sse(chunk({"text": "Hi"}, finish="STOP")))
    assert fold(events)["choices"][0]["message"]["content"] == "Hi"
    assert sum(isinstance(event, KeepAlive) for event in events) == 1


def parts(*parts: Any) -> Any:
    return {"candidates": [{"content": {"parts": list(parts)}}]}


def candidate(**fields: Any) -> Any:
    return {"candidates": [fields]}


@pytest.mark.parametrize(
    "answer",
    [
        [],
        5,
        {},
        {"candidates": 5},
        {"candidates": [5]},
        {"candidates": [{}]},
        candidate(content=5, finishReason=5, index=-3),
        candidate(index=10**9, groundingMetadata={"groundingSupports": [{"groundingChunkIndices": [9]}]}),
        candidate(groundingMetadata={"groundingChunks": 5}, citationMetadata={"citations": [{}]}),
        candidate(logprobsResult={"chosenCandidates": [{}], "topCandidates": [5]}),
        parts(5, {}, {"text": 5}, {"functionCall": 5}, {"functionCall": {"name": 5}}),
        parts({"inlineData": {}}, {"thought": True}, {"functionCall": {"args": 5}}),
        parts({"inlineData": {"mimeType": "audio/L16", "data": "%"}}),
        {"usageMetadata": {"promptTokenCount": "many"}, "modelVersion": 5, "responseId": 5, "candidates": [{}]},
        {"createTime": "Z", "candidates": [{}]},
    ],
)
def test_answers_of_any_shape_are_read(answer: Any) -> None:
    """Whatever an upstream sends: an end, and never an exception."""
    for events in (whole(answer), streamed(answer) if isinstance(answer, dict) else whole(answer)):
        assert isinstance(events[-1], Ended | Failed)


@pytest.mark.parametrize(
    ("data", "kind"), [(b"", Kind.EMPTY), (b"<html>", Kind.MALFORMED), (b'{"candidates":', Kind.MALFORMED)]
)
def test_a_whole_answer_that_is_none(data: bytes, kind: Kind) -> None:
    """Empty, or no JSON."""
    assert failure(whole_answer(data, {})).kind is kind


# --- thoughts and signatures ----------------------------------------------------------------------------------


def test_pitfall_081_thoughts_are_reasoning() -> None:
    """Not the answer's text, and the last of them too. (NA PR#642, LL PR#17403)"""
    said = message(
        chunk({"text": "Hm, ", "thought": True}),
        chunk({"text": "yes.", "thought": True}, {"text": "Four."}, finish="STOP"),
    )
    assert (said["reasoning_content"], said["content"]) == ("Hm, yes.", "Four.")


def test_signatures_go_out_as_blocks_that_come_back() -> None:
    """Of a thought with its words, of a text, and of an empty text at the end of a stream (pitfall 73)."""
    said = message(
        chunk({"text": "Hm, ", "thought": True}),
        chunk({"text": "yes.", "thought": True, "thoughtSignature": "dGg="}, {"text": "Four."}),
        chunk({"text": "", "thoughtSignature": "dGV4dA=="}, finish="STOP"),
    )
    history = [{"role": "user", "content": "2+2?"}, {"role": "assistant", **said}, {"role": "user", "content": "Sure?"}]
    assert body(messages=history)["contents"][1]["parts"] == [
        {"text": "Hm, yes.", "thought": True, "thoughtSignature": "dGg="},
        {"text": "Four.", "thoughtSignature": "dGV4dA=="},
    ]


# --- usage ----------------------------------------------------------------------------------------------------


def test_pitfall_082_usage_counts_thoughts_and_caches() -> None:
    """Completion with thoughts, prompt with what tools read, the last of the cumulative reports. (EN#1438, #1902)"""
    early = {"promptTokenCount": 10, "candidatesTokenCount": 1, "totalTokenCount": 11}
    late = {
        "promptTokenCount": 10,
        "toolUsePromptTokenCount": 5,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 20,
        "thoughtsTokenCount": 30,
        "totalTokenCount": 65,
    }
    answer = fold(streamed(chunk({"text": "a"}, usageMetadata=early), chunk(finish="STOP", usageMetadata=late)))
    assert answer["usage"] == {
        "prompt_tokens": 15,
        "completion_tokens": 50,
        "total_tokens": 65,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 30},
    }


def test_pitfall_083_usage_beside_the_last_words() -> None:
    """Both are said. (Routstr PR#543)"""
    events = streamed(chunk({"text": "end."}, finish="STOP", usageMetadata={"candidatesTokenCount": 2}))
    assert fold(events)["choices"][0]["message"]["content"] == "end."
    assert [event.usage.completion for event in events if isinstance(event, UsageReport)] == [2]


def test_the_answer_is_named() -> None:
    """Id, model, time and tier, as far as Gemini says them."""
    answer = fold(
        streamed(
            chunk(
                {"text": "Hi"},
                finish="STOP",
                modelVersion="models/gemini-3",
                createTime="2026-01-02T03:04:05.678901Z",
                usageMetadata={"serviceTier": "standard"},
            )
        )
    )
    assert (answer["id"], answer["model"]) == ("r1", "gemini-3")
    assert (answer["created"], answer["service_tier"]) == (1_767_323_045, "default")


# --- sources, logprobs ----------------------------------------------------------------------------------------


def test_grounding_becomes_annotations() -> None:
    """By characters, where Gemini counts bytes; the raw metadata beside them, search suggestions and all."""
    text = "Größe: 3 m. Quelle unklar."
    metadata = {
        "groundingChunks": [
            {"web": {"uri": "https://a.example", "title": "A"}},
            {"maps": {"uri": "https://b.example"}},
        ],
        "groundingSupports": [
            {"segment": {"endIndex": 13, "text": "Größe: 3 m."}, "groundingChunkIndices": [0, 1]},
            {"segment": {"startIndex": 999, "text": "Quelle unklar."}, "groundingChunkIndices": [0, 7]},
        ],
    }
    candidate = {"content": {"parts": [{"text": text}]}, "finishReason": "STOP", "groundingMetadata": metadata}
    said = fold(whole({"candidates": [candidate]}))["choices"][0]["message"]
    places = [item["url_citation"] for item in said["annotations"]]
    cited = [(place["url"], text[place["start_index"] : place["end_index"]]) for place in places]
    assert cited == [
        ("https://a.example", "Größe: 3 m."),
        ("https://b.example", "Größe: 3 m."),
        ("https://a.example", "Quelle unklar."),
    ]
    assert places[0]["title"] == "A"
    assert said["grounding_metadata"] == metadata


def test_grounding_that_comes_in_several_chunks_is_joined() -> None:
    """Cumulative lists count once, continued ones are put together."""
    first = {"webSearchQueries": ["a"], "groundingChunks": [{"web": {"uri": "https://a.example"}}]}
    second = {"webSearchQueries": ["a", "b"], "groundingChunks": [{"web": {"uri": "https://b.example"}}]}
    chunks = [chunk({"text": "x"}), chunk({"text": "y"}, finish="STOP")]
    chunks[0]["candidates"][0]["groundingMetadata"] = first
    chunks[1]["candidates"][0]["groundingMetadata"] = second
    found = message(*chunks)["grounding_metadata"]
    assert found["webSearchQueries"] == ["a", "b"]
    assert [item["web"]["uri"] for item in found["groundingChunks"]] == ["https://a.example", "https://b.example"]


def test_logprobs_in_openais_form() -> None:
    """Tokens with their bytes and their alternatives."""
    token = {"token": "né", "tokenId": 5, "logProbability": -0.5}
    result = {"chosenCandidates": [token], "topCandidates": [{"candidates": [token]}]}
    candidate = {"content": {"parts": [{"text": "né"}]}, "finishReason": "STOP", "logprobsResult": result}
    expected = {"token": "né", "logprob": -0.5, "bytes": [110, 195, 169]}
    found = fold(whole({"candidates": [candidate]}))["choices"][0]["logprobs"]["content"]
    assert found == [{**expected, "top_logprobs": [expected]}]


# --- pictures, sound, Google's own tools ----------------------------------------------------------------------


def test_pictures_are_images_of_the_message() -> None:
    """{"type": "image_url", …}, numbered in a stream, each with its signature."""
    picture = {"inlineData": {"mimeType": "image/png", "data": "eHl6"}, "thoughtSignature": "c2ln"}
    made = {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,eHl6"},
        "extra_content": {"google": {"thought_signature": "c2ln"}},
    }
    assert message(chunk({"text": "Here:"}, picture, picture, finish="STOP"))["images"] == [made, made]
    deltas = [item["choices"][0]["delta"] for item in client_chunks(chunk(picture), chunk(picture, finish="STOP"))[:-1]]
    assert [image["index"] for delta in deltas for image in delta.get("images", [])] == [0, 1]


def test_sound_is_openais_audio() -> None:
    """Put together from its pieces; a wav gets a header that says what Gemini's samples are."""
    pieces = [
        chunk({"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": base64.b64encode(part).decode()}})
        for part in (b"\x01\x02", b"\x03\x04\x05\x06")
    ]
    raw = base64.b64decode(message(*pieces, STOP)["audio"]["data"])
    assert raw == b"\x01\x02\x03\x04\x05\x06"
    wav = base64.b64decode(message(*pieces, STOP, audio={"format": "wav"})["audio"]["data"])
    assert (wav[:4], wav[8:16], wav[44:]) == (b"RIFF", b"WAVEfmt ", raw)
    assert (int.from_bytes(wav[24:28], "little"), int.from_bytes(wav[40:44], "little")) == (24_000, 6)


def test_what_googles_tools_did_goes_out_as_it_is() -> None:
    """Code, its result, calls of server tools: for the next request to bring back."""
    parts: list[dict[str, Any]] = [
        {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
        {"toolCall": {"toolType": "FILE_SEARCH", "id": "x"}, "thoughtSignature": "c2ln"},
    ]
    said = message(chunk(*parts, {"text": "1"}, finish="STOP"))
    assert [block["part"] for block in said["native_blocks"]] == parts
    history = [{"role": "user", "content": "1?"}, {"role": "assistant", **said}, {"role": "user", "content": "Sure?"}]
    assert body(messages=history)["contents"][1]["parts"] == [*parts, {"text": "1"}]
