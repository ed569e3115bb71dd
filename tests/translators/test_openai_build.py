"""The engine gpt: the client's request → the provider's, unchanged but where it must differ."""

import json
from typing import Any

import pytest

from tests.recordings import Recording, for_recordings
from tests.translators.openai_wire import PROVIDERS, speaks_openai
from translators import DIALECTS, ENGINES
from translators.base import AnswerIdentity, ClientRequest
from translators.errors import Kind, RequestError
from translators.openai import Gpt, OpenAIChat
from translators.types import Note, Target, WireRequest

MESSAGES = [{"role": "user", "content": "hi"}]
IMAGE = {"type": "image_url", "image_url": {"url": "https://a/b.png"}}
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def request(**fields: Any) -> ClientRequest:
    return OpenAIChat().read(json.dumps({"model": "m", "messages": MESSAGES, **fields}).encode())


def target(**fields: Any) -> Target:
    return Target(**{"base_url": "https://host/v1", "model": "m", "alias": "m", "key": "sk-secret", **fields})


def built(client: ClientRequest, **fields: Any) -> WireRequest:
    return Gpt().build(client, target(**fields))


def body(wire: WireRequest) -> Any:
    return json.loads(wire.body)


@for_recordings(PROVIDERS, endpoint="chat", where=lambda one: one.request_recorded and speaks_openai(one))
def test_recorded_requests_are_sent_as_they_came(recording: Recording) -> None:
    """Byte for byte; for a stream only `stream_options` is added, for a renamed model only `model` differs."""
    raw = {"model": "at-azure", **recording.request_body}
    for message in raw["messages"]:
        message.pop("thinking_blocks", None)
        for call in message.get("tool_calls") or []:
            call.pop("index", None)  # Some recorded clients replay it: see pitfall 20.
    client = OpenAIChat().read(json.dumps(raw).encode())
    same = built(client, model=raw["model"])
    renamed = built(client, model="upstream")
    expected = dict(raw)
    if client.stream and not client.include_usage:
        expected["stream_options"] = {**(raw.get("stream_options") or {}), "include_usage": True}
        assert body(same) == expected, recording.id
    else:
        assert same.body == client.body, recording.id
    assert body(renamed) == expected | {"model": "upstream"}, recording.id
    assert list(body(renamed))[: len(raw)] == list(raw), recording.id
    assert same.notes == renamed.notes == (), recording.id


def test_the_request_goes_to_the_providers_endpoint_with_its_key() -> None:
    """The key stands apart from the other headers, and in no repr."""
    wire = built(request(), base_url="https://host/api/v1/chat/completions")
    assert (wire.method, wire.url) == ("POST", "https://host/api/v1/chat/completions")
    assert wire.headers == {"content-type": "application/json", "accept": "application/json"}
    assert wire.credentials == {"authorization": "Bearer sk-secret"}
    assert built(request(stream=True)).headers["accept"] == "text/event-stream"
    assert built(request(), key="").credentials == {}
    assert "sk-secret" not in f"{wire!r} {target()!r}"


def test_building_is_repeatable_and_changes_nothing() -> None:
    """Each attempt builds afresh from the same request; prompt caches want the same bytes."""
    client = request(stream=True, tools=[], messages=[{"role": "user", "content": [IMAGE]}], metadata={"b": 1, "a": 2})
    before = json.dumps(client.raw)
    first = built(client, model="n", image=False, tools=False)
    assert built(client, model="n", image=False, tools=False) == first
    assert json.dumps(client.raw) == before


def test_unknown_fields_are_sent() -> None:
    """The provider may know them."""
    assert body(built(request(reasoning={"effort": "low"}, foo=None), model="n")) == {
        "model": "n",
        "messages": MESSAGES,
        "reasoning": {"effort": "low"},
        "foo": None,
    }


def test_a_provider_without_tools_gets_none() -> None:
    """And whoever asked is told."""
    client = request(tools=[{"type": "function", "function": {"name": "f"}}], tool_choice="auto", top_k=1)
    wire = built(client, tools=False)
    assert body(wire) == {"model": "m", "messages": MESSAGES, "top_k": 1}
    assert wire.notes == (Note("tools", "this provider is configured without tools"),)
    assert built(request(), tools=False).body == request().body


def test_a_provider_without_images_gets_none() -> None:
    """The texts beside them stay; a message of images alone becomes an empty one, since an empty list is refused."""
    text = {"type": "text", "text": "x"}
    client = request(
        messages=[{"role": "user", "content": [IMAGE, text]}, {"role": "user", "content": [IMAGE]}, *MESSAGES]
    )
    file = {"type": "file", "file": {"file_data": "data:image/png;base64,iVBORw0KGgo="}}
    document = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0xLjcK"}}
    as_file = built(request(messages=[{"role": "user", "content": [file, document, text]}]), image=False)
    assert body(as_file)["messages"][0]["content"] == [document, text]
    assert [note.field for note in as_file.notes] == ["messages[0].content"]
    wire = built(client, image=False)
    assert [message["content"] for message in body(wire)["messages"]] == [[text], "", "hi"]
    assert [note.field for note in wire.notes] == ["messages[0].content", "messages[1].content"]
    assert built(client).body == client.body


@pytest.mark.parametrize("options", [["include_usage"], "yes", 7])
def test_stream_options_must_be_an_object(options: Any) -> None:
    """They are added to, so their form matters."""
    with pytest.raises(RequestError) as caught:
        built(request(stream=True, stream_options=options))
    assert caught.value.param == "stream_options"


def test_a_failure_is_read_like_every_other() -> None:
    """The engine has no errors of its own."""
    error = Gpt().failure(429, {"retry-after": "3"}, b'{"error":{"message":"m"}}')
    assert (error.kind, error.retry_after, error.message) == (Kind.RATE_LIMIT, 3.0, "m")


def test_the_engine_and_the_dialect_are_registered() -> None:
    """gpt's answers pass through to OpenAI's clients as they came."""
    assert ENGINES["gpt"].name == "gpt"
    assert ENGINES["gpt"].speaks == DIALECTS["openai-chat"].name == "openai-chat"


def test_the_dialect_has_a_writer_a_fold_and_both_ways_through() -> None:
    """Each with the identity of the answer."""
    dialect, identity = OpenAIChat(), AnswerIdentity("id", 1, "alias", True, False)
    chunk = b'{"model":"m","choices":[{"index":0,"delta":{"content":"a"},"message":{"content":"a"}}]}'
    events = Gpt().parse(chunk, built(request()))
    assert b'"model":"alias"' in dialect.writer(identity).write(events)
    assert b'"model":"alias"' in dialect.fold(events, identity)
    assert b'"model":"alias"' in dialect.through(identity).feed(b"data: " + chunk + b"\n\n")
    assert b'"model":"alias"' in dialect.through_whole(chunk, identity).body


# --- pitfalls -----------------------------------------------------------------------------------------------------


def test_pitfall_020_positions_of_replayed_calls_are_stripped() -> None:
    """litellm remove_index_from_tool_calls: OpenAI refuses `tool_calls[].index`."""
    message = {"role": "assistant", "content": None, "tool_calls": [{"index": 0, **CALL}, 7], "custom": 1}
    wire = built(request(messages=[message, *MESSAGES]))
    assert body(wire)["messages"] == [message | {"tool_calls": [CALL, 7]}, *MESSAGES]


def test_pitfall_020_an_index_elsewhere_is_nobodys_business() -> None:
    """A tool's schema may have a property of that name: the request goes out byte for byte."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"index": {}}}}}
    client = request(messages=[{"role": "assistant", "tool_calls": [CALL]}, *MESSAGES], tools=[tool])
    assert built(client).body == client.body


def test_pitfall_046_blocks_of_thinking_do_not_go_to_a_wire_that_refuses_them() -> None:
    """litellm#8767, pydantic-ai#2040: they belong to the engine that signed them."""
    message = {"role": "assistant", "content": "x", "thinking_blocks": [{"type": "thinking", "signature": "s"}]}
    wire = built(request(messages=[message, *MESSAGES]))
    assert body(wire)["messages"] == [{"role": "assistant", "content": "x"}, *MESSAGES]


def test_pitfall_104_usage_is_asked_for_on_the_clients_behalf() -> None:
    """litellm#9657: the gateway counts, whether the client asks or not; other stream options are kept."""
    assert body(built(request(stream=True)))["stream_options"] == {"include_usage": True}
    kept = body(built(request(stream=True, stream_options={"include_obfuscation": False})))
    assert kept["stream_options"] == {"include_obfuscation": False, "include_usage": True}
    asked = request(stream=True, stream_options={"include_usage": True})
    assert built(asked).body == asked.body
    assert built(request()).body == request().body
