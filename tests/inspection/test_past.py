"""What a flow tells of its own past."""

import pytest
from mitmproxy import http

from inspection.flow_notes import NotedClient, note_client, noted_client
from inspection.past import asked_of, past_lines
from tests.inspection.views.flows import (
    FAILED,
    ODD,
    SERVED,
    account,
    answered_by_the_gateway,
    chat_request,
    flow_of,
    streaming,
)


def noted_by(flow: http.HTTPFlow, body: bytes) -> NotedClient:
    note_client(flow, "1a2b…0001", body)
    noted = noted_client(flow)
    assert noted
    return noted


def test_the_whole_request_is_a_line_and_each_attempt_one():
    """As in the flow's comment and in the view Attempts."""
    lines = list(past_lines(flow_of(chat_request(), attempts=[FAILED, SERVED])))
    assert lines[0] == "gpt-demo → somebody/claude-sonnet-4-5 · 2 attempts · first output 320 ms · 12 + 34 tokens"
    assert [line.split()[1] for line in lines[2:]] == ["flaky", "somebody"]


@pytest.mark.parametrize(
    ("flow", "says"),
    [
        (streaming(), "The answer is still coming: look again at its end."),
        (answered_by_the_gateway("/v1/models", b"{}"), "No provider was asked: the gateway answered by itself."),
    ],
)
def test_a_flow_without_an_account_says_why(flow, says):
    """It is still on, or was for no provider."""
    assert list(past_lines(flow)) == [says]


def test_the_model_is_the_one_that_the_client_asked_for():
    """As the account has it, else as the request has it, if that can be read."""
    flow = flow_of(chat_request(), asked="gpt-demo")
    assert asked_of(flow, noted_by(flow, b"{}")) == "gpt-demo"
    flow.metadata["uniapi"]["account"]["asked"] = ""
    assert asked_of(flow, noted_by(flow, b'{"model": "other", "half": "\\ud83d"}')) == "other"
    for unreadable in (b"", b"[]", b'{"model": 1}', b"[" * 200_000, b'["\\ud83d",' * 200_000):
        assert asked_of(flow, noted_by(flow, unreadable)) == ""


def test_nothing_that_is_kept_makes_it_fail():
    """Flows come from files too, of other versions and other people."""
    for odd in ODD:
        for name in account(hedged=False, refused=None):
            assert list(past_lines(flow_of(chat_request(), **{name: odd})))
        for name in SERVED:
            assert list(past_lines(flow_of(chat_request(), attempts=[SERVED | {name: odd}])))
        flow = flow_of(chat_request())
        flow.metadata["uniapi"]["account"] = odd
        assert list(past_lines(flow))
        assert isinstance(asked_of(flow, noted_by(flow, b"{}")), str)
