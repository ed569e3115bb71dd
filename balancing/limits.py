"""How many requests a client key may make: its RATE_LIMIT.

The limits are kept by the library `limits` (its strategy "moving window"), the windows by `Windows`.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from balancing.identity import identity_of
from balancing.windows import SlidingWindow
from config.rates import Rate, parse_rate_limit
from config.schema import ClientKey
from translators.errors import WireError


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a rate leaves to a client: so many requests, and in so many seconds the next one more."""

    limit: int
    remaining: int
    reset: float

    @property
    def headers(self) -> dict[str, str]:
        """OpenAI's own (OpenAI API guide, "Rate limits": a reset is written as `59s`)."""
        return {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(self.remaining),
            "x-ratelimit-reset-requests": f"{math.ceil(self.reset)}s",
        }


class RateLimits:
    """The requests that each client key has made of late. Outlives configurations; nothing secret in it.

    `clock` is monotonic, in seconds: whoever sets the machine's time locks nobody out.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows = Windows(clock)
        self._limiter = MovingWindowRateLimiter(self._windows)

    def admit(self, client: ClientKey) -> Allowance | None:
        """Count one more request, and tell what the tightest of the client's rates leaves; None without any rate.

        All of them must have room: else WireError 429, and the request counts in none.
        """
        now = self._clock()
        owner = identity_of(client)
        limits = limits_of(client)
        allowances: list[Allowance] = []
        refusals: list[tuple[Allowance, str]] = []
        for text, limit in limits.items():
            reset_time, room = self._limiter.get_window_stats(limit, owner)
            # Never more than the whole window, which time that passes here and rounding would make it.
            reset = min(reset_time - now, limit.get_expiry())
            allowance = Allowance(limit.amount, max(0, room - 1), reset)
            allowances.append(allowance)
            if room < 1:
                refusals.append((allowance, text))
        if refusals:
            raise exceeded(*max(refusals, key=lambda refusal: refusal[0].reset))
        for limit in limits.values():
            self._limiter.hit(limit, owner)
        return min(allowances, key=lambda allowance: (allowance.remaining, -allowance.reset), default=None)

    def keep_only(self, clients: Iterable[ClientKey]) -> None:
        """Forget the client keys and rates that exist no longer."""
        self._windows.keep_only(
            {limit.key_for(identity_of(client)) for client in clients for limit in limits_of(client).values()}
        )


def limits_of(client: ClientKey) -> dict[str, RateLimitItemPerSecond]:
    """The client's rates as they are written, each once."""
    text = client.preferences.rate_limit
    rates = dict(zip(parse_rate_limit(text), text.split(","), strict=False))
    return {written.strip(): RateLimitItemPerSecond(rate.requests, rate.seconds) for rate, written in rates.items()}


def exceeded(allowance: Allowance, written: str) -> WireError:
    seconds = math.ceil(allowance.reset)
    return WireError(
        429,
        f"This API key has used up its rate limit of {written}. Try again in {seconds} s.",
        type="rate_limit_error",
        code="rate_limit_exceeded",
        headers={"retry-after": str(seconds), **allowance.headers},
    )


class Windows(MemoryStorage):
    """The library's store in memory, with windows of its own.

    The library's keep every request as an object of 145 bytes, which is 145 MB for a full 1000000/day; they go by the
    wall clock, and start a thread up to a hundred times a second to throw old requests away.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._by_key: dict[str, SlidingWindow] = {}

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` requests if there is room for them within `limit` in `expiry` seconds."""
        now = self._clock()
        window = self._window(key, limit, expiry)
        if window.count(now) + amount > limit:
            return False
        for _ in range(amount):
            window.add(now)
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest request was that still counts (now if none does), and how many there are."""
        now = self._clock()
        window = self._window(key, limit, expiry)
        return window.oldest(now), window.count(now)

    def keep_only(self, keys: set[str]) -> None:
        """Forget all other windows."""
        self._by_key = {key: window for key, window in self._by_key.items() if key in keys}

    def _window(self, key: str, limit: int, expiry: int) -> SlidingWindow:
        window = self._by_key.get(key)
        if window is None:
            window = self._by_key[key] = SlidingWindow(Rate(limit, expiry))
        return window
