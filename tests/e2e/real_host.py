"""The real hosts behind the proxy: one server with TLS for all names. It says who it is and keeps what it was sent."""

import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.wire_recorder import end_of_message

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nreal host"


@dataclass
class RealHost:
    """`seen`: each request as it came, byte for byte. `connections`: how many were opened, used or not.

    It has to be made where its address is (a network namespace)."""

    certificate: Path
    address: tuple[str, int] = ("127.0.0.1", 0)
    seen: list[bytes] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        host = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                host.connections += 1
                try:
                    connection = context.wrap_socket(self.request, server_side=True)
                except (OSError, ssl.SSLError):
                    return  # Opened early, and not needed.
                with connection:
                    host.serve(connection)

        self._server = socketserver.ThreadingTCPServer(self.address, Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def serve(self, connection: ssl.SSLSocket) -> None:
        """Answer requests until the connection ends."""
        received = b""
        while data := connection.recv(65536):
            received += data
            if (end := end_of_message(received, 0)) is not None:
                self.seen.append(received[:end])
                received = received[end:]
                connection.sendall(ANSWER)

    def __enter__(self) -> "RealHost":
        return self

    def __exit__(self, *args: object) -> None:
        self._server.shutdown()
        self._server.server_close()
