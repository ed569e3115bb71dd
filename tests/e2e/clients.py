"""HTTP clients for the tests, beside the openai SDK."""

import json
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path

import h2.config
import h2.connection
import h2.errors
import h2.events
import httpx2

from tests.e2e.gateway_process import GatewayProcess


class OnlyHttp2(ssl.SSLContext):
    """Offers HTTP/2 alone: httpx2 puts HTTP/1.1 first, and mitmproxy follows the client's order."""

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        super().set_alpn_protocols(["h2"])


def tunnel_client(gateway: GatewayProcess, confdir: Path) -> httpx2.Client:
    """An HTTP/2 client that uses the gateway as its HTTPS_PROXY and trusts mitmproxy's CA."""
    context = OnlyHttp2(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(confdir / "mitmproxy-ca-cert.pem")
    return httpx2.Client(http2=True, proxy=gateway.url, verify=context, timeout=20)


class RawHttp2:
    """One HTTP/2 connection through the tunnel, frame by frame: parallel streams and resets."""

    def __init__(self, gateway: GatewayProcess, confdir: Path, host: str = "api.openai.com", port: int = 443) -> None:
        plain = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
        plain.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nhost: {host}:{port}\r\n\r\n".encode())
        assert b" 200 " in plain.recv(65536)
        context = ssl.create_default_context(cafile=str(confdir / "mitmproxy-ca-cert.pem"))
        context.set_alpn_protocols(["h2"])
        self._socket = context.wrap_socket(plain, server_hostname=host)
        self._host = host if port == 443 else f"{host}:{port}"
        self._connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self._connection.initiate_connection()
        self.bodies: dict[int, bytes] = {}
        self.statuses: dict[int, int] = {}
        self.ended: set[int] = set()
        self._send()

    def post(self, path: str, body: dict, headers: dict[str, str]) -> int:
        """Send a request; gives its stream id."""
        stream_id = self._connection.get_next_available_stream_id()
        data = json.dumps(body).encode()
        fields = [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", self._host),
            (":path", path),
            ("content-type", "application/json"),
            ("content-length", str(len(data))),
            *headers.items(),
        ]
        self._connection.send_headers(stream_id, fields)
        self._connection.send_data(stream_id, data, end_stream=True)
        self._send()
        self.bodies[stream_id] = b""
        return stream_id

    def reset(self, stream_id: int) -> None:
        self._connection.reset_stream(stream_id, h2.errors.ErrorCodes.CANCEL)
        self._send()

    def wait_until_closed(self) -> None:
        """By the other side."""
        while self._socket.recv(65536):
            pass

    def read(self) -> None:
        """Take in what comes next."""
        for event in self._connection.receive_data(self._socket.recv(65536)):
            if isinstance(event, h2.events.ResponseReceived):
                self.statuses[event.stream_id] = int(dict(event.headers)[b":status"])
            elif isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] += event.data
                self._connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded | h2.events.StreamReset):
                self.ended.add(event.stream_id)
        self._send()

    def close(self) -> None:
        self._socket.close()

    def _send(self) -> None:
        self._socket.sendall(self._connection.data_to_send())
