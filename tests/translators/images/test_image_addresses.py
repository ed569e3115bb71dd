"""translators/images/addresses.py: pictures to change that stand at addresses."""

import json
from typing import Any

import pytest

from tests.translators.endpoint_exchange import target
from translators.base import JsonRequest
from translators.errors import RequestError
from translators.images.addresses import PictureAddress, unread_pictures, with_pictures
from translators.images.request import image_request, read_edit

PLAIN, SECURE, INSIDE, STORED = "http://a.example/1", "https://a.example/2", "data:image/png;base64,eA==", "gs://b/3"


def request(**fields: Any) -> JsonRequest:
    made = read_edit(json.dumps({"model": "m", "prompt": "p", **fields}).encode(), "application/json")
    assert isinstance(made, JsonRequest)
    return made


@pytest.mark.parametrize(
    ("engine", "images", "found"),
    [("gemini", True, [PLAIN]), ("vertex-gemini", True, []), ("gpt", True, []), ("gemini", False, [])],
)
def test_what_a_provider_does_not_read_is_found(engine: str, images: bool, found: list[str]) -> None:
    """In its place; engines with OpenAI's wire get the request as it came."""
    asked = request(images=[{"image_url": SECURE}, {"url": PLAIN}, INSIDE, STORED])
    wanted = unread_pictures(asked, engine, target(image=images))
    assert [(address.url, address.path) for address in wanted] == [(url, "images[1]") for url in found]


def test_the_bytes_take_the_place_of_the_address() -> None:
    """All else is as it was, also in the body."""
    before = request(image=["HTTP://a.example/1", SECURE], n=1)
    after = with_pictures(before, dict.fromkeys(unread_pictures(before, "gemini", target()), INSIDE))
    assert image_request(after).images == (INSIDE, SECURE)
    assert (
        json.loads(after.body)
        == after.raw
        == {
            "model": "m",
            "prompt": "p",
            "n": 1,
            "images": [{"image_url": INSIDE}, {"image_url": SECURE}],
        }
    )
    assert image_request(before).images == ("HTTP://a.example/1", SECURE)


def test_a_picture_without_an_address_is_refused() -> None:
    """Before anything is fetched."""
    with pytest.raises(RequestError) as caught:
        unread_pictures(request(images=[{"image_url": PLAIN}, {"file_id": "file-1"}]), "gemini", target())
    assert caught.value.param == "images[1]"


def test_addresses_are_told_apart_by_their_places() -> None:
    """The same one may stand in a request twice."""
    first, second = unread_pictures(request(images=[PLAIN, PLAIN]), "gemini", target())
    assert {first: 1, second: 2} == {PictureAddress(PLAIN, 0): 1, PictureAddress(PLAIN, 1): 2}
