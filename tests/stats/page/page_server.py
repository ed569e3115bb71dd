"""A gateway's /stats and /v1/stats as the page meets them, on loopback.

with PageServer() as server:
    server.statistics = {...}      # what /v1/stats answers an admin
    server.requests                # what the page has asked for
"""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self

from stats.page import load_page
from tests.stats.page.demo_statistics import demo_statistics

ADMIN_KEY = "sk-test-admin-0001"
USER_KEY = "sk-test-user-0002"


class PageServer:
    def __init__(self) -> None:
        self.statistics: Callable[[int], dict[str, Any]] = demo_statistics
        """By hours."""
        self.error: tuple[int, bytes] | None = None
        """Status and body that /v1/stats answers instead."""
        self.requests: list[tuple[str, str | None]] = []
        """Path with query, and the header Authorization, of each request."""
        self._page = load_page()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/stats"

    def start(self) -> None:
        """Serve; after a stop at the same port as before."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._answer(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Nobody listens any longer."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stats_requests(self) -> list[tuple[str, str | None]]:
        return [request for request in self.requests if "/v1/stats" in request[0]]

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        authorization = handler.headers.get("authorization")
        self.requests.append((handler.path, authorization))
        path, _, query = handler.path.partition("?")
        json_headers = {"content-type": "application/json"}
        if path.endswith("/v1/stats"):
            status, body = self._stats(int(query.removeprefix("hours=")), authorization)
            send(handler, status, json_headers, body)
        elif path.rstrip("/").endswith("/stats"):
            send(handler, 200, self._page.headers, self._page.body)
        else:
            send(handler, 404, json_headers, b"{}")

    def _stats(self, hours: int, authorization: str | None) -> tuple[int, bytes]:
        if self.error is not None:
            return self.error
        if authorization == f"Bearer {ADMIN_KEY}":
            return 200, json.dumps(self.statistics(hours)).encode()
        return (403 if authorization == f"Bearer {USER_KEY}" else 401), b'{"error": {"message": "no"}}'


def send(handler: BaseHTTPRequestHandler, status: int, headers: Any, body: bytes) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
