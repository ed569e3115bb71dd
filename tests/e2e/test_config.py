"""The configuration in a running gateway."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx2
import pytest

from tests.e2e.clients import RawHttp2
from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.gateway_process import ROOT, GatewayProcess
from tests.e2e.upstream import answer, openai_answer, openai_stream, sse

HEADERS = {"authorization": f"Bearer {CLIENT_KEY}"}
type Copied = Callable[[dict], GatewayProcess]

BROKEN = """\
providers:
  - provider: one
    base_url: api.example.com/v1
    api: sk-test-provider-secret-0002
    engine: gtp
    model: [a]
  - base_url: https://api.example.com/v1
    model: [b]
api_keys:
  - api: sk-test-client-key-0001
    model:
      - all: 0
    preferences:
      SCHEDULING_ALGORITHM: best
"""
MISTAKES = {3: "providers[0].base_url", 5: "engine", 7: "provider", 12: "model", 14: "SCHEDULING_ALGORITHM"}


def test_a_broken_file_prints_every_mistake_with_its_line_and_starts_nothing(tmp_path, confdir):
    """Five mistakes, five lines, exit."""
    gateway = GatewayProcess(tmp_path, BROKEN, confdir=confdir)
    assert gateway.process.wait(20) != 0
    gateway.stop()
    for line, path in MISTAKES.items():
        found = [text for text in gateway.log.splitlines() if f"api.yaml:{line}:" in text]
        assert found, gateway.log
        assert path in found[0]
    assert "Traceback" not in gateway.log
    assert "sk-test" not in gateway.log


def models(gateway: GatewayProcess) -> list[str]:
    return [model["id"] for model in httpx2.get(f"{gateway.base_url}/models", headers=HEADERS).json()["data"]]


def wait_for_models(gateway: GatewayProcess, expected: list[str]) -> None:
    deadline = time.monotonic() + 10
    while models(gateway) != expected:
        assert time.monotonic() < deadline, models(gateway)
        time.sleep(0.1)


def test_a_changed_file_takes_effect_for_the_next_request(start, upstream):
    """A running stream goes on by the old one."""
    slow = upstream.on("slow", sse(openai_stream(*"abcdefghij"), delay=0.3))
    gateway = start(config_of(provider("slow", slow, model="before")))
    with (
        httpx2.Client(timeout=20) as client,
        client.stream(
            "POST",
            f"{gateway.base_url}/chat/completions",
            json={"model": "before", "messages": [{"role": "user", "content": "x"}], "stream": True},
            headers=HEADERS,
        ) as response,
    ):
        lines = response.iter_lines()
        next(lines)
        gateway.write_config(config_of(provider("slow", slow, model="after")))
        wait_for_models(gateway, ["after"])
        assert "data: [DONE]" in list(lines)


def test_a_file_broken_meanwhile_changes_nothing_and_is_logged_once(start, upstream):
    """The old configuration serves on."""
    config = config_of(provider("good", upstream.on("good", answer(200, openai_answer("hi")))))
    gateway = start(config)
    gateway.write_config(BROKEN)
    gateway.wait_for_log(r"api\.yaml:14:")
    time.sleep(2.5)
    assert gateway.log.count("api.yaml:14:") == 1
    response = httpx2.post(
        f"{gateway.base_url}/chat/completions",
        json={"model": "test-model", "messages": [{"role": "user", "content": "x"}]},
        headers=HEADERS,
    )
    assert response.status_code == 200
    gateway.write_config(config_of(provider("good", upstream.url("good"), model="mended")))
    wait_for_models(gateway, ["mended"])


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("uniapi_hosts=https://a/b", "uniapi_hosts takes host names"),
        ("uniapi_keep_flows=-1", "uniapi_keep_flows takes 0 or a larger number"),
        ("uniapi_keep_flows=many", "Failed to parse option uniapi_keep_flows"),
        ("uniapi_keep_secrets=maybe", "Failed to parse option uniapi_keep_secrets"),
    ],
)
def test_bad_options_end_the_start_with_one_line(tmp_path, confdir, option, says):
    """Also those of a wrong type, which would leave an open proxy without a gateway."""
    config = config_of(provider("x", "http://127.0.0.1:9/v1"))
    gateway = GatewayProcess(tmp_path, config, "--set", option, confdir=confdir)
    try:
        assert gateway.process.wait(20) != 0
    except subprocess.TimeoutExpired:
        raise AssertionError(gateway.log) from None
    finally:
        gateway.stop()
    assert says in gateway.log
    assert "Traceback" not in gateway.log


@pytest.fixture
def copied(tmp_path, confdir) -> Iterator[Copied]:
    """A gateway whose script is a copy, which can be changed."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("uniapi_addon.py", "config", "translators", "balancing", "inspection", "stats"):
        path = ROOT / name
        (shutil.copytree if path.is_dir() else shutil.copy)(path, source / name)
    with ExitStack() as stack:
        yield lambda config: stack.enter_context(
            GatewayProcess(tmp_path, config, confdir=confdir, addon=source / "uniapi_addon.py")
        )


def change_script(gateway: GatewayProcess) -> None:
    """mitmproxy loads it anew."""
    script = gateway.directory / "source" / "uniapi_addon.py"
    os.utime(script, (time.time() + 5, time.time() + 5))
    deadline = time.monotonic() + 10
    while gateway.log.count("Loading script") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_reload_of_the_script_starts_afresh(copied, upstream):
    """mitmproxy reloads a changed script: the gateway serves on, without a warning about anything declared twice."""
    gateway = copied(config_of(provider("good", upstream.on("good", answer(200, openai_answer("hi"))))))
    assert models(gateway) == ["test-model"]
    change_script(gateway)
    wait_for_models(gateway, ["test-model"])
    assert gateway.log.count("Loading script") == 2
    assert "Traceback" not in gateway.log
    assert "conflicting" not in gateway.log


def test_requests_that_are_on_when_the_script_is_loaded_anew_are_served(copied, upstream):
    """With all attempts that it takes, and a line in the log; and so is what the client asks next."""
    late = sse([], then_hangs=3)
    config = config_of(
        provider("late", upstream.on("late", late)),
        provider("good", upstream.on("good", sse(openai_stream("hi")))),
    )
    gateway = copied(config)
    ask = {"model": "test-model", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    with httpx2.Client(headers=HEADERS, timeout=20) as client, ThreadPoolExecutor() as pool:
        asking = [pool.submit(client.post, f"{gateway.base_url}/chat/completions", json=ask) for _ in range(2)]
        while len(upstream.requests("late")) < 2:
            time.sleep(0.01)
        change_script(gateway)
        assert all("hi" in one.result().text for one in asking)
        gateway.wait_for_log(r"(?s)(test-model → good/test-model 200 in .*){2}")
        time.sleep(0.5)  # Their connections are closed when the answers are on their way.
        assert client.post(f"{gateway.base_url}/chat/completions", json=ask).status_code == 200
        assert 'uniapi_in_flight_requests{stream="true"} 0.0' in client.get(f"{gateway.url}/metrics").text
    assert "Traceback" not in gateway.log


def test_a_connection_that_is_busy_when_the_script_is_loaded_anew_ends_with_its_requests(copied, upstream, confdir):
    """HTTP/2: what comes on it meanwhile is told to connect again."""
    url = upstream.on("slow", sse(openai_stream(*["hi "] * 40), delay=0.1))
    gateway = copied(config_of(provider("slow", url)))
    ask = {"model": "test-model", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    client = RawHttp2(gateway, confdir)
    running = client.post("/v1/chat/completions", ask, HEADERS)
    while not client.bodies[running]:
        client.read()
    change_script(gateway)
    late = client.post("/v1/chat/completions", ask, HEADERS)
    while not {running, late} <= client.ended:
        client.read()
    assert b"[DONE]" in client.bodies[running]
    assert client.statuses[late] == 503
    assert b"loaded anew" in client.bodies[late]
    client.wait_until_closed()
    again = RawHttp2(gateway, confdir)
    stream_id = again.post("/v1/chat/completions", ask, HEADERS)
    while not again.bodies[stream_id]:
        again.read()
    assert again.statuses[stream_id] == 200
    again.close()
    assert "Traceback" not in gateway.log


def test_a_bad_environment_variable_ends_the_start_with_one_line(tmp_path, confdir):
    """Like a bad option."""
    config = config_of(provider("x", "http://127.0.0.1:9/v1"))
    gateway = GatewayProcess(tmp_path, config, confdir=confdir, environ={**os.environ, "TIMEOUT": "soon"})
    assert gateway.process.wait(20) != 0
    gateway.stop()
    assert "TIMEOUT" in gateway.log
    assert "Traceback" not in gateway.log


def test_a_file_written_after_the_start_is_found(start, upstream):
    """Nobody has to start the gateway again."""
    gateway = start(None)
    assert httpx2.get(f"{gateway.base_url}/models", headers=HEADERS).status_code == 503
    gateway.write_config(config_of(provider("good", upstream.on("good", answer(200, openai_answer("hi"))))))
    deadline = time.monotonic() + 10
    while httpx2.get(f"{gateway.base_url}/models", headers=HEADERS).status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert models(gateway) == ["test-model"]


def test_a_default_key_that_nobody_has_is_warned_of(start):
    """Otherwise interception would just not happen."""
    gateway = start(config_of(provider("x", "http://127.0.0.1:9/v1")), "--set", "uniapi_default_key=sk-nobody")
    gateway.wait_for_log("uniapi_default_key names no entry")
