"""The gateway's commands, given in mitmweb."""

import json
from typing import Any

import httpx2
import pytest

from tests.e2e.conftest import CLIENT_KEY, PROVIDER_KEY, config_of, gateways, provider
from tests.e2e.mitmweb_person import MitmwebPerson
from tests.e2e.upstream import Upstream, answer, claude_answer, claude_stream, openai_answer, sse

ASK = {"model": "test-model", "messages": [{"role": "user", "content": "hello"}]}
FAILING = {"error": {"message": "Oops."}}


@pytest.fixture(scope="module")
def upstream() -> Any:
    server = Upstream()
    yield server
    server.close()


@pytest.fixture(scope="module")
def config(upstream) -> dict:
    """`weak` fails, `strong` speaks Anthropic's wire; a third is offered to nobody."""
    weak = provider("weak", upstream.on("weak", answer(500, FAILING)))
    strong = provider("strong", upstream.on("strong", answer(200, claude_answer("hi"))), engine="claude")
    third = provider("third", upstream.on("third", answer(200, openai_answer("from the third"))), model="other")
    return config_of(weak, strong, third, model=["weak/*", "strong/*"])


@pytest.fixture(scope="module")
def web(tmp_path_factory, confdir, config) -> Any:
    with gateways(tmp_path_factory.mktemp("commands"), confdir) as start:
        yield MitmwebPerson(start, config)


@pytest.fixture
def flow(web) -> str:
    """A flow that `strong` has answered after `weak` failed: `@` and its id."""
    web.command("uniapi.cooldown.clear")
    known = {each["id"] for each in web.flows()}
    headers = {"authorization": f"Bearer {CLIENT_KEY}"}
    assert httpx2.post(f"{web.gateway.base_url}/chat/completions", json=ASK, headers=headers).status_code == 200
    return "@" + web.wait_for(lambda each: each["id"] not in known and each["comment"])["id"]


def test_channels_are_listed_with_their_state(web, flow):
    """The failed one cools down; keys are masked."""
    text = web.command("uniapi.channels")
    assert "weak (gpt)\n  test-model: cooling down for" in text
    assert "(server, status 500)\n  key sk-…002: free\nstrong (claude)\n  test-model: free" in text
    assert "third (gpt)\n  other: free" in text
    assert PROVIDER_KEY not in text


def test_cooldowns_are_cleared_by_name_or_all(web, flow):
    """It says how many."""
    assert web.command("uniapi.cooldown.clear", "strong") == "0 cooldowns ended."
    assert web.command("uniapi.cooldown.clear", "weak/test-model") == "1 cooldown ended."
    assert web.command("uniapi.cooldown.clear") == "0 cooldowns ended."
    assert "cooling" not in web.command("uniapi.channels")


def test_a_flow_is_explained(web, flow):
    """What was tried, by which rule, and where the same request would go now."""
    text = web.command("uniapi.explain", flow)
    past, _, future = text.partition("\n\n")
    assert past.startswith("test-model → strong/test-model · 2 attempts")
    assert [line.split()[1:3] for line in past.splitlines()[2:]] == [["weak", "test-model"], ["strong", "test-model"]]
    first, second, third, choice = future.splitlines()
    assert first == "If it came now, by fixed_priority:"
    assert second.startswith('  1. weak/test-model, rule "weak/*": cooling down for')
    assert third == '  2. strong/test-model, rule "strong/*": free'
    assert choice == "The first that is free would be asked: strong/test-model."


def test_a_flow_of_others_has_nothing_to_explain(web, upstream):
    """Nor to replay or to export."""
    upstream.on("others", answer(200, {}))
    with httpx2.Client(proxy=web.gateway.url) as client:
        client.get(upstream.url("others"))
    others = "@" + web.wait_for(lambda each: "/others/" in each["request"]["path"])["id"]
    for command, *arguments in (["uniapi.explain"], ["uniapi.replay", "strong/test-model"], ["uniapi.export", "x"]):
        assert "The gateway did not answer this flow" in web.refusal(command, others, *arguments)


def test_the_request_goes_to_a_channel_that_no_rule_names(web, flow, upstream):
    """As a new flow beside the first, which stays as it is; both are in the list."""
    before = told(web, flow)
    known = {each["id"] for each in web.flows()}
    assert web.command("uniapi.replay", flow, "third/other") == "The request goes to third/other as a new flow."
    new = web.wait_for(lambda each: each["id"] not in known and each["comment"])
    assert new["comment"].startswith("test-model → third/other")
    assert new["is_replay"] == "request"
    assert "from the third" in web.content(new["id"], "response")
    assert upstream.requests("third")[-1].json["messages"] == ASK["messages"]
    ids = [each["id"] for each in web.flows()]
    assert ids.index(new["id"]) == ids.index(flow[1:]) + 1
    assert told(web, flow) == before


def told(web: MitmwebPerson, flow: str) -> dict:
    """What a flow is, apart from its connections."""
    found = next(each for each in web.flows() if each["id"] == flow[1:])
    return {name: value for name, value in found.items() if not name.endswith("_conn")}


def test_mitmwebs_replay_button_asks_the_gateway_again(web, flow):
    """The same flow has the new answer."""
    again = web.replay(flow[1:])
    assert again["is_replay"] == "request"
    assert "test-model → strong/test-model" in again["comment"]
    assert '"hi"' in web.content(flow[1:], "response")


def test_an_exchange_is_exported_without_secrets(web, flow, tmp_path):
    """Both sides, in the form of recordings."""
    path = tmp_path / "exchange.json"
    assert web.command("uniapi.export", flow, str(path)) == f"The exchange is written to {path}."
    text = path.read_text()
    exchange = json.loads(text)
    assert exchange["provider"] == "strong"
    assert exchange["engine"] == "claude"
    assert exchange["kind"] == "chat"
    assert exchange["request"]["url"].endswith("/strong/v1/messages")
    assert exchange["request"]["body"]["max_tokens"]
    assert exchange["request"]["headers"]["anthropic-version"]
    assert exchange["response"]["status"] == 200
    assert exchange["response"]["body"] == claude_answer("hi")
    assert exchange["client"]["request"]["body"] == ASK
    assert exchange["client"]["request"]["url"] == "/v1/chat/completions"
    assert exchange["client"]["response"]["body"]["choices"][0]["message"]["content"] == "hi"
    assert "…" not in text
    assert "sk-" not in text
    assert "cannot be written" in web.refusal("uniapi.export", flow, str(tmp_path / "no" / "such" / "folder.json"))


def test_a_stream_is_exported_as_it_came(web, upstream, config, flow, tmp_path):
    """The provider's events and the client's."""
    upstream.on("strong", sse(claude_stream("one ", "two")), answer(200, claude_answer("hi")))
    known = {each["id"] for each in web.flows()}
    url = f"{web.gateway.base_url}/chat/completions"
    httpx2.post(url, json=ASK | {"stream": True}, headers={"authorization": f"Bearer {CLIENT_KEY}"})
    new = web.wait_for(lambda each: each["id"] not in known and each["comment"])
    web.command("uniapi.export", "@" + new["id"], str(tmp_path / "exchange.json"))
    exchange = json.loads((tmp_path / "exchange.json").read_text())
    assert exchange["stream"] is True
    assert exchange["response"]["sse"] == "".join(claude_stream("one ", "two"))
    assert exchange["client"]["response"]["sse"].endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "test-model", "messages": [{"role": "user", "content": "half \\ud83d"}]}',
        b'{"model": "test-model", "messages": ' + b"[" * 200_000,
    ],
    ids=["half an emoji", "too deep"],
)
def test_whatever_a_client_sends_is_explained_and_exported(web, body, flow, tmp_path):
    """Half an emoji has no UTF-8, and brackets can be nested too deep to be read."""
    known = {each["id"] for each in web.flows()}
    url = f"{web.gateway.base_url}/chat/completions"
    httpx2.post(url, content=body, headers={"authorization": f"Bearer {CLIENT_KEY}"})
    new = "@" + web.wait_for(lambda each: each["id"] not in known and each["comment"])["id"]
    assert web.command("uniapi.explain", new)
    web.command("uniapi.export", new, str(tmp_path / "exchange.json"))
    sent = json.loads((tmp_path / "exchange.json").read_bytes())["client"]["request"]
    assert (json.dumps(sent["body"]).encode() if "body" in sent else sent["text"].encode()) == body


def test_a_request_for_no_provider_is_explained_and_exported(web, tmp_path):
    """GET /v1/models is answered by the gateway itself."""
    known = {each["id"] for each in web.flows()}
    httpx2.get(f"{web.gateway.base_url}/models", headers={"authorization": f"Bearer {CLIENT_KEY}"})
    new = "@" + web.wait_for(lambda each: each["id"] not in known and "response" in each)["id"]
    assert web.command("uniapi.explain", new) == "No provider was asked: the gateway answered by itself."
    web.command("uniapi.export", new, str(tmp_path / "exchange.json"))
    exchange = json.loads((tmp_path / "exchange.json").read_text())
    assert exchange["request"] is None
    assert exchange["client"]["response"]["body"]["data"]


def test_a_replay_to_nowhere_asks_where_to(web, flow):
    """It does not go somewhere else instead."""
    known = {each["id"] for each in web.flows()}
    assert "Name the channel that the request is to go to, as provider/model" in web.refusal("uniapi.replay", flow, "")
    assert {each["id"] for each in web.flows()} == known


def test_the_configuration_is_read_when_wanted(web, config: dict, flow):
    """One with mistakes changes nothing, and the mistakes are told as at the start."""
    web.gateway.write_config({**config, "api_keys": [{"api": "sk-x", "model": ["nobody/m"]}, {"no": "api"}]})
    refusal = web.refusal("uniapi.reload")
    assert refusal.startswith("The configuration cannot be used:\napi.yaml:")
    assert "api_keys[1]" in refusal
    headers = {"authorization": f"Bearer {CLIENT_KEY}"}
    assert httpx2.get(f"{web.gateway.base_url}/models", headers=headers).status_code == 200
    web.gateway.write_config(config)
    assert web.command("uniapi.reload") == "The configuration of api.yaml is in force."
