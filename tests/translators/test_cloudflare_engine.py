"""The engine cloudflare: addresses, content as text, both wires of Workers AI's answers."""

import json
from typing import Any

import pytest

from tests.recordings import Recording, for_recordings
from tests.translators.openai_wire import Answer, answer_of, failure, fed, told
from translators import ENGINES
from translators.errors import Kind
from translators.openai_request import read_request
from translators.types import Ended, Event, Failed, Finished, Target, ToolCallStart, Usage, UsageReport, WireRequest

ENGINE = ENGINES["cloudflare"]
MODEL = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
USER = {"role": "user", "content": "Hi"}
API = "https://api.cloudflare.com/client/v4/accounts"
RUN = f"{API}/abc/ai/run"


def wire(base_url: str = "", **fields: Any) -> WireRequest:
    raw = {"model": MODEL, "messages": [USER], **fields}
    target = Target(base_url, MODEL, MODEL, key="cf-secret", account="abc")
    return ENGINE.build(read_request(json.dumps(raw).encode()), target)


def body(base_url: str = "", **fields: Any) -> Any:
    return json.loads(wire(base_url, **fields).body)


def lines(*pieces: Any) -> bytes:
    """A stream of these pieces, ended."""
    return b"".join(b"data: " + json.dumps(piece).encode() + b"\n\n" for piece in pieces) + b"data: [DONE]\n\n"


def read(data: bytes) -> list[Event]:
    """The events of a stream, fed byte by byte."""
    return fed(ENGINE.stream(wire()), *[data[i : i + 1] for i in range(len(data))])


def read_whole(answer: Any) -> list[Event]:
    return ENGINE.parse(json.dumps(answer).encode(), wire())


# --- the request ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("", f"{API}/abc/ai/v1/chat/completions"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/client/v4/accounts/abc/ai/v1/chat/completions"),
        ("https://api.cloudflare.com/client/v4", f"{API}/abc/ai/v1/chat/completions"),
        (f"{API}/other", f"{API}/other/ai/v1/chat/completions"),
        (f"{API}/other/ai/v1", f"{API}/other/ai/v1/chat/completions"),
        (f"{API}/other/ai/v1/chat/completions", f"{API}/other/ai/v1/chat/completions"),
        (RUN, f"{RUN}/{MODEL}"),
        (f"{RUN}/@cf/some/model", f"{RUN}/{MODEL}"),
        (
            "https://gateway.ai.cloudflare.com/v1/abc/mine/compat",
            "https://gateway.ai.cloudflare.com/v1/abc/mine/compat/chat/completions",
        ),
        (
            "https://gateway.ai.cloudflare.com/v1/abc/mine/workers-ai/v1",
            "https://gateway.ai.cloudflare.com/v1/abc/mine/workers-ai/v1/chat/completions",
        ),
    ],
)
def test_the_endpoint(base_url: str, url: str) -> None:
    """The account's, by OpenAI's wire unless the user wants Cloudflare's own."""
    assert wire(base_url).url == url


def test_the_key_goes_into_its_header() -> None:
    """And into no repr; answers are read and written anew."""
    assert wire().credentials == {"authorization": "Bearer cf-secret"}
    assert "cf-secret" not in repr(wire())
    assert ENGINE.speaks is None


def test_cloudflares_own_wire_has_the_model_in_the_address() -> None:
    """Everything else is OpenAI's."""
    assert body(RUN, stream=True, max_completion_tokens=9) == {"messages": [USER], "stream": True, "max_tokens": 9}
    assert body(stream=True)["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("role", [["user"], {"a": 1}, 7, None])
def test_a_role_that_is_no_text_goes_on_as_it_came(role: object) -> None:
    """The provider says what is wrong with it."""
    assert body(messages=[{"role": role, "content": "Hi"}])["messages"][0]["role"] == role


def test_pitfall_098_content_is_a_string() -> None:
    """LL#29353, sure#467: text parts are one string, nothing is an empty one; pictures stay in parts."""
    text = {"type": "text", "text": "a"}
    picture = {"type": "image_url", "image_url": {"url": "https://a/b.png"}}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    conversation = [
        {"role": "developer", "content": [text]},
        {"role": "user", "content": [text, text]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": [text]},
        {"role": "user", "content": [text, picture]},
    ]
    sent = body(messages=conversation)["messages"]
    assert [message["content"] for message in sent] == ["a", "a\na", "", "a", [text, picture]]
    assert sent[0]["role"] == "system"


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"content": None, "refusal": "No."}, "No."),
        ({"content": "Sorry.", "refusal": "No."}, "Sorry.\nNo."),
        ({"content": [{"type": "refusal", "refusal": "No."}]}, "No."),
        ({"content": [{"type": "text", "text": "Sorry."}], "refusal": "No."}, "Sorry.\nNo."),
        ({"content": "Sorry.", "refusal": None}, "Sorry."),
    ],
)
def test_a_refusal_is_text(fields: dict[str, Any], content: str) -> None:
    """As a field and as a part: the wire has a word for neither."""
    sent = wire(messages=[USER, {"role": "assistant", **fields}, USER])
    assert json.loads(sent.body)["messages"][1] == {"role": "assistant", "content": content}
    assert sent.notes == ()


# --- answers in OpenAI's wire ---------------------------------------------------------------------------------


def test_pitfall_098_content_that_is_an_object_is_text() -> None:
    """opencode.school#174: an answer to a JSON schema."""
    message = {"role": "assistant", "content": {"title": "é"}}
    events = read_whole({"id": "a", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    assert told(events).choices[0].text == '{"title":"é"}'


def test_pitfall_021_arguments_are_text() -> None:
    """LL PR#10130, sure#467: also where Cloudflare sends an object, in either wire."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    native = {"result": {"response": None, "tool_calls": [{"name": "f", "arguments": {"a": 1}}]}, "success": True}
    for answer in ({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}, native):
        said = told(read_whole(answer)).choices[0]
        assert [(one.name, one.arguments) for one in said.calls] == [("f", {"a": 1})]
        assert said.finish == "tool_calls"


def test_pitfall_055_usage_that_comes_twice_is_not_lost() -> None:
    """BF deltausagepresence_test.go: the second time Cloudflare sends zeros."""
    choice = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}
    first, second = ({"prompt_tokens": n, "completion_tokens": n, "total_tokens": 2 * n} for n in (4, 0))
    data = lines({"choices": [choice], "usage": first}, {"choices": [], "usage": second})
    assert [event.usage for event in read(data) if isinstance(event, UsageReport)] == [Usage(4, 4, total=8)]


# --- answers in Cloudflare's own wire -------------------------------------------------------------------------


def test_a_native_answer_is_read() -> None:
    """`result.response`, with usage where it is told."""
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    events = read_whole({"result": {"response": "Hello", "usage": usage}, "success": True, "errors": []})
    found = told(events)
    assert (found.choices[0].text, found.choices[0].finish, found.ended) == ("Hello", "stop", True)
    assert found.usage == {"prompt": 3, "completion": 4, "cached": 0, "reasoning": 0, "total": 7}


def test_openais_answer_in_a_wrapper_is_read() -> None:
    """`result.choices`, as newer models answer."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "length"}
    found = told(read_whole({"result": {"id": "r", "choices": [choice]}, "success": True}))
    assert (found.choices[0].text, found.choices[0].finish) == ("Hello", "length")


@pytest.mark.parametrize(("response", "text"), [({"a": 1}, '{"a":1}'), (5, "5"), (False, "false")])
def test_a_response_that_is_no_text(response: Any, text: str) -> None:
    """JSON mode answers with JSON, and streams hold digits as numbers."""
    assert told(read_whole({"result": {"response": response}, "success": True})).choices[0].text == text
    assert told(read(lines({"response": response, "p": "abc"}))).choices[0].text == text


def test_a_native_stream_is_read() -> None:
    """Pieces with padding, a last one with usage alone."""
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    events = read(lines({"response": "Hel", "p": "x"}, {"response": "lo"}, {"response": "", "usage": usage}))
    found = told(events)
    assert (found.choices[0].text, found.ended) == ("Hello", True)
    assert found.usage == {"prompt": 3, "completion": 4, "cached": 0, "reasoning": 0, "total": 7}
    assert [event for event in events if isinstance(event, Finished)] == [Finished("stop")]


def test_both_wires_in_one_stream() -> None:
    """Newer models send OpenAI's chunks and a native line with usage behind them."""
    chunk = {"id": "a", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    found = told(read(lines(chunk, {"response": "", "usage": usage})))
    assert (found.choices[0].text, found.usage and found.usage["total"]) == ("Hi", 3)


def test_native_calls_are_numbered() -> None:
    """They have no ids and no positions, in one piece or in several."""
    first, second = {"name": "f", "arguments": {"a": 1}}, {"name": "f", "arguments": {}}
    together = read(lines({"response": None, "tool_calls": [first, second]}))
    apart = read(lines({"tool_calls": [first]}, {"tool_calls": [second]}))
    for events in (together, apart):
        starts = [event for event in events if isinstance(event, ToolCallStart)]
        assert [start.index for start in starts] == [0, 1]
        assert len({start.id for start in starts}) == 2
        assert [call.arguments for call in told(events).choices[0].calls] == [{"a": 1}, {}]


@pytest.mark.parametrize("result", [None, {}, {"response": ""}, {"response": None, "tool_calls": []}])
def test_an_answer_that_says_nothing_is_empty(result: Any) -> None:
    """Another provider may be tried."""
    assert failure(read_whole({"result": result, "success": True})).kind is Kind.EMPTY


def test_pitfall_108_an_error_inside_a_200() -> None:
    """S2A PR#5567: `success: false`, whole and in a stream."""
    error = {"result": {}, "success": False, "errors": [{"code": 3043, "message": "AiError: broken"}]}
    for events in (read_whole(error), read(lines(error))):
        assert failure(events).message == "AiError: broken"
        assert failure(events).kind is Kind.SERVER


@pytest.mark.parametrize("piece", [{"response": []}, {"tool_calls": 5}, {"usage": 7}, {"choices": 3}, {"p": "x"}, {}])
def test_odd_pieces_raise_nothing(piece: Any) -> None:
    """What an upstream sends is nobody's promise."""
    assert isinstance(read(lines(piece))[-1], Failed | Ended)
    assert isinstance(read_whole(piece)[-1], Failed | Ended)


# --- recordings -----------------------------------------------------------------------------------------------


def expected_of(recording: Recording) -> Answer:
    """What the recording says; where usage comes as zeros behind the real one, the real one."""
    if "sse" in recording.response:
        data = recording.response["sse"].replace(
            '"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0', '"zeros":{"prompt_tokens":0'
        )
        return answer_of(Recording(**{**fields_of(recording), "response": {**recording.response, "sse": data}}))
    if "result" in recording.response["body"]:
        expected = Answer(ended=True)
        expected.choices = told(read_whole({"result": recording.response["body"]["result"]})).choices
        assert expected.choices[0].text == recording.response["body"]["result"]["response"]
        return expected
    return answer_of(recording)


def fields_of(recording: Recording) -> dict[str, Any]:
    return {name: getattr(recording, name) for name in Recording.__dataclass_fields__}


def check(events: list[Event], recording: Recording) -> None:
    found, expected = told(events), expected_of(recording)
    assert (found.choices, found.usage, found.ended) == (expected.choices, expected.usage, True)


@for_recordings("cloudflare", endpoint="chat", status=200, stream=True)
def test_a_recorded_stream_says_what_the_recording_says(recording: Recording) -> None:
    """Byte by byte, with LF and CRLF, and truncated at each event: then an error."""
    data = recording.response_bytes
    check(read(data), recording)
    check(read(data.replace(b"\n", b"\r\n")), recording)
    for place in [place for place in range(data.index(b"data: [DONE]") + 1) if data[:place].endswith(b"\n\n")]:
        assert failure(fed(ENGINE.stream(wire()), data[:place])).kind is Kind.CLOSED


@for_recordings("cloudflare", endpoint="chat", status=200, stream=False)
def test_a_recorded_answer_says_what_the_recording_says(recording: Recording) -> None:
    """In either wire."""
    check(ENGINE.parse(recording.response_bytes, wire()), recording)


@for_recordings("cloudflare", kind="error", endpoint="chat")
def test_a_recorded_error_keeps_its_status_and_words(recording: Recording) -> None:
    """Out of the list that Cloudflare has them in."""
    error = ENGINE.failure(recording.status, recording.response["headers"], recording.response_bytes)
    assert (error.status, error.kind) == (500, Kind.SERVER)
    assert error.message == recording.response["body"]["errors"][0]["message"]
