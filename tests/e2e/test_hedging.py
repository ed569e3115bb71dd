"""A second attempt beside a silent one, through real mitmdump: HTTP/1 and HTTP/2 clients, streams and whole answers."""

import time

import httpx2
import pytest
from mitmproxy.io import FlowReader

from tests.e2e.clients import RawHttp2
from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.upstream import answer, chunk, hangs, openai_answer, openai_stream, sse

HEDGED: dict[str, object] = {"HEDGE_AFTER": 0.3}
HEADERS = {"authorization": f"Bearer {CLIENT_KEY}"}


ASK = {"model": "test-model", "messages": [{"role": "user", "content": "hello"}]}


def ask(gateway, *, stream):
    return httpx2.post(
        f"{gateway.base_url}/chat/completions", json=ASK | {"stream": stream}, headers=HEADERS, timeout=30
    )


def finished_flows(gateway):
    gateway.stop()
    with gateway.flow_path.open("rb") as file:
        return list(FlowReader(file).stream())


@pytest.mark.parametrize("stream", [False, True])
def test_the_second_provider_answers_for_a_silent_first(start, upstream, stream):
    """The first one's connection is closed, and the answer is the second one's alone."""
    good = sse(openai_stream("good")) if stream else answer(200, openai_answer("good"))
    slow, quick = upstream.on("slow", hangs()), upstream.on("quick", good)
    gateway = start(config_of(provider("slow", slow), provider("quick", quick), preferences=HEDGED))
    began = time.monotonic()
    response = ask(gateway, stream=stream)
    assert time.monotonic() - began < 5
    assert "good" in response.text
    assert response.text.count("[DONE]") == stream
    assert len(upstream.requests("quick")) == 1
    upstream.requests("slow")[0].wait_until_gone()
    assert "cooling" not in gateway.log


def test_the_first_wins_when_it_speaks_first(start, upstream):
    """The second is cancelled, and the flow shows the request that was answered."""
    late = sse([chunk({"role": "assistant"}), *openai_stream("late but first")], delay=0.5)
    first, second = upstream.on("first", late), upstream.on("second", hangs())
    gateway = start(config_of(provider("first", first), provider("second", second), preferences=HEDGED))
    response = ask(gateway, stream=True)
    assert "late but first" in response.text
    upstream.requests("second")[0].wait_until_gone()
    (flow,) = finished_flows(gateway)
    assert "/first/" in flow.request.path
    attempts = flow.metadata["uniapi"]["account"]["attempts"]
    assert [(attempt["provider"], attempt["cancelled"]) for attempt in attempts] == [("first", False), ("second", True)]
    assert flow.metadata["uniapi"]["account"]["hedged"]


def test_many_at_once_over_one_http2_connection(start, upstream, confdir):
    """Each request has its own pair of attempts."""
    slow = upstream.on("slow", hangs())
    quick = upstream.on("quick", sse(openai_stream("good")))
    gateway = start(config_of(provider("slow", slow), provider("quick", quick), preferences=HEDGED))
    client = RawHttp2(gateway, confdir)
    streams = [client.post("/v1/chat/completions", ASK | {"stream": True}, HEADERS) for _ in range(20)]
    while len(client.ended) < len(streams):
        client.read()
    assert all(b"good" in client.bodies[stream] for stream in streams)
    assert len(upstream.requests("quick")) == len(streams)
    client.close()


def test_one_provider_alone_is_not_asked_twice(start, upstream):
    """There is no other candidate."""
    only = upstream.on("only", sse(openai_stream("good"), delay=0.4))
    gateway = start(config_of(provider("only", only), preferences=HEDGED))
    assert "good" in ask(gateway, stream=True).text
    assert len(upstream.requests("only")) == 1


def test_with_both_failing_the_third_is_tried(start, upstream):
    """A failed request goes on as without hedging."""
    dead = sse([], then_hangs=1.0)
    first, second = upstream.on("first", dead), upstream.on("second", answer(500, {"error": {"message": "boom"}}))
    third = upstream.on("third", answer(200, openai_answer("good")))
    config = config_of(
        provider("first", first), provider("second", second), provider("third", third), timeout=2, preferences=HEDGED
    )
    assert "good" in ask(start(config), stream=False).text


def test_a_second_that_fails_makes_room_for_a_third(start, upstream):
    """While the first is still silent, and has long to go."""
    first, second = upstream.on("first", hangs()), upstream.on("second", answer(500, {"error": {"message": "boom"}}))
    third = upstream.on("third", answer(200, openai_answer("good")))
    providers = provider("first", first), provider("second", second), provider("third", third)
    began = time.monotonic()
    assert "good" in ask(start(config_of(*providers, preferences=HEDGED)), stream=False).text
    assert time.monotonic() - began < 10


def test_a_client_that_leaves_takes_both_attempts_along(start, upstream):
    """No provider goes on for nobody."""
    first, second = upstream.on("first", hangs()), upstream.on("second", hangs())
    gateway = start(config_of(provider("first", first), provider("second", second), preferences=HEDGED))
    for _ in range(3):
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.post(f"{gateway.base_url}/chat/completions", json=ASK, headers=HEADERS, timeout=0.8)
    for name in ("first", "second"):
        for seen in upstream.requests(name):
            seen.wait_until_gone()
    assert len(upstream.requests("second")) == 3
