"""What the client sent and received, what the provider got and answered."""

import json

from inspection.views.client_side import ClientSide
from inspection.views.layout import GAP
from inspection.views.provider_side import ProviderSide
from tests.inspection.views.flows import FAILED, SERVED, chat_answer, chat_request, flow_of, shown

CLIENT, PROVIDER = ClientSide(), ProviderSide()


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
            assert shown(PROVIDER, flow, side) == "No provider was asked: the gateway answered by itself."


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
