"""Which connections to servers are opened before there is a request. That others' are as without the addon, byte for
byte, is in test_byte_identity.py; that what is ours opens none, in every mode, in test_modes.py."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.modes import Setup, transparent_machines
from tests.e2e.upstream import answer, dead_url, openai_answer
from tests.e2e.wire_recorder import end_of_message

OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"
SAYS = b"hi from the provider"


@pytest.fixture
def config(upstream) -> dict:
    return config_of(provider("good", upstream.on("good", answer(200, openai_answer(SAYS.decode())))))


@pytest.fixture
def greeter() -> Iterator[socket.socket]:
    """Somebody's server, whose protocol has it speak first."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        yield server


def chat(host: str) -> bytes:
    body = json.dumps({"model": "test-model", "messages": [{"role": "user", "content": "hello"}]})
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {CLIENT_KEY}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def tunnel(port: int, authority: str) -> tuple[socket.socket, bytes]:
    """The connection, and what the proxy says to CONNECT."""
    connection = connect(port)
    connection.sendall(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
    return connection, connection.recv(65536)


def ask(connection: socket.socket, host: str) -> bytes:
    """Ask the gateway for a chat as if it were this host; its answer."""
    connection.sendall(chat(host))
    received = b""
    while end_of_message(received, 0) is None and (data := connection.recv(65536)):
        received += data
    return received


def test_the_intercepted_host_need_not_be_there(start, config):
    """A tunnel to it is granted in mitmproxy's own words, and requests in it are served. One to another host that
    cannot be reached is refused."""
    gateway = start(config, "--set", "uniapi_hosts=nowhere.invalid")
    connection, said = tunnel(gateway.port, "nowhere.invalid:80")
    with connection:
        assert said == OPENED
        assert SAYS in ask(connection, "nowhere.invalid")
    connection, said = tunnel(gateway.port, "elsewhere.invalid:80")
    with connection:
        assert said.startswith(b"HTTP/1.1 502 ")


def test_a_tunnel_to_the_gateway_itself_is_the_gateways(start, config):
    """Node's clients use tunnels for plain HTTP too. mitmproxy would refuse to connect to itself."""
    gateway = start(config)
    connection, said = tunnel(gateway.port, f"localhost:{gateway.port}")
    with connection:
        assert said == OPENED
        assert SAYS in ask(connection, "localhost")


def test_the_users_choice_of_lazy_is_for_everybody(start, config):
    """As in mitmproxy: tunnels are granted before anybody has looked where they lead."""
    gateway = start(config, "--set", "connection_strategy=lazy")
    connection, said = tunnel(gateway.port, dead_url().split("/")[2])
    with connection:
        assert said == OPENED


def test_attempts_do_not_use_the_clients_early_connection(start, config, upstream):
    """Though it leads to the provider: the client has chosen the name under which it was opened."""
    gateway = start(config)
    connection, _ = tunnel(gateway.port, f"127.0.0.1:{upstream.port}")
    with connection:
        early = gateway.wait_for_log(rf"server connect 127\.0\.0\.1:{upstream.port}")
        assert SAYS in ask(connection, "api.openai.com")
    gateway.wait_for_log(rf"(?s)server connect 127\.0\.0\.1:{upstream.port}.*client disconnect")
    assert gateway.log.count(early[0]) == 2


def test_socks_tells_who_cannot_be_reached(start, config):
    """RFC 1928, section 6. The intercepted host always can."""
    gateway = start(config, "--mode", "socks5", pattern=r"SOCKS v5 proxy listening at .*:(\d+)")
    for host, reply in (("api.openai.com", 0), ("127.0.0.1", 4)):
        with connect(gateway.port) as connection:
            connection.sendall(b"\x05\x01\x00")
            assert connection.recv(2) == b"\x05\x00"
            name = host.encode()
            connection.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + (1).to_bytes(2))
            assert connection.recv(65536)[1] == reply


def test_reverse_mode_without_requests_is_left_alone(start, config, greeter):
    """`reverse:tcp:` has nothing for the gateway, and a server that may speak first."""
    port = greeter.getsockname()[1]
    gateway = start(config, "--mode", f"reverse:tcp://127.0.0.1:{port}")
    with connect(gateway.port) as connection:
        served, _ = greeter.accept()
        with served:
            served.sendall(b"220 hello\r\n")
            assert connection.recv(65536) == b"220 hello\r\n"


def test_in_transparent_mode_who_cannot_be_reached_is_hung_up_on(start, confdir, tmp_path):
    """As if there were no proxy, and not with a certificate and an error page. Whether the client says something or
    not."""
    with transparent_machines(Setup(start, confdir, tmp_path)) as (app, _):
        for said in (b"hello\r\n", b""):
            with app.entered():
                connection = socket.create_connection(("203.0.113.99", 443), timeout=30)
            with connection:
                connection.sendall(said)
                assert connection.recv(65536) == b""
