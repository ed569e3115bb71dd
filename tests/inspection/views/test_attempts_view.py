"""Who was asked, and what came of it."""

from inspection.views.attempts import Attempts
from inspection.views.layout import GAP
from tests.inspection.views.flows import (
    FAILED,
    SERVED,
    answered_by_the_gateway,
    chat_request,
    flow_of,
    shown,
    streaming,
)

VIEW = Attempts()
DEAD = FAILED | {"provider": "dead", "status": None, "ms": 2, "error": "connect", "message": "Refused.", "answer": b""}


def test_attempts_are_a_table_and_failed_answers_stand_below_it():
    """In their order; what was never answered has no status."""
    flow = flow_of(chat_request(), attempts=[DEAD, FAILED, SERVED])
    assert shown(VIEW, flow).split("\n") == [
        "#  provider  model              key      status  first output   total  why",
        "1  dead      claude-sonnet-4-5  sk-…Q3f       -             -    2 ms  connect",
        "2  flaky     claude-sonnet-4-5  sk-…Q3f     500             -   12 ms  server",
        "3  somebody  claude-sonnet-4-5  sk-…Q3f     200        320 ms  900 ms  served",
        GAP,
        "── 1. dead/claude-sonnet-4-5: connect ──",
        "POST https://flaky.example/v1/chat/completions",
        "Refused.",
        GAP,
        "── 2. flaky/claude-sonnet-4-5: server ──",
        "POST https://flaky.example/v1/chat/completions",
        "500 Internal Server Error",
        GAP,
        "{",
        '  "error": {',
        '    "message": "Oops."',
        "  }",
        "}",
    ]
    assert shown(VIEW, flow, "response") == shown(VIEW, flow)


def test_the_whole_of_a_failed_answer_is_there():
    """64 KiB each, for several of them."""
    answer = b"word " * 13_000 + b"end"
    flow = flow_of(chat_request(), attempts=[FAILED | {"answer": answer}] * 5)
    assert shown(VIEW, flow).count("word end") == 5


def test_what_an_answer_says_itself_is_not_said_twice():
    """A message that is not in it stands above it, in lines that can be read."""
    late = "No output for 20 seconds. " * 5
    text = shown(VIEW, flow_of(chat_request(), attempts=[FAILED, FAILED | {"message": late}]))
    assert text.count("Oops.") == 2
    assert " ".join(text.split()).count("No output for 20 seconds.") == 5
    assert max(map(len, text.split("\n"))) <= 80


def test_an_attempt_that_lost_was_cancelled():
    """No failure: another was faster, or the client went away."""
    flow = flow_of(chat_request(), attempts=[SERVED | {"status": None, "cancelled": True}, SERVED])
    assert shown(VIEW, flow).split("\n")[1].endswith("cancelled")


def test_an_attempt_that_was_never_sent_says_so():
    """An engine that cannot say the request."""
    unsuitable = DEAD | {"url": "", "error": "unsuitable", "message": "`n` is more than 1."}
    text = shown(VIEW, flow_of(chat_request(), attempts=[unsuitable]))
    assert text.split("\n")[1].endswith("  unsuitable")
    assert "Nothing was sent.\n`n` is more than 1." in text


def test_without_attempts_there_is_a_sentence():
    """Either nobody was asked, or it is not over, or nobody knows."""
    for flow in (flow_of(chat_request(), attempts=[]), answered_by_the_gateway("/v1/models", b"{}")):
        assert shown(VIEW, flow) == "No provider was asked: the gateway answered by itself."
    flow = streaming()
    assert shown(VIEW, flow) == "The answer is still coming: look again at its end."
    flow.response = None
    assert shown(VIEW, flow) == "The request is still on its way: look again at its end."
    flow.live = False
    assert shown(VIEW, flow) == "What became of the request is not kept with this flow."
