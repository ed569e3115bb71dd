"""RATE_LIMIT, from outside."""

import asyncio
import math
import time

import httpx2
import pytest

from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.upstream import answer, openai_answer

OTHER_KEY = f"{CLIENT_KEY}-other"
ASK = {"model": "test-model", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def config(upstream):
    def limited(rate_limit: str) -> dict:
        config = config_of(provider("good", upstream.on("good", answer(200, openai_answer("hi")))))
        preferences = {"RATE_LIMIT": rate_limit}
        return config | {"api_keys": [{"api": key, "preferences": preferences} for key in (CLIENT_KEY, OTHER_KEY)]}

    return limited


def ask(gateway, key: str = CLIENT_KEY, **fields: object) -> httpx2.Response:
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=ASK | fields, headers=headers, timeout=20)


def test_two_clients_have_two_requests_a_minute_each(start, config, upstream):
    """The third is refused, with a Retry-After that is right to the second."""
    gateway = start(config("2/min"))
    for key in (CLIENT_KEY, OTHER_KEY):
        before = time.monotonic()
        assert ask(gateway, key).headers["x-ratelimit-remaining-requests"] == "1"
        after = time.monotonic()
        second = ask(gateway, key)
        assert (second.status_code, second.headers["x-ratelimit-remaining-requests"]) == (200, "0")
        asked = time.monotonic()
        third = ask(gateway, key)
        answered = time.monotonic()
        assert third.status_code == 429
        assert third.json()["error"]["code"] == "rate_limit_exceeded"
        assert "2/min" in third.json()["error"]["message"]
        retry_after = int(third.headers["retry-after"])
        assert math.ceil(60 - (answered - before)) <= retry_after <= math.ceil(60 - (asked - after))
        assert third.headers["x-ratelimit-limit-requests"] == "2"
        assert third.headers["x-ratelimit-remaining-requests"] == "0"
        assert third.headers["x-ratelimit-reset-requests"] == f"{retry_after}s"
    assert len(upstream.requests("good")) == 4


def test_who_waits_as_told_is_let_through(start, config):
    """After the seconds of Retry-After."""
    gateway = start(config("1/s"))
    for _ in range(10):
        refusal = ask(gateway)
        if refusal.status_code == 429:
            break
    assert refusal.status_code == 429
    time.sleep(int(refusal.headers["retry-after"]))
    assert ask(gateway).status_code == 200


@pytest.mark.parametrize("rate_limit", ["10/s", "10/min"])
def test_a_burst_gets_exactly_what_the_rate_allows(start, config, upstream, rate_limit):
    """Two hundred requests at once; on a machine that needs more than a second for them, ten for each."""
    gateway = start(config(rate_limit))

    async def burst() -> list[int]:
        limits = httpx2.Limits(max_connections=200)
        async with httpx2.AsyncClient(timeout=60, limits=limits) as client:
            headers = {"authorization": f"Bearer {CLIENT_KEY}"}
            asking = (
                client.post(f"{gateway.base_url}/chat/completions", json=ASK, headers=headers) for _ in range(200)
            )
            return [response.status_code for response in await asyncio.gather(*asking)]

    began = time.monotonic()
    statuses = asyncio.run(burst())
    windows = math.ceil(time.monotonic() - began) if rate_limit == "10/s" else 1
    assert set(statuses) == {200, 429}
    assert 10 <= statuses.count(200) <= 10 * windows
    assert len(upstream.requests("good")) == statuses.count(200)


def test_a_streamed_answer_and_an_error_carry_the_headers_too(start, config):
    """Whatever becomes of a request that was let through."""
    gateway = start(config("5/min"))
    asked: list[dict] = [{"stream": True}, {"model": "unknown"}, {"messages": []}]
    for number, fields in enumerate(asked):
        assert ask(gateway, **fields).headers["x-ratelimit-remaining-requests"] == str(4 - number)


def test_a_wrong_key_has_no_limit_to_use_up(start, config):
    """It is 401 however often it is tried."""
    gateway = start(config("1/min"))
    assert {ask(gateway, "sk-wrong").status_code for _ in range(5)} == {401}
    assert ask(gateway).status_code == 200


def test_ten_a_month_survive_a_reload(start, config):
    """A new configuration opens no new window."""
    gateway = start(config("10/month"))
    assert {ask(gateway).status_code for _ in range(10)} == {200}
    gateway.write_config(config("10/month") | {"preferences": {"cooldown_period": 7}})
    gateway.wait_for_log("new configuration is in force")
    refusal = ask(gateway)
    assert refusal.status_code == 429
    assert 30 * 86_400 - 60 < int(refusal.headers["retry-after"]) <= 30 * 86_400
    assert ask(gateway, OTHER_KEY).status_code == 200
