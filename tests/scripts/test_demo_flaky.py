"""scripts/demo/server.py: the flaky providers, the demo's configuration, and the end of the simulator."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from config.load import load_text

ROOT = Path(__file__).resolve().parents[2]
REQUESTS = {
    "openai/v1/chat/completions": ({"authorization": "Bearer sk-simulated-openai"}, "gpt-simulated"),
    "anthropic/v1/messages": (
        {"x-api-key": "sk-ant-simulated", "anthropic-version": "2023-06-01"},
        "claude-sonnet-4-5-simulated",
    ),
}
MODEL_LISTS = {
    "openai": "v1/models",
    "anthropic": "v1/models",
    "gemini": "v1beta/models",
    "openrouter": "api/v1/models",
    "azure": "openai/v1/models",
    "cloudflare": "client/v4/accounts/0123456789abcdef0123456789abcdef/ai/models/search",
    "cohere": "v1/models",
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("path", REQUESTS)
def test_a_flaky_provider_fails_four_times_of_five(simulator: str, path: str, stream: bool) -> None:
    """Always in the same order, and each time in a way that a gateway has to know."""
    headers, model = REQUESTS[path]
    messages = [{"role": "user", "content": "Count to 3"}]
    body = {"model": model, "max_tokens": 100, "messages": messages, "stream": stream}

    def ask() -> httpx2.Response:
        return httpx2.post(f"{simulator}/flaky/{path}", headers=headers, json=body)

    assert ask().status_code == 500
    with pytest.raises(httpx2.RemoteProtocolError):
        ask()
    assert ask().status_code == 429
    broken = ask()
    assert broken.status_code == 200
    assert ('"error"' in broken.text) if stream else (broken.content == b"")
    good = ask()
    assert good.status_code == 200
    assert "3" in good.text
    assert "error" not in good.text


def test_a_flaky_provider_closes_a_connection_after_the_whole_request(simulator: str) -> None:
    """With a part of it unread the system would send a reset, at times."""
    address = urlsplit(simulator)
    path = "/flaky/gemini/v1beta/models/gemini-simulated:generateContent"
    assert httpx2.post(simulator + path).status_code == 500
    with socket.create_connection((address.hostname, address.port), timeout=0.3) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: demo\r\nContent-Length: 2\r\n\r\n".encode())
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(20)
        connection.sendall(b"{}")
        assert connection.recv(1) == b""


def test_unknown_paths_are_refused_in_the_providers_form(simulator: str) -> None:
    """Each wire has its own."""
    for path, kind in (
        ("openai/v1/nothing", "invalid_request_error"),
        ("anthropic/v1/nothing", "not_found_error"),
    ):
        reply = httpx2.get(f"{simulator}/{path}")
        assert (reply.status_code, reply.json()["error"]["type"]) == (404, kind)


def test_streams_come_in_pieces(simulator: str) -> None:
    """With the delay that the query asks for."""
    headers, model = REQUESTS["openai/v1/chat/completions"]
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Count to 3"}]}
    url = f"{simulator}/openai/v1/chat/completions?delay=5"
    with httpx2.stream("POST", url, headers=headers, json=body) as reply:
        assert len(list(reply.iter_raw())) > 5


def test_the_simulator_ends_with_its_starter() -> None:
    """However that ended: its stdin is closed, also in the middle of a stream."""
    command = [sys.executable, "-m", "scripts.demo"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    url = process.stdout.readline().decode().strip()
    headers, model = REQUESTS["openai/v1/chat/completions"]
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Count to 5000"}]}
    with httpx2.stream("POST", f"{url}/openai/v1/chat/completions", headers=headers, json=body) as reply:
        next(reply.iter_raw())
        process.communicate(timeout=10)
    assert process.returncode == 0


def test_the_demos_configuration_is_valid_and_names_what_the_simulator_serves(simulator: str) -> None:
    """No problem, no warning; every wire but the dead one has a model list that holds the models."""
    file = ROOT / "scripts" / "demo" / "api.yaml"
    loaded = load_text(file.read_text(), file.name, {"UNIAPI_DEMO_URL": simulator})
    assert loaded.warnings == ()
    assert [key.api.reveal() for key in loaded.config.client_keys] == ["sk-demo", "sk-demo-admin"]
    aliases = {model.alias for provider in loaded.config.providers for model in provider.models or ()}
    assert {"gpt-demo", "claude-demo", "resilient-demo"} <= aliases
    offered = [provider.name for provider in loaded.config.providers if _offers(provider, "resilient-demo")]
    assert offered == ["demo-dead", "demo-flaky", "demo-reliable"]
    for provider in loaded.config.providers:
        if provider.name != "demo-dead":
            key = provider.keys[0].reveal()
            wire = (provider.base_url or "").replace("/flaky", "").removeprefix(simulator).split("/")[1]
            headers = {"authorization": f"Bearer {key}", "anthropic-version": "2023-06-01"}
            headers |= dict.fromkeys(("api-key", "x-api-key", "x-goog-api-key"), key)
            served = httpx2.get(f"{simulator}/{wire}/{MODEL_LISTS[wire]}", headers=headers).text
            assert all(json.dumps(model.upstream) in served for model in provider.models or ())


def _offers(provider: Any, alias: str) -> bool:
    return any(model.alias == alias for model in provider.models)
