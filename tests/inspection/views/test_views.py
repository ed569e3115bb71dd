"""What all views have in common."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mitmproxy import contentviews, http
from mitmproxy.contentviews import Metadata
from mitmproxy.test import taddons, tflow

from inspection import views
from inspection.views.view import FlowView, Side
from tests.inspection.views.flows import asked, chat_answer, chat_request, event_stream, flow_of, shown

NAMES = ["Chat", "Client side", "Provider side", "Attempts", "Translation"]
LONGEST = 1_000_100


@pytest.fixture
def registered() -> Iterator[None]:
    views.add()
    yield
    views.remove()


@pytest.mark.usefixtures("registered")
def test_chat_is_chosen_for_both_sides_of_our_flows():
    """mitmproxy's own views say 2 at most."""
    flow = flow_of(chat_request(), chat_answer())
    with taddons.context(options=None) as context:
        context.options.add_option("protobuf_definitions", str, "", "")
        assert flow.response
        for message in (flow.request, flow.response):
            assert contentviews.prettify_message(message, flow).view_name == "Chat"


@pytest.mark.usefixtures("registered")
def test_other_flows_are_shown_as_without_the_gateway():
    """None of the views offers itself."""
    flow = tflow.tflow(resp=True)
    for view in views.VIEWS:
        for side in ("request", "response"):
            assert view.render_priority(*asked(flow, side)) < 0
            assert shown(view, flow, side) == "The gateway did not answer this flow."


@pytest.mark.usefixtures("registered")
def test_an_endpoint_that_chat_cannot_read_is_left_to_mitmproxy():
    """A list of models is JSON, which mitmproxy shows well."""
    flow = flow_of(b"", b"{}", endpoint="/v1/models")
    assert [view.render_priority(*asked(flow)) for view in views.VIEWS] == [0, 0, 0, 0, 0]


def test_the_views_have_their_names():
    """Under these they are found in the tools' menus, and in the README."""
    assert [view.name for view in views.VIEWS] == NAMES


def test_views_come_and_go_with_the_script(caplog: pytest.LogCaptureFixture):
    """Loaded twice they are there once; removed, they are gone, and mitmproxy's own are all still there."""
    before = contentviews.registry.available_views()
    with caplog.at_level(logging.WARNING):
        views.add()
        views.add()
        assert sorted(set(contentviews.registry.available_views()) - set(before)) == sorted(map(str.lower, NAMES))
        views.remove()
        views.remove()
    assert contentviews.registry.available_views() == before
    assert not caplog.records


def test_only_our_own_views_are_removed():
    """Another script's view of the same name stays."""

    class Attempts(contentviews.Contentview):
        def prettify(self, data: bytes, metadata: Metadata) -> str:
            return ""

    views.add()
    contentviews.add(Attempts)
    views.remove()
    assert "attempts" in contentviews.registry.available_views()
    del contentviews.registry._by_name["attempts"]


def test_a_view_that_fails_shows_what_it_had():
    """The rest is one line, and nothing is raised."""

    class Broken(FlowView):
        title = "Broken"

        def lines(self, side: Side) -> Iterator[str]:
            yield "first"
            raise ValueError("second")

    assert shown(Broken(), flow_of(chat_request())).split("\n")[0] == "first"
    assert "cannot be shown" in shown(Broken(), flow_of(chat_request()))


def test_control_characters_are_shown_and_do_nothing():
    """Escapes that clear a terminal, turn the writing around, or cannot be written at all."""
    answer = chat_answer({"role": "assistant", "content": "\x1b[2J\x9b1m \u202egnp.exe \ud83d"})
    flow = flow_of(chat_request(messages=[{"role": "user\x1b[31m", "content": "\x07 \x7f"}]), answer, sent=b"\x1b")
    for view in views.VIEWS:
        for side in ("request", "response"):
            text = shown(view, flow, side)
            assert not set(text) & {"\x1b", "\x9b", "\u202e", "\ud83d", "\x07", "\x7f"}
            text.encode()
    assert "\\x1b[2J" in shown(views.VIEWS[0], flow, "response")


# --- whatever comes -------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
ENDPOINTS = st.sampled_from(
    ["/v1/chat/completions", "/v1/embeddings", "/v1/images/generations", "/v1/audio/transcriptions", "/v1/models", ""]
)
TYPES = st.sampled_from(["application/json", "text/event-stream", "multipart/form-data; boundary=x", ""])
BODIES = (
    st.binary(max_size=60)
    | st.builds(lambda message: chat_answer(message), st.dictionaries(st.text(max_size=8), st.text(), max_size=3))
    | st.builds(event_stream, st.text(max_size=30), st.text(max_size=30))
    | st.sampled_from([b'{"data": [1]}', b'{"error": {"message": 1}}', b'{"choices": [{}]}', b"--x\r\n\r\n--x--"])
)
RECORDS = JSON | st.fixed_dictionaries(
    {},
    optional={
        "client": JSON
        | st.fixed_dictionaries({"body": BODIES, "path": ENDPOINTS}, optional={"headers": JSON, "cut": JSON}),
        "provider": JSON | st.fixed_dictionaries({"body": BODIES}, optional={"headers": JSON, "cut": JSON}),
        "account": JSON
        | st.fixed_dictionaries(
            {"endpoint": ENDPOINTS},
            optional={
                "attempts": JSON
                | st.lists(
                    st.fixed_dictionaries(
                        {"url": st.just("https://x")},
                        optional={"engine": st.just("claude") | JSON, "error": JSON, "answer": BODIES, "model": JSON},
                    ),
                    max_size=2,
                ),
                "dropped": JSON,
            },
        ),
    },
)


@settings(max_examples=150, deadline=None)
@given(RECORDS, BODIES, TYPES, st.sampled_from([200, 404, 500]))
def test_nothing_that_is_kept_makes_a_view_raise(record: Any, body: bytes, content_type: str, status: int):
    """Flows come from files too, of other versions and other people."""
    flow = tflow.tflow()
    flow.request.content = body
    flow.request.headers["content-type"] = content_type
    flow.response = http.Response.make(status, body, {"content-type": content_type})
    flow.metadata["uniapi"] = record
    for view in views.VIEWS:
        for side in ("request", "response"):
            assert isinstance(view.render_priority(*asked(flow, side)), int | float)
            assert len(shown(view, flow, side)) < LONGEST


@pytest.mark.parametrize(
    "request_",
    [
        chat_request(messages=[{"role": "user", "content": "word " * 1_000_000}]),
        chat_request(messages=[{"role": "user", "content": "x"}] * 50_000),
        chat_request(messages=[{"role": "user", "content": [[]] * 200_000}]),
        chat_request(**{f"field{i}": "x" * 100 for i in range(20_000)}),
        b"[" * 900 + b"]" * 900,
        b'{"model": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b"\x00\xff" * 1_000_000,
    ],
    ids=["one text", "many messages", "many parts", "many fields", "deep", "too deep", "binary"],
)
def test_huge_requests_give_pages_of_ordinary_length(request_: Any):
    """Whatever is huge about them."""
    flow = flow_of(request_, chat_answer(), sent=b"{}")
    for view in views.VIEWS:
        assert len(shown(view, flow)) <= 200_100


@pytest.mark.parametrize("metadata", [Metadata(), Metadata(flow=tflow.ttcpflow()), Metadata(flow=tflow.tflow())])
def test_what_is_no_http_message_is_not_ours(metadata: Metadata):
    """TCP, DNS and WebSocket messages pass by the views as well."""
    for view in views.VIEWS:
        assert view.render_priority(b"x", metadata) < 0
        assert view.prettify(b"x", metadata) == "The gateway did not answer this flow."
