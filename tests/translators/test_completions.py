"""translators/completions.py: /v1/completions, passed through."""

import json

import pytest

from tests.recordings import Recording, for_recordings
from tests.translators.endpoint_exchange import identity, opened, passed, single_bytes, target, whole
from translators.completions import SERVICES, CompletionStream, read
from translators.errors import Kind, RequestError, UpstreamError
from translators.types import Usage

GPT = SERVICES["gpt"]
TEXT = b'data: {"id":"cmpl-1","object":"text_completion","choices":[{"text":"a","index":0}],"model":"m-001"}\n\n'
EMPTY = TEXT.replace(b'"a"', b'""')
USAGE = b'data: {"id":"cmpl-1","choices":[],"model":"m-001","usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'
DONE = b"data: [DONE]\n\n"


def test_the_request_goes_out_as_it_came() -> None:
    """Every field of it, at the endpoint behind the provider's prefix."""
    body = b'{"model": "m", "prompt": ["a", "b"], "suffix": "c", "best_of": 2, "unknown": 1}'
    wire = GPT.build(read(body, "application/json"), target(base_url="https://llm.example/v1/chat/completions"))
    assert wire.body == body
    assert wire.url == "https://llm.example/v1/completions"
    assert wire.credentials == {"authorization": "Bearer secret-key"}


def test_a_prompt_is_not_asked_for_but_a_model_is() -> None:
    """Without a prompt a model begins with whatever it likes."""
    assert read(b'{"model": "m"}', "application/json").model == "m"
    with pytest.raises(RequestError, match="`model` is missing"):
        read(b'{"prompt": "a"}', "application/json")


def test_engines_with_another_wire_have_no_completions() -> None:
    """Chats are what Claude, Gemini and Cohere have."""
    assert set(SERVICES) == {"gpt", "openrouter", "azure"}


def test_a_stream_passes_and_is_renamed() -> None:
    """The text's place is another than a chat's; output, usage and end are seen all the same."""
    data = EMPTY + TEXT + DONE
    for pieces in ([data], single_bytes(data)):
        stream = opened(GPT, "text/event-stream", renamed=True)
        assert stream is not None
        assert passed(stream, pieces) == data.replace(b"m-001", b"alias")
        assert stream.ended


def test_output_begins_with_the_first_text() -> None:
    """What has none carries nothing of the answer yet."""
    stream = CompletionStream(identity())
    stream.feed(EMPTY)
    assert not stream.has_output
    stream.feed(TEXT)
    assert stream.has_output


@pytest.mark.parametrize("wanted", [True, False])
def test_usage_goes_to_whom_asked_for_it(wanted: bool) -> None:
    """As in chats."""
    stream = CompletionStream(identity(include_usage=wanted))
    assert passed(stream, [TEXT, USAGE, DONE]) == TEXT + (USAGE if wanted else b"") + DONE
    assert stream.usage == Usage(1, 2)


def test_a_cut_stream_fails_wherever_it_is_cut() -> None:
    """[DONE] is the end, and nothing else is."""
    data = EMPTY + TEXT + USAGE + DONE
    for cut in range(len(data) - len(b"[DONE]\n\n")):
        stream = CompletionStream(identity())
        passed(stream, [data[:cut]])
        assert stream.failure is not None
        assert stream.failure.kind is Kind.CLOSED


def test_a_host_may_stream_without_saying_so() -> None:
    """Only JSON is never a stream."""
    assert opened(GPT, "text/plain") is not None
    assert opened(GPT, "application/json") is None
    assert opened(GPT, "text/plain", stream=False) is None


@for_recordings("openai", kind="completions", status=200)
def test_recorded_completions_pass_untouched(recording: Recording) -> None:
    """Whole ones and streams."""
    data = recording.response_bytes
    if not recording.stream:
        answer = whole(GPT, data)
        assert answer.body == data
        assert answer.usage == Usage(2, 12, total=14)
        return
    for pieces in ([data], single_bytes(data)):
        stream = CompletionStream(identity())
        assert passed(stream, pieces) == data
        assert stream.ended
        assert stream.has_output


@for_recordings("openai", endpoint="completions", kind="error")
def test_recorded_errors_keep_their_words(recording: Recording) -> None:
    """The provider's own message and status."""
    error = GPT.failure(recording.status, {}, recording.response_bytes)
    assert error.status == recording.status
    assert error.message == recording.response["body"]["error"]["message"]


def test_an_error_inside_a_200_is_a_failure() -> None:
    """Whole as well as streamed."""
    body = json.dumps({"error": {"message": "no capacity", "code": "overloaded"}}).encode()
    with pytest.raises(UpstreamError, match="no capacity"):
        whole(GPT, body)
    stream = CompletionStream(identity())
    assert passed(stream, [b"data: " + body + b"\n\n"]) == b""
    assert stream.failure is not None
