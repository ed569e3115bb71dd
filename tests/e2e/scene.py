"""One gateway with many models, each with providers of its own, so that a test can say what became of its requests.

scene = Scene(upstream)
scene.add("model", [closes()], [answer(200, …)])      # providers a and b of this model
with gateways(…) as start:
    scene.gateway = start(scene.config())
    scene.ask("model").status_code                    # 200
    scene.sent("model")                               # "a1 b1": provider and number of the key
    scene.cooling("model")                            # [("a/m", 300)]
"""

import re
import time

import httpx2

from tests.e2e.conftest import CLIENT_KEY, PROVIDER_KEY
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.upstream import Behaviour, Seen, Upstream

COOLDOWN = 300
ONE_ATTEMPT_KEY = f"{CLIENT_KEY}-once"
"""The key of a client with AUTO_RETRY: false."""
KEYS = [f"{PROVIDER_KEY}-{name}" for name in ("one", "two", "tri")]


class Scene:
    """`gateway` is to be set before anything is asked."""

    gateway: GatewayProcess

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self._providers: list[dict] = []

    def add(self, model: str, *providers: list[Behaviour] | str, keys: int = 2) -> None:
        """Providers a, b, c of a model: each with its behaviours in turn, or somewhere else. The first has `keys` keys,
        the others have one."""
        for letter, behaves in zip("abc", providers, strict=False):
            name = f"{model}.{letter}"
            self._providers.append(
                {
                    "provider": name,
                    "base_url": behaves if isinstance(behaves, str) else self.upstream.on(name, *behaves),
                    "api": KEYS[: keys if letter == "a" else 1],
                    "model": [{"m": model}],
                }
            )

    def config(self) -> dict:
        """Models whose name begins with `timeout` have a short one."""
        preferences = {"RATE_LIMIT": "none"}
        return {
            "providers": self._providers,
            "api_keys": [
                {"api": CLIENT_KEY, "preferences": preferences},
                {"api": ONE_ATTEMPT_KEY, "preferences": {**preferences, "AUTO_RETRY": False}},
            ],
            "preferences": {"cooldown_period": COOLDOWN, "model_timeout": {"timeout": 0.4, "default": 20}},
        }

    def ask(self, model: str, *, stream: bool = False, key: str = CLIENT_KEY, timeout: float = 20) -> httpx2.Response:
        return httpx2.post(timeout=timeout, **self.request(model, stream=stream, key=key))

    def request(self, model: str, *, stream: bool = False, key: str = CLIENT_KEY) -> dict:
        return {
            "url": f"{self.gateway.base_url}/chat/completions",
            "json": {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hello"}]},
            "headers": {"authorization": f"Bearer {key}"},
        }

    def sent(self, model: str) -> str:
        """What the model's providers have been sent so far."""
        seen = [(each.at, f"{letter}{key_number(each)}") for letter in "abc" for each in self.requests(model, letter)]
        return " ".join(where for _, where in sorted(seen))

    def requests(self, model: str, letter: str = "a") -> list[Seen]:
        return self.upstream.requests(f"{model}.{letter}")

    def cooling(self, model: str) -> list[tuple[str, int]]:
        """What the log says is cooling down of this model, and for how many seconds."""
        lines = re.findall(rf"cooling down {re.escape(model)}\.(.*) for (\d+) s: ", self.gateway.log)
        return [(what, int(seconds)) for what, seconds in lines]

    def failures(self, model: str, number: int) -> str:
        """The failed attempts of the model's request of that number, from 1, as its line in the log tells them."""
        deadline = time.monotonic() + 10
        while len(lines := re.findall(rf" {re.escape(model)} → .*", self.gateway.log)) < number:
            assert time.monotonic() < deadline, self.gateway.log
            time.sleep(0.01)
        return " ".join(re.findall(rf"{re.escape(model)}\.([abc]): ", lines[number - 1]))


def key_number(seen: Seen) -> int:
    return KEYS.index(seen.headers["authorization"].removeprefix("Bearer ")) + 1
