"""Providers that speak HTTP/2 over TLS."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from h2.errors import ErrorCodes

from tests.e2e.clients import RawHttp2
from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.http2_upstream import Http2Upstream, Stream
from tests.e2e.upstream import chunk, openai_answer, openai_stream

ASK = {"model": "test-model", "messages": [{"role": "user", "content": "hello"}]}
HEADERS = {"authorization": f"Bearer {CLIENT_KEY}"}
INSECURE = ("--set", "ssl_insecure=true")


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Http2Upstream]:
    server = Http2Upstream(tmp_path)
    yield server
    server.close()


async def good(stream: Stream) -> None:
    stream.head(200, "application/json")
    stream.data(json.dumps(openai_answer("hi")).encode(), ends=True)


async def good_stream(stream: Stream) -> None:
    stream.head(200, "text/event-stream")
    for frame in openai_stream("Hello", " there"):
        stream.data(frame.encode())
        await asyncio.sleep(0.01)
    stream.data(b"", ends=True)


async def fails(stream: Stream) -> None:
    stream.head(500, "application/json")
    stream.data(b'{"error": {"message": "boom"}}', ends=True)


async def hangs(stream: Stream) -> None:
    await asyncio.sleep(60)


async def endless(stream: Stream) -> None:
    stream.head(200, "text/event-stream")
    while stream.reset_at is None:
        stream.data(chunk({"content": "x"}).encode())
        await asyncio.sleep(0.05)


def wait_until_reset(stream: Stream) -> float:
    began = time.monotonic()
    while stream.reset_at is None and time.monotonic() < began + 5:
        time.sleep(0.01)
    assert stream.reset_at is not None
    return stream.reset_at - began


def test_failover_between_http2_providers(start, upstream, confdir):
    """500 → silence → a stream, on one connection to the host; the abandoned attempt is taken back."""
    gateway = start(
        config_of(
            provider("fails", upstream.on("fails", fails)),
            provider("hangs", upstream.on("hangs", hangs)),
            provider("good", upstream.on("good", good_stream)),
            timeout=0.5,
        ),
        *INSECURE,
    )
    client = RawHttp2(gateway, confdir)
    stream_id = client.post("/v1/chat/completions", {**ASK, "stream": True}, HEADERS)
    while stream_id not in client.ended:
        client.read()
    assert b'"content": "Hello"' in client.bodies[stream_id]
    assert client.bodies[stream_id].endswith(b"data: [DONE]\n\n")
    wait_until_reset(upstream.requests("hangs")[0])
    assert upstream.connections == 1
    client.close()


def test_parallel_requests_from_end_to_end_http2(start, upstream, confdir):
    """Fifty streams of one client, on few connections to the provider."""
    gateway = start(config_of(provider("good", upstream.on("good", good))), *INSECURE)
    client = RawHttp2(gateway, confdir)
    streams = [client.post("/v1/chat/completions", ASK, HEADERS) for _ in range(50)]
    while len(client.ended) < 50:
        client.read()
    assert [client.statuses[stream_id] for stream_id in streams] == [200] * 50
    assert upstream.connections == 1
    client.close()


def test_a_client_that_closes_its_connection_ends_the_providers_stream(start, upstream, confdir):
    """Within half a second."""
    gateway = start(config_of(provider("endless", upstream.on("endless", endless))), *INSECURE)
    client = RawHttp2(gateway, confdir)
    stream_id = client.post("/v1/chat/completions", {**ASK, "stream": True}, HEADERS)
    while not client.bodies[stream_id]:
        client.read()
    client.close()
    assert wait_until_reset(upstream.requests("endless")[0]) < 0.5


def test_one_of_two_streams_reset_leaves_the_other(start, upstream, confdir):
    """HTTP/2 on both sides: only the abandoned request ends."""
    gateway = start(config_of(provider("endless", upstream.on("endless", endless))), *INSECURE)
    client = RawHttp2(gateway, confdir)
    first, second = (client.post("/v1/chat/completions", {**ASK, "stream": True}, HEADERS) for _ in range(2))
    while not (client.bodies[first] and client.bodies[second]):
        client.read()
    client.reset(first)
    abandoned, other = upstream.requests("endless")
    assert wait_until_reset(abandoned) < 0.5
    received = len(client.bodies[second])
    while len(client.bodies[second]) <= received:
        client.read()
    assert other.reset_at is None
    client.close()


async def answers_then_refuses(stream: Stream) -> None:
    """The second request of a connection is refused before anything is done for it, and once only."""
    if stream.number == 2:
        stream.refuse(ErrorCodes.REFUSED_STREAM)
    else:
        await good(stream)


async def answers_then_resets(stream: Stream) -> None:
    if stream.number == 2:
        stream.refuse(ErrorCodes.INTERNAL_ERROR)
    else:
        await good(stream)


def test_a_request_that_a_provider_has_not_begun_on_is_sent_again(start, upstream, confdir):
    """On the connection that was kept, and nothing cools down for it (RFC 9113, section 8.7)."""
    gateway = start(config_of(provider("refuses", upstream.on("refuses", answers_then_refuses))), *INSECURE)
    client = RawHttp2(gateway, confdir)
    for _ in range(3):
        stream_id = client.post("/v1/chat/completions", ASK, HEADERS)
        while stream_id not in client.ended:
            client.read()
        assert client.statuses[stream_id] == 200
    assert len(upstream.requests("refuses")) == 4
    assert upstream.connections == 1
    assert "cooling" not in gateway.log
    client.close()


def test_a_request_that_is_reset_has_failed(start, upstream, confdir):
    """On a kept connection as on a new one: another provider is asked."""
    resets, other = upstream.on("resets", answers_then_resets), upstream.on("other", good)
    gateway = start(config_of(provider("resets", resets), provider("other", other)), *INSECURE)
    client = RawHttp2(gateway, confdir)
    for _ in range(2):
        stream_id = client.post("/v1/chat/completions", ASK, HEADERS)
        while stream_id not in client.ended:
            client.read()
        assert client.statuses[stream_id] == 200
    assert len(upstream.requests("resets")) == 2
    assert len(upstream.requests("other")) == 1
    client.close()


async def answers_and_says_goodbye(stream: Stream) -> None:
    await good(stream)
    stream.say_goodbye(last=stream.number)


async def refuses_the_first(stream: Stream) -> None:
    """Of all connections."""
    if stream.is_first:
        stream.refuse(ErrorCodes.REFUSED_STREAM)
    else:
        await good(stream)


async def says_goodbye(stream: Stream) -> None:
    """In the midst of its second answer."""
    stream.head(200, "text/event-stream")
    for number, frame in enumerate(openai_stream("Hello", " there", "!")):
        stream.data(frame.encode())
        if stream.number == 2 and number == 1:
            stream.say_goodbye(last=2)
        await asyncio.sleep(0.05)
    stream.data(b"", ends=True)


async def says_goodbye_before_the_last(stream: Stream) -> None:
    """To two requests of one connection: only the first of them is answered, and it takes its time."""
    if stream.number == 2:
        stream.say_goodbye(last=1)
        return
    stream.head(200, "application/json")
    await asyncio.sleep(0.5)
    stream.data(json.dumps(openai_answer("hi")).encode(), ends=True)


def test_an_answer_that_is_on_when_its_connection_says_goodbye_goes_on(start, upstream, confdir):
    """As servers do it in everyday running; the next request has a connection of its own (RFC 9113, section 6.8)."""
    gateway = start(config_of(provider("leaves", upstream.on("leaves", says_goodbye))), *INSECURE)
    client = RawHttp2(gateway, confdir)
    for _ in range(3):
        stream_id = client.post("/v1/chat/completions", {**ASK, "stream": True}, HEADERS)
        while stream_id not in client.ended:
            client.read()
        assert b"[DONE]" in client.bodies[stream_id]
        assert b"error" not in client.bodies[stream_id]
    assert upstream.connections == 2
    assert "cooling" not in gateway.log
    client.close()


def test_a_request_that_came_too_late_for_a_connection_is_sent_on_another(start, upstream, confdir):
    """The goodbye names the last one that will be answered."""
    gateway = start(config_of(provider("leaves", upstream.on("leaves", says_goodbye_before_the_last))), *INSECURE)
    client = RawHttp2(gateway, confdir)
    first = client.post("/v1/chat/completions", ASK, HEADERS)
    while not upstream.requests("leaves"):
        time.sleep(0.01)
    second = client.post("/v1/chat/completions", ASK, HEADERS)
    while not {first, second} <= client.ended:
        client.read()
    assert client.statuses[first] == client.statuses[second] == 200
    assert upstream.connections == 2
    assert "cooling" not in gateway.log
    client.close()


def test_a_request_that_is_refused_on_a_new_connection_is_sent_again_too(start, upstream, confdir):
    """The provider has not begun on it; how long the connection has been there says nothing about that."""
    gateway = start(config_of(provider("refuses", upstream.on("refuses", refuses_the_first))), *INSECURE)
    client = RawHttp2(gateway, confdir)
    stream_id = client.post("/v1/chat/completions", ASK, HEADERS)
    while stream_id not in client.ended:
        client.read()
    assert client.statuses[stream_id] == 200
    assert len(upstream.requests("refuses")) == 2
    assert "cooling" not in gateway.log
    client.close()


def test_nobody_elses_request_goes_to_a_connection_that_has_said_goodbye(start, upstream, confdir):
    """What passes untouched shares connections with what is served."""
    config = config_of(provider("leaves", upstream.on("leaves", answers_and_says_goodbye)))
    upstream.on("plain", good)
    gateway = start(config, *INSECURE, "--set", "uniapi_hosts=127.0.0.1")
    client = RawHttp2(gateway, confdir, "127.0.0.1", upstream.port)
    for path, headers in (("/v1/chat/completions", HEADERS), ("/plain/files", {})) * 2:
        stream_id = client.post(path, ASK, headers)
        while stream_id not in client.ended:
            client.read()
        assert client.statuses[stream_id] == 200
    before = {id(stream.connection): stream.number for stream in upstream.requests("leaves")}
    for stream in upstream.requests("plain"):
        assert stream.number <= before.get(id(stream.connection), stream.number)
    client.close()
