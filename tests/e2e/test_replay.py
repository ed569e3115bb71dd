"""Replays: the client's request goes through the gateway again, from the list of flows or from a file."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mitmproxy import http
from mitmproxy.io import FlowWriter

from tests.e2e.clients import tunnel_client
from tests.e2e.conftest import CLIENT_KEY, PROVIDER_KEY, config_of, provider
from tests.e2e.mitmdump_run import MitmdumpRun, flows_in
from tests.e2e.upstream import Behaviour, Upstream, answer, claude_answer, dead_url, openai_answer, openai_stream, sse

ASK = {"model": "test-model", "messages": [{"role": "user", "content": "hello"}]}
HEADERS = {"authorization": f"Bearer {CLIENT_KEY}"}
SECOND_KEY = "sk-test-second-provider-0004"
REPLAY_TO = """
from mitmproxy import ctx, exceptions
def response(flow):
    if not flow.is_replay:
        try:
            print(ctx.master.commands.call("uniapi.replay", flow, "second/claude-x"))
        except exceptions.CommandError as error:
            print("refused:", error)
"""
"""What a person does: `uniapi.replay` on the flow that was read."""
NOTHING = ""
AGAIN = "-nC"
"""mitmproxy's own replay of a file's flows."""

type Recorded = Callable[..., Path]
type Rerun = Callable[..., MitmdumpRun]


@pytest.fixture
def recorded(start, upstream) -> Recorded:
    """The file of a gateway that was asked once."""

    def record(body: dict = ASK, **changes: Any) -> Path:
        gateway = start(first_config(upstream))
        ask: dict[str, Any] = {
            "url": f"{gateway.base_url}/chat/completions",
            "json": body,
            "headers": HEADERS,
            **changes,
        }
        assert httpx2.post(timeout=20, **ask).status_code == 200
        gateway.stop()
        return gateway.flow_path

    return record


@pytest.fixture
def rerun(tmp_path, confdir) -> Rerun:
    """A new process that reads the file, with a script."""
    return lambda *arguments, **keywords: MitmdumpRun(tmp_path / "rerun", *arguments, confdir=confdir, **keywords)


def first_config(upstream: Upstream) -> dict:
    return config_of(provider("first", upstream.on("first", answer(200, openai_answer("from the first")))))


def with_second(upstream: Upstream, behaviour: Behaviour, **client: object) -> dict:
    """The first provider, and a second one that speaks Anthropic's wire and that no rule of the client's names."""
    config = first_config(upstream)
    config["api_keys"][0] |= {"model": ["first/*"], **client}
    url = upstream.on("second", behaviour)
    second = provider("second", url, model="claude-x", engine="claude", api=SECOND_KEY)
    return {**config, "providers": [*config["providers"], second]}


def text_of(flow: http.HTTPFlow) -> str:
    assert flow.response
    return json.loads(flow.response.get_text() or "")["choices"][0]["message"]["content"]


def account_of(flow: http.HTTPFlow) -> dict:
    return flow.metadata["uniapi"]["account"]


def changed(path: Path, change: Callable[[http.HTTPFlow], None]) -> Path:
    """The file with its flows changed."""
    flows = flows_in(path)
    with path.open("wb") as file:
        for flow in flows:
            change(flow)
            FlowWriter(file).add(flow)
    return path


def test_a_saved_flow_is_answered_by_another_provider(recorded, rerun, upstream):
    """In a new process that listens nowhere: a new flow with a valid answer; the first stays as it was."""
    saved = recorded()
    run = rerun(with_second(upstream, answer(200, claude_answer("from the second"))), saved, REPLAY_TO)
    first, second = run.flows
    assert first.get_state() == flows_in(saved)[0].get_state()
    assert second.id != first.id
    assert text_of(second) == "from the second"
    assert second.request.path == "/second/v1/messages"
    assert second.comment.startswith("test-model → second/claude-x")
    assert account_of(second)["client"] == account_of(first)["client"]
    assert second.metadata["uniapi"]["client"]["body"] == first.metadata["uniapi"]["client"]["body"]
    sent = upstream.requests("second")[0]
    assert sent.headers["x-api-key"] == SECOND_KEY
    assert CLIENT_KEY not in str(sent.headers)
    assert "The request goes to second/claude-x as a new flow." in run.log


def test_a_streamed_flow_is_replayed_as_a_stream(recorded, rerun, upstream):
    """The whole stream is in the new flow."""
    saved = recorded(ASK | {"stream": True})
    config = first_config(upstream)
    upstream.on("first", sse(openai_stream("one ", "two")))
    (flow,) = rerun(config, saved, NOTHING, source=AGAIN).flows
    assert flow.response
    assert flow.response.headers["content-type"].startswith("text/event-stream")
    assert flow.response.get_text(strict=False).endswith("data: [DONE]\n\n")


def test_mitmproxys_own_replay_goes_through_the_gateway(recorded, rerun, upstream):
    """By the rules of the client's key, with failover, and counted: not to the provider of the first time."""
    saved = recorded()
    upstream.on("good", answer(200, openai_answer("from a good one")))
    config = config_of(provider("dead", dead_url()), provider("good", upstream.url("good")))
    run = rerun(config, saved, NOTHING, source=AGAIN)
    (flow,) = run.flows
    assert flow.is_replay == "request"
    assert text_of(flow) == "from a good one"
    assert [attempt["provider"] for attempt in account_of(flow)["attempts"]] == ["dead", "good"]
    assert len(upstream.requests("first")) == 1
    assert upstream.requests("good")[0].headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert "test-model → good/test-model 200" in run.log


def test_a_replay_is_not_held_against_the_clients_rate_limit(recorded, rerun, upstream):
    """It is a person's doing; the client's one request a day is not used up by either of two."""
    saved = recorded()
    flow = flows_in(saved)[0]
    with saved.open("ab") as file:
        FlowWriter(file).add(flow.copy())
    config = first_config(upstream)
    config["api_keys"][0]["preferences"] = {"RATE_LIMIT": "1/day"}
    run = rerun(config, saved, NOTHING, source=AGAIN)
    assert [text_of(flow) for flow in run.flows] == ["from the first"] * 2


def test_a_compressed_request_is_replayed_as_it_was_meant(recorded, rerun, upstream):
    """Its body is kept decoded."""
    body = gzip.compress(json.dumps(ASK).encode())
    saved = recorded(json=None, content=body, headers=HEADERS | {"content-encoding": "gzip"})
    (flow,) = rerun(first_config(upstream), saved, NOTHING, source=AGAIN).flows
    assert text_of(flow) == "from the first"
    assert upstream.requests("first")[1].json == ASK


def test_a_flow_that_came_over_http2_is_replayed(start, confdir, rerun, upstream):
    """From an app that meant api.openai.com."""
    gateway = start(first_config(upstream))
    with tunnel_client(gateway, confdir) as client:
        client.post("https://api.openai.com/v1/chat/completions", json=ASK, headers=HEADERS)
    gateway.stop()
    run = rerun(with_second(upstream, answer(200, claude_answer("from the second"))), gateway.flow_path, REPLAY_TO)
    assert [text_of(flow) for flow in run.flows] == ["from the first", "from the second"]


def test_a_key_that_is_gone_is_named_and_the_default_key_stands_in(recorded, rerun, tmp_path, confdir, upstream):
    """By its short name; without a default key nothing is sent."""
    saved = recorded()
    config = first_config(upstream)
    config["api_keys"] = [{"api": "sk-test-another-client-0003"}]
    run = rerun(config, saved, NOTHING, source=AGAIN)
    (flow,) = run.flows
    assert flow.response
    assert flow.response.status_code == 401
    name = account_of(flows_in(saved)[0])["client"]
    assert f"({name}) is none of the configuration's. Set uniapi_default_key" in flow.response.get_text()
    assert len(upstream.requests("first")) == 1
    stood_in = ("--set", "uniapi_default_key=sk-test-another-client-0003")
    other = MitmdumpRun(tmp_path / "other", config, saved, NOTHING, *stood_in, confdir=confdir, source=AGAIN)
    assert text_of(other.flows[0]) == "from the first"
    assert account_of(other.flows[0])["client"].endswith("0003")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda flow: flow.metadata.clear(), "The gateway did not answer this flow"),
        (lambda flow: flow.metadata["uniapi"]["client"].update(cut=7), "7 bytes of its body were not kept"),
        (
            lambda flow: flow.metadata["uniapi"]["client"].update(headers=[["no", "bytes"]]),
            "The gateway did not answer",
        ),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_the_reason(recorded, rerun, upstream, change, why):
    """No new flow, nothing is sent."""
    run = rerun(with_second(upstream, answer(200, {})), changed(recorded(), change), REPLAY_TO)
    assert len(run.flows) == 1
    assert why in run.log
    assert not upstream.requests("second")


def test_a_refused_request_is_replayed_through_the_gateway(start, rerun, upstream):
    """It is the gateway's as any other: nothing goes to the address that the client had."""
    gateway = start(first_config(upstream))
    ask: dict[str, Any] = {"url": f"{gateway.base_url}/chat/completions", "json": ASK}
    assert httpx2.post(**ask, headers={"authorization": "Bearer sk-nobody-has-this-one"}).status_code == 401
    assert httpx2.post(f"{gateway.base_url}/nowhere", json=ASK, headers=HEADERS).status_code == 404
    gateway.stop()
    flows = rerun(first_config(upstream), gateway.flow_path, NOTHING, source=AGAIN).flows
    assert [flow.response.status_code for flow in flows if flow.response] == [401, 404]
    assert not upstream.requests("first")


def test_a_destination_that_is_not_there_is_refused(recorded, rerun, upstream):
    """The sentence says how to name one."""
    run = rerun(first_config(upstream), recorded(), REPLAY_TO)
    assert len(run.flows) == 1
    assert "refused: No provider offers 'second/claude-x'. Name one as provider/model" in run.log


def test_a_body_that_is_not_whole_is_not_sent_by_mitmproxys_replay_either(recorded, rerun, upstream):
    """The flow says so."""
    saved = changed(recorded(), lambda flow: flow.metadata["uniapi"]["client"].update(cut=7))
    (flow,) = rerun(first_config(upstream), saved, NOTHING, source=AGAIN).flows
    assert flow.response
    assert flow.response.status_code == 400
    assert "7 bytes of its body were not kept" in flow.response.get_text()
    assert len(upstream.requests("first")) == 1


def test_flows_of_others_are_replayed_as_mitmproxy_does(start, rerun, upstream):
    """Their own request, to where it went."""
    upstream.on("others", answer(200, {"whose": "theirs"}))
    gateway = start(first_config(upstream))
    with httpx2.Client(proxy=gateway.url) as client:
        client.post(upstream.url("others"), content=b"as it is", headers={"x-mine": "yes"})
    gateway.stop()
    run = rerun(first_config(upstream), gateway.flow_path, NOTHING, "--set", "uniapi_hosts=127.0.0.1", source=AGAIN)
    again = upstream.requests("others")[1]
    assert (again.body, again.headers["x-mine"]) == (b"as it is", "yes")
    assert "uniapi" not in run.flows[0].metadata


def test_reading_a_file_changes_nothing(start, rerun, upstream):
    """Also one of a reverse proxy, where every request is the gateway's."""
    gateway = start(first_config(upstream), "--mode", "reverse:http://127.0.0.1:9")
    httpx2.post(f"{gateway.base_url}/chat/completions", json=ASK, headers=HEADERS)
    gateway.stop()
    run = rerun(first_config(upstream), gateway.flow_path, NOTHING)
    assert [flow.get_state() for flow in run.flows] == [flow.get_state() for flow in flows_in(gateway.flow_path)]
    assert len(upstream.requests("first")) == 1
