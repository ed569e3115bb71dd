"""The table of retries and cooldowns, row by row, through a real mitmdump.

Every row is played four times: streamed and not, with another candidate and without. One gateway serves all of these
cases, each with a model and providers of its own: `a` has the keys one and two and behaves as the row says, `b` has the
key one and answers. What they were sent is written as `a1 a2 b1`: provider and key.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from tests.e2e.conftest import gateways
from tests.e2e.http2_upstream import Http2Upstream
from tests.e2e.scene import COOLDOWN, Scene
from tests.e2e.upstream import (
    Behaviour,
    Seen,
    Upstream,
    answer,
    chunk,
    closes,
    dead_url,
    hangs,
    head,
    openai_answer,
    openai_stream,
    sse,
)


@dataclass(frozen=True)
class Line:
    """What the table says. `first` and `then`: what two requests in a row are sent; `alone_…`: without another
    candidate. `cooling`: what the first one cools down."""

    first: str
    then: str
    alone_first: str
    alone_then: str
    cooling: tuple[str, ...] = ()
    returned: bool = False
    """Whether the client is told at once."""


NEXT_CANDIDATE = Line("a1 b1", "b1", "a1", "a2", cooling=("a/m",))
NEXT_KEY = Line("a1 a2 b1", "b1", "a1 a2", "a1 a2", cooling=("a, key sk-…one", "a, key sk-…two"))
NEXT_CANDIDATE_UNCOOLED = Line("a1 b1", "a2 b1", "a1", "a2")
RETURNED = Line("a1", "a2", "a1", "a2", returned=True)


@dataclass(frozen=True)
class Row:
    """`fails`: what `a` does, streamed or not, or where it is. `status`: what the client sees of that when there is no
    other candidate. `cools_for` in seconds."""

    name: str
    fails: Callable[[bool], Behaviour] | str
    line: Line
    status: int
    cools_for: int = COOLDOWN


def always(behaviour: Behaviour) -> Callable[[bool], Behaviour]:
    return lambda stream: behaviour


def refuses(status: int, message: str = "as it is", headers: dict[str, str] | None = None, **fields: object):
    return always(answer(status, {"error": {"message": message, **fields}}, headers))


def good(stream: bool) -> Behaviour:
    return sse(openai_stream("good")) if stream else answer(200, openai_answer("good"))


def is_empty(stream: bool) -> Behaviour:
    return sse([]) if stream else answer(200, b"")


def reports_an_error(stream: bool) -> Behaviour:
    error = {"error": {"message": "internal trouble", "code": 500}}
    return sse([chunk({"role": "assistant"}), f"data: {json.dumps(error)}\n\n"]) if stream else answer(200, error)


def is_cut(stream: bool) -> Behaviour:
    """An answer that ends too early, a stream's before its first content."""

    async def sends_half(seen: Seen) -> bool:
        seen.writer.write(head(200, {"content-type": "application/json", "content-length": "1000"}) + b'{"id": ')
        await seen.writer.drain()
        return False

    return sse([chunk({"role": "assistant"})], ends=False) if stream else sends_half


UNTRUSTED = "an address whose certificate nobody trusts"
HTML = always(answer(502, b"<html>Bad gateway</html>", {"content-type": "text/html"}))
GEMINI_REFUSAL = [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}]
TOO_LONG = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens."
RETRY_AFTER = {"retry-after": "60"}
RETRY_DATE = {"date": "Wed, 04 Nov 2026 10:00:00 GMT", "retry-after": "Wed, 04 Nov 2026 10:01:15 GMT"}

ROWS = (
    Row("connect", dead_url(), NEXT_CANDIDATE, 502),
    Row("dns", "http://nowhere.invalid/v1", NEXT_CANDIDATE, 502),
    Row("tls", UNTRUSTED, NEXT_CANDIDATE, 502),
    Row("closed", always(closes()), NEXT_CANDIDATE, 502),
    Row("cut", is_cut, NEXT_CANDIDATE, 502),
    Row("timeout", always(hangs()), NEXT_CANDIDATE, 504),
    Row("500", refuses(500), NEXT_CANDIDATE, 500),
    Row("502-html", HTML, NEXT_CANDIDATE, 502),
    Row("503", refuses(503), NEXT_CANDIDATE, 503),
    Row("529", refuses(529), NEXT_CANDIDATE, 503),
    Row("error-inside-200", reports_an_error, NEXT_CANDIDATE, 500),
    Row("empty", is_empty, NEXT_CANDIDATE, 502),
    Row("429", refuses(429), NEXT_KEY, 429),
    Row("429-retry-after", refuses(429, headers=RETRY_AFTER), NEXT_KEY, 429, cools_for=60),
    Row("429-retry-after-date", refuses(429, headers=RETRY_DATE), NEXT_KEY, 429, cools_for=75),
    Row("429-try-again-in", refuses(429, "Please try again in 1m30s."), NEXT_KEY, 429, cools_for=90),
    Row("429-quota", refuses(429, code="insufficient_quota"), NEXT_KEY, 429),
    Row("401", refuses(401), NEXT_KEY, 502),
    Row("402", refuses(402), NEXT_KEY, 502),
    Row("403", refuses(403), NEXT_KEY, 502),
    Row("400-api-key-not-valid", always(answer(400, GEMINI_REFUSAL)), NEXT_KEY, 502),
    Row("404", refuses(404), NEXT_CANDIDATE, 404),
    Row("413", refuses(413), NEXT_CANDIDATE_UNCOOLED, 413),
    Row("400-context-length", refuses(400, TOO_LONG), NEXT_CANDIDATE_UNCOOLED, 400),
    Row("400", refuses(400), RETURNED, 400),
    Row("409", refuses(409), RETURNED, 409),
    Row("422", refuses(422), RETURNED, 422),
    Row("400-prompt-blocked", refuses(400, code="content_filter"), RETURNED, 400),
)


@dataclass(frozen=True)
class Case:
    """A row, and how it is played."""

    row: Row
    stream: bool
    alone: bool

    @property
    def model(self) -> str:
        return f"{self.row.name}.{'stream' if self.stream else 'whole'}.{'alone' if self.alone else 'spared'}"


CASES = [Case(*each) for each in product(ROWS, (True, False), (True, False))]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> Iterator[Scene]:
    """One gateway for all cases."""
    directory = tmp_path_factory.mktemp("retry-table")
    upstream, untrusted = Upstream(), Http2Upstream(directory)
    scene = Scene(upstream)
    for case in CASES:
        fails = case.row.fails if isinstance(case.row.fails, str) else [case.row.fails(case.stream)]
        fails = f"https://127.0.0.1:{untrusted.port}/v1" if fails == UNTRUSTED else fails
        scene.add(case.model, fails, *([] if case.alone else [[good(case.stream)]]))
    with gateways(directory, confdir) as start:
        scene.gateway = start(scene.config())
        yield scene
    upstream.close()
    untrusted.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.model)
def test_the_table_of_retries_and_cooldowns(scene: Scene, case: Case) -> None:
    """The requests sent, the client's status, what cools down, and where the next request goes."""
    row, line = case.row, case.row.line
    first, then = (line.alone_first, line.alone_then) if case.alone else (line.first, line.then)
    status = row.status if case.alone or line.returned else 200

    assert scene.ask(case.model, stream=case.stream).status_code == status
    assert scene.failures(case.model, 1) == failing(first)
    assert scene.sent(case.model) == arriving(row, first)
    assert scene.cooling(case.model) == [(what, row.cools_for) for what in line.cooling]

    assert scene.ask(case.model, stream=case.stream).status_code == status
    assert scene.failures(case.model, 2) == failing(then)
    assert scene.sent(case.model) == arriving(row, f"{first} {then}")


def failing(sent: str) -> str:
    """The attempts of these that fail."""
    return " ".join(re.findall("a", sent))


def arriving(row: Row, sent: str) -> str:
    """What arrives of these: nothing where there is nobody."""
    return " ".join(re.findall(r"b\d", sent)) if isinstance(row.fails, str) else sent
