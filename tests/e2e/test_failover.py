"""Failover inside one flow, through a real mitmdump."""

import asyncio
import gzip
import json
import time

import httpx2
import openai
import pytest
from mitmproxy import http
from mitmproxy.io import FlowReader

from tests.e2e.clients import RawHttp2, tunnel_client
from tests.e2e.conftest import CLIENT_KEY, PROVIDER_KEY, config_of, provider
from tests.e2e.upstream import (
    DONE,
    Seen,
    answer,
    chunk,
    claude_answer,
    claude_stream,
    closes,
    dead_url,
    hangs,
    openai_answer,
    openai_stream,
    sse,
)

MESSAGES = [{"role": "user", "content": "hello"}]
ASK = {"model": "test-model", "messages": MESSAGES}
HEADERS = {"authorization": f"Bearer {CLIENT_KEY}"}
ERROR_EVENT = ['data: {"error": {"message": "internal trouble", "type": "server_error", "code": 500}}\n\n']
CHAIN_FAILURES = ["dead: connect", "broken: 500", "closing: closed", "hanging: timeout", "lying: server"]


def chain(upstream, *, timeout: float = 0.6) -> dict:
    """A dead port → 500 → closes → hangs → an error event inside a 200 → good."""
    return config_of(
        provider("dead", dead_url()),
        provider("broken", upstream.on("broken", answer(500, {"error": {"message": "boom"}}))),
        provider("closing", upstream.on("closing", closes())),
        provider("hanging", upstream.on("hanging", hangs())),
        provider("lying", upstream.on("lying", sse([chunk({"role": "assistant"}), *ERROR_EVENT]))),
        provider("good", upstream.on("good", sse(openai_stream("Hello", " there")))),
        timeout=timeout,
    )


def flows_of(gateway) -> list[http.HTTPFlow]:
    """The flows that a stopped gateway has saved."""
    gateway.stop()
    with gateway.flow_path.open("rb") as file:
        return [flow for flow in FlowReader(file).stream() if isinstance(flow, http.HTTPFlow)]


def account_in(gateway) -> dict:
    return flows_of(gateway)[0].metadata["uniapi"]["account"]


def test_a_chain_of_failures_ends_in_the_good_stream(start, upstream, sdk):
    """The client sees the good stream only; the attempts are in the log line and in the flow."""
    gateway = start(chain(upstream))
    stream = sdk(gateway).chat.completions.create(**ASK, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert text == "Hello there"
    line = gateway.wait_for_log(r"test-model → good/test-model 200 .*")[0]
    for failure in CHAIN_FAILURES:
        assert failure in line
    attempts = account_in(gateway)["attempts"]
    assert [attempt["provider"] for attempt in attempts] == [
        "dead", "broken", "closing", "hanging", "lying", "good",
    ]  # fmt: skip
    assert b"boom" in attempts[1]["answer"]


def test_the_same_chain_for_a_whole_answer(start, upstream, sdk):
    """Not streamed, the client gets the good answer."""
    config = chain(upstream)
    upstream.on("lying", answer(200, {"error": {"message": "internal trouble", "code": 500}}))
    upstream.on("good", answer(200, openai_answer("Hello there")))
    gateway = start(config)
    completion = sdk(gateway).chat.completions.create(**ASK)
    assert completion.choices[0].message.content == "Hello there"
    line = gateway.wait_for_log(r"test-model → good/test-model 200 .*")[0]
    for failure in CHAIN_FAILURES:
        assert failure in line


@pytest.mark.parametrize("stream", [True, False])
def test_the_same_chain_for_an_http2_client_through_a_tunnel(start, upstream, confdir, stream):
    """HTTPS_PROXY, CONNECT and HTTP/2, wired to api.openai.com."""
    config = chain(upstream)
    if not stream:
        upstream.on("good", answer(200, openai_answer("Hello there")))
        upstream.on("lying", answer(200, {"error": {"message": "internal trouble", "code": 500}}))
    gateway = start(config)
    with tunnel_client(gateway, confdir) as client:
        response = client.post(
            "https://api.openai.com/v1/chat/completions", json={**ASK, "stream": stream}, headers=HEADERS
        )
    assert response.http_version == "HTTP/2"
    assert response.status_code == 200
    if stream:
        assert "".join(contents(response.text)) == "Hello there"
        assert response.text.rstrip().endswith("data: [DONE]")
    else:
        assert response.json()["choices"][0]["message"]["content"] == "Hello there"


def contents(text: str) -> list[str]:
    """The text deltas of a stream's body."""
    frames = [frame.removeprefix("data: ") for frame in text.split("\n\n") if frame.startswith("data: {")]
    deltas = [choice["delta"] for frame in frames for choice in json.loads(frame)["choices"]]
    return [delta["content"] for delta in deltas if delta.get("content")]


@pytest.mark.parametrize("engine", ["gpt", "claude"])
def test_a_stream_cut_after_output_ends_in_an_error_and_no_done(start, upstream, engine):
    """An error event, no [DONE], and the body has no proper end."""
    frames = openai_stream("Hello", " there")[:2] if engine == "gpt" else claude_stream("Hello", " there")[:3]
    gateway = start(
        config_of(
            provider("cut", upstream.on("cut", sse(frames, ends=False)), engine=engine),
            provider("unused", upstream.on("unused", sse(openai_stream("never")))),
        )
    )
    received = b""
    with (
        httpx2.Client(timeout=20) as client,
        client.stream(
            "POST", f"{gateway.base_url}/chat/completions", json={**ASK, "stream": True}, headers=HEADERS
        ) as response,
    ):
        with pytest.raises(httpx2.RemoteProtocolError):
            for piece in response.iter_raw():
                received += piece
    text = received.decode()
    assert "Hello" in text
    assert "event: error\ndata: {" in text
    assert "[DONE]" not in text
    assert not upstream.requests("unused")


def test_the_sdk_raises_for_a_stream_cut_after_output(start, upstream, sdk):
    """What the openai SDK makes of the error event."""
    gateway = start(config_of(provider("cut", upstream.on("cut", sse(openai_stream("Hello")[:2], ends=False)))))
    stream = sdk(gateway).chat.completions.create(**ASK, stream=True)
    texts = []
    with pytest.raises(openai.APIError, match=r"broke|ended"):
        for piece in stream:
            texts.append(piece.choices[0].delta.content)
    assert "Hello" in texts


def test_a_truncated_body_with_a_proper_end_is_an_error_too(start, upstream, sdk):
    """The stream's own end marker decides, not the connection."""
    gateway = start(config_of(provider("short", upstream.on("short", sse(openai_stream("Hello")[:3], delay=0.05)))))
    stream = sdk(gateway).chat.completions.create(**ASK, stream=True)
    with pytest.raises(openai.APIError, match="end marker"):
        list(stream)


def endless(upstream) -> dict:
    """A provider that streams for a minute."""
    return config_of(
        provider("endless", upstream.on("endless", sse([chunk({"content": "x"})], delay=0.05, repeat=1200)))
    )


def test_pitfall_117_a_client_that_closes_its_connection_ends_the_upstream_request(start, upstream):
    """Within half a second, and no provider is blamed (LL#13774, BF#3164)."""
    gateway = start(endless(upstream))
    url = f"{gateway.base_url}/chat/completions"
    with (
        httpx2.Client(timeout=20) as client,
        client.stream("POST", url, json={**ASK, "stream": True}, headers=HEADERS) as response,
    ):
        next(response.iter_raw())
        response.close()
        assert upstream.requests("endless")[0].wait_until_gone() < 0.5
    gateway.wait_for_log("the client went away")
    assert "cooling down" not in gateway.log


def test_an_http2_client_that_resets_its_stream_ends_the_upstream_request_at_once(start, upstream, confdir):
    """Within half a second, while the connection stays."""
    gateway = start(endless(upstream))
    client = RawHttp2(gateway, confdir)
    stream_id = client.post("/v1/chat/completions", {**ASK, "stream": True}, HEADERS)
    while not client.bodies[stream_id]:
        client.read()
    client.reset(stream_id)
    assert upstream.requests("endless")[0].wait_until_gone() < 0.5
    gateway.wait_for_log("the client went away")
    client.close()


def test_parallel_requests_of_one_http2_client_run_in_parallel(start, upstream, confdir):
    """Fifty at once reach the provider before the first is answered."""

    async def answers_when_all_are_here(seen: Seen) -> None:
        while len(upstream.requests("together")) < 50:
            await asyncio.sleep(0.01)
        await answer(200, openai_answer("hi"))(seen)

    gateway = start(config_of(provider("together", upstream.on("together", answers_when_all_are_here))))
    client = RawHttp2(gateway, confdir)
    streams = [client.post("/v1/chat/completions", ASK, HEADERS) for _ in range(50)]
    while len(client.ended) < 50:
        client.read()
    assert [client.statuses[stream_id] for stream_id in streams] == [200] * 50
    client.close()


def test_a_client_that_goes_away_while_a_provider_hangs(start, upstream):
    """Also before any answer the upstream request ends with the client."""
    gateway = start(config_of(provider("hanging", upstream.on("hanging", hangs()))))
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(f"{gateway.base_url}/chat/completions", json=ASK, headers=HEADERS, timeout=0.5)
    upstream.requests("hanging")[0].wait_until_gone()


def test_a_client_that_goes_away_leaves_none_of_its_many_requests_on(start, upstream, confdir):
    """Each has a connection of its own to the provider, and every one is closed."""
    gateway = start(config_of(provider("hanging", upstream.on("hanging", hangs()))))
    client = RawHttp2(gateway, confdir)
    for _ in range(5):
        client.post("/v1/chat/completions", ASK, HEADERS)
    while len(upstream.requests("hanging")) < 5:
        time.sleep(0.01)
    client.close()
    for seen in upstream.requests("hanging"):
        seen.wait_until_gone()


def test_the_provider_gets_its_own_key_and_nothing_of_the_client(start, upstream, sdk):
    """Headers are the engine's; the client's key, cookies and the like stay here."""
    gateway = start(config_of(provider("good", upstream.on("good", answer(200, openai_answer("hi"))))))
    sdk(gateway).chat.completions.create(**ASK, extra_headers={"cookie": "a=b", "x-forwarded-for": "1.2.3.4"})
    headers = upstream.requests("good")[0].headers
    assert headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert set(headers) == {"host", "content-type", "accept", "authorization", "accept-encoding", "content-length"}
    flow = flows_of(gateway)[0]
    assert flow.request.headers["authorization"] == "Bearer sk-…002"
    assert flow.comment.startswith("test-model → good/test-model · 1 attempt")


@pytest.mark.parametrize(
    ("engine", "whole", "stream"),
    [("gpt", openai_answer("Hi"), openai_stream("Hi")), ("claude", claude_answer("Hi"), claude_stream("Hi"))],
)
def test_hosts_that_do_not_send_what_was_asked_for(start, upstream, sdk, engine, whole, stream):
    """A stream where a whole answer was asked for, and the other way round, are put right."""
    gateway = start(
        config_of(provider("odd", upstream.on("odd", sse(stream), answer(200, whole)), engine=engine, model="m")) | {}
    )
    client = sdk(gateway)
    completion = client.chat.completions.create(model="m", messages=MESSAGES)
    assert completion.choices[0].message.content == "Hi"
    pieces = list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == "Hi"
    assert pieces[-1].choices[0].finish_reason == "stop"


def test_silence_between_two_pieces_of_output_ends_the_stream_in_an_error(start, upstream):
    """The model's timeout bounds every silence, not only the first."""
    gateway = start(
        config_of(
            provider("stalling", upstream.on("stalling", sse([chunk({"content": "x"})], then_hangs=60))), timeout=0.5
        )
    )
    received = b""
    with (
        httpx2.Client(timeout=20) as client,
        client.stream(
            "POST", f"{gateway.base_url}/chat/completions", json={**ASK, "stream": True}, headers=HEADERS
        ) as response,
    ):
        with pytest.raises(httpx2.RemoteProtocolError):
            for piece in response.iter_raw():
                received += piece
    assert b"event: error" in received
    assert b"no more output" in received


def test_comments_keep_the_connection_but_are_no_output(start, upstream, sdk):
    """A provider that only sends comments is left after five times the timeout, which uses up the request's time."""
    gateway = start(
        config_of(
            provider("mumbling", upstream.on("mumbling", sse([": here\n\n"], delay=0.05, repeat=200))), timeout=0.3
        )
    )
    began = time.monotonic()
    with pytest.raises(openai.APIStatusError) as caught:
        sdk(gateway).chat.completions.create(**ASK, stream=True)
    assert caught.value.status_code == 504
    assert 1.4 < time.monotonic() - began < 4


def test_a_connection_that_the_provider_closed_meanwhile_is_no_failure(start, upstream, sdk):
    """A kept connection may be closed by the provider at any time: the request is sent again on a new one."""
    good = answer(200, openai_answer("hi"))

    async def answers_once_then_closes(seen):
        await good(seen)

    url = upstream.on("kept", answers_once_then_closes, closes(), good)
    gateway = start(config_of(provider("kept", url)))
    client = sdk(gateway)
    client.chat.completions.create(**ASK)
    assert client.chat.completions.create(**ASK).choices[0].message.content == "hi"
    assert len(upstream.requests("kept")) == 3
    gateway.stop()
    assert "closed" not in " ".join(line for line in gateway.log.splitlines() if "test-model →" in line)


def test_done_without_an_end_of_the_connection_completes_the_stream(start, upstream, sdk):
    """After [DONE] a provider that keeps its connection open is not waited for."""
    gateway = start(
        config_of(provider("lingering", upstream.on("lingering", sse(openai_stream("Hi"), then_hangs=30, ends=False))))
    )
    began = time.monotonic()
    with httpx2.Client(timeout=20) as client:
        response = client.post(f"{gateway.base_url}/chat/completions", json={**ASK, "stream": True}, headers=HEADERS)
        assert response.text.endswith(DONE)
        assert time.monotonic() - began < 5
        again = client.post(f"{gateway.base_url}/chat/completions", json={**ASK, "stream": True}, headers=HEADERS)
        assert again.text.endswith(DONE)


@pytest.mark.parametrize("status", [200, 400])
def test_pitfall_106_headers_of_the_providers_body_do_not_stay_on_ours(start, upstream, status):
    """Content-Encoding and lengths belong to bytes that were rewritten, also on errors (EN#2554, PK de7e5666)."""
    body = openai_answer("hi") if status == 200 else {"error": {"message": "too hot"}}
    packed = gzip.compress(json.dumps(body).encode())
    behaviour = answer(status, packed, {"content-encoding": "gzip"})
    gateway = start(config_of(provider("odd", upstream.on("odd", behaviour), model="up")))
    response = httpx2.post(f"{gateway.base_url}/chat/completions", json={**ASK, "model": "up"}, headers=HEADERS)
    assert response.status_code == status
    assert "content-encoding" not in response.headers
    assert int(response.headers["content-length"]) == len(response.content)
    assert ("too hot" in response.text) == (status == 400)


def test_every_attempt_failed(start, upstream, sdk):
    """The client gets the last status, the provider's message and the list of attempts, in OpenAI's form."""
    gateway = start(
        config_of(
            provider("one", upstream.on("one", answer(500, {"error": {"message": "first"}}))),
            provider("two", upstream.on("two", answer(529, {"error": {"message": "second"}}))),
        )
    )
    with pytest.raises(openai.APIStatusError) as caught:
        sdk(gateway).chat.completions.create(**ASK)
    assert caught.value.status_code == 503
    body = caught.value.response.json()["error"]
    assert "second" in body["message"]
    assert [(attempt["provider"], attempt["status"]) for attempt in body["attempts"]] == [("one", 500), ("two", 529)]


def test_a_clients_own_mistake_is_returned_at_once(start, upstream, sdk):
    """400 is sent upstream exactly once and cools nothing."""
    mistake = answer(400, {"error": {"message": "bad temperature", "type": "invalid_request_error"}})
    gateway = start(
        config_of(
            provider("one", upstream.on("one", mistake)),
            provider("two", upstream.on("two", answer(200, openai_answer("unused")))),
        )
    )
    for _ in range(2):
        with pytest.raises(openai.BadRequestError, match="bad temperature"):
            sdk(gateway).chat.completions.create(**ASK)
    assert len(upstream.requests("one")) == 2
    assert not upstream.requests("two")


def test_refused_credentials_never_look_like_the_clients(start, upstream, sdk):
    """All keys of all providers refused: 502, not a 401 that looks like the client's own."""
    refused = answer(401, {"error": {"message": "Incorrect API key provided"}})
    gateway = start(config_of(provider("one", upstream.on("one", refused))))
    with pytest.raises(openai.APIStatusError) as caught:
        sdk(gateway).chat.completions.create(**ASK)
    assert caught.value.status_code == 502
    assert caught.value.code == "upstream_credentials_rejected"
