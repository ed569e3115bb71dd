"""Large uploads: what the provider gets of them, and how much memory they take."""

import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from balancing.request_body import BODY_LIMIT
from tests.e2e.clients import tunnel_client
from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.http2_upstream import Http2Upstream, Stream, server_context
from tests.e2e.upstream import Upstream, answer

FILE_BYTES = 90_000_000
MOST_BYTES = 300_000_000
BOUNDARY = "7MA4YWxkTrZu0gW"
HEADERS = {
    "authorization": f"Bearer {CLIENT_KEY}",
    "content-type": f"multipart/form-data; boundary={BOUNDARY}",
}
INSECURE = ("--set", "ssl_insecure=true")
OK = answer(200, {"text": "hello"})
NEEDS_PROC = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="peaks of memory are read from Linux's /proc"
)


@pytest.fixture(scope="module")
def recording() -> bytes:
    """A sound file in which no two parts are alike."""
    return random.Random(1).randbytes(FILE_BYTES)


def form(recording: bytes, model: str, *, model_first: bool = True) -> bytes:
    model_part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\n{model}\r\n'.encode()
    file_head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'.encode()
    parts = [model_part, file_head + recording + b"\r\n"]
    return b"".join(parts if model_first else reversed(parts)) + f"--{BOUNDARY}--\r\n".encode()


def send(gateway: GatewayProcess, body: bytes) -> httpx2.Response:
    return httpx2.post(f"{gateway.base_url}/audio/transcriptions", content=body, headers=HEADERS, timeout=60)


def peak_bytes(gateway: GatewayProcess) -> int:
    """The most resident memory that the process had since it was started, or since `forget_peak`."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{gateway.process.pid}/status").read_text())
    assert found
    return int(found[1]) * 1024


def forget_peak(gateway: GatewayProcess) -> None:
    Path(f"/proc/{gateway.process.pid}/clear_refs").write_text("5")


@pytest.fixture
def tls_upstream(tmp_path: Path) -> Iterator[Upstream]:
    server = Upstream(context=server_context(tmp_path, "http/1.1"))
    yield server
    server.close()


@pytest.fixture
def http2_upstream(tmp_path: Path) -> Iterator[Http2Upstream]:
    server = Http2Upstream(tmp_path)
    yield server
    server.close()


@NEEDS_PROC
@pytest.mark.parametrize("kind", ["upstream", "tls_upstream"])
@pytest.mark.parametrize("upstream_model", ["test-model", "renamed"])
def test_ninety_megabytes_arrive_as_they_were_sent(start, request, recording, kind, upstream_model):
    """But for the model's name, and without a second copy in memory: once after another, for what is over is gone."""
    upstream = request.getfixturevalue(kind)
    model = {upstream_model: "test-model"}
    config = config_of(provider("good", upstream.on("good", OK)) | {"model": [model]})
    gateway = start(config, *INSECURE, saves=False)
    for model_first in (True, False, True):
        assert send(gateway, form(recording, "test-model", model_first=model_first)).json() == {"text": "hello"}
        [seen] = upstream.requests("good")
        assert seen.body == form(recording, upstream_model, model_first=model_first)
        upstream.forget()
    assert peak_bytes(gateway) < MOST_BYTES


@NEEDS_PROC
def test_the_second_provider_gets_all_of_it_too(start, tls_upstream, recording):
    """Each with its own name for the model; two attempts are no two bodies in memory."""
    bad = provider("bad", tls_upstream.on("bad", answer(500, {"error": {"message": "boom"}})))
    good = provider("good", tls_upstream.on("good", OK))
    config = config_of(bad | {"model": [{"first": "test-model"}]}, good | {"model": [{"the-second": "test-model"}]})
    gateway = start(config, *INSECURE, saves=False)
    assert send(gateway, form(recording, "test-model")).json() == {"text": "hello"}
    for name, model in (("bad", "first"), ("good", "the-second")):
        [seen] = tls_upstream.requests(name)
        assert seen.body == form(recording, model)
    assert peak_bytes(gateway) < MOST_BYTES


@NEEDS_PROC
def test_http2_takes_it_as_well(start, confdir, http2_upstream, recording):
    """On both sides; its flow control lets a piece through at a time."""

    async def good(stream: Stream) -> None:
        stream.head(200, "application/json")
        stream.data(b'{"text": "hello"}', ends=True)

    config = config_of(provider("good", http2_upstream.on("good", good)) | {"model": [{"renamed": "test-model"}]})
    gateway = start(config, *INSECURE, saves=False)
    with tunnel_client(gateway, confdir) as client:
        url = "https://api.openai.com/v1/audio/transcriptions"
        answered = client.post(url, content=form(recording, "test-model"), headers=HEADERS, timeout=60)
    assert answered.json() == {"text": "hello"}
    [seen] = http2_upstream.requests("good")
    assert seen.body == form(recording, "renamed")
    assert peak_bytes(gateway) < MOST_BYTES


@contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A provider by hand; the base URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    serve(connection)

        threading.Thread(target=run, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"


@NEEDS_PROC
def test_a_slow_provider_costs_no_memory_either(start, recording, tmp_path):
    """It takes the first megabytes and then nothing for a while: what TLS makes of the rest is not made meanwhile."""
    context = server_context(tmp_path, "http/1.1")
    looked = threading.Event()
    received = bytearray()
    body = form(recording, "renamed")

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            while len(received) < len(body):
                received.extend(wrapped.recv(1 << 16))
                if len(received) > 4 << 20:
                    looked.wait(20)
            while not received.endswith(f"--{BOUNDARY}--\r\n".encode()):
                received.extend(wrapped.recv(1 << 16))
            wrapped.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")

    with listener(serve) as url:
        slow = provider("slow", url.replace("http", "https")) | {"model": [{"renamed": "test-model"}]}
        gateway = start(config_of(slow), *INSECURE, saves=False)
        answers: list[httpx2.Response] = []
        client = threading.Thread(target=lambda: answers.append(send(gateway, form(recording, "test-model"))))
        client.start()
        while len(received) <= 4 << 20:
            time.sleep(0.01)
        forget_peak(gateway)
        time.sleep(0.5)
        assert peak_bytes(gateway) < MOST_BYTES
        looked.set()
        client.join(60)
    assert [answered.status_code for answered in answers] == [200]
    assert received.partition(b"\r\n\r\n")[2] == body
    assert peak_bytes(gateway) < MOST_BYTES


def test_a_provider_may_refuse_before_it_has_read_all(start, upstream, recording):
    """The next one is asked at once. The refusing one's connection is half-way through a request, and is closed."""
    ends: list[float] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")
            with suppress(OSError):
                while connection.recv(1 << 16):
                    time.sleep(0.001)
            ends.append(time.monotonic())

    with listener(serve) as url:
        gateway = start(config_of(provider("busy", url), provider("good", upstream.on("good", OK))), saves=False)
        assert send(gateway, form(recording, "test-model")).json() == {"text": "hello"}
        [seen] = upstream.requests("good")
        assert seen.body == form(recording, "test-model")
        deadline = time.monotonic() + 10
        while not ends:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_client_that_gives_up_leaves_nothing_behind(start, upstream, recording):
    """Half of an upload is no request; the next one is served."""
    gateway = start(config_of(provider("good", upstream.on("good", OK))), saves=False)
    body = form(recording, "test-model")
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(
            f"POST /v1/audio/transcriptions HTTP/1.1\r\nhost: 127.0.0.1:{gateway.port}\r\n{head}"
            f"content-length: {len(body)}\r\n\r\n".encode()
        )
        connection.sendall(body[: len(body) // 2])
    gateway.wait_for_log("client disconnect")
    assert upstream.requests("good") == []
    assert send(gateway, form(b"RIFF", "test-model")).status_code == 200


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
def test_the_limit_is_a_hundred_megabytes(start, upstream, chunked):
    """A body of just that size passes; one byte more is 413, and no provider hears of it."""
    gateway = start(config_of(provider("good", upstream.on("good", OK))), saves=False)
    around = len(form(b"", "test-model"))
    just = form(bytes(BODY_LIMIT - around), "test-model")
    too_much = form(bytes(BODY_LIMIT - around + 1), "test-model")

    def ask(body: bytes) -> httpx2.Response:
        content = (body[start : start + (1 << 20)] for start in range(0, len(body), 1 << 20)) if chunked else body
        url = f"{gateway.base_url}/audio/transcriptions"
        return httpx2.post(url, content=content, headers=HEADERS, timeout=60)

    assert ask(just).status_code == 200
    [seen] = upstream.requests("good")
    assert seen.body == just
    refusal = ask(too_much)
    assert refusal.status_code == 413
    assert refusal.json()["error"]["code"] == "request_too_large"
    assert "100 MB" in refusal.json()["error"]["message"]
    assert len(upstream.requests("good")) == 1
