"""RATE_LIMIT."""

import itertools
import math
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balancing.limits import Allowance, RateLimits
from balancing.windows import SLOTS
from config.rates import Rate, parse_rate_limit
from config.schema import ClientKey
from tests.balancing.world import ANYBODY, Clock, client
from translators.errors import WireError


def limited(rate_limit: str, key: str = "sk-client") -> ClientKey:
    return client(key=key, rate_limit=rate_limit)


def admitted(limits: RateLimits, who: ClientKey) -> Allowance:
    allowance = limits.admit(who)
    assert allowance is not None
    return allowance


def refused(limits: RateLimits, who: ClientKey) -> WireError:
    with pytest.raises(WireError) as caught:
        limits.admit(who)
    return caught.value


def waits(limits: RateLimits, who: ClientKey) -> int:
    """How many seconds a request is told to wait; 0 if it passes."""
    try:
        limits.admit(who)
    except WireError as error:
        return int(error.headers["retry-after"])
    return 0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> RateLimits:
    return RateLimits(clock)


def test_the_third_of_two_a_minute_is_refused_until_the_first_is_a_minute_old(limits, clock):
    """And told so, right to the second."""
    who = limited("2/min")
    limits.admit(who)
    clock.now += 20.25
    limits.admit(who)
    clock.now += 0.5
    error = refused(limits, who)
    assert (error.status, error.code, error.type) == (429, "rate_limit_exceeded", "rate_limit_error")
    assert error.message == "This API key has used up its rate limit of 2/min. Try again in 40 s."
    assert error.headers == {
        "retry-after": "40",
        "x-ratelimit-limit-requests": "2",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "40s",
    }
    clock.now = 1059.5
    assert refused(limits, who).headers["retry-after"] == "1"
    clock.now = 1060.0
    limits.admit(who)
    assert refused(limits, who).headers["retry-after"] == "21"


def test_a_request_that_is_let_through_is_told_what_is_left(limits, clock):
    """In OpenAI's headers."""
    who = limited("3/min")
    limits.admit(who)
    clock.now += 10
    assert admitted(limits, who).headers == {
        "x-ratelimit-limit-requests": "3",
        "x-ratelimit-remaining-requests": "1",
        "x-ratelimit-reset-requests": "50s",
    }


def test_a_windows_first_request_is_told_the_window_and_no_second_more():
    """Although the clock goes on while it is counted."""
    ticks = itertools.count()
    limits = RateLimits(lambda: 1234.1 + next(ticks) / 1_000_000)
    assert admitted(limits, limited("2/min")).headers["x-ratelimit-reset-requests"] == "60s"


def test_a_burst_is_told_the_window_and_no_second_more(limits, clock):
    """Also at a time for which a sum of floats comes out a little too large."""
    clock.now = 4194252.7977928943
    who = limited("1/min")
    assert admitted(limits, who).headers["x-ratelimit-reset-requests"] == "60s"
    assert refused(limits, who).headers["retry-after"] == "60"


def test_without_a_word_it_is_sixty_a_minute(limits):
    """And `none` is no limit."""
    for remaining in range(59, -1, -1):
        assert admitted(limits, ANYBODY) == Allowance(60, remaining, 60.0)
    assert refused(limits, ANYBODY).headers["retry-after"] == "60"
    assert all(limits.admit(limited("none")) is None for _ in range(1000))


def test_clients_have_limits_of_their_own(limits):
    """What one has used up, another has left."""
    one, other = limited("2/min", "sk-one"), limited("2/min", "sk-other")
    for who in (one, one, other, other):
        limits.admit(who)
    for who in (one, other):
        refused(limits, who)


def test_a_burst_gets_exactly_what_the_rate_allows(limits, clock):
    """Two hundred at once against ten a second."""
    who = limited("10/s")
    assert [waits(limits, who) for _ in range(200)] == [0] * 10 + [1] * 190
    clock.now += 1
    assert [waits(limits, who) for _ in range(200)] == [0] * 10 + [1] * 190


def test_every_rate_of_a_list_must_have_room(limits, clock):
    """The tightest tells what is left, the longest wait when to come back; a rate written twice counts once."""
    who = limited("2/s, 3/min,2/sec")
    assert admitted(limits, who) == Allowance(2, 1, 1.0)
    assert admitted(limits, who) == Allowance(2, 0, 1.0)
    assert "2/s" in refused(limits, who).message
    clock.now += 1
    assert admitted(limits, who) == Allowance(3, 0, 59.0)
    limits.keep_only([who])
    error = refused(limits, who)
    assert "3/min." in error.message
    assert error.headers["retry-after"] == "59"


def test_a_refused_request_counts_in_no_rate(limits, clock):
    """Whoever keeps asking is not kept out the longer for it."""
    who = limited("1/s,3/min")
    limits.admit(who)
    for _ in range(100):
        refused(limits, who)
    for _ in range(2):
        clock.now += 1
        limits.admit(who)
    clock.now += 1
    assert "3/min" in refused(limits, who).message


def test_a_month_has_thirty_days(limits, clock):
    """As config/rates.py has it."""
    who = limited("1/month")
    limits.admit(who)
    assert refused(limits, who).headers["retry-after"] == str(30 * 86_400)


def test_windows_survive_a_reload_of_what_still_exists(limits):
    """Another role or model list does not open a window anew; a key or rate that is gone is forgotten."""
    who, gone = limited("1/month"), limited("1/month", "sk-gone")
    limits.admit(who)
    limits.admit(gone)
    limits.keep_only([replace(who, role="admin")])
    refused(limits, who)
    limits.admit(gone)
    limits.keep_only([])
    limits.admit(who)


def test_nothing_secret_is_remembered(limits):
    """Windows are named by a digest of the key."""
    limits.admit(limited("1/min", "sk-very-secret"))
    assert "sk-very-secret" not in repr(vars(limits._windows))


def test_a_large_limit_takes_little_memory(limits, clock):
    """A million a day are not a million numbers."""
    who = limited("1000000/day")
    for _ in range(5000):
        clock.now += 10
        limits.admit(who)
    (window,) = limits._windows._by_key.values()
    assert len(window._slots) <= 2 * SLOTS


def test_no_thread_is_left(limits):
    """The library's store would start one now and then, to throw away what is old."""
    limits.admit(limited("1/s"))
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(5)
    limits.admit(limited("2/s"))
    assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())


def free_at(rates: tuple[Rate, ...], passed: list[float], now: float) -> float:
    """When the next request may pass, by the plain meaning of a sliding window."""
    full = [rate for rate in rates if len(passed) >= rate.requests]
    return max([now, *(passed[-rate.requests] + rate.seconds for rate in full)])


@given(
    rate_limit=st.lists(st.sampled_from(["1/s", "3/s", "5/min", "4/min", "20/hour", "64/day"]), min_size=1, max_size=3),
    gaps=st.lists(st.integers(0, 64 * 80), min_size=1, max_size=80),
)
def test_it_is_a_sliding_window(rate_limit, gaps):
    """Beside the plainest one there can be: the same requests pass, and Retry-After is the first whole second at which
    one would. Times are 64ths of a second, so that sums are exact."""
    clock = Clock()
    limits, who, rates = RateLimits(clock), limited(",".join(rate_limit)), parse_rate_limit(",".join(rate_limit))
    passed: list[float] = []
    for gap in gaps:
        clock.now += gap / 64
        due = free_at(rates, passed, clock.now)
        wait = waits(limits, who)
        assert wait == math.ceil(due - clock.now)
        if not wait:
            passed.append(clock.now)


@given(requests=st.integers(65, 200), gaps=st.lists(st.integers(0, 40), min_size=100, max_size=400))
def test_a_large_limit_is_never_exceeded_and_its_promise_is_kept(requests, gaps):
    """It may let pass a 64th of the window later than it could, never earlier; who waits as told, passes."""
    clock = Clock()
    limits, who, rate = RateLimits(clock), limited(f"{requests}/min"), Rate(requests, 60)
    passed: list[float] = []
    for gap in gaps:
        clock.now += gap / 64
        due = free_at((rate,), passed, clock.now)
        wait = waits(limits, who)
        assert due - clock.now <= wait <= math.ceil(due - clock.now + 60 / SLOTS)
        if wait:
            clock.now += wait
            assert waits(limits, who) == 0
        passed.append(clock.now)
