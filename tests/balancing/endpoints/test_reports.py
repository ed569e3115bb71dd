"""GET /v1/stats and /metrics: who may ask, and for what."""

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from balancing.endpoints import Endpoint
from balancing.endpoints.reports import METRICS, STATISTICS
from balancing.gateway import Gateway
from balancing.replies import Reply
from config.schema import ClientKey
from tests.balancing.world import ANYBODY, Clock, ask, client
from translators.errors import WireError

ADMIN = replace(client(key="sk-admin"), role="admin")
HERE, HERE_BY_IPV6, ELSEWHERE = "127.0.0.1", "::1", "192.0.2.1"


class Numbers:
    """Reports that say for how many hours they are."""

    async def statistics(self, hours: float) -> Mapping[str, Any]:
        return {"hours": hours}

    def page(self) -> tuple[Mapping[str, str], bytes]:
        return {}, b"page"

    def metrics(self) -> tuple[Mapping[str, str], bytes]:
        return {}, b"metrics"


@pytest.fixture
def gateway() -> Gateway:
    made = Gateway(clock=Clock(), wall_clock=lambda: 1.0, chance=random.Random(1), log=print, default_timeout=10)
    made.reports = Numbers()
    return made


def answered(gateway: Gateway, endpoint: Endpoint, who: ClientKey | None, **fields: Any) -> bytes:
    reply = ask(gateway, endpoint, who, **fields)
    assert isinstance(reply, Reply)
    return reply.body


def refusal(gateway: Gateway, endpoint: Endpoint, who: ClientKey | None, **fields: Any) -> tuple[int, str | None]:
    with pytest.raises(WireError) as caught:
        ask(gateway, endpoint, who, **fields)
    return caught.value.status, caught.value.code


def test_metrics_are_for_admins_from_everywhere_and_for_this_machine(gateway: Gateway) -> None:
    """Which needs no key."""
    for who, ip in ((None, HERE), (None, HERE_BY_IPV6), (ANYBODY, HERE), (ADMIN, HERE), (ADMIN, ELSEWHERE)):
        assert answered(gateway, METRICS, who, ip=ip) == b"metrics"
    assert refusal(gateway, METRICS, None, ip=ELSEWHERE) == (401, "invalid_api_key")
    assert refusal(gateway, METRICS, ANYBODY, ip=ELSEWHERE) == (403, "permission_denied")


def test_a_website_in_a_browser_on_this_machine_is_somebody_else(gateway: Gateway) -> None:
    """An admin's key opens all the same."""
    assert refusal(gateway, METRICS, None, ip=HERE, is_of_website=True) == (401, "invalid_api_key")
    assert refusal(gateway, METRICS, ANYBODY, ip=HERE, is_of_website=True) == (403, "permission_denied")
    assert answered(gateway, METRICS, ADMIN, ip=HERE, is_of_website=True) == b"metrics"


def test_statistics_are_of_so_many_hours(gateway: Gateway) -> None:
    """Of a day, unless something else is said."""
    for query, hours in (({}, 24), ({"hours": "1"}, 1), ({"hours": "720"}, 720)):
        assert answered(gateway, STATISTICS, ADMIN, query=query) == b'{"hours":%d}' % hours
    for wrong in ("", "0", "721", "1.5", "-1", " 1", "²", "9" * 5000):
        assert refusal(gateway, STATISTICS, ADMIN, query={"hours": wrong}) == (400, "invalid_request_error")
    assert refusal(gateway, STATISTICS, ANYBODY) == (403, "permission_denied")
