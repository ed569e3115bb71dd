"""Breakpoints in mitmweb: the translated request and the answer wait for a person, who edits them or kills the flow."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx2
import pytest

from tests.e2e.conftest import CLIENT_KEY, PROVIDER_KEY, config_of, gateways, provider
from tests.e2e.mitmweb_person import MitmwebPerson
from tests.e2e.upstream import Upstream, answer, claude_answer, claude_stream, openai_answer, sse

ASK = {"model": "test-model", "messages": [{"role": "user", "content": "hello"}]}

type Ask = Callable[..., Future[httpx2.Response]]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


@pytest.fixture(scope="module")
def web(tmp_path_factory, confdir, upstream) -> Iterator[MitmwebPerson]:
    """Two providers, of which the first may fail; nothing cools down."""
    claude = provider("claude", upstream.url("claude"), engine="claude")
    config = config_of(claude, provider("other", upstream.url("other")))
    config["preferences"]["cooldown_period"] = 0
    with gateways(tmp_path_factory.mktemp("breakpoints"), confdir) as start:
        yield MitmwebPerson(start, config)


@pytest.fixture
def asked(web, upstream) -> Iterator[Ask]:
    """Ask while the person is at work; the flows of earlier tests are gone."""
    upstream.on("claude", answer(200, claude_answer("as the provider said")))
    upstream.on("other", answer(200, openai_answer("from the other")))
    web.command("view.clear")

    def ask(intercept: str, body: dict = ASK) -> Future[httpx2.Response]:
        web.set_option("intercept", intercept)
        url, headers = f"{web.gateway.base_url}/chat/completions", {"authorization": f"Bearer {CLIENT_KEY}"}
        return pool.submit(httpx2.post, url, json=body, headers=headers, timeout=20)

    with ThreadPoolExecutor() as pool:
        yield ask


def text_of(response: httpx2.Response) -> str:
    return response.json()["choices"][0]["message"]["content"]


def test_an_edited_request_goes_out_as_edited(web, asked, upstream):
    """Body, header and path; the secrets that the flow does not show go along."""
    asking = asked("~q")
    flow = web.waiting_flow()
    body = json.loads(web.content(flow["id"], "request"))
    assert body["messages"][0]["role"] == "user"
    headers = [*flow["request"]["headers"], ["x-added", "by a person"]]
    web.edit(
        flow["id"],
        request={
            "headers": headers,
            "content": json.dumps(body | {"max_tokens": 7}),
            "path": flow["request"]["path"] + "?edited=yes",
        },
    )
    web.resume(flow["id"])
    assert text_of(asking.result()) == "as the provider said"
    sent = upstream.requests("claude")[-1]
    assert sent.json == body | {"max_tokens": 7}
    assert sent.headers["x-added"] == "by a person"
    assert sent.headers["x-api-key"] == PROVIDER_KEY
    assert sent.path.endswith("/messages?edited=yes")


def test_an_edited_address_is_asked_instead(web, asked, upstream):
    """Another path of another server, say."""
    upstream.on("elsewhere", answer(200, claude_answer("from elsewhere")))
    asking = asked("~q")
    flow = web.waiting_flow()
    web.edit(flow["id"], request={"host": "localhost", "path": "/elsewhere/v1/messages"})
    web.resume(flow["id"])
    assert text_of(asking.result()) == "from elsewhere"


def test_an_edited_credential_goes_out_as_edited(web, asked, upstream):
    """Also where it stood masked."""
    asking = asked("~q")
    flow = web.waiting_flow()
    headers = [[name, "another key" if name == "x-api-key" else value] for name, value in flow["request"]["headers"]]
    web.edit(flow["id"], request={"headers": headers})
    web.resume(flow["id"])
    asking.result()
    assert upstream.requests("claude")[-1].headers["x-api-key"] == "another key"


def test_every_attempt_stops_at_a_breakpoint(web, asked, upstream):
    """What was edited for one does not concern the next, which is made from the client's request."""
    upstream.on("claude", answer(500, {"error": {"message": "Oops."}}))
    asking = asked("~q")
    first = web.waiting_flow()
    web.edit(first["id"], request={"content": "{}"})
    web.resume(first["id"])
    second = web.waiting_flow(path="/other/")
    assert second["id"] == first["id"]
    body = json.loads(web.content(second["id"], "request"))
    assert body["messages"] == ASK["messages"]
    web.edit(second["id"], request={"content": json.dumps(body | {"temperature": 1})})
    web.resume(second["id"])
    assert text_of(asking.result()) == "from the other"
    assert upstream.requests("other")[-1].json["temperature"] == 1


def test_an_edited_answer_reaches_the_client_as_edited(web, asked):
    """Status, headers and body."""
    asking = asked("~s")
    flow = web.waiting_flow(with_response=True)
    edited = json.dumps({"said": "by a person"})
    headers = [*flow["response"]["headers"], ["x-added", "by a person"]]
    web.edit(flow["id"], response={"headers": headers, "content": edited, "code": 203})
    web.resume(flow["id"])
    response = asking.result()
    assert (response.status_code, response.text, response.headers["x-added"]) == (203, edited, "by a person")


def test_a_stream_passes_before_the_breakpoint(web, asked, upstream):
    """Its chunks have gone to the client already: only its end waits."""
    upstream.on("claude", sse(claude_stream("one ", "two")))
    web.set_option("intercept", "~s")
    seen: list[str] = []

    def read() -> None:
        headers = {"authorization": f"Bearer {CLIENT_KEY}"}
        url = f"{web.gateway.base_url}/chat/completions"
        with httpx2.stream("POST", url, json=ASK | {"stream": True}, headers=headers, timeout=20) as response:
            seen.extend(response.iter_text())

    reading = threading.Thread(target=read)
    reading.start()
    flow = web.waiting_flow(with_response=True)
    assert "[DONE]" in "".join(seen)
    assert reading.is_alive()
    web.resume(flow["id"])
    reading.join(10)
    assert not reading.is_alive()


@pytest.mark.parametrize("breakpoint", ["~q", "~s"])
def test_a_killed_flow_ends_its_client_at_once(web, asked, upstream, breakpoint):
    """Without an answer; before the breakpoint on the request nothing has gone to the provider."""
    before = len(upstream.requests("claude"))
    asking = asked(breakpoint)
    flow = web.waiting_flow(with_response=breakpoint == "~s")
    began = time.monotonic()
    web.kill(flow["id"])
    with pytest.raises(httpx2.RemoteProtocolError):
        asking.result()
    assert time.monotonic() - began < 10
    assert len(upstream.requests("claude")) - before == (0 if breakpoint == "~q" else 1)
    if breakpoint == "~q":
        web.gateway.wait_for_log("test-model → nobody no answer stopped in mitmproxy")


def test_a_stream_killed_in_its_midst_keeps_what_had_come_of_it(web, asked, upstream):
    """It counts as stopped, not as served."""
    upstream.on("claude", sse(claude_stream("one ", *["more "] * 100), delay=0.05))
    asking = asked("", ASK | {"stream": True})
    flow = web.wait_for(lambda each: "response" in each)
    web.kill(flow["id"])
    with pytest.raises(httpx2.RemoteProtocolError):
        asking.result()
    web.gateway.wait_for_log(r"test-model → claude/test-model 200 in .* stopped in mitmproxy")
    flow = web.wait_for(lambda each: "cancelled" in each["comment"])
    assert flow["marked"] == "⚪"
    assert "one " in web.content(flow["id"], "response")


def test_a_flow_removed_at_a_breakpoint_ends_its_client_too(web, asked):
    """mitmweb kills it first."""
    asking = asked("~q")
    web.remove(web.waiting_flow()["id"])
    with pytest.raises(httpx2.RemoteProtocolError):
        asking.result()
