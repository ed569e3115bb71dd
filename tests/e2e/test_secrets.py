"""Where keys are not: in flows and in whatever is made of them, by any way that a request can go."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mitmproxy.io import FlowReader

from tests.e2e.conftest import CLIENT_KEY, PROVIDER_KEY, config_of, gateways, provider
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.mitmweb_person import MitmwebPerson
from tests.e2e.upstream import Upstream, answer, claude_stream, hangs, openai_answer, sse

HEADER_SECRET = "a-secret-of-the-provider-0005"
SECRETS = (CLIENT_KEY, PROVIDER_KEY, HEADER_SECRET)
ASK = {"messages": [{"role": "user", "content": "hello"}]}
EXPORTS = ("curl", "httpie", "raw", "raw_request")
VIEWS = ("Chat", "Client side", "Provider side", "Attempts", "Translation", "Raw")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


def config_for(upstream: Upstream) -> dict:
    """`weak` repeats the key that it refuses, `slow` says nothing; `strong` wants a header that is a secret too."""
    weak = upstream.on("weak", answer(401, {"error": {"message": f"The key {PROVIDER_KEY} is not valid."}}))
    strong = upstream.on("strong", sse(claude_stream("one ", "two")))
    config = config_of(
        provider("weak", f"{weak}?key={PROVIDER_KEY}"),
        provider("strong", strong, engine="claude", preferences={"headers": {"X-Tenant": HEADER_SECRET}}),
        provider("slow", upstream.on("slow", hangs()), model="slow-model"),
    )
    config["preferences"]["cooldown_period"] = 0
    return config


def live_through(web: MitmwebPerson) -> None:
    """Requests that are served after a failure, refused, given up by the client, killed, edited and replayed."""
    url, headers = f"{web.gateway.base_url}/chat/completions", {"authorization": f"Bearer {CLIENT_KEY}"}

    def ask(model: str, timeout: float = 20) -> httpx2.Response | None:
        try:
            return httpx2.post(url, json=ASK | {"model": model, "stream": True}, headers=headers, timeout=timeout)
        except httpx2.HTTPError:
            return None

    served = ask("test-model")
    assert served
    assert "[DONE]" in served.text
    assert ask("no-such-model")
    assert ask("slow-model", timeout=0.3) is None
    with ThreadPoolExecutor() as pool:
        web.set_option("intercept", "~q")
        killed = pool.submit(ask, "test-model")
        web.kill(web.waiting_flow()["id"])
        assert killed.result() is None
        edited = pool.submit(ask, "test-model")
        for name in ("weak", "strong"):
            flow = web.waiting_flow(path=f"/{name}/")
            web.edit(flow["id"], request={"content": web.content(flow["id"], "request") + " "})
            web.resume(flow["id"])
        assert edited.result()
        web.set_option("intercept", "")
    first = web.flows()[0]["id"]
    web.command("uniapi.replay", f"@{first}", "strong/test-model")
    web.wait_for(lambda each: each["is_replay"] and bool(each["comment"]))
    web.replay(first)


def everything_made_of(web: MitmwebPerson, folder: Path) -> dict[str, str]:
    """What a person can get to see, save and copy."""
    flows = web.flows()
    made = {"list": web.get("/flows").text, "saved": web.get("/flows/dump").text}
    web.command("save.har", "@all", str(folder / "all.har"))
    made["har"] = (folder / "all.har").read_text()
    for flow in flows:
        for form in EXPORTS:
            web.command("export.file", form, f"@{flow['id']}", str(folder / form))
            made[f"{form} of {flow['comment']}"] = (folder / form).read_text()
        for side in ("request", "response"):
            for view in VIEWS if side in flow else ():
                made[f"{view}, {side} of {flow['comment']}"] = web.get(
                    f"/flows/{flow['id']}/{side}/content/{view}"
                ).text
    return made


def test_no_key_is_to_be_found(tmp_path, confdir, upstream):
    """Neither while mitmweb runs nor in the files that it leaves."""
    with gateways(tmp_path, confdir) as start:
        web = MitmwebPerson(start, config_for(upstream), "--set", f"hardump={tmp_path / 'left.har'}")
        live_through(web)
        made = everything_made_of(web, tmp_path)
        web.gateway.stop()
    made["left.har"] = (tmp_path / "left.har").read_text()
    made["written"] = web.gateway.flow_path.read_bytes().decode("latin-1")
    made["log"] = web.gateway.log
    assert len(web.gateway.log.split("stopped in mitmproxy")) == 2
    for name, text in made.items():
        for secret in SECRETS:
            assert secret not in text, (name, secret)
    assert r"sk-\u2026002" in made["har"]
    assert [seen.headers["x-tenant"] for seen in upstream.requests("strong")] == [HEADER_SECRET] * 4


def test_uniapi_keep_secrets_leaves_them(tmp_path, confdir, upstream):
    """For debugging: a copied command then works as it is. The log has none all the same."""
    with ExitStack() as stack:

        def start(config: dict, *options: str, **keywords: Any) -> GatewayProcess:
            return stack.enter_context(GatewayProcess(tmp_path, config, *options, confdir=confdir, **keywords))

        web = MitmwebPerson(start, config_for(upstream), "--set", "uniapi_keep_secrets=true")
        live_through(web)
        made = everything_made_of(web, tmp_path)
        for name in ("saved", "har"):
            assert [secret for secret in SECRETS if secret in made[name]] == list(SECRETS)
        served = next(flow for flow in web.flows() if flow["comment"].startswith("test-model → strong"))
        assert f"x-api-key: {PROVIDER_KEY}" in made[f"raw_request of {served['comment']}"]
        assert not [secret for secret in SECRETS if secret in web.gateway.log]


ODD_KEYS = {
    "no bearer": {"authorization": CLIENT_KEY},
    "another scheme": {"authorization": f"Token {CLIENT_KEY}"},
    "google's header": {"x-goog-api-key": CLIENT_KEY},
    "a second one": {"authorization": "Bearer sk-something-else-0009", "x-api-key": CLIENT_KEY},
}


@pytest.mark.parametrize("headers", ODD_KEYS.values(), ids=ODD_KEYS)
def test_a_key_in_an_unusual_place_is_masked_too(start, upstream, headers):
    """In what is saved; whether it opens the door or not."""
    gateway = start(config_of(provider("a", upstream.on("a", answer(200, openai_answer("hi"))))))
    httpx2.post(f"{gateway.base_url}/chat/completions?key={CLIENT_KEY}", json=ASK, headers=headers)
    gateway.stop()
    assert gateway.flow_path.stat().st_size
    assert CLIENT_KEY.encode() not in gateway.flow_path.read_bytes()


def test_a_key_that_is_no_text_is_refused_and_the_request_goes_nowhere(start, upstream):
    """Not to the address behind reverse:, either."""
    behind, config = Upstream(), config_of(provider("a", upstream.on("a", answer(200, openai_answer("hi")))))
    gateway = start(config, "--mode", f"reverse:http://127.0.0.1:{behind.port}")
    response = httpx2.post(
        f"{gateway.base_url}/chat/completions", json=ASK, headers=[(b"authorization", b"Bearer sk-\xff\xfe")]
    )
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "invalid_api_key"
    assert not behind.requests("v1")
    behind.close()


def test_flows_with_text_that_no_file_can_hold_are_saved(start, upstream):
    """Half a surrogate pair in an error, in a field's name and in the model's; bytes that are no text in the path."""
    error = b'{"error": {"message": "bad: \\ud83d"}}'
    bad = upstream.on("bad", answer(400, error))
    gateway = start(config_of(provider("bad", bad, engine="claude")))
    headers = {"authorization": f"Bearer {CLIENT_KEY}"}
    head = b'{"model": "test-model", "messages": [{"role": "user", "content": "hello"}]'
    bodies = [head + b"}", head + b', "\\ud83d": 1}', b'{"model": "\\ud83d", "messages": []}']
    for body in bodies:
        assert httpx2.post(f"{gateway.base_url}/chat/completions", content=body, headers=headers).status_code >= 400
    with socket.create_connection(("127.0.0.1", gateway.port)) as client:
        client.sendall(
            b"POST /v1/chat/completions?x=\xff HTTP/1.1\r\nhost: localhost:%d\r\nconnection: close\r\n"
            b"authorization: Bearer %s\r\ncontent-length: %d\r\n\r\n%s"
            % (gateway.port, CLIENT_KEY.encode(), len(bodies[0]), bodies[0])
        )
        assert b" 400 " in client.makefile("rb").readline()
    gateway.stop()
    with gateway.flow_path.open("rb") as file:
        assert len(list(FlowReader(file).stream())) == 4
