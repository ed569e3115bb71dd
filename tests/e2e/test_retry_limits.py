"""Where retries end: by the client's wish, with its connection, at the first output. Beside test_retry_table.py;
`a1 b1` is what was sent: provider and key."""

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest

from tests.e2e.conftest import gateways
from tests.e2e.scene import COOLDOWN, ONE_ATTEMPT_KEY, Scene, key_number
from tests.e2e.upstream import (
    Behaviour,
    Seen,
    Upstream,
    answer,
    chunk,
    hangs,
    openai_answer,
    openai_stream,
    sse,
)

GOOD = answer(200, openai_answer("good"))
GOOD_STREAM = sse(openai_stream("good"))
BROKEN = answer(500, {"error": {"message": "boom"}})
TOO_LARGE = answer(413, {"error": {"message": "too large"}})
QUIET_SECONDS = 2
BUSY = answer(429, {"error": {"message": "slow down"}}, {"retry-after": str(QUIET_SECONDS)})
SAYS_HELLO = chunk({"content": "Hello"})


def has_a_busy_key() -> Behaviour:
    """Its first key is refused at its first use."""
    refused: list[Seen] = []

    async def behave(seen: Seen) -> None:
        is_refused = key_number(seen) == 1 and not refused
        if is_refused:
            refused.append(seen)
        await (BUSY if is_refused else GOOD)(seen)

    return behave


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> Iterator[Scene]:
    """One gateway for all tests."""
    upstream = Upstream()
    scene = Scene(upstream)
    for how in ("stream", "whole"):
        scene.add(f"once-broken-{how}", [BROKEN], [GOOD])
        scene.add(f"once-busy-{how}", [BUSY], [GOOD])
        scene.add(f"too-large-{how}", [TOO_LARGE], [TOO_LARGE], [TOO_LARGE])
    scene.add("three-keys", [has_a_busy_key()], keys=3)
    scene.add("hiccup", [BROKEN, GOOD], keys=1)
    scene.add("gone-waiting", [hangs(), GOOD], [GOOD])
    scene.add("gone-reading", [sse([SAYS_HELLO], then_hangs=60), GOOD_STREAM], [GOOD_STREAM])
    scene.add("broken", [sse([SAYS_HELLO], ends=False)], [GOOD_STREAM])
    with gateways(tmp_path_factory.mktemp("retry-limits"), confdir) as start:
        scene.gateway = start(scene.config())
        yield scene
    upstream.close()


@pytest.mark.parametrize("how", ["stream", "whole"])
@pytest.mark.parametrize(("what", "status"), [("broken", 500), ("busy", 429)])
def test_a_client_that_wants_no_retries_gets_one_attempt(scene, what, status, how):
    """AUTO_RETRY: false, whatever keys and candidates are left."""
    model = f"once-{what}-{how}"
    assert scene.ask(model, stream=how == "stream", key=ONE_ATTEMPT_KEY).status_code == status
    assert scene.sent(model) == "a1"


@pytest.mark.parametrize("how", ["stream", "whole"])
def test_a_request_that_is_too_large_is_sent_once_to_each_candidate(scene, how):
    """However many keys they have; nothing cools down."""
    model = f"too-large-{how}"
    assert scene.ask(model, stream=how == "stream").status_code == 413
    assert scene.sent(model) == "a1 b1 c1"
    assert scene.cooling(model) == []


def test_a_providers_only_failure_does_not_close_the_gateway(scene):
    """It is cooling and the only one: the next request is tried there, works, and ends the cooldown."""
    assert scene.ask("hiccup").status_code == 500
    assert scene.cooling("hiccup") == [("a/m", COOLDOWN)]
    assert [scene.ask("hiccup").status_code for _ in range(3)] == [200, 200, 200]


def test_one_of_three_keys_is_left_alone_for_as_long_as_its_provider_says(scene):
    """Retry-After: 2 on one key: it is silent for two seconds, then used again; nobody sees an error."""
    began = time.monotonic()
    statuses = set()
    while time.monotonic() < began + QUIET_SECONDS + 0.5:
        statuses.add(scene.ask("three-keys").status_code)
        time.sleep(0.02)
    assert statuses == {200}
    assert scene.cooling("three-keys") == [("a, key sk-…one", QUIET_SECONDS)]
    first, second, *_ = [seen.at for seen in scene.requests("three-keys") if key_number(seen) == 1]
    assert second - first >= QUIET_SECONDS
    between = [key_number(seen) for seen in scene.requests("three-keys") if first < seen.at < second]
    assert all(one != other for one, other in pairwise(between))
    assert set(between) == {2, 3}


def test_a_client_that_stops_waiting_costs_no_other_attempt(scene):
    """The provider's request ends with the client's; nothing cools down."""
    with pytest.raises(httpx2.ReadTimeout):
        scene.ask("gone-waiting", timeout=0.5)
    scene.requests("gone-waiting")[0].wait_until_gone()
    assert scene.ask("gone-waiting").status_code == 200
    assert scene.sent("gone-waiting") == "a1 a2"
    assert scene.cooling("gone-waiting") == []


def test_a_client_that_stops_reading_costs_no_other_attempt(scene):
    """The same when some of the answer has gone to it."""
    with (
        httpx2.Client(timeout=20) as client,
        client.stream("POST", **scene.request("gone-reading", stream=True)) as response,
    ):
        assert "Hello" in next(response.iter_text())
    scene.requests("gone-reading")[0].wait_until_gone()
    assert scene.ask("gone-reading", stream=True).status_code == 200
    assert scene.sent("gone-reading") == "a1 a2"
    assert scene.cooling("gone-reading") == []


def test_a_stream_that_breaks_after_output_is_not_sent_again(scene):
    """The client is told by an error event, without [DONE]; the channel cools, the next request goes elsewhere."""
    text = ""
    with (
        httpx2.Client(timeout=20) as client,
        client.stream("POST", **scene.request("broken", stream=True)) as response,
    ):
        assert response.status_code == 200
        with pytest.raises(httpx2.RemoteProtocolError):
            for piece in response.iter_text():
                text += piece
    assert "Hello" in text
    assert "event: error" in text
    assert "[DONE]" not in text
    assert scene.sent("broken") == "a1"
    assert scene.cooling("broken") == [("a/m", COOLDOWN)]
    assert scene.ask("broken", stream=True).status_code == 200
    assert scene.sent("broken") == "a1 b1"
