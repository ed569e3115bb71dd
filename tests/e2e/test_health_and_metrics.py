"""/healthz and /metrics of a real gateway: who may ask, and what is counted."""

import json
import socket
import time

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.upstream import answer, chunk, openai_answer, sse

USER_KEY = "sk-test-user-key-0003"
EVERYWHERE = ("--listen-host", "0.0.0.0")
PORT_EVERYWHERE = r"listening at \S*\*:(\d+)"
CHAT = "/v1/chat/completions"


@pytest.fixture
def config(upstream) -> dict:
    failing = provider("bad", upstream.on("bad", answer(503, {"error": {"message": "busy"}})))
    good = provider("good", upstream.on("good", answer(200, openai_answer("hi"))))
    talking = upstream.on("talking", sse([chunk({"content": "I think"})], then_hangs=60))
    config = config_of(failing, good, provider("talking", talking, model="endless"), role="admin")
    return config | {"api_keys": [*config["api_keys"], {"api": USER_KEY}]}


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def own_address() -> str:
    """One of this machine's that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # Nothing is sent: this only looks for the way.
            address: str = probe.getsockname()[0]
        except OSError:
            address = "127.0.0.1"
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback, so nobody can come from another")
    return address


def samples(gateway: GatewayProcess) -> dict[tuple[str, ...], float]:
    """Name and label values → value, of the gateway's own metrics."""
    scraped = httpx2.get(f"{gateway.url}/metrics")
    assert scraped.status_code == 200
    assert scraped.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(scraped.text)
        for sample in family.samples
        if sample.name.startswith("uniapi_")
    }


def ask(gateway: GatewayProcess, **fields: object) -> httpx2.Response:
    body = {"model": "test-model", "messages": [{"role": "user", "content": "hello"}], **fields}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=bearer(CLIENT_KEY), timeout=30)


def test_healthz_needs_no_key(start, config):
    """200 while requests are served."""
    gateway = start(config)
    for headers in ({}, bearer("sk-wrong")):
        healthy = httpx2.get(f"{gateway.url}/healthz", headers=headers)
        assert (healthy.status_code, healthy.json()) == (200, {"status": "ok"})


def test_healthz_is_503_without_a_configuration(start, config):
    """Until there is one."""
    gateway = start(None)
    assert httpx2.get(f"{gateway.url}/healthz").status_code == 503
    gateway.write_config(config)
    deadline = time.monotonic() + 20
    while httpx2.get(f"{gateway.url}/healthz").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_happens_is_counted(start, config):
    """By model asked for, by provider, by outcome; with tokens and times."""
    gateway = start(config)
    before = samples(gateway)
    assert before["uniapi_in_flight_requests", "false"] == 0
    for _ in range(2):
        assert ask(gateway).status_code == 200
    assert ask(gateway, model="nobody-has-it").status_code == 404
    found = samples(gateway)
    assert found["uniapi_requests_total", CHAT, "test-model", "ok", "200"] == 2
    assert found["uniapi_requests_total", CHAT, "", "error", "404"] == 1
    assert found["uniapi_refused_total", "404"] == 1
    assert found["uniapi_attempts_total", "test-model", "good", "ok"] == 2
    failed = {
        name: value for name, value in found.items() if name[:3] == ("uniapi_attempts_total", "test-model", "bad")
    }
    assert sum(failed.values()) == 1  # It is cooling down at the second request.
    assert found["uniapi_cooldowns", "bad"] >= 1
    assert found["uniapi_tokens_total", "prompt", "test-model", "good"] == 10
    assert found["uniapi_tokens_total", "completion", "test-model", "good"] == 14
    for histogram in ("uniapi_first_output_seconds", "uniapi_request_seconds"):
        assert found[f"{histogram}_count", "test-model", "good"] == 2
        assert found[f"{histogram}_bucket", "+Inf", "test-model", "good"] == 2
        assert found[f"{histogram}_sum", "test-model", "good"] > 0
    assert found["uniapi_lost_rows_total",] == 0


def test_a_stream_is_in_flight_until_it_ends(start, config, upstream):
    """Here because its client goes away."""
    gateway = start(config)
    body = json.dumps({"model": "endless", "stream": True, "messages": [{"role": "user", "content": "x"}]}).encode()
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nauthorization: Bearer %s\r\n"
            b"content-length: %d\r\n\r\n%s" % (gateway.port, CLIENT_KEY.encode(), len(body), body)
        )
        received = b""
        while b"I think" not in received:
            received += connection.recv(65536)
        assert samples(gateway)["uniapi_in_flight_requests", "true"] == 1
    deadline = time.monotonic() + 20
    while samples(gateway)["uniapi_in_flight_requests", "true"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert samples(gateway)["uniapi_requests_total", CHAT, "endless", "cancelled", "200"] == 1


def test_metrics_are_for_admins_and_for_this_machine(start, config):
    """From elsewhere a key is needed, and an admin's; the page's document is for everybody, its numbers are not."""
    address = own_address()
    gateway = start(config, *EVERYWHERE, pattern=PORT_EVERYWHERE)
    elsewhere = f"http://{address}:{gateway.port}"
    assert httpx2.get(f"{gateway.url}/metrics").status_code == 200
    for headers in ({"origin": "https://a.example"}, {"origin": "null"}):
        assert httpx2.get(f"{gateway.url}/metrics", headers=headers).status_code == 401
    website = {"origin": "https://a.example", **bearer(CLIENT_KEY)}
    assert httpx2.get(f"{gateway.url}/metrics", headers=website).status_code == 200
    for headers, status, code in (
        ({}, 401, "invalid_api_key"),
        (bearer("sk-wrong"), 401, "invalid_api_key"),
        (bearer(USER_KEY), 403, "permission_denied"),
    ):
        refusal = httpx2.get(f"{elsewhere}/metrics", headers=headers)
        assert (refusal.status_code, refusal.json()["error"]["code"]) == (status, code)
    assert httpx2.get(f"{elsewhere}/metrics", headers=bearer(CLIENT_KEY)).status_code == 200
    assert httpx2.get(f"{elsewhere}/healthz").status_code == 200
    assert httpx2.get(f"{elsewhere}/stats").status_code == 200
    assert httpx2.get(f"{elsewhere}/v1/stats").status_code == 401


def test_scraping_is_no_request_of_a_client(start, config):
    """Nor is looking at the statistics: only what is for providers counts."""
    gateway = start(config)
    for path in ("/metrics", "/healthz", "/stats", "/v1/stats", "/v1/models"):
        assert httpx2.get(f"{gateway.url}{path}", headers=bearer(CLIENT_KEY)).status_code == 200
    assert [name for name in samples(gateway) if name[0] == "uniapi_requests_total"] == []
    assert httpx2.get(f"{gateway.url}/v1/stats", headers=bearer(CLIENT_KEY)).json()["totals"]["requests"] == 0
