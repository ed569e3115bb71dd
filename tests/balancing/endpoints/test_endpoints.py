"""The table of endpoints."""

import pytest

from balancing.endpoints import ENDPOINTS, endpoint_of, unknown_endpoint
from translators.errors import WireError


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("POST", "/v1/chat/completions", "/v1/chat/completions"),
        ("POST", "/v1/chat/completions/", "/v1/chat/completions"),
        ("OPTIONS", "/v1/chat/completions", "/v1/chat/completions"),
        ("GET", "/v1/models", "/v1/models"),
        ("GET", "/v1/models/a/b", "/v1/models/"),
        ("HEAD", "/v1/models", "/v1/models"),
        ("GET", "/v1/modelsx", None),
        ("GET", "/", None),
    ],
)
def test_endpoints_are_found_by_method_and_path(method, path, found):
    """Names may have slashes; a slash at the end does not matter."""
    endpoint = endpoint_of(path, method)
    assert (endpoint.path if endpoint else None) == found


def test_another_method_is_405_and_names_the_right_one():
    """Not 404: the path is right."""
    with pytest.raises(WireError) as caught:
        endpoint_of("/v1/models", "DELETE")
    assert caught.value.status == 405
    assert caught.value.headers["allow"] == "GET"


def test_the_error_for_an_unknown_path_lists_every_endpoint():
    """So that a wrong base URL is seen at once."""
    message = unknown_endpoint("/chat/completions").message
    assert all(endpoint.path in message for endpoint in ENDPOINTS if not endpoint.takes_name)
