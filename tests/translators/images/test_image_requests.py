"""translators/images/request.py and canvas.py: what is asked for, and what comes nearest to it."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translators.endpoint_exchange import FORM_TYPE, form
from translators.errors import RequestError, UntranslatableError
from translators.images.canvas import Canvas, canvas
from translators.images.gemini import RATIOS
from translators.images.imagen import RATIOS as IMAGEN_RATIOS
from translators.images.request import ImageRequest, image_request, read_edit, read_generation
from translators.types import Note

PNG = b"\x89PNG\r\n\x1a\n\r\n--bits"
PNG_URL = f"data:image/png;base64,{b64encode(PNG).decode()}"


def generation(**fields: Any) -> ImageRequest:
    body = json.dumps({"model": "m", "prompt": "a cat", **fields}).encode()
    return image_request(read_generation(body, "application/json"))


def edit(*parts: tuple[str, str | None, bytes]) -> ImageRequest:
    image = ("image", "a.png", PNG)
    return image_request(read_edit(form(("model", None, b"m"), ("prompt", None, b"a cat"), image, *parts), FORM_TYPE))


def edit_of_urls(**fields: Any) -> ImageRequest:
    body = json.dumps({"model": "m", "prompt": "a cat", **fields}).encode()
    return image_request(read_edit(body, "application/json; charset=utf-8"))


def on(request: ImageRequest, ratios: tuple[str, ...] = RATIOS, *resolutions: str) -> tuple[Canvas, list[Note]]:
    notes: list[Note] = []
    return canvas(request, ratios, resolutions, notes, "Maker"), notes


# --- requests ---------------------------------------------------------------------------------------------------


def test_a_form_and_json_say_the_same() -> None:
    """A form has numbers as text."""
    said = [
        ("n", None, b"2"),
        ("size", None, b"1536x1024"),
        ("response_format", None, b"url"),
        ("output_compression", None, b"80"),
        ("output_format", None, b"jpeg"),
    ]
    expected = edit_of_urls(
        images=[{"image_url": PNG_URL}],
        n=2,
        size="1536x1024",
        response_format="url",
        output_compression=80,
        output_format="jpeg",
    )
    assert edit(*said) == expected
    assert (expected.n, expected.size, expected.as_url, expected.compression) == (2, (1536, 1024), True, 80)
    assert expected.images == (PNG_URL,)


def test_pictures_are_found_wherever_they_are() -> None:
    """In several fields of a form, in lists of addresses, and a mask beside them."""
    made = edit(("image[]", "b.jpg", b"\xff\xd8\xffJFIF"), ("mask", "m.png", PNG), ("image", None, b"no file"))
    assert made.images == (PNG_URL, f"data:image/jpeg;base64,{b64encode(b'\xff\xd8\xffJFIF').decode()}")
    assert made.mask == PNG_URL
    urls = edit_of_urls(
        images=["https://a.example/1.png", {"url": "https://a.example/2.png"}], mask={"image_url": "x:"}
    )
    assert urls.images == ("https://a.example/1.png", "https://a.example/2.png")
    assert urls.mask == "x:"
    assert edit_of_urls(image={"url": "https://a.example/1.png"}).images == ("https://a.example/1.png",)


def test_files_that_nobody_chose_are_none() -> None:
    """Browsers send a file without name and content for them."""
    made = edit(("image", "", b""), ("image[]", "b.png", b""), ("mask", "", b""))
    assert (made.images, made.mask) == ((PNG_URL,), None)


def test_a_form_is_read_no_further_than_it_has_to_be() -> None:
    """Fields may be of any charset, or no text at all: another provider may know what to do with them."""
    parts = [("model", None, b"m"), ("prompt", None, b"p"), ("image", "a.png", PNG), ("odd", None, b"\xff\xfe")]
    assert read_edit(form(*parts), FORM_TYPE).model == "m"
    with pytest.raises(RequestError) as caught:
        read_edit(form(*parts[:1], ("prompt", None, b"\xff"), *parts[2:]), FORM_TYPE)
    assert caught.value.param == "prompt"


def test_a_number_too_large_to_be_read_is_refused() -> None:
    """In a form as in JSON that only the slower parser reads; without showing all of it."""
    digits = b"9" * 5000
    for parts in ([("n", None, digits)], [("output_compression", None, digits)]):
        with pytest.raises(RequestError, match="whole number") as caught:
            edit(*parts)
        assert len(caught.value.message) < 200
    body = b'{"model": "m", "prompt": "half a pair: \\ud83d", "n": %s}' % digits[:4000]
    with pytest.raises(RequestError, match="a number of many digits"):
        image_request(read_generation(body, "application/json"))


def test_fields_that_only_openai_has_are_kept_apart() -> None:
    """To be told about; those that ask for nothing in particular are not."""
    assert generation(quality="auto", background="opaque", moderation="auto", style=None).others == {}
    assert generation(quality="high", style="vivid", user="u", seed=1).others == {
        "quality": "high",
        "style": "vivid",
        "user": "u",
        "seed": 1,
    }


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": ["a"]}, "prompt"),
        ({"n": "many"}, "n"),
        ({"n": -1}, "n"),
        ({"n": True}, "n"),
        ({"n": [2]}, "n"),
        ({"n": "9" * 5000}, "n"),
        ({"n": -(10**300)}, "n"),
        ({"size": "9" * 5000}, "size"),
        ({"size": "large"}, "size"),
        ({"size": "0x0"}, "size"),
        ({"size": "1024"}, "size"),
        ({"output_compression": 0.5}, "output_compression"),
        ({"model": ""}, "model"),
    ],
)
def test_wrong_requests_are_refused(fields: dict[str, Any], param: str) -> None:
    """400 with the field's name."""
    with pytest.raises(RequestError) as caught:
        generation(**fields)
    assert (caught.value.status, caught.value.param) == (400, param)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("body", "content_type", "param"),
    [
        (form(("model", None, b"m"), ("prompt", None, b"p")), FORM_TYPE, "image"),
        (form(("model", None, b"m"), ("prompt", None, b"p"), ("image", "a.png", b"")), FORM_TYPE, "image"),
        (form(("model", None, b"m"), ("image", "a.png", PNG)), FORM_TYPE, "prompt"),
        (b'{"model": "m", "prompt": "p"}', "application/json", "images"),
        (b'{"model": "m", "prompt": "p", "images": [{"file_id": "file-1"}]}', "application/json", "images[0]"),
        (b'{"model": "m", "prompt": "p", "images": ["x:"], "mask": {"file_id": "f"}}', "application/json", "mask"),
    ],
)
def test_an_edit_needs_a_picture_within_reach(body: bytes, content_type: str, param: str) -> None:
    """400 with the field's name; uploads to OpenAI cannot be had elsewhere."""
    with pytest.raises(RequestError) as caught:
        image_request(read_edit(body, content_type))
    assert caught.value.param == param


# --- sizes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "found"),
    [
        ("auto", Canvas(None, None)),
        ("1024x1024", Canvas("1:1", None)),
        ("1536x1024", Canvas("3:2", None)),
        ("1024x1536", Canvas("2:3", None)),
        ("1792x1024", Canvas("16:9", None)),
        ("1024x1792", Canvas("9:16", None)),
        ("2048x2048", Canvas("1:1", "2K")),
        ("3840x2160", Canvas("16:9", "2K")),
        ("4096x4096", Canvas("1:1", "4K")),
    ],
)
def test_openais_sizes_are_ratios_and_resolutions(size: str, found: Canvas) -> None:
    """Without a word where they are what was asked for."""
    assert on(generation(size=size), RATIOS, "2K", "4K") == (found, [])


@pytest.mark.parametrize(
    ("size", "ratios", "resolutions", "found"),
    [
        ("1536x1024", IMAGEN_RATIOS, (), Canvas("4:3", None)),
        ("256x256", RATIOS, (), Canvas("1:1", None)),
        ("2048x2048", RATIOS, (), Canvas("1:1", None)),
        ("4096x4096", RATIOS, ("2K",), Canvas("1:1", "2K")),
        ("1000x9000", RATIOS, ("2K", "4K"), Canvas("9:16", "4K")),
    ],
)
def test_what_cannot_be_had_is_told(
    size: str, ratios: tuple[str, ...], resolutions: tuple[str, ...], found: Canvas
) -> None:
    """What comes nearest is made instead."""
    canvas_, notes = on(generation(size=size), ratios, *resolutions)
    assert canvas_ == found
    assert [note.field for note in notes] == ["size"]
    assert str(found.ratio) in notes[0].reason


@given(st.integers(1, 99_999), st.integers(1, 99_999))
def test_every_size_has_something_near_it(width: int, height: int) -> None:
    """A ratio at the same side of the square."""
    found, _ = on(generation(size=f"{width}x{height}"), RATIOS, "2K", "4K")
    assert found.ratio is not None
    across, _, down = found.ratio.partition(":")
    assert (int(across) - int(down)) * (width - height) >= 0
    assert found.resolution in (None, "2K", "4K")


def test_an_aspect_ratio_goes_before_a_size() -> None:
    """Which is told; one that there is not is refused, since the picture would be another."""
    found, notes = on(generation(aspect_ratio="21:9", size="1024x1024"))
    assert found == Canvas("21:9", None)
    assert [note.field for note in notes] == ["size"]
    with pytest.raises(UntranslatableError, match="21:9"):
        on(generation(aspect_ratio="7:1"))
