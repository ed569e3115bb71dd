"""The conversation and the answer, as a person reads them."""

import json
from typing import Any

import pytest

from inspection.views.chat import Chat
from inspection.views.client_side import ClientSide
from inspection.views.layout import GAP
from tests.inspection.views.flows import chat_answer, chat_request, delta, event_stream, flow_of, shown, streaming

CHAT = Chat()
CLIENT_SIDE = ClientSide()
PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}


def request_text(*messages: dict, **fields: object) -> list[str]:
    request = chat_request(**{"messages": list(messages) or [{"role": "user", "content": "Hello"}], **fields})
    return shown(CHAT, flow_of(request, sent=b"{}")).split("\n")


def answer_text(body: bytes, content_type: str = "application/json", **fields: Any) -> list[str]:
    return shown(CHAT, flow_of(chat_request(), body, content_type=content_type, **fields), "response").split("\n")


# --- the conversation -----------------------------------------------------------------------------------------


def test_the_conversation_is_read_from_what_the_client_sent():
    """Not from what the provider got, which is another wire."""
    lines = request_text(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "name": "Ada", "content": "How is it\nin Oslo?"},
        stream=True,
        temperature=0.5,
    )
    assert lines == [
        *("gpt-demo, streamed", "temperature: 0.5", GAP),
        *("── system ──", "Be brief.", GAP),
        *("── user · Ada ──", "How is it", "in Oslo?"),
    ]


def test_calls_and_their_results_belong_together():
    """A result says whose it is."""
    lines = request_text(
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        tools=[
            {
                "type": "function",
                "function": {"name": "weather", "parameters": {"properties": {"city": {}, "unit": {}}}},
            },
            {"type": "web_search_20260318", "name": "web_search"},
        ],
    )
    assert "tools: weather(city, unit), web_search" in lines
    assert '→ weather({"city": "Oslo"}) · call_1' in lines
    assert lines[-2:] == ["── tool · weather · call_1 ──", "rain"]


def test_media_are_a_line_each():
    """What they are and how large, or where."""
    parts = [
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": PNG}},
        {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "UklGRiQAAABXQVZF", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjcK"}},
        {"type": "file", "file": {"file_id": "file-7"}},
        {"type": "video_url", "video_url": {"url": "https://films.example"}},
    ]
    assert request_text({"role": "user", "content": parts})[3:] == [
        "Look:",
        "[image: image/png, 16b]",
        "[image: https://pictures.example/a.png]",
        "[audio: wav, 12b]",
        "[file: a.pdf, application/pdf, 9b]",
        "[file: file-7]",
        '[video_url: {"type": "video_url", "video_url": {"url":',
        '"https://films.example"}}]',
    ]


def test_reasoning_is_folded_into_a_line():
    """Its length and how it begins."""
    lines = request_text({"role": "assistant", "reasoning_content": "word " * 200, "content": "So."})
    assert lines[3].startswith("(reasoning, 1000 characters: word word")
    assert lines[4].endswith("word…)")
    assert lines[5] == "So."


def test_a_client_message_that_is_not_kept_is_not_made_up():
    """What went to the provider is shown as what it is."""
    flow = flow_of(chat_request(), sent=b'{"contents": []}')
    del flow.metadata["uniapi"]["client"]
    assert shown(CHAT, flow).startswith("What the client sent is not kept with this flow. The provider got:\n{")


def test_a_long_stream_shows_what_is_kept_of_it():
    """It was not broken off there: the client got it all."""
    kept = event_stream(delta(content="as far "), delta(content="as kept")) + b'data: {"id": "x", "cho'
    flow = flow_of(chat_request(stream=True), kept, content_type="text/event-stream")
    flow.metadata["uniapi_response_cut"] = 5_000_000
    text = shown(CHAT, flow, "response")
    assert text.startswith("── assistant ──\nas far as kept\n")
    assert "… (the last 4.8m were not kept)" in text
    assert "✗" not in text
    assert shown(CLIENT_SIDE, flow, "response").endswith("… (the last 4.8m were not kept)")


@pytest.mark.parametrize(("stopped", "why"), [(True, "stopped in mitmproxy"), (False, "the client went away")])
def test_a_stream_that_nobody_waited_for_is_not_the_providers_fault(stopped: bool, why: str):
    """What has come of it, without a finish reason, and who ended it."""
    kept = event_stream(delta(role="assistant", content=""), delta(content="as far "), delta(content="as this"))
    lines = answer_text(kept, "text/event-stream", outcome="cancelled", stopped=stopped)
    assert lines[:4] == ["── assistant ──", "as far as this", GAP, f"… ({why} here)"]
    whole = kept + event_stream(delta("stop"), "[DONE]")
    lines = answer_text(whole, "text/event-stream", outcome="cancelled", stopped=stopped)
    assert lines[:3] == ["── assistant · stop ──", "as far as this", GAP]
    assert not any(why in line for line in lines)


def test_while_a_stream_is_on_nothing_is_said_of_its_end():
    """It is no fault of the provider's."""
    assert shown(CHAT, streaming(), "response") == "The answer is still coming: look again at its end."


def test_a_cut_request_says_how_much_is_missing():
    """Its JSON cannot be read any more."""
    flow = flow_of(b'{"model": "gpt-demo", "messages": [{"role": "us', sent=b"{}")
    flow.metadata["uniapi"]["client"]["cut"] = 5_000_000
    assert shown(CHAT, flow).endswith('"us\n… (the last 4.8m were not kept)')


# --- the answer -----------------------------------------------------------------------------------------------


def test_a_streamed_answer_is_put_together():
    """Text, reasoning, calls in pieces, usage; below it the whole request in one line."""
    stream = event_stream(
        delta(role="assistant", content=""),
        delta(reasoning_content="Let me "),
        delta(reasoning_content="see."),
        delta(content="It is "),
        delta(content="sunny."),
        delta(tool_calls=[{"index": 0, "id": "c1", "function": {"name": "weather", "arguments": '{"city":'}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": '"Oslo"}'}}]),
        delta("tool_calls"),
        {"id": "x", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}},
        "[DONE]",
    )
    assert answer_text(stream, "text/event-stream; charset=utf-8") == [
        "── assistant · tool_calls ──",
        "(reasoning, 11 characters: Let me see.)",
        "It is sunny.",
        '→ weather({"city":"Oslo"}) · c1',
        GAP,
        "usage: 5 prompt tokens, 7 completion tokens",
        GAP,
        "gpt-demo → somebody",
    ]


def test_a_whole_answer_reads_like_a_streamed_one():
    """With its usage in detail."""
    assert answer_text(chat_answer())[:4] == [
        "── assistant · stop ──",
        "Hi!",
        GAP,
        "usage: 12 prompt tokens (3 cached), 34 completion tokens",
    ]


def test_several_choices_have_their_numbers():
    """Also a refusal is an answer."""
    choices = [
        {"index": 0, "message": {"content": "A"}, "finish_reason": "stop"},
        {"index": 1, "message": {"content": None, "refusal": "I will not."}, "finish_reason": "content_filter"},
    ]
    lines = answer_text(json.dumps({"choices": choices}).encode())
    assert lines[:2] == ["── assistant 0 · stop ──", "A"]
    assert lines[3:5] == ["── assistant 1 · content_filter ──", "refused: I will not."]


def test_made_pictures_and_sound_are_lines():
    """Never their base64."""
    message = {
        "content": "",
        "images": [{"type": "image_url", "image_url": {"url": PNG}}],
        "audio": {"id": "a", "data": "UklGRiQAAABXQVZF", "transcript": "Hi."},
        "thinking_blocks": [{"type": "thinking", "signature": "s" * 900}],
    }
    assert answer_text(chat_answer(message))[1:4] == [
        "(reasoning to be sent back: 1 block)",
        "[image: image/png, 16b]",
        "[audio: of an unknown type, 12b] “Hi.”",
    ]


def test_a_stream_that_broke_shows_what_came_and_why_no_more_did():
    """No finish reason is made up for it."""
    stream = event_stream(delta(content="Half a"), delta(content=" sentence"))
    stream += b'event: error\ndata: {"error": {"message": "The provider went away."}}\n\n'
    lines = answer_text(stream, "text/event-stream", outcome="broken")
    assert lines[:4] == ["── assistant ──", "Half a sentence", GAP, "✗ It broke off here: The provider went away."]


def test_a_stream_without_its_end_is_told_from_a_complete_one():
    """Nothing says that it was all."""
    assert any(
        line.startswith("✗ It broke off here")
        for line in answer_text(event_stream(delta(content="Half")), "text/event-stream")
    )


def test_an_answer_that_is_none_is_shown_as_it_is():
    """With what is wrong about it."""
    lines = answer_text(b"<html>", "text/html")
    assert lines[0].startswith("✗ ")
    assert "<html>" in lines


def test_an_error_is_read_out():
    """And the attempts that the gateway lists in it."""
    error = {
        "message": "Too many requests.",
        "type": "rate_limit_error",
        "param": None,
        "code": "rate_limit_exceeded",
        "attempts": [{"provider": "flaky", "model": "m", "status": 429, "ms": 12, "reason": "rate_limit"}],
    }
    body = json.dumps({"error": error}).encode()
    assert answer_text(body, status=429, outcome="error", provider=None)[:5] == [
        "✗ 429: Too many requests.",
        "type: rate_limit_error",
        "code: rate_limit_exceeded",
        "tried flaky/m: 429, 12 ms",
        GAP,
    ]
    assert answer_text(b"<html>nothing</html>", "text/html", status=502)[:2] == ["✗ 502", "<html>nothing</html>"]


def test_a_refused_request_has_its_error_and_nothing_more():
    """Nothing is kept of it but its account: the flow's request is the client's."""
    request = json.dumps(chat_request()).encode()
    flow = flow_of(b"", b'{"error": {"message": "No such key."}}', status=401, sent=request, attempts=[])
    del flow.metadata["uniapi"]["client"], flow.metadata["uniapi"]["provider"]
    flow.comment = ""
    assert shown(CHAT, flow, "response") == "✗ 401: No such key."
    assert "Hello" in shown(CHAT, flow)
