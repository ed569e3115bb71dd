"""What is done to the messages of a flow."""

import pytest
from mitmproxy.test import tutils

from config.secrets import mask
from inspection.messages import mask_keys, masked_credential

KEY = "sk-a-key-of-the-client-0001"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"Authorization", f"Bearer {KEY}".encode()),
        (b"authorization", KEY.encode()),
        (b"authorization", f"Token {KEY}".encode()),
        (b"x-api-key", KEY.encode()),
        (b"api-key", KEY.encode()),
        (b"X-Goog-Api-Key", KEY.encode()),
        (b"authorization", b"Bearer " + KEY.encode() + b"\xff\xfe"),
    ],
)
def test_a_key_is_masked_in_whatever_header_it_comes(name, value):
    """Its name says what the header holds, whether the gateway takes keys from there or not."""
    request = tutils.treq(headers=[(b"x-other", b"1"), (name, value)])
    mask_keys(request)
    assert KEY.encode() not in request.headers.fields[1][1]
    assert "…".encode() in request.headers.fields[1][1]
    assert request.headers.fields[0] == (b"x-other", b"1")


@pytest.mark.parametrize("parameter", ["key", "api_key", "api-key", "apikey"])
def test_a_key_is_masked_in_the_address(parameter):
    """The other parameters stay."""
    request = tutils.treq(path=f"/v1/models?a=b&{parameter}={KEY}&monkey=c".encode())
    mask_keys(request)
    assert request.path.split("&")[0] == "/v1/models?a=b"
    assert request.path.split("&")[2] == "monkey=c"
    assert KEY not in request.path


def test_a_short_key_takes_nothing_out_of_other_headers():
    """A key `data` is no reason to break `multipart/form-data`."""
    form = (b"content-type", b"multipart/form-data; boundary=data")
    request = tutils.treq(headers=[form, (b"authorization", b"Bearer data")])
    mask_keys(request)
    assert request.headers.fields == (form, (b"authorization", "Bearer …".encode()))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (f"Bearer {KEY}", f"Bearer {mask(KEY)}"),
        (f"bearer {KEY}", f"bearer {mask(KEY)}"),
        (KEY, mask(KEY)),
        ("session=a-secret-0001; theme=another-0002", mask("session=a-secret-0001; theme=another-0002")),
    ],
)
def test_only_a_scheme_is_shown_beside_a_masked_credential(value, shown):
    """What stands before a blank may be half of the secret."""
    assert masked_credential(value) == shown
