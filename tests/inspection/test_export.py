"""An exchange as a fixture: both sides, whatever the bodies are, and nothing secret."""

import json
from typing import Any

import pytest
from mitmproxy import http

from inspection.export import exported
from tests.inspection.views.flows import (
    ODD,
    SERVED,
    account,
    answered_by_the_gateway,
    chat_answer,
    chat_request,
    flow_of,
)


def exchange_of(flow: http.HTTPFlow) -> dict[str, Any]:
    return json.loads(exported(flow))


def test_both_sides_are_there():
    """The provider's outside, the client's beside it."""
    exchange = exchange_of(flow_of(chat_request(), chat_answer()))
    assert exchange["request"]["url"] == "https://api.anthropic.com/v1/messages"
    assert exchange["request"]["body"]["messages"][0]["role"] == "user"
    assert exchange["response"]["sse"].startswith("event: message_start")
    assert exchange["client"]["request"]["body"] == chat_request()
    assert exchange["client"]["response"]["body"] == json.loads(chat_answer())
    facts = {name: exchange[name] for name in ("provider", "engine", "model", "kind", "endpoint", "stream")}
    assert facts == {
        "provider": "somebody",
        "engine": "claude",
        "model": "claude-sonnet-4-5",
        "kind": "chat",
        "endpoint": "/v1/chat/completions",
        "stream": False,
    }


def test_only_harmless_headers_and_parameters_are_exported():
    """A flow whose keys were kept gives none away: not in a header of a provider's own, not in its address."""
    flow = flow_of(chat_request(), chat_answer())
    flow.request.headers["x-api-key"] = flow.request.headers["x-tenant"] = "a secret"
    flow.request.headers["anthropic-version"] = "2023-06-01"
    flow.request.path += "?key=a-secret&alt=sse"
    assert flow.response
    flow.response.headers["set-cookie"] = "a secret"
    exchange = exchange_of(flow)
    assert exchange["request"]["headers"] == {"content-type": "application/json", "anthropic-version": "2023-06-01"}
    assert exchange["request"]["url"].endswith("/v1/messages?alt=sse")
    assert "secret" not in json.dumps(exchange)


def test_what_is_no_text_is_counted():
    """A picture, or sound."""
    flow = flow_of(chat_request(), b"\xff\xfe\x00sound", content_type="audio/mpeg", endpoint="/v1/audio/speech")
    response = exchange_of(flow)["client"]["response"]
    assert response == {"status": 200, "headers": {"content-type": "audio/mpeg"}, "binary": 8}


def test_what_is_cut_is_text_and_says_how_much_is_missing():
    """JSON that is not whole is none."""
    flow = flow_of(chat_request(), b"data: {}\n\n", content_type="text/event-stream")
    flow.metadata["uniapi"]["client"] |= {"body": b'{"model": "gp', "cut": 7}
    flow.metadata["uniapi_response_cut"] = 9
    client = exchange_of(flow)["client"]
    assert (client["request"]["text"], client["request"]["cut"]) == ('{"model": "gp', 7)
    assert (client["response"]["sse"], client["response"]["cut"]) == ("data: {}\n\n", 9)


def test_where_no_provider_was_asked_there_is_none():
    """The gateway has refused it."""
    flow = flow_of(chat_request(), b'{"error": {}}', status=429, attempts=[], provider=None, model=None)
    del flow.metadata["uniapi"]["provider"]
    exchange = exchange_of(flow)
    assert exchange["request"] is None
    assert exchange["response"] is None
    assert exchange["client"]["response"]["status"] == 429


def test_a_request_that_was_for_no_provider_has_none():
    """The flow's request is the client's then."""
    exchange = exchange_of(answered_by_the_gateway("/v1/models", b'{"data": []}'))
    assert (exchange["provider"], exchange["request"], exchange["response"]) == (None, None, None)
    assert exchange["client"]["request"]["url"] == "/v1/models"
    assert exchange["client"]["response"]["body"] == {"data": []}


# --- whatever comes -------------------------------------------------------------------------------------------


def test_half_an_emoji_is_exported_as_it_came():
    """JSON escapes it; UTF-8 cannot write it."""
    request = b'{"model": "gpt-demo", "messages": [{"role": "user", "content": "half \\ud83d, \xc3\xa9"}]}'
    exported_file = exported(flow_of(request, chat_answer(), sent=request))
    assert b'"half \\ud83d, \xc3\xa9"' in exported_file
    assert json.loads(exported_file)["client"]["request"]["body"] == json.loads(request)


@pytest.mark.parametrize("depth", [900, 1000, 1020])
def test_deep_json_is_exported(depth):
    """As deep as it is read."""
    body = b'{"model": ' + b"[" * depth + b"]" * depth + b"}"
    exchange = exchange_of(flow_of(body, body, sent=b"{}"))
    assert exchange["client"]["request"]["body"] == exchange["client"]["response"]["body"] == json.loads(body)


@pytest.mark.parametrize("body", [b"[" * 200_000, b'["\\ud83d",' * 200_000, b'{"a": NaN}'])
def test_what_is_no_json_or_too_deep_is_exported_as_text(body):
    """It is what came."""
    exchange = exchange_of(flow_of(body, b"{}", status=400, attempts=[], sent=body))
    assert exchange["client"]["request"]["text"] == body.decode()


@pytest.mark.parametrize("path", ["//[", "/v1/x?alt=sse#?key=secret", "/v1/x\udcff"])
def test_any_address_is_exported(path):
    """A client may ask for what is no URL."""
    flow = answered_by_the_gateway("/", b"{}", status=404)
    flow.metadata["uniapi"]["client"]["path"] = path
    assert exchange_of(flow)["client"]["request"]["url"] == path.partition("#")[0]


def test_nothing_that_is_kept_makes_the_export_fail():
    """Flows come from files too, of other versions and other people."""
    for odd in ODD:
        for name in account():
            exported(flow_of(chat_request(), **{name: odd})).decode()
        for name in SERVED:
            exported(flow_of(chat_request(), attempts=[SERVED | {name: odd}])).decode()
        for name in ("client", "provider", "account"):
            flow = flow_of(chat_request())
            flow.metadata["uniapi"][name] = odd
            exported(flow).decode()
