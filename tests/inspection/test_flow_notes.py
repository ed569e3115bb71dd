"""What a flow keeps of its passage through the gateway."""

import io
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.io import FlowReader, FlowWriter
from mitmproxy.test import tflow

from inspection.flow_notes import KEPT_BEGINNING, KEPT_CLIENT_BYTES, note_client, note_outcome, noted_client, recognise

ATTEMPT: dict[str, Any] = {"provider": "p", "model": "m", "status": 200, "ms": 1, "error": None}
ACCOUNT: dict[str, Any] = {
    "asked": "m",
    "endpoint": "/v1/chat/completions",
    "status": 200,
    "refused": None,
    "hedged": False,
    "outcome": "ok",
    "provider": "p",
    "model": "m",
    "total_ms": 1,
    "first_output_ms": None,
    "prompt_tokens": None,
    "completion_tokens": None,
    "attempts": [ATTEMPT],
    "dropped": [],
}


def noted(body: bytes = b"{}") -> http.HTTPFlow:
    flow = tflow.tflow(resp=True)
    note_client(flow, "1a2b…0001", body)
    return flow


def test_the_clients_request_can_be_had_again():
    """Also from a file."""
    flow = noted(b'{"model": "m"}')
    file = io.BytesIO()
    FlowWriter(file).add(flow)
    file.seek(0)
    (read,) = FlowReader(file).stream()
    for each in (flow, read):
        client = noted_client(each)
        assert client
        assert (client.body, client.cut, client.method) == (b'{"model": "m"}', 0, flow.request.method)


@pytest.mark.parametrize("headers", [[1], [None], ["ab"], [[b"a"]], [["a", "b"]], {b"a": b"b"}, None])
def test_a_note_of_another_shape_is_none(headers):
    """Something else has written the file."""
    flow = noted()
    flow.metadata["uniapi"]["client"]["headers"] = headers
    assert noted_client(flow) is None


def test_a_large_body_is_kept_in_part():
    """Its beginning, and it is known how much is missing."""
    client = noted_client(noted(b"x" * (KEPT_CLIENT_BYTES + 7)))
    assert client
    assert (len(client.body), client.cut) == (KEPT_BEGINNING, KEPT_CLIENT_BYTES + 7 - KEPT_BEGINNING)


def test_the_console_is_not_given_whole_bodies_to_write_out():
    """Its Detail tab shows the metadata as Python writes it, and takes minutes for a large one."""
    flow = noted(b"x" * 1_000_000)
    assert len(repr(flow.metadata)) < 200
    file = io.BytesIO()
    FlowWriter(file).add(flow)
    file.seek(0)
    (read,) = FlowReader(file).stream()
    recognise(read)
    assert len(repr(read.metadata)) < 200
    assert noted_client(read)


@pytest.mark.parametrize(
    ("changes", "marker"),
    [
        ({}, ":green_circle:"),
        ({"attempts": [ATTEMPT | {"error": "timeout"}, ATTEMPT]}, ":yellow_circle:"),
        ({"outcome": "error"}, ":red_circle:"),
        ({"outcome": "cancelled", "status": None}, ":white_circle:"),
    ],
)
def test_the_marker_says_how_it_went(changes, marker):
    """Green, mended, failed, left."""
    flow = noted()
    note_outcome(flow, ACCOUNT | changes)
    assert flow.marked == marker
    assert flow.comment.startswith("m → p/m")
