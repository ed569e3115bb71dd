"""Accounts of requests as the gateway makes them, some by hand and some by chance."""

from typing import Any

from hypothesis import strategies as st

NOW = 1_800_000_000.5
"""The time of the tests, Unix seconds."""


def attempt(**changes: Any) -> dict[str, Any]:
    """One that succeeded."""
    usual = {
        "provider": "one",
        "model": "model-1",
        "key": "sk-…abc",
        "url": "http://127.0.0.1/v1/chat/completions",
        "status": 200,
        "ms": 700,
        "first_output_ms": 300,
        "error": None,
        "message": None,
        "answer": b"",
        "cancelled": False,
    }
    return usual | changes


def account(**changes: Any) -> dict[str, Any]:
    """A request that succeeded at once, a minute ago."""
    usual = {
        "time": NOW - 60,
        "endpoint": "/v1/chat/completions",
        "client": "3fa1c9d2…Q3f9",
        "ip": "192.0.2.1",
        "asked": "alias",
        "stream": True,
        "outcome": "ok",
        "status": 200,
        "flagged": False,
        "hedged": False,
        "provider": "one",
        "model": "model-1",
        "total_ms": 800,
        "first_output_ms": 400,
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "cached_tokens": 3,
        "reasoning_tokens": 4,
        "attempts": [attempt()],
        "dropped": [],
    }
    return usual | changes


names = st.sampled_from(["one", "two", "three"])
milliseconds = st.integers(0, 100_000)
tokens = st.none() | st.integers(0, 1_000_000)

attempts = st.builds(
    attempt,
    provider=names,
    model=names,
    status=st.sampled_from([None, 200, 429, 500]),
    ms=milliseconds,
    first_output_ms=st.none() | milliseconds,
    error=st.sampled_from([None, None, "rate_limit", "timeout"]),
    cancelled=st.booleans(),
)

accounts = st.builds(
    account,
    # Quarters of a second, so that no rounding decides on which side of a border a request lies.
    time=st.integers(-40 * 86400 * 4, 4).map(lambda quarters: NOW + quarters / 4)
    | st.integers(-86400 * 4, 0).map(lambda quarters: NOW + quarters / 4),
    endpoint=st.sampled_from(["/v1/chat/completions", "/v1/embeddings"]),
    ip=st.sampled_from(["192.0.2.1", "2001:db8::1"]),
    asked=names | st.just(""),
    outcome=st.sampled_from(["ok", "ok", "error", "broken", "cancelled"]),
    flagged=st.booleans(),
    hedged=st.booleans(),
    provider=st.none() | names,
    model=names,
    total_ms=milliseconds,
    first_output_ms=st.none() | milliseconds,
    prompt_tokens=tokens,
    completion_tokens=tokens,
    cached_tokens=tokens,
    reasoning_tokens=tokens,
    attempts=st.lists(attempts, max_size=3),
)
