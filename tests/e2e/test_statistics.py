"""Statistics of a real gateway: which rows become of which requests, and what GET /v1/stats makes of them."""

import json
import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from scripts.benchmark.__main__ import Program, load, start_upstream
from tests.e2e.conftest import CLIENT_KEY, PROVIDER_KEY, config_of, gateways, provider
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.upstream import Upstream, answer, chunk, closes, hangs, openai_answer, openai_stream, sse
from tests.stats.database.counting import counted_report, in_any_order

USER_KEY = "sk-test-user-key-0003"
PROMPT = "what nobody but my doctor knows"
ANSWER = "what only you may read"
COLUMNS = "asked, stream, outcome, status, hedged, provider, model, prompt_tokens, completion_tokens"

REQUESTS = [
    ("whole", 0, "ok", 200, 0, "whole", "whole", 5, 7),
    ("streamed", 1, "ok", 200, 0, "streamed", "streamed", 5, 7),
    ("failing", 0, "ok", 200, 0, "works", "failing", 5, 7),
    ("hopeless", 0, "error", 502, 0, None, None, None, None),
    ("slow", 0, "ok", 200, 1, "quick", "slow", 5, 7),
    ("breaking", 1, "broken", 200, 0, "breaking", "breaking", None, None),
    ("", 0, "error", 404, 0, None, None, None, None),
    ("", 0, "error", 400, 0, None, None, None, None),
    ("silent", 0, "cancelled", None, 0, None, None, None, None),
    ("talking", 1, "cancelled", 200, 0, "talking", "talking", None, None),
]
"""Rows, but for what is measured, in the order of the requests in `make_history`."""
ATTEMPTS = [
    ("whole", 200, None, 0),
    ("streamed", 200, None, 0),
    ("fails", 500, "server", 0),
    ("works", 200, None, 0),
    ("hopeless", None, "closed", 0),
    ("sleeps", None, None, 1),
    ("quick", 200, None, 0),
    ("breaking", 200, "closed", 0),
    ("silent", None, None, 1),
    ("talking", 200, None, 1),
]
"""provider, status, error, cancelled."""


def history_config(upstream: Upstream) -> dict:
    good = answer(200, openai_answer(ANSWER))
    behaviours = {
        "whole": ("whole", good),
        "streamed": ("streamed", sse(openai_stream(ANSWER))),
        "fails": ("failing", answer(500, {"error": {"message": ANSWER}})),
        "works": ("failing", good),
        "hopeless": ("hopeless", closes()),
        "sleeps": ("slow", hangs()),
        "quick": ("slow", good),
        "breaking": ("breaking", sse([chunk({"content": ANSWER})], ends=False)),
        "silent": ("silent", hangs()),
        "talking": ("talking", sse([chunk({"content": ANSWER})], then_hangs=60)),
    }
    providers = [provider(name, upstream.on(name, does), model=model) for name, (model, does) in behaviours.items()]
    config = config_of(*providers, preferences={"HEDGE_AFTER": 0.3}, role="admin")
    return config | {"api_keys": [*config["api_keys"], {"api": USER_KEY}]}


def ask(gateway: GatewayProcess, model: str, *, key: str = CLIENT_KEY, **fields: object) -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": PROMPT}], **fields}
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=headers, timeout=30)


def leave(gateway: GatewayProcess, upstream: Upstream, model: str, *, stream: bool) -> None:
    """Ask, and go away when the provider has the request; in a stream, when there is output."""
    body = json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": PROMPT}]}).encode()
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nauthorization: Bearer %s\r\n"
            b"content-length: %d\r\n\r\n%s" % (gateway.port, CLIENT_KEY.encode(), len(body), body)
        )
        while not upstream.requests(model):
            time.sleep(0.01)
        received = b""
        while stream and ANSWER.encode() not in received:
            received += connection.recv(65536)


def make_history(gateway: GatewayProcess, upstream: Upstream) -> None:
    ask(gateway, "whole")
    ask(gateway, "streamed", stream=True)
    ask(gateway, "failing")
    ask(gateway, "hopeless")
    ask(gateway, "slow")
    with pytest.raises(httpx2.RemoteProtocolError):
        ask(gateway, "breaking", stream=True)
    ask(gateway, "nobody-has-it")
    ask(gateway, "whole", messages=[])
    ask(gateway, "whole", key="sk-of-a-stranger")  # No row: strangers could fill the disk.
    leave(gateway, upstream, "silent", stream=False)
    leave(gateway, upstream, "talking", stream=True)


def database_of(gateway: GatewayProcess) -> Path:
    return gateway.directory / "data" / "stats.db"


def query(gateway: GatewayProcess, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database_of(gateway))) as connection:
        return connection.execute(statement).fetchall()


def statistics(gateway: GatewayProcess, *, key: str = CLIENT_KEY, query: str = "") -> httpx2.Response:
    return httpx2.get(f"{gateway.base_url}/stats{query}", headers={"authorization": f"Bearer {key}"}, timeout=30)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> Iterator[GatewayProcess]:
    """A gateway that has seen a request of each kind, and has written them down."""
    upstream = Upstream()
    with gateways(tmp_path_factory.mktemp("history"), confdir) as start:
        gateway = start(history_config(upstream))
        make_history(gateway, upstream)
        deadline = time.monotonic() + 20
        while statistics(gateway).json()["totals"]["requests"] < len(REQUESTS):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(1.1)  # Reports end at a whole second.
        yield gateway
    upstream.close()


# --- rows -------------------------------------------------------------------------------------------------------


def test_every_request_is_a_row(history):
    """Answered, failed, hedged, broken off, refused, given up: with who asked, who served, and what it came to."""
    assert query(history, f"SELECT {COLUMNS} FROM uniapi_requests ORDER BY time") == REQUESTS
    known = query(history, "SELECT DISTINCT endpoint, ip, flagged FROM uniapi_requests")
    assert known == [("/v1/chat/completions", "127.0.0.1", 0)]
    [[client]] = query(history, "SELECT DISTINCT client FROM uniapi_requests")
    assert re.fullmatch(f"[0-9a-f]{{8}}…{CLIENT_KEY[-4:]}", client)


def test_every_attempt_is_a_row(history):
    """With its request, in its order; one that was given up is neither a success nor a failure."""
    attempts = query(
        history,
        "SELECT provider, status, error, cancelled FROM uniapi_attempts ORDER BY time, request_id, number",
    )
    assert attempts == ATTEMPTS
    strays = "SELECT * FROM uniapi_attempts WHERE request_id NOT IN (SELECT id FROM uniapi_requests)"
    assert query(history, strays) == []


def test_times_are_measured(history):
    """From the beginning to the first output, and to the end."""
    rows = query(history, "SELECT asked, first_output_ms, total_ms FROM uniapi_requests")
    times = {asked: (first, total) for asked, first, total in rows}
    assert times["slow"][0] >= 300
    assert times["silent"][0] is None
    assert all(0 <= first <= total for first, total in times.values() if first is not None)
    assert {asked for asked, (first, _) in times.items() if first is not None} == {
        *("whole", "streamed", "failing", "slow", "breaking", "talking")
    }


def test_nothing_that_was_said_is_kept(history):
    """No prompt, no answer, no key, in any file of the database."""
    files = list(database_of(history).parent.iterdir())
    assert database_of(history) in files
    for file in files:
        data = file.read_bytes()
        for secret in (PROMPT, ANSWER, CLIENT_KEY, PROVIDER_KEY, "sk-of-a-stranger"):
            assert secret.encode() not in data, file


# --- GET /v1/stats ----------------------------------------------------------------------------------------------


def accounts(gateway: GatewayProcess) -> list[dict[str, Any]]:
    """The rows, as the requests that they were."""
    with closing(sqlite3.connect(database_of(gateway))) as connection:
        connection.row_factory = sqlite3.Row
        requests = [dict(row) for row in connection.execute("SELECT * FROM uniapi_requests")]
        attempts = [dict(row) for row in connection.execute("SELECT * FROM uniapi_attempts ORDER BY number")]
    for request in requests:
        request["time"] = datetime.fromisoformat(request["time"]).replace(tzinfo=UTC).timestamp()
        request["attempts"] = [attempt for attempt in attempts if attempt["request_id"] == request["id"]]
    return requests


@pytest.mark.parametrize("hours", [1, 24, 720])
def test_the_report_is_what_the_rows_add_up_to(history, hours):
    """Counted by hand; for one hour as for thirty days."""
    report = statistics(history, query=f"?hours={hours}").json()
    end = datetime.fromisoformat(report["time_range"]["to"])
    begin = datetime.fromisoformat(report.pop("time_range")["from"])
    assert (end - begin).total_seconds() == hours * 3600
    assert report.pop("lost_rows") == 0
    cooling = report.pop("cooldowns")
    assert {cooldown["provider"] for cooldown in cooling} <= {"fails", "hopeless", "breaking"}
    assert all(cooldown["seconds_left"] > 0 for cooldown in cooling)
    expected = counted_report(accounts(history), end.timestamp(), hours, report["bucket_seconds"])
    assert in_any_order(report) == in_any_order(expected)


def test_a_day_is_reported_unless_asked_otherwise(history):
    """Of whole hours only, from one to thirty days of them."""
    assert statistics(history).json()["time_range"]["hours"] == 24
    for wrong in ("0", "721", "-1", "1.5", "all", "１"):
        refusal = statistics(history, query=f"?hours={wrong}")
        assert refusal.status_code == 400, wrong
        assert refusal.json()["error"]["param"] == "hours"
        assert "1 to 720" in refusal.json()["error"]["message"]


def test_only_admins_are_told(history):
    """Nobody else's key, and no stranger."""
    assert statistics(history).status_code == 200
    for key, status, code in ((USER_KEY, 403, "permission_denied"), ("sk-wrong", 401, "invalid_api_key")):
        refusal = statistics(history, key=key)
        assert refusal.status_code == status
        assert refusal.json()["error"]["code"] == code
    assert httpx2.get(f"{history.base_url}/stats").status_code == 401


def test_without_a_database_there_are_none(start, upstream):
    """DISABLE_DATABASE: no file, a 404 that says so, and everything else as ever."""
    config = config_of(provider("good", upstream.on("good", answer(200, openai_answer("hi")))), role="admin")
    gateway = start(config, environ={"DISABLE_DATABASE": "true"})
    assert ask(gateway, "test-model").status_code == 200
    refusal = statistics(gateway)
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (404, "statistics_disabled")
    assert not database_of(gateway).parent.exists()


# --- many -------------------------------------------------------------------------------------------------------


def test_ten_thousand_requests_are_ten_thousand_rows(start):
    """None is lost and none is doubled, though the gateway is told to end as soon as the last one is answered."""
    provider_process = start_upstream()
    try:
        url = f"http://127.0.0.1:{provider_process.port}/v1"
        config = config_of(provider("bench", url, model="bench")) | {
            "api_keys": [{"api": "sk-bench", "preferences": {"RATE_LIMIT": "none"}}]
        }
        gateway = start(config, "--set", "flow_detail=0", saves=False)
        assert load(Program("gateway", gateway.process, gateway.port), "gpt", "whole", 16, 10_000)["failures"] == 0
        gateway.stop()
    finally:
        provider_process.process.terminate()
        provider_process.process.wait(10)
    [counted] = query(
        gateway,
        "SELECT count(*), count(DISTINCT id), sum(outcome = 'ok'), sum(prompt_tokens), sum(completion_tokens)"
        " FROM uniapi_requests",
    )
    assert counted == (10_000, 10_000, 10_000, 100_000, 1_000_000)
    assert query(gateway, "SELECT count(*), count(DISTINCT request_id) FROM uniapi_attempts") == [(10_000, 10_000)]
    assert "lost" not in gateway.log
