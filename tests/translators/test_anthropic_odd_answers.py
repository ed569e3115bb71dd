"""The engine claude reads whatever comes: events and messages of any shape raise nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.translators.anthropic_exchange import client_chunks, read_stream, sse, whole
from translators.types import Ended, Failed

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
TYPES = st.sampled_from(
    ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "error"]
)
FIELDS = st.sampled_from(["message", "index", "content_block", "delta", "usage", "error", "content"])
MEMBERS = ("text", "thinking", "signature", "partial_json", "id", "name", "input", "citations", "citation")
BLOCKS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "tool_use", "thinking", "redacted_thinking", "server_tool_use"])},
    optional=dict.fromkeys(MEMBERS, JSON),
)
EVENTS = st.tuples(st.fixed_dictionaries({"type": TYPES}), st.dictionaries(FIELDS, JSON | BLOCKS, max_size=4)).map(
    lambda pair: {**pair[1], **pair[0]}
)


@given(st.lists(EVENTS, max_size=6))
def test_no_event_of_any_shape_raises(events: list[dict[str, Any]]) -> None:
    """Members missing, null or of another type count as empty; the client's stream is still written."""
    data = sse(*events)
    client_chunks(data)
    assert isinstance(read_stream(data)[-1], Ended | Failed)


@given(st.dictionaries(st.sampled_from(["content", "usage", "stop_reason", "id", "model"]), JSON | st.lists(BLOCKS)))
def test_no_message_of_any_shape_raises(message: dict[str, Any]) -> None:
    """The same for a whole answer."""
    assert isinstance(whole(message)[-1], Ended | Failed)
