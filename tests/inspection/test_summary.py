"""One request in one line."""

from typing import Any

from inspection.summary import comment, log_line

FAILED = {"provider": "dead", "model": "m", "status": None, "ms": 2, "error": "connect"}
REFUSED = {"provider": "flaky", "model": "m", "status": 500, "ms": 12, "error": "server"}
SERVED = {"provider": "good", "model": "up", "status": 200, "ms": 900, "error": None}


def account(**changes: Any) -> dict[str, Any]:
    return {
        "asked": "gpt-demo",
        "endpoint": "/v1/chat/completions",
        "status": 200,
        "refused": None,
        "stopped": False,
        "hedged": False,
        "outcome": "ok",
        "provider": "good",
        "model": "up",
        "total_ms": 1240,
        "first_output_ms": 320,
        "prompt_tokens": 12,
        "completion_tokens": 34,
        "attempts": [SERVED],
        "dropped": [],
        **changes,
    }


def test_the_log_line_says_who_answered_and_how_long_it_took():
    """Nothing more when all went well."""
    assert log_line(account()) == "gpt-demo → good/up 200 in 1.24 s"


def test_the_log_line_lists_what_failed():
    """A status where there was one, else the reason."""
    line = log_line(account(attempts=[FAILED, REFUSED, SERVED]))
    assert line == "gpt-demo → good/up 200 in 1.24 s (dead: connect 2 ms, flaky: 500 12 ms)"


def test_a_request_that_nobody_answered():
    """The client's status, and the attempts."""
    line = log_line(account(outcome="error", provider=None, model=None, attempts=[REFUSED], status=500))
    assert line == "gpt-demo → nobody 500 in 1.24 s (flaky: 500 12 ms)"


def test_a_client_that_went_away_before_any_answer():
    """There is no status to show."""
    assert log_line(account(outcome="cancelled", provider=None, status=None)) == (
        "gpt-demo → nobody no answer the client went away"
    )


def test_a_request_that_a_person_stopped():
    """It was neither the client nor a provider."""
    assert log_line(account(outcome="cancelled", provider=None, status=None, stopped=True)) == (
        "gpt-demo → nobody no answer stopped in mitmproxy"
    )


def test_a_request_that_a_person_stopped_before_it_was_read():
    """Nobody knows the model it was for."""
    stopped = account(asked="", outcome="cancelled", provider=None, status=None, stopped=True, attempts=[])
    assert log_line(stopped) == "/v1/chat/completions → nobody no answer stopped in mitmproxy"


def test_the_comment_holds_attempts_time_and_tokens():
    """And what was dropped."""
    assert comment(account()) == "gpt-demo → good/up · 1 attempt · first output 320 ms · 12 + 34 tokens"
    dropped = comment(account(attempts=[FAILED, SERVED], dropped=[{"field": "seed", "reason": "none"}]))
    assert "· 2 attempts ·" in dropped
    assert dropped.endswith("· dropped: seed")


def test_the_comment_says_when_it_did_not_end_well():
    """broken, cancelled, error."""
    assert comment(account(outcome="broken", prompt_tokens=None)).endswith("· broken")


def test_what_the_gateway_refused_itself():
    """The endpoint and the reason: no provider was asked."""
    refused = account(outcome="error", refused="rate_limit_exceeded", status=429, provider=None, attempts=[])
    assert log_line(refused) == "/v1/chat/completions refused: rate_limit_exceeded 429 in 1.24 s"
    assert comment(refused).startswith("/v1/chat/completions refused: rate_limit_exceeded · ")


def test_a_line_is_one_line_whatever_a_client_calls_things():
    """No second entry in the log, and nothing that a terminal would act on."""
    odd = account(asked="gpt\n12:00 forged", dropped=[{"field": "a\x1b[2Jb", "reason": "none"}])
    assert log_line(odd).startswith("gpt?12:00 forged → good/up")
    assert comment(odd).endswith("dropped: a?[2Jb")
