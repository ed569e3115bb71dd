"""Sliding windows."""

from hypothesis import given
from hypothesis import strategies as st

from balancing.windows import SLOTS, SlidingWindow
from config.rates import Rate


def test_a_full_window_says_when_there_is_room() -> None:
    """When the oldest event leaves it."""
    window = SlidingWindow(Rate(2, 60))
    window.add(100)
    window.add(130)
    assert window.free_at(131) == 160
    assert window.free_at(160) <= 160
    window.add(160)
    assert window.free_at(161) == 190


def test_an_overfull_window_waits_for_enough_to_leave() -> None:
    """A key that was used beyond its limit, for want of another, is not free with the first that leaves."""
    window = SlidingWindow(Rate(2, 60))
    for second in (100, 110, 120, 130):
        window.add(second)
    assert window.free_at(131) == 180


def test_memory_does_not_grow_with_the_rate() -> None:
    """A million a month is not a million numbers."""
    window = SlidingWindow(Rate(1_000_000, 2_592_000))
    for number in range(10_000):
        window.add(number * 300.0)
    assert len(window._slots) <= 2 * SLOTS


def test_events_of_a_small_rate_are_told_apart() -> None:
    """Two a month within one second: the first of them makes room to the second."""
    window = SlidingWindow(Rate(2, 2_592_000))
    window.add(100.0)
    window.add(100.5)
    assert (window.count(101), window.oldest(101), window.free_at(101)) == (2, 100.0, 2_592_100)
    assert (window.count(2_592_100), window.oldest(2_592_100)) == (1, 100.5)
    assert (window.count(9_000_000), window.oldest(9_000_000)) == (0, 9_000_000)


def test_a_clock_that_goes_backwards_does_no_harm() -> None:
    """The event counts as long as the later ones do."""
    window = SlidingWindow(Rate(2, 60))
    window.add(100)
    window.add(90)
    assert window.free_at(95) == 160


@given(
    requests=st.integers(1, 5),
    gaps=st.lists(st.floats(0, 20, allow_nan=False), min_size=1, max_size=60),
)
def test_never_more_than_the_rate_in_any_window(requests: int, gaps: list[float]) -> None:
    """Events that come only when the window says so keep the rate, and none waits for much longer than needed."""
    window = SlidingWindow(Rate(requests, 10))
    events: list[float] = []
    now = 0.0
    for gap in gaps:
        now += gap
        due = max(now, events[-requests] + 10) if len(events) >= requests else now
        now = max(now, window.free_at(now))
        assert now <= due + 10 / SLOTS
        assert sum(event + 10 > now for event in events) < requests
        window.add(now)
        events.append(now)
