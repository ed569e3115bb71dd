"""Interception in each of mitmproxy's modes: ours is what is ours, whatever the way."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e import real_host
from tests.e2e.modes import MODES, Setup, Way

KEY = "sk-demo"
SAYS = "claude-sonnet-4-5-simulated"
"""What the demo's Claude channel says of itself."""


@pytest.fixture(params=MODES)
def open_way(request, start, confdir: Path, tmp_path: Path) -> Iterator[Callable[..., Way]]:
    """Start a gateway in this mode, with more options."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(MODES[request.param](Setup(start, confdir, tmp_path, options)))


def chat(key: str, *, host: str = "api.openai.com") -> bytes:
    body = json.dumps({"model": "claude-demo", "messages": [{"role": "user", "content": "Who are you?"}]})
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nauthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nX-odd-Case: \xe9\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode("latin-1")


def test_only_what_is_ours_is_answered_here(open_way):
    """A known key at api.openai.com is served, and nobody connects to the real host; an unknown key, and other hosts,
    get there as they were sent."""
    way = open_way()
    before = way.real.connections
    assert SAYS.encode() in way.ask("api.openai.com", chat(KEY))
    assert way.real.connections == before
    others = {"api.openai.com": chat("sk-unknown"), "other.example": chat(KEY, host="other.example")}
    for host, request in others.items():
        assert way.ask(host, request) == real_host.ANSWER
    assert way.real.seen == list(others.values())


def test_uniapi_default_key_serves_unknown_keys(open_way):
    """And nothing else: other hosts are left alone."""
    way = open_way("--set", f"uniapi_default_key={KEY}")
    assert SAYS.encode() in way.ask("api.openai.com", chat("sk-unknown"))
    request = chat("sk-unknown", host="other.example")
    assert way.ask("other.example", request) == real_host.ANSWER
    assert way.real.seen == [request]


def test_in_reverse_mode_everything_is_the_gateways(start, confdir, tmp_path):
    """As for an app that takes the gateway for the real host by /etc/hosts: unknown keys are refused, and what stands
    behind `reverse:` is never asked."""
    setup = Setup(start, confdir, tmp_path)
    with setup.real_host() as real:
        gateway = setup.gateway("--mode", f"reverse:https://127.0.0.1:{real.port}")
        way = Way(lambda host: socket.create_connection(("127.0.0.1", gateway.port), timeout=30), real, confdir)
        assert SAYS.encode() in way.ask("api.openai.com", chat(KEY))
        assert SAYS.encode() in way.ask("other.example", chat(KEY, host="other.example"))
        assert way.ask("api.openai.com", chat("sk-unknown")).startswith(b"HTTP/1.1 401 ")
        assert way.ask("api.openai.com", chat(KEY).replace(b"/v1/chat/completions", b"/else")).startswith(
            b"HTTP/1.1 404 "
        )
        assert real.connections == 0
