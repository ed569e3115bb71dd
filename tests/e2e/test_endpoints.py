"""Endpoints other than chat, and errors in OpenAI's form."""

import contextlib
import json
import socket

import httpx2
import pytest

from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.upstream import answer, openai_answer

HEADERS = {"authorization": f"Bearer {CLIENT_KEY}"}
ASK = {"model": "test-model", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def gateway(start, upstream):
    return start(config_of(provider("good", upstream.on("good", answer(200, openai_answer("hi"))))))


def error_of(response: httpx2.Response) -> dict:
    """OpenAI's error object, with its four members."""
    error = response.json()["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    assert response.headers["access-control-allow-origin"] == "*"
    return error


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer sk-wrong"}, {"authorization": "Basic abc"}])
def test_no_or_a_wrong_key_is_401(gateway, headers):
    """Whatever the endpoint."""
    for response in (
        httpx2.get(f"{gateway.base_url}/models", headers=headers),
        httpx2.post(f"{gateway.base_url}/chat/completions", json=ASK, headers=headers),
    ):
        assert response.status_code == 401
        assert error_of(response)["code"] == "invalid_api_key"


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "api-key"])
def test_the_key_may_come_in_three_headers(gateway, name):
    """As OpenAI, Anthropic and Azure clients send it."""
    value = f"Bearer {CLIENT_KEY}" if name == "authorization" else CLIENT_KEY
    assert httpx2.get(f"{gateway.base_url}/models", headers={name: value}).status_code == 200


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"not json", None),
        (b"[1]", None),
        (b'{"messages": []}', "model"),
        (b'{"model": "test-model"}', "messages"),
        (b'{"model": "test-model", "messages": []}', "messages"),
    ],
)
def test_a_bad_body_is_400_and_says_what_is_wrong(gateway, body, param):
    """With the parameter's name."""
    response = httpx2.post(f"{gateway.base_url}/chat/completions", content=body, headers=HEADERS)
    assert response.status_code == 400
    error = error_of(response)
    assert error["code"] == "invalid_request_error"
    assert error["param"] == param


def test_an_unknown_model_is_404(gateway):
    """The same text for a model that does not exist and one that the key may not use."""
    response = httpx2.post(f"{gateway.base_url}/chat/completions", json={**ASK, "model": "x"}, headers=HEADERS)
    assert response.status_code == 404
    assert error_of(response)["code"] == "model_not_found"


def test_an_unknown_path_is_404_and_lists_what_there_is(gateway):
    """Also at the root, where a base URL without /v1 leads."""
    for path in ("/", "/chat/completions", "/v1/nonsense"):
        response = httpx2.get(gateway.url + path, headers=HEADERS)
        assert response.status_code == 404
        assert "/v1/chat/completions" in error_of(response)["message"]


def test_a_wrong_method_is_405(gateway):
    """With the right one."""
    response = httpx2.get(f"{gateway.base_url}/chat/completions", headers=HEADERS)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    error_of(response)


def test_the_cors_preflight_needs_no_key(gateway):
    """OPTIONS on every endpoint."""
    for path in ("chat/completions", "models", "models/x"):
        response = httpx2.options(
            f"{gateway.base_url}/{path}",
            headers={"origin": "https://app.example", "access-control-request-method": "POST"},
        )
        assert response.status_code == 204
        assert response.headers["access-control-allow-origin"] == "*"
        assert "POST" in response.headers["access-control-allow-methods"]
        assert "authorization" in response.headers["access-control-allow-headers"]


def test_cors_headers_are_on_every_answer(gateway):
    """So that browsers may read them."""
    response = httpx2.post(f"{gateway.base_url}/chat/completions", json=ASK, headers=HEADERS)
    assert response.headers["access-control-allow-origin"] == "*"


def test_without_a_configuration_it_says_what_to_write(start):
    """The process starts, warns once, and answers 503 with the same sentence."""
    gateway = start(None)
    assert "api.yaml" in gateway.wait_for_log("no configuration.*")[0]
    response = httpx2.get(f"{gateway.base_url}/models", headers=HEADERS)
    assert response.status_code == 503
    assert "api.example.yaml" in error_of(response)["message"]


def test_a_request_without_a_host_is_no_page_of_html(gateway):
    """mitmproxy cannot tell where such a request belongs; what concerns the gateway is answered in its form."""
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        body = json.dumps(ASK).encode()
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-length: %d\r\n"
            b"transfer-encoding: chunked\r\n\r\n%s" % (gateway.port, len(body), body)
        )
        received = b""
        while data := connection.recv(65536):
            received += data
    assert received.startswith(b"HTTP/1.1 400")
    assert b"<html>" not in received
    assert b'"error"' in received


def test_a_body_over_the_limit_is_413(gateway):
    """In OpenAI's form, before all of it has been read."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=2) as connection:
        connection.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nauthorization: Bearer %s\r\n"
            b"transfer-encoding: chunked\r\n\r\n" % (gateway.port, CLIENT_KEY.encode())
        )
        with contextlib.suppress(OSError):  # The gateway stops reading when it has seen enough.
            for _ in range(200):
                connection.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
        head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413")
    assert json.loads(body)["error"]["code"] == "request_too_large"


def test_head_has_no_body(gateway):
    """The connection can be used again afterwards."""
    with httpx2.Client(headers=HEADERS) as client:
        head = client.head(f"{gateway.base_url}/models")
        listed = client.get(f"{gateway.base_url}/models")
    assert head.status_code == listed.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == listed.headers["content-length"]


@pytest.mark.parametrize(
    ("version", "header", "closes"),
    [("1.1", "", False), ("1.1", "close", True), ("1.0", "", True), ("1.0", "keep-alive", False)],
)
def test_the_client_decides_about_its_connection(gateway, version, header, closes):
    """Although the request that mitmproxy knows becomes another one, to the provider (RFC 9112, section 9.3)."""
    body = json.dumps(ASK).encode()
    head = [
        f"POST /v1/chat/completions HTTP/{version}",
        f"host: 127.0.0.1:{gateway.port}",
        f"authorization: Bearer {CLIENT_KEY}",
        f"content-length: {len(body)}",
        *([f"connection: {header}"] if header else []),
    ]
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=1.5) as connection:
        connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        answered = b""
        with contextlib.suppress(TimeoutError):
            while piece := connection.recv(65536):
                answered += piece
            answered += b"(closed)"
    assert b'"content":"hi"' in answered.replace(b": ", b":")
    assert answered.endswith(b"(closed)") == closes
