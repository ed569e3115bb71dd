"""Conversations for Gemini: turns, calls and their results, signatures, media."""

import json
from typing import Any

import pytest

from tests.translators.gemini_exchange import body, call, called, contents, noted, result, signed, tool, wire
from translators.errors import UntranslatableError

ASK = {"role": "user", "content": "What is the weather?"}
OLD = "gemini-2.5-flash"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}


def image(url: str) -> dict[str, object]:
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}


# --- roles ----------------------------------------------------------------------------------------------------


def test_every_leading_system_message_is_the_instruction() -> None:
    """All of them, developer's too, in order."""
    messages = [{"role": "system", "content": "One."}, {"role": "developer", "content": "Two."}, ASK]
    assert body(messages=messages)["systemInstruction"] == {"parts": [{"text": "One."}, {"text": "Two."}]}


def test_a_system_message_inside_is_the_users_and_marked() -> None:
    """Neither hoisted, nor the model's, nor lost (pitfall 27)."""
    found = contents(ASK, {"role": "assistant", "content": "Sunny."}, {"role": "system", "content": "Be brief."}, ASK)
    assert found[2]["parts"][0] == {"text": "<system>\nBe brief.\n</system>"}
    assert [content["role"] for content in found] == ["user", "model", "user"]


def test_a_request_of_system_messages_alone_gets_a_user() -> None:
    """Gemini needs one content at least (pitfall 31)."""
    assert contents({"role": "system", "content": "Greet."}) == [{"role": "user", "parts": [{"text": "Begin."}]}]


def test_neighbours_of_one_role_are_one_content() -> None:
    """User, user, assistant, assistant: two contents, and the user goes on (pitfall 26)."""
    said = {"role": "assistant", "content": "Hm."}
    found = contents(ASK, ASK, said, said)
    assert [(content["role"], len(content["parts"])) for content in found] == [("user", 2), ("model", 2), ("user", 1)]
    assert "messages" in noted(messages=[ASK, said])


def test_a_system_instruction_is_text() -> None:
    """A picture in it is refused with its place."""
    with pytest.raises(UntranslatableError, match=r"messages\[0\]\.content"):
        contents({"role": "system", "content": [PICTURE]}, ASK)


# --- calls and results ----------------------------------------------------------------------------------------


def test_pitfall_019_a_result_is_named_after_its_call() -> None:
    """OpenAI's tool message carries the id alone. (EN#2242, BF PR#1391)"""
    asked = {"role": "assistant", "tool_calls": [call("a", "weather"), call("b", "time")]}
    found = contents(ASK, asked, result("b", "12:00"), result("a", "sunny"))
    assert [part["functionResponse"]["name"] for part in found[2]["parts"]] == ["weather", "time"]


def test_pitfall_034_pictures_in_results() -> None:
    """Inside the result from Gemini 3 on, before that behind it as the user's. (google-gemini/gemini-cli#16135)"""
    history = [ASK, called("a"), result("a", [{"type": "text", "text": "Here:"}, PICTURE])]
    picture = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    newer = contents(*history)
    assert newer[2]["parts"][0]["functionResponse"]["parts"] == [picture]
    older = contents(*history, model=OLD)
    assert older[2]["parts"] == [{"functionResponse": {"id": "a", "name": "look_up", "response": {"output": "Here:"}}}]
    assert older[3] == {"role": "user", "parts": [{"text": "Returned by the call a:"}, picture]}


@pytest.mark.parametrize("text", ['{"schema": {"$ref": "a"}}', '{"schema": {"$defs": {}}}'])
def test_pitfall_066_references_in_a_result_are_text(text: str) -> None:
    """Gemini would follow them. (vercel/ai#14369)"""
    found = contents(ASK, called("a"), result("a", text))
    assert found[2]["parts"][0]["functionResponse"]["response"] == {"output": text}


@pytest.mark.parametrize(
    ("content", "response"),
    [
        ("sunny", {"output": "sunny"}),
        ('{"sky": "clear"}', {"sky": "clear"}),
        ("[1, 2]", {"output": "[1, 2]"}),
        ("21", {"output": "21"}),
        ("", {"output": ""}),
        (None, {"output": ""}),
        ({"sky": "clear"}, {"sky": "clear"}),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], {"output": "a\nb"}),
    ],
)
def test_pitfall_067_a_result_is_an_object(content: object, response: object) -> None:
    """Whatever the tool returned. (BF PR#1391)"""
    assert contents(ASK, called("a"), result("a", content))[2]["parts"][0]["functionResponse"]["response"] == response


def test_a_failed_call_says_so() -> None:
    """`is_error`, Anthropic's field, becomes Gemini's `error`."""
    found = contents(ASK, called("a"), result("a", "no network", is_error=True))
    assert found[2]["parts"][0]["functionResponse"]["response"] == {"error": "no network"}


def test_pitfall_068_as_many_results_as_calls_and_nothing_else() -> None:
    """In one content; lost results are said to be, doubled and unasked ones go. (cloudwego/eino-ext#571)"""
    history = [ASK, called("a", "b"), result("b"), result("b"), result("x"), {"role": "user", "content": "Well?"}]
    found = contents(*history)
    answers = [part["functionResponse"] for part in found[2]["parts"]]
    assert [(answer["id"], answer["response"]) for answer in answers] == [
        ("a", {"error": "No result of this call was recorded."}),
        ("b", {"output": "found"}),
    ]
    assert found[3] == {"role": "user", "parts": [{"text": "Well?"}]}
    assert "messages" in noted(messages=history)


def test_pitfall_069_results_stand_behind_their_calls_in_their_order() -> None:
    """Whatever order they came in, and with what else between. (LL PR#19360)"""
    history = [ASK, called("a", "b"), {"role": "user", "content": "Wait."}, result("b", "2"), result("a", "1")]
    found = contents(*history)
    assert [content["role"] for content in found] == ["user", "model", "user", "user"]
    assert [part["functionResponse"]["id"] for part in found[2]["parts"]] == ["a", "b"]


def test_a_history_that_ends_with_calls_is_answered() -> None:
    """A call without any result behind it would be refused."""
    found = contents(ASK, called("a"))
    assert "error" in found[-1]["parts"][0]["functionResponse"]["response"]


@pytest.mark.parametrize("arguments", ["", "null", "[1]", "{broken"])
def test_arguments_are_an_object(arguments: str) -> None:
    """Whatever the model wrote (pitfall 5)."""
    asked = {"role": "assistant", "tool_calls": [call("a", arguments=arguments)]}
    assert contents(ASK, asked)[1]["parts"][0]["functionCall"]["args"] == {}


# --- signatures -----------------------------------------------------------------------------------------------


def test_pitfall_070_a_signature_comes_back_where_it_was() -> None:
    """In `extra_content`, as Google's OpenAI-compatible endpoint has it. (EN PR#2366, NA#5528)"""
    asked = {"role": "assistant", "tool_calls": [call("a", **signed("c2ln"))]}
    assert contents(ASK, asked, result("a"))[1]["parts"][0]["thoughtSignature"] == "c2ln"


def test_pitfall_070_a_lost_signature_is_excused() -> None:
    """From Gemini 3 on, where its lack is an error; older models get none. (LL prompt_templates/factory.py:1344)"""
    assert contents(ASK, called("a"))[1]["parts"][0]["thoughtSignature"] == "skip_thought_signature_validator"
    assert "thoughtSignature" not in contents(ASK, called("a"), model=OLD)[1]["parts"][0]


def test_pitfall_071_ids_carry_no_signature() -> None:
    """They stay short, and as they came. (LL PR#25935)"""
    asked = {"role": "assistant", "tool_calls": [call("call_1", **signed("c2ln" * 500))]}
    found = contents(ASK, asked, result("call_1"))
    assert found[1]["parts"][0]["functionCall"]["id"] == "call_1"
    assert found[2]["parts"][0]["functionResponse"]["id"] == "call_1"


def test_pitfall_072_parallel_calls_stay_together() -> None:
    """Only the first of a batch is signed, so that the others must stand beside it. (pipecat PR#3420)"""
    asked = {"role": "assistant", "tool_calls": [call("a", **signed()), call("b"), call("c")]}
    parts = contents(ASK, asked, result("a"), result("b"), result("c"))[1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == ["c2ln", None, None]


def test_pitfall_073_signatures_of_texts_and_thoughts_come_back() -> None:
    """On the text, on a thought with its words, several each on a part of their own. (CLIP#5640, EN#1829)"""
    blocks = [
        {"type": "gemini.thought", "text": "Hm.", "thought_signature": "dGg="},
        {"type": "gemini.thought_signature", "thought_signature": "b25l"},
        {"type": "gemini.thought_signature", "thought_signature": "dHdv"},
    ]
    said = {"role": "assistant", "content": "Sunny.", "thinking_blocks": blocks}
    assert contents(ASK, said, ASK)[1]["parts"] == [
        {"text": "Hm.", "thought": True, "thoughtSignature": "dGg="},
        {"text": "", "thoughtSignature": "b25l"},
        {"text": "Sunny.", "thoughtSignature": "dHdv"},
    ]


def test_others_reasoning_is_left_out_and_noted() -> None:
    """Claude's signatures are no good here, and text without a signature is none of Gemini's thoughts."""
    claudes = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    messages: list[Any] = [ASK, {"role": "assistant", "content": "Yes.", "thinking_blocks": [claudes]}, ASK]
    assert "hm" not in str(contents(*messages))
    assert "messages[1].thinking_blocks" in noted(messages=messages)
    messages = [ASK, {"role": "assistant", "content": "Yes.", "reasoning_content": "hm"}, ASK]
    assert "messages[1].reasoning_content" in noted(messages=messages)


def test_what_googles_tools_did_comes_back() -> None:
    """As it was, before the words."""
    part = {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"}
    said = {"role": "assistant", "content": "1", "native_blocks": [{"type": "gemini.part", "part": part, "index": 0}]}
    assert contents(ASK, said, ASK)[1]["parts"] == [part, {"text": "1"}]


# --- parts ----------------------------------------------------------------------------------------------------


def test_pitfall_075_empty_texts_are_left_out() -> None:
    """And with nothing left, the message. (BF emptytextparts_test.go, UA 4503792)"""
    messages: list[Any] = [
        {"role": "user", "content": ""},
        {"role": "assistant", "content": None},
        {"role": "user", "content": []},
    ]
    assert contents(*messages) == [{"role": "user", "parts": [{"text": "Begin."}]}]
    parts = [{"type": "text", "text": ""}, {"type": "text", "text": "Hi"}]
    assert contents({"role": "user", "content": parts})[0]["parts"] == [{"text": "Hi"}]


@pytest.mark.parametrize(
    ("url", "mime"),
    [
        ("https://example.com/cat.png", "image/png"),
        ("https://example.com/cat.webp?size=2", "image/webp"),
        ("https://example.com/cat", "image/jpeg"),
        ("gs://bucket/cat.heic", "image/heic"),
    ],
)
def test_pitfall_084_gemini_reads_addresses_itself(url: str, mime: str) -> None:
    """As fileData, with the type that the name promises. (OR PR#4373, BF remote_image_urls.go)"""
    assert contents(image(url))[0]["parts"] == [{"fileData": {"mimeType": mime, "fileUri": url}}]


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/png;base64,{PNG}",
        f"data:;base64,{PNG}",
        f"data:image/jpg;base64, {PNG}",
        f"data:image/webp;charset=utf-8;base64,{PNG}",
        f"DATA:image/png;BASE64,{PNG.replace('+', '-').rstrip('=')}",
    ],
)
def test_pitfall_085_data_urls_of_any_spelling(url: str) -> None:
    """The bytes tell what they are. (Helicone PR#4223, UA fea9882)"""
    assert contents(image(url))[0]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": PNG}}]


@pytest.mark.parametrize("url", ["ftp://example.com/cat.png", "file:///etc/passwd", "cat.png", "iVBORw0KGgo="])
def test_addresses_that_gemini_does_not_read_are_refused_with_their_place(url: str) -> None:
    """400, of pictures, files and videos; so that another engine may be tried."""
    parts: list[dict[str, object]] = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "file", "file": {"file_url": url}},
        {"type": "video_url", "video_url": {"url": url}},
    ]
    for part in parts:
        with pytest.raises(UntranslatableError, match=r"messages\[0\]\.content\[0\]` is no http or https address"):
            contents({"role": "user", "content": [part]})


def test_pictures_that_gemini_does_not_take_are_refused_with_their_place() -> None:
    """So that another engine may be tried."""
    with pytest.raises(UntranslatableError, match=r"messages\[0\]\.content\[0\]` is image/gif"):
        contents(image("data:image/gif;base64,R0lGODdhAQABAAAAACw="))
    with pytest.raises(UntranslatableError, match="cannot be read"):
        contents(image("data:image/png;base64,%%%"))


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0x"}},
            {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0x"}},
        ),
        (
            {"type": "file", "file": {"file_data": "YSxi", "filename": "table.csv"}},
            {"inlineData": {"mimeType": "text/csv", "data": "YSxi"}},
        ),
        (
            {"type": "file", "file": {"file_id": "files/abc", "filename": "a.pdf"}},
            {
                "fileData": {
                    "mimeType": "application/pdf",
                    "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc",
                }
            },
        ),
        (
            {"type": "file", "file": {"file_id": "gs://bucket/a"}},
            {"fileData": {"fileUri": "gs://bucket/a"}},
        ),
        (
            {"type": "file", "file": {"file_url": "https://example.com/talk.mp4"}},
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://example.com/talk.mp4"}},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "SUQz", "format": "mp3"}},
            {"inlineData": {"mimeType": "audio/mpeg", "data": "SUQz"}},
        ),
        (
            {"type": "video_url", "video_url": {"url": "https://youtu.be/abc"}},
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/abc"}},
        ),
        (
            {"type": "gemini.part", "part": {"text": "clip", "videoMetadata": {"fps": 1}}},
            {"text": "clip", "videoMetadata": {"fps": 1}},
        ),
        ({"type": "refusal", "refusal": "No."}, {"text": "No."}),
    ],
)
def test_files_sound_and_video(part: dict[str, object], expected: dict[str, object]) -> None:
    """Everything that Gemini has a part for."""
    assert contents({"role": "user", "content": [part]})[0]["parts"] == [expected]


@pytest.mark.parametrize("part", [{"type": "search_result"}, {"type": "file", "file": {"file_data": "AAAA"}}])
def test_parts_that_gemini_does_not_know_are_refused(part: dict[str, object]) -> None:
    """With their place."""
    with pytest.raises(UntranslatableError, match=r"messages\[0\]\.content\[0\]"):
        contents({"role": "user", "content": [part]})


def test_a_picture_that_the_model_made_comes_back_with_its_signature() -> None:
    """So that it can be changed in the next turn."""
    made = {**PICTURE, **signed("aW1n"), "index": 0}
    found = contents(ASK, {"role": "assistant", "content": "Here.", "images": [made]}, ASK)
    picture = {"inlineData": {"mimeType": "image/png", "data": PNG}, "thoughtSignature": "aW1n"}
    assert found[1]["parts"] == [{"text": "Here."}, picture]


def test_a_provider_without_images_gets_none() -> None:
    """And a note for each."""
    parts = [
        {"type": "text", "text": "See"},
        PICTURE,
        {"type": "file", "file": {"filename": "a.png", "file_data": f"data:image/png;base64,{PNG}"}},
        {"type": "file", "file": {"file_data": PNG}},
        {"type": "file", "file": {"filename": "a.png", "file_id": "files/a"}},
    ]
    made = wire({"messages": [{"role": "user", "content": parts}]}, image=False)
    assert [note.field for note in made.notes] == [f"messages[0].content[{number}]" for number in (1, 2, 3, 4)]
    assert json.loads(made.body)["contents"] == [{"role": "user", "parts": [{"text": "See"}]}]


def test_what_has_no_place_is_noted() -> None:
    """Names, resolutions, file names, marks for caches, unknown fields of messages and calls."""
    marked = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
    detailed = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "high"}}
    messages = [
        {"role": "user", "name": "ann", "content": [marked, detailed], "mood": "good"},
        {"role": "assistant", "tool_calls": [call("a", color="red")]},
        {"role": "assistant", "audio": {"id": "audio_1"}},
    ]
    assert noted(messages=messages, tools=[tool()]) >= {
        "messages[0].name",
        "messages[0].mood",
        "messages[0].content[1].image_url.detail",
        "messages[1].tool_calls[0].color",
        "messages[2].audio",
        "cache_control",
    }
