"""New keys for clients."""

import json
import re
from dataclasses import replace

import pytest

from balancing.endpoints.api_key import GENERATE_API_KEY
from balancing.gateway import Gateway
from balancing.replies import Reply
from tests.balancing.world import ANYBODY, Clock, World, ask, provider
from translators.errors import WireError


@pytest.fixture
def gateway() -> Gateway:
    world = World(provider("a"))
    gateway = Gateway(
        clock=Clock(), wall_clock=lambda: 1.0, chance=world.planner._chance, log=print, default_timeout=10
    )
    gateway.use(world.config)
    return gateway


def test_an_admin_gets_a_new_key_each_time(gateway):
    """`sk-` and 48 characters that nobody can guess."""
    admin = replace(ANYBODY, role="admin")
    keys = set()
    for _ in range(50):
        reply = ask(gateway, GENERATE_API_KEY, admin)
        assert isinstance(reply, Reply)
        keys.add(json.loads(reply.body)["api_key"])
    assert len(keys) == 50
    assert all(re.fullmatch(r"sk-[A-Za-z0-9]{48}", key) for key in keys)


def test_nobody_else_does(gateway):
    """403, and what to do about it."""
    with pytest.raises(WireError, match="role: admin") as caught:
        ask(gateway, GENERATE_API_KEY, replace(ANYBODY, role="user"))
    assert (caught.value.status, caught.value.code) == (403, "permission_denied")
