"""What is ours, and what passes untouched."""

import asyncio
import http.server
import threading
import time
from collections.abc import Iterator

import httpx2
import pytest

from tests.e2e.clients import tunnel_client
from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.upstream import answer, openai_answer, sse

ASK = {"model": "test-model", "messages": [{"role": "user", "content": "hello"}]}
HEADERS = {"authorization": f"Bearer {CLIENT_KEY}"}


@pytest.fixture
def config(upstream) -> dict:
    return config_of(provider("good", upstream.on("good", answer(200, openai_answer("hi from the provider")))))


class EchoHandler(http.server.BaseHTTPRequestHandler):
    """Somebody else's server: answers with what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        text = f"{self.requestline}\n{self.headers}".encode() + body
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of somebody else's server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EchoHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def test_an_app_wired_to_openai_is_served_through_the_tunnel(start, config, confdir):
    """HTTPS_PROXY and mitmproxy's CA are all it needs."""
    gateway = start(config)
    with tunnel_client(gateway, confdir) as client:
        response = client.post("https://api.openai.com/v1/chat/completions", json=ASK, headers=HEADERS)
    assert response.json()["choices"][0]["message"]["content"] == "hi from the provider"


def test_an_unknown_key_belongs_to_the_real_host(start, config, elsewhere):
    """The request goes on untouched, key and all."""
    gateway = start(config, "--set", "uniapi_hosts=127.0.0.1")
    with httpx2.Client(proxy=gateway.url) as client:
        response = client.post(
            f"http://127.0.0.1:{elsewhere}/v1/chat/completions", json=ASK, headers={"authorization": "Bearer their-own"}
        )
    assert "Bearer their-own" in response.text
    assert '"test-model"' in response.text


def test_uniapi_default_key_serves_apps_with_unknown_keys(start, config, upstream):
    """As the entry that it names."""
    gateway = start(config, "--set", "uniapi_hosts=intercepted.example", "--set", f"uniapi_default_key={CLIENT_KEY}")
    with httpx2.Client(proxy=gateway.url) as client:
        response = client.post(
            "http://intercepted.example/v1/chat/completions", json=ASK, headers={"authorization": "Bearer their-own"}
        )
    assert response.json()["choices"][0]["message"]["content"] == "hi from the provider"
    assert "their-own" not in str(upstream.requests("good")[0].headers)


def test_other_paths_of_an_intercepted_host_pass_untouched(start, config, elsewhere):
    """Only the endpoints are the gateway's."""
    gateway = start(config, "--set", "uniapi_hosts=127.0.0.1")
    with httpx2.Client(proxy=gateway.url) as client:
        response = client.post(f"http://127.0.0.1:{elsewhere}/v1/files", content=b"payload", headers=HEADERS)
    assert "POST /v1/files HTTP/1.1" in response.text
    assert CLIENT_KEY in response.text
    gateway.flow_path.unlink()  # It holds the key of a request that is none of ours.


def test_other_hosts_pass_untouched(start, config, elsewhere):
    """Even if they look like an API."""
    gateway = start(config)
    with httpx2.Client(proxy=gateway.url) as client:
        response = client.post(f"http://127.0.0.1:{elsewhere}/v1/chat/completions", content=b"payload")
    assert response.text.endswith("payload")


def test_reverse_mode_answers_every_request(start, config, elsewhere):
    """Whatever its Host; other paths are 404."""
    gateway = start(config, "--mode", f"reverse:http://127.0.0.1:{elsewhere}")
    response = httpx2.post(f"{gateway.base_url}/chat/completions", json=ASK, headers=HEADERS | {"host": "any.example"})
    assert response.json()["choices"][0]["message"]["content"] == "hi from the provider"
    assert httpx2.get(f"{gateway.url}/other", headers=HEADERS).status_code == 404


def test_streams_of_others_pass_as_they_come(start, config, upstream):
    """Chunked, through the proxy."""
    frames = [f"piece {number}\n\n" for number in range(5)]
    url = upstream.on("others", sse(frames))
    gateway = start(config)
    with httpx2.Client(proxy=gateway.url) as client:
        assert client.get(url).text == "".join(frames)


def test_websockets_of_others_pass(start, config):
    """Upgrade, a message there, a message back."""

    async def echo_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )
        await reader.readexactly(6 + 5)  # A masked frame with five bytes.
        writer.write(b"\x81\x05world")
        await writer.drain()
        await asyncio.sleep(0.5)
        writer.close()

    async def run(gateway_port: int) -> bytes:
        server = await asyncio.start_server(echo_once, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway_port)
        writer.write(
            f"GET http://127.0.0.1:{port}/chat HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nupgrade: websocket\r\n"
            "connection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "sec-websocket-version: 13\r\n\r\n".encode()
        )
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x81\x85\0\0\0\0hello")
        frame = await reader.readexactly(7)
        writer.close()
        server.close()
        return frame

    assert asyncio.run(run(start(config).port)) == b"\x81\x05world"


def test_a_name_of_this_machine_is_the_gateway_too(start, config):
    """`localhost` as well as the address."""
    gateway = start(config)
    response = httpx2.post(f"http://localhost:{gateway.port}/v1/chat/completions", json=ASK, headers=HEADERS)
    assert response.status_code == 200


def test_the_gateways_clients_need_no_password_of_the_proxy(start, config, elsewhere):
    """`proxyauth` guards the proxy; who has a key of the gateway's has shown enough."""
    gateway = start(config, "--set", "proxyauth=somebody:secret")
    response = httpx2.post(f"{gateway.base_url}/chat/completions", json=ASK, headers=HEADERS)
    assert response.json()["choices"][0]["message"]["content"] == "hi from the provider"
    assert httpx2.post(f"{gateway.base_url}/chat/completions", json=ASK).status_code == 401
    with httpx2.Client(proxy=gateway.url) as client:
        assert client.post(f"http://127.0.0.1:{elsewhere}/v1/files", content=b"x").status_code == 407


def test_only_an_open_proxy_is_warned_of(start, config, elsewhere):
    """Reverse mode serves nobody else's traffic."""
    everywhere = ("--listen-host", "0.0.0.0")
    gateway = start(config, *everywhere, pattern=r"listening at \*:(\d+)")
    gateway.wait_for_log("anybody who reaches this port")
    closed = start(
        config, *everywhere, "--mode", f"reverse:http://127.0.0.1:{elsewhere}", pattern=r"listening at .*\*:(\d+)"
    )
    time.sleep(0.5)
    assert "anybody who reaches this port" not in closed.log
