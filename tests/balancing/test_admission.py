"""Who may come in."""

from dataclasses import replace

import pytest

from balancing.admission import check_admin, offered_key
from tests.balancing.world import ANYBODY
from translators.errors import WireError


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer sk-1"}, "sk-1"),
        ({"authorization": "bearer   sk-1 "}, "sk-1"),
        ({"authorization": "Basic sk-1"}, ""),
        ({"authorization": "Basic x", "x-api-key": "sk-2"}, "sk-2"),
        ({"api-key": "sk-3"}, "sk-3"),
        ({"authorization": "Bearer sk-1", "api-key": "sk-3"}, "sk-1"),
        ({}, ""),
    ],
)
def test_the_key_is_found_where_clients_put_it(headers, key):
    """Authorization first, then x-api-key, then api-key."""
    assert offered_key(headers) == key


def test_only_admins_pass_for_admins():
    """403 with a code of its own."""
    check_admin(replace(ANYBODY, role="admin"))
    with pytest.raises(WireError) as caught:
        check_admin(ANYBODY)
    assert (caught.value.status, caught.value.code) == (403, "permission_denied")
