"""How the engine claude writes pictures and files."""

from base64 import b64encode
from typing import Any

import pytest

from tests.translators.anthropic_exchange import body, called, result, wire
from translators.errors import UntranslatableError

PNG_DATA = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PNG = f"data:image/png;base64,{PNG_DATA}"
PDF_DATA = b64encode(b"%PDF-1.7\n").decode()


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def part(content: dict[str, Any]) -> Any:
    """What becomes of one part of a user's message."""
    ((block,),) = [
        message["content"] for message in body(messages=[{"role": "user", "content": [content]}])["messages"]
    ]
    return block


def test_pitfall_085_data_urls_are_read_for_what_they_are() -> None:
    """Helicone PR#4223, UA fea9882: a space after the comma, jpg, a wrong type, none at all."""
    expected = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG_DATA}}
    for head in ("data:image/png;base64,", "data:image/jpg;base64, ", "data:;base64,", "data:image/png;x=y;base64,"):
        assert part({"type": "image_url", "image_url": {"url": head + PNG_DATA}}) == expected


def test_pictures_by_address_pass() -> None:
    """Claude fetches them itself."""
    url = "https://example.com/cat.png"
    assert part({"type": "image_url", "image_url": {"url": url}})["source"] == {"type": "url", "url": url}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            {"file_data": f"data:application/pdf;base64,{PDF_DATA}", "filename": "a.pdf"},
            {"source": {"type": "base64", "media_type": "application/pdf", "data": PDF_DATA}, "title": "a.pdf"},
        ),
        ({"file_data": PDF_DATA}, {"source": {"type": "base64", "media_type": "application/pdf", "data": PDF_DATA}}),
        ({"file_id": "file_1"}, {"source": {"type": "file", "file_id": "file_1"}}),
        ({"file_url": "https://example.com/a.pdf"}, {"source": {"type": "url", "url": "https://example.com/a.pdf"}}),
        (
            {"file_data": "data:text/csv;base64," + b64encode("a,é".encode()).decode()},
            {"source": {"type": "text", "media_type": "text/plain", "data": "a,é"}},
        ),
    ],
)
def test_files_become_documents(file: dict[str, Any], expected: dict[str, Any]) -> None:
    """PDF, files of the Files API, addresses and text."""
    assert part({"type": "file", "file": file}) == {"type": "document", **expected}


def test_a_picture_sent_as_a_file_is_a_picture() -> None:
    """Its bytes tell."""
    assert part({"type": "file", "file": {"file_data": PNG}})["type"] == "image"


@pytest.mark.parametrize(
    "content",
    [
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "image_url", "image_url": {"url": "data:image/svg+xml,<svg/>"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,§§§"}},
        {"type": "file", "file": {"file_data": "data:application/zip;base64,UEsDBA=="}},
        {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}},
    ],
)
def test_what_claude_cannot_take_is_an_error_that_names_it(content: dict[str, Any]) -> None:
    """Sound, vector graphics, archives, films, broken data."""
    with pytest.raises(UntranslatableError) as caught:
        body(messages=[{"role": "user", "content": [text("See"), content]}])
    assert caught.value.param == "messages[0].content[1]"


def test_a_provider_without_images_gets_none() -> None:
    """`image: false`: removed in messages and results, whatever their form, and noted."""
    picture = {"type": "image_url", "image_url": {"url": PNG}}
    native = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG_DATA}}
    messages = [
        {"role": "user", "content": [text("See"), picture, native]},
        called("a"),
        result("a", [text("Here"), picture]),
        {"role": "user", "content": [{"type": "file", "file": {"file_data": data}} for data in (PNG, PNG_DATA)]},
    ]
    sent = wire({"messages": messages}, image=False)
    assert b"image" not in sent.body.replace(b"images", b"")
    assert {note.field for note in sent.notes} == {
        "messages[0].content[1]",
        "messages[0].content[2]",
        "messages[2].content[1]",
        "messages[3].content[0]",
        "messages[3].content[1]",
    }
