"""What the client sent and received, what the provider got and answered."""

import json

import pytest

from inspection.views.client_side import ClientSide
from inspection.views.layout import GAP
from inspection.views.provider_side import ProviderSide
from tests.inspection.views.flows import (
    FAILED,
    SERVED,
    answered_by_the_gateway,
    chat_answer,
    chat_request,
    flow_of,
    shown,
    streaming,
)

CLIENT, PROVIDER = ClientSide(), ProviderSide()
NOBODY = "No provider was asked: the gateway answered by itself."


def test_the_clients_request_is_shown_as_it_was_sent():
    """Its path, its headers with the key masked, its JSON indented."""
    lines = shown(CLIENT, flow_of(chat_request())).split("\n")
    assert lines[:4] == [
        "POST /v1/chat/completions",
        "authorization: Bearer sk-…abc",
        "content-type: application/json",
        GAP,
    ]
    assert json.loads("\n".join(lines[4:])) == chat_request()


def test_the_clients_answer_is_the_flows_response():
    """Status, headers, body."""
    lines = shown(CLIENT, flow_of(chat_request(), chat_answer()), "response").split("\n")
    assert lines[:2] == ["200 OK", "content-type: application/json"]
    assert json.loads("\n".join(lines[lines.index(GAP) :])) == json.loads(chat_answer())


def test_what_is_not_kept_is_not_made_up():
    """The flow's own request is the provider's."""
    flow = flow_of(chat_request())
    del flow.metadata["uniapi"]["client"]
    assert shown(CLIENT, flow) == "What the client sent is not kept with this flow."


def test_a_refused_request_is_still_the_clients():
    """No provider's request has taken its place."""
    flow = flow_of(chat_request(), b"{}", status=401, attempts=[], sent=b'{"model": "x"}')
    del flow.metadata["uniapi"]["client"]
    assert '"model": "x"' in shown(CLIENT, flow)


def test_the_providers_request_is_the_flows_request():
    """With its address."""
    lines = shown(PROVIDER, flow_of(chat_request())).split("\n")
    assert lines[0] == "POST https://api.anthropic.com/v1/messages"
    assert json.loads("\n".join(lines[lines.index(GAP) :]))["max_tokens"] == 64000


def test_the_providers_stream_is_shown_raw():
    """Event names and all; what was too much is counted."""
    flow = flow_of(chat_request(), chat_answer())
    flow.metadata["uniapi"]["provider"]["cut"] = 2048
    assert shown(PROVIDER, flow, "response").split("\n") == [
        "200 OK",
        "content-type: text/event-stream",
        GAP,
        "event: message_start",
        'data: {"type": "message_start"}',
        "",
        "",
        "… (the last 2.0k were not kept)",
    ]


def test_a_request_that_no_provider_saw_says_so():
    """On both sides; the flow's request is then still the client's."""
    for attempts in ([], [FAILED | {"url": ""}]):
        flow = flow_of(chat_request(), b"{}", status=503, attempts=attempts, provider=None)
        for side in ("request", "response"):
            assert shown(PROVIDER, flow, side) == NOBODY


@pytest.mark.parametrize(
    "flow",
    [
        answered_by_the_gateway("/v1/models", b'{"data": []}'),
        answered_by_the_gateway("/healthz", b"{}"),
        answered_by_the_gateway("/v1/nothing", b"{}", status=404),
        answered_by_the_gateway("/v1/chat/completions", b"{}", status=401, method="POST"),
        answered_by_the_gateway("/v1/models", b"", status=204, method="OPTIONS"),
    ],
    ids=["models", "health", "unknown", "refused", "preflight"],
)
def test_what_the_gateway_answered_by_itself_is_not_shown_as_a_providers(flow):
    """Such requests have no account; already when a script or a breakpoint has them they are answered."""
    for flow.live in (True, False):
        for side in ("request", "response"):
            assert shown(PROVIDER, flow, side) == NOBODY
        assert shown(CLIENT, flow).startswith(f"{flow.request.method} {flow.request.path}\n")
        assert "still" not in shown(CLIENT, flow, "response")


def test_a_client_that_went_away_early_was_answered_by_nobody():
    """Not by the gateway either."""
    flow = flow_of(chat_request(), outcome="cancelled", attempts=[], provider=None)
    flow.response = None
    assert shown(PROVIDER, flow) == "No provider was asked."


def test_while_a_stream_is_on_its_answer_is_still_coming():
    """The request has gone to the provider; nothing of the answer is kept before its end."""
    flow = streaming()
    assert shown(PROVIDER, flow).startswith("POST https://api.anthropic.com/v1/messages\n")
    assert shown(PROVIDER, flow, "response") == "The answer is still coming: look again at its end."
    assert shown(CLIENT, flow, "response").split("\n") == [
        "200 OK",
        "content-type: text/event-stream",
        "transfer-encoding: chunked",
        GAP,
        "The answer is still coming: look again at its end.",
    ]


def test_a_flow_saved_before_its_end_says_that_its_end_is_not_known():
    """Whether a provider was asked, and what it answered."""
    flow = streaming()
    flow.live = False
    assert shown(PROVIDER, flow, "response") == "What became of the request is not kept with this flow."


def test_a_request_without_a_good_answer_points_to_the_attempts():
    """The failed answers are there."""
    flow = flow_of(chat_request(), b"{}", status=500, attempts=[FAILED], provider=None)
    del flow.metadata["uniapi"]["provider"]
    assert "Attempts" in shown(PROVIDER, flow, "response")
    assert shown(PROVIDER, flow).startswith("POST ")


def test_base64_is_shortened_and_binary_is_a_size():
    """Nobody reads either."""
    request = chat_request(user="x" * 5000)
    assert f'"user": "{"x" * 40}… (5000 characters)"' in shown(CLIENT, flow_of(request))
    flow = flow_of(chat_request(), b"\x00\xff\x01" * 1000, content_type="audio/mpeg")
    assert shown(CLIENT, flow, "response").split("\n")[-1] == "(2.9k of audio/mpeg)"
    assert shown(CLIENT, flow_of(chat_request()), "response").split("\n")[-1] == "(no body)"


def test_the_attempts_key_is_masked_already_and_stays_so():
    """Views only show what is kept."""
    assert SERVED["key"] not in shown(PROVIDER, flow_of(chat_request()))
