"""Reasoning that clients lose, and access tokens: engines that need state beyond the request."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.upstream import answer, sse

HEADERS = {"authorization": f"Bearer {CLIENT_KEY}"}
TOOLS = [{"type": "function", "function": {"name": "get", "parameters": {"type": "object", "properties": {}}}}]
QUESTION = {"role": "user", "content": "go"}
SIGNATURE = "c2lnbmF0dXJl"


def gemini_answer(*parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "responseId": "g1",
        "modelVersion": "gemini-3-flash-preview",
        "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": list(parts)}}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
    }


CALL = gemini_answer({"functionCall": {"name": "get", "args": {}}, "thoughtSignature": SIGNATURE})


@pytest.mark.parametrize("stream", [False, True])
def test_pitfall_070_a_signature_that_the_client_drops_is_put_back(start, upstream, stream):
    """A plain client keeps id, name and arguments of a call and nothing else (EN PR#2366, NA#5528)."""
    first = sse([f"data: {json.dumps(CALL)}\r\n\r\n"]) if stream else answer(200, CALL)
    url = upstream.on("google", first, answer(200, gemini_answer({"text": "done"})))
    gateway = start(config_of(provider("google", url + "beta", engine="gemini", model="gemini-3-flash-preview")))
    body = {"model": "gemini-3-flash-preview", "messages": [QUESTION], "tools": TOOLS, "stream": stream}
    response = httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=HEADERS)
    if stream:
        frames = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
        call = next(frame["choices"][0]["delta"]["tool_calls"][0] for frame in frames if calls_in(frame))
    else:
        call = response.json()["choices"][0]["message"]["tool_calls"][0]
    plain = {"id": call["id"], "type": "function", "function": {"name": "get", "arguments": "{}"}}
    history = [
        QUESTION,
        {"role": "assistant", "tool_calls": [plain]},
        {"role": "tool", "tool_call_id": call["id"], "content": "result"},
    ]
    response = httpx2.post(
        f"{gateway.base_url}/chat/completions", json={**body, "messages": history, "stream": False}, headers=HEADERS
    )
    assert response.json()["choices"][0]["message"]["content"] == "done"
    parts = upstream.requests("google")[1].json["contents"][1]["parts"]
    assert parts[0]["thoughtSignature"] == SIGNATURE


def calls_in(frame: dict[str, Any]) -> bool:
    return bool(frame["choices"]) and "tool_calls" in frame["choices"][0]["delta"]


class TokenHandler(BaseHTTPRequestHandler):
    """Google's token endpoint."""

    asked = 0
    status = 200

    def do_POST(self) -> None:
        type(self).asked += 1
        self.rfile.read(int(self.headers["content-length"]))
        body = {"access_token": "ya29.test-token", "expires_in": 3600, "token_type": "Bearer"}
        if self.status != 200:
            body = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        data = json.dumps(body).encode()
        self.send_response(self.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def token_server() -> Iterator[tuple[str, type[TokenHandler]]]:
    handler = type("Handler", (TokenHandler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/token", handler
    server.shutdown()


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def vertex(url: str, token_uri: str, private_key: str) -> dict[str, Any]:
    config = config_of(
        {
            "provider": "vertex",
            "base_url": url,
            "project_id": "test-project",
            "client_email": "test@test-project.iam.gserviceaccount.com",
            "private_key": private_key.replace("\n", "\\n"),
            "token_uri": token_uri,
            "region": "us-central1",
            "model": ["gemini-2.5-flash"],
        },
        preferences={"RATE_LIMIT": "none"},
    )
    del config["providers"][0]["api"]
    return config


def test_two_hundred_requests_with_a_cold_token_fetch_one(start, upstream, token_server, private_key):
    """And every one is answered with it."""
    token_uri, handler = token_server
    url = upstream.on("vertex", answer(200, gemini_answer({"text": "hi"}))).removesuffix("/v1")
    gateway = start(vertex(url, token_uri, private_key))
    body = {"model": "gemini-2.5-flash", "messages": [QUESTION]}

    def ask(_: int) -> int:
        return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=HEADERS, timeout=60).status_code

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(ask, range(200))) == {200}
    assert handler.asked == 1
    seen = upstream.requests("vertex")
    assert {request.headers["authorization"] for request in seen} == {"Bearer ya29.test-token"}
    assert "test-project/locations/us-central1/publishers/google/models/gemini-2.5-flash" in seen[0].path


def test_refused_service_accounts_are_the_operators_affair(start, upstream, token_server, private_key):
    """502 with the gateway's own sentence; no request goes to the provider."""
    token_uri, handler = token_server
    handler.status = 400
    url = upstream.on("vertex", answer(200, gemini_answer({"text": "hi"}))).removesuffix("/v1")
    gateway = start(vertex(url, token_uri, private_key))
    body = {"model": "gemini-2.5-flash", "messages": [QUESTION]}
    response = httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=HEADERS, timeout=60)
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "upstream_credentials_rejected"
    assert not upstream.requests("vertex")
