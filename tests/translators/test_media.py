"""Data URLs and base64, as clients write them."""

from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.media import Media, is_picture, read_base64, read_data_url

PNG = b"\x89PNG\r\n\x1a\n" + b"\xfb\xff\xfe" * 7


def base64(raw: bytes) -> str:
    return b64encode(raw).decode("ascii")


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF89a..", "image/gif"),
        (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x20ftypavif", "image/avif"),
        (b"\x00\x00\x00\x20ftypheic", "image/heic"),
        (b"BM\x01\x02\x03\x04\x00\x00\x00\x00", "image/bmp"),
        (b"II*\x00....", "image/tiff"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\r\n\r\n%PDF-1.4", "application/pdf"),
        (b"just words", "text/x-claimed"),
    ],
)
def test_the_bytes_say_what_they_are(head: bytes, mime: str) -> None:
    """Whatever is claimed; what they do not say is believed."""
    assert read_base64(base64(head), "text/x-claimed") == Media(mime, base64(head))


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64," + base64(PNG),
        "DATA:image/png;base64," + base64(PNG),
        "data:image/jpeg;base64, " + base64(PNG),
        "data:;base64," + base64(PNG),
        "data:image/png;charset=utf-8;base64," + base64(PNG).rstrip("="),
        "data:image/png;base64," + base64(PNG)[:12] + "\r\n" + base64(PNG)[12:],
        "data:image/png;base64," + base64(PNG).replace("=", "%3D").replace("+", "%2B"),
        "data:image/png;base64," + urlsafe_b64encode(PNG).decode(),
    ],
    ids=["usual", "upper case", "wrong type", "no type", "no padding", "line end", "escaped", "URL-safe"],
)
def test_every_spelling_of_a_data_url_is_read(url: str) -> None:
    """Spaces, line ends, escapes, the URL-safe alphabet, no padding, parameters, a wrong type or none."""
    assert read_data_url(url) == Media("image/png", base64(PNG))


def test_data_without_base64_is_percent_encoded() -> None:
    """RFC 2397: text/plain if nothing else is said."""
    assert read_data_url("data:,a%20b") == Media("text/plain", base64(b"a b"))
    assert read_data_url("data:text/csv,a%2Cb").text == "a,b"


@pytest.mark.parametrize(("claimed", "mime"), [("image/jpg", "image/jpeg"), ("application/octet-stream", "")])
def test_claimed_types_are_put_right(claimed: str, mime: str) -> None:
    """A common misspelling, and a type that says nothing."""
    assert read_base64(base64(b"words"), claimed).mime == mime


@pytest.mark.parametrize("url", ["data:image/png;base64", "https://example.com", "data:image/png;base64,", ""])
def test_what_is_no_data_url_is_an_error(url: str) -> None:
    """No comma, no data."""
    with pytest.raises(ValueError, match="no data"):
        read_data_url(url)


@pytest.mark.parametrize("data", ["§§§§", "====", "a"])
def test_what_is_no_base64_is_an_error(data: str) -> None:
    """Other alphabets, nothing but padding, too short."""
    with pytest.raises(ValueError, match="no base64"):
        read_base64(data)


def test_bytes_that_are_no_text_are_an_error() -> None:
    """The file is no text then."""
    with pytest.raises(ValueError, match="utf-8"):
        _ = read_base64(base64(b"\xff\xfe\xfd")).text


@pytest.mark.parametrize(
    ("mime", "is_text"),
    [
        ("", True),
        ("text/csv", True),
        ("application/json", True),
        ("application/x-yaml", True),
        ("application/ld+json", True),
        ("application/csv", True),
        ("application/vnd.ms-excel", True),
        ("application/octet-stream", True),
        ("application/pdf", False),
        ("application/zip", False),
        ("image/svg+xml", False),
    ],
)
def test_only_some_types_are_text(mime: str, is_text: bool) -> None:
    """Many a PDF is valid UTF-8, and no text all the same."""
    media = Media(mime, base64(b"a: 1"))
    if is_text:
        assert media.text == "a: 1"
    else:
        with pytest.raises(ValueError, match="no text"):
            _ = media.text


def test_what_has_a_nul_in_it_is_no_text() -> None:
    """Whatever it is called, and although UTF-8 has a place for it."""
    with pytest.raises(ValueError, match="no text"):
        _ = Media("text/plain", base64(b"a\0b")).text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("data:image/png;base64," + base64(PNG), True),
        ("data:application/octet-stream;base64," + base64(PNG), True),
        (base64(PNG), True),
        ("data:image/svg+xml,<svg/>", True),
        (base64(b"%PDF-1.7"), False),
        ("data:text/plain,image", False),
        ("§", False),
        ("", False),
        (None, False),
    ],
)
def test_a_file_that_is_a_picture(source: object, expected: bool) -> None:
    """By its type or by its bytes."""
    assert is_picture(source) is expected


@given(st.binary(min_size=1, max_size=600), st.booleans())
def test_any_bytes_come_through_whole(raw: bytes, urlsafe: bool) -> None:
    """In either alphabet, padded or not."""
    text = (urlsafe_b64encode if urlsafe else b64encode)(raw).decode().rstrip("=")
    assert read_base64(text).data == base64(raw)
