"""Who reads addresses of pictures and files by itself, and requests with the bytes in their place."""

import json

import pytest

from translators import DIALECTS, ENGINES
from translators.base import ClientRequest
from translators.media_urls import OWN_WIRES, unread, with_media
from translators.openai import Gpt
from translators.types import Target

PICTURE = "https://pictures.example/cat.png"
PLAIN_PICTURE = "http://pictures.example/cat.png"
PDF = "https://papers.example/a%20report.pdf?page=1"
PLAIN_PDF = "http://papers.example/a.pdf"
DATA = "data:image/png;base64,iVBORw0KGgo="
PDF_DATA = "data:application/pdf;base64,JVBERi0="

OPENAI = "https://api.openai.com/v1"
MOONSHOT = "https://api.moonshot.ai/v1"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai"
SOMEWHERE = "https://host.example/v1"


def image(url: str, **more: object) -> dict:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def file(url: str, **more: object) -> dict:
    return {"type": "file", "file": {"file_url": url, **more}}


def request(*content: object, text: str = "Look") -> ClientRequest:
    messages = [{"role": "system", "content": text}, {"role": "user", "content": list(content)}]
    return DIALECTS["openai-chat"].read(json.dumps({"model": "m", "messages": messages}).encode())


def target(base_url: str = SOMEWHERE, *, image: bool = True) -> Target:
    return Target(base_url=base_url, model="m", alias="m", image=image, account="a", project="p", region="global")


def wanted(engine: str, base_url: str, *content: object, image: bool = True) -> list[str]:
    return [address.url for address in unread(request(*content), ENGINES[engine], target(base_url, image=image))]


@pytest.mark.parametrize(
    ("engine", "base_url", "expected"),
    [
        ("claude", "", [PLAIN_PICTURE, PLAIN_PDF]),
        ("vertex-claude", "", [PICTURE, PLAIN_PICTURE, PDF, PLAIN_PDF]),
        ("gemini", "", [PLAIN_PICTURE, PLAIN_PDF]),
        ("vertex-gemini", "", []),
        ("cohere", "", [PDF, PLAIN_PDF]),
        ("cloudflare", "", [PICTURE, PLAIN_PICTURE, PDF, PLAIN_PDF]),
        ("openrouter", "", [PDF, PLAIN_PDF]),
        ("azure", "https://name.openai.azure.com", [PDF, PLAIN_PDF]),
        ("gpt", OPENAI, [PDF, PLAIN_PDF]),
        ("gpt", MOONSHOT, [PICTURE, PLAIN_PICTURE]),
        ("gpt", GOOGLE, [PICTURE, PLAIN_PICTURE]),
        ("gpt", SOMEWHERE, []),
    ],
)
def test_each_engine_gets_the_addresses_that_it_reads(engine: str, base_url: str, expected: list[str]) -> None:
    """And nothing else is to be fetched."""
    content = [image(PICTURE), image(PLAIN_PICTURE), file(PDF), file(PLAIN_PDF)]
    assert wanted(engine, base_url, *content) == expected


def test_every_engine_says_what_it_reads() -> None:
    """In the table, or by its facts about hosts."""
    assert OWN_WIRES.keys() == {name for name, engine in ENGINES.items() if not isinstance(engine, Gpt)}


@pytest.mark.parametrize(
    "part",
    [
        image(DATA),
        image("gs://bucket/cat.png"),
        image("ms://file-1"),
        image(""),
        {"type": "image_url", "image_url": {"url": 5}},
        {"type": "image_url"},
        {"type": "file", "file": {"file_data": PDF_DATA}},
        {"type": "file", "file": {"file_id": "https://host.example/files/1"}},
        {"type": "file", "file": None},
        {"type": "text", "text": f'"image_url" {PICTURE}'},
        {"type": "video_url", "video_url": {"url": "https://youtu.be/abc"}},
        "text",
        None,
    ],
)
def test_everything_else_stays(part: object) -> None:
    """Bytes that are there already, addresses of a provider's own kind, and what is wrong."""
    assert wanted("vertex-claude", "", part) == []


@pytest.mark.parametrize("spelling", ["HTTPS://pictures.example/cat.png", "Http://pictures.example/cat.png"])
def test_a_scheme_may_be_written_in_capitals(spelling: str) -> None:
    """RFC 3986, section 3.1."""
    assert wanted("cloudflare", "", image(spelling)) == [spelling]


def test_an_address_may_stand_without_an_object_around_it() -> None:
    """As some clients write it; slashes may be escaped."""
    body = b'{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":"http:\\/\\/a\\/b"}]}]}'
    (address,) = unread(DIALECTS["openai-chat"].read(body), ENGINES["cloudflare"], target())
    assert (address.url, address.path) == ("http://a/b", "messages[0].content[0].image_url")


def test_a_provider_without_images_gets_none_fetched() -> None:
    """They are left out anyway; files are not."""
    assert wanted("cloudflare", "", image(PICTURE), file(PDF), image=False) == [PDF]


def test_an_address_says_where_it_stands() -> None:
    """In the words of the request."""
    found = unread(request({"type": "text", "text": "x"}, image(PICTURE), file(PDF)), ENGINES["cloudflare"], target())
    assert [address.path for address in found] == [
        "messages[1].content[1].image_url",
        "messages[1].content[2].file.file_url",
    ]


def test_bytes_take_the_place_of_addresses() -> None:
    """In the JSON, in the bytes and in the typed form; the request that they came from is as it was."""
    text = {"type": "text", "text": "x"}
    before = request(text, image(PICTURE, detail="low"), file(PDF), file(PLAIN_PDF, filename="mine.pdf"))
    body, raw = before.body, json.loads(before.body)
    found = unread(before, ENGINES["cloudflare"], target())
    after = with_media(before, dict(zip(found, [DATA, PDF_DATA, PDF_DATA], strict=True)))
    assert after.raw["messages"][1]["content"] == [
        text,
        image(DATA, detail="low"),
        {"type": "file", "file": {"filename": "a report.pdf", "file_data": PDF_DATA}},
        {"type": "file", "file": {"filename": "mine.pdf", "file_data": PDF_DATA}},
    ]
    assert json.loads(after.body) == after.raw
    assert after.chat.messages[1].parts[1].url == DATA  # type: ignore[union-attr]
    assert after.raw["messages"][0] is before.raw["messages"][0]
    assert (before.body, before.raw) == (body, raw)
    assert before.chat.messages[1].parts[1].url == PICTURE  # type: ignore[union-attr]


def test_only_what_was_fetched_is_replaced() -> None:
    """An address that the provider reads stays."""
    before = request(image(PICTURE), image(PLAIN_PICTURE))
    after = with_media(before, dict.fromkeys(unread(before, ENGINES["claude"], target()), DATA))
    assert after.raw["messages"][1]["content"] == [image(PICTURE), image(DATA)]


@pytest.mark.parametrize(("engine", "base_url"), [("vertex-claude", ""), ("cloudflare", ""), ("gpt", MOONSHOT)])
def test_the_engine_sends_the_bytes(engine: str, base_url: str) -> None:
    """Built from the request with the bytes, nothing of the address is left."""
    before = request(image(PICTURE))
    after = with_media(before, dict.fromkeys(unread(before, ENGINES[engine], target(base_url)), DATA))
    body = ENGINES[engine].build(after, target(base_url)).body
    assert b"iVBORw0KGgo=" in body
    assert b"pictures.example" not in body
