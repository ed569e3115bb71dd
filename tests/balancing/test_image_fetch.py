"""Pictures and files fetched for providers that take bytes only, and put into the request."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Iterator

import pytest

from balancing.image_fetch import ImageFetcher
from balancing.public_addresses import is_public
from tests.balancing.picture_server import PDF, PNG, Names, at, fetcher, file, image, redirects, request, sends
from tests.e2e.upstream import Seen, Upstream, answer, hangs
from translators import ENGINES
from translators.base import ClientRequest
from translators.errors import RequestError, UntranslatableError
from translators.types import Target

TARGET = Target(base_url="", model="m", alias="m", account="a", project="p", region="global")
PNG_URL = f"data:image/png;base64,{b64encode(PNG).decode()}"
PDF_URL = f"data:application/pdf;base64,{b64encode(PDF).decode()}"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


def prepared(before: ClientRequest, engine: str = "vertex-claude", images: ImageFetcher | None = None) -> ClientRequest:
    return asyncio.run((images or fetcher()).prepared(before, ENGINES[engine], TARGET))


def content(after: ClientRequest) -> list[dict]:
    return after.raw["messages"][1]["content"]


def error_of(before: ClientRequest, images: ImageFetcher | None = None) -> UntranslatableError:
    with pytest.raises(UntranslatableError) as caught:
        prepared(before, images=images)
    return caught.value


# --- in the request -------------------------------------------------------------------------------------------


def test_pictures_and_files_come_into_the_request(upstream: Upstream) -> None:
    """Each in its place; what they came from is as it was."""
    upstream.on("cat.png", sends(PNG))
    upstream.on("paper.pdf", sends(PDF, "application/octet-stream"))
    text = {"type": "text", "text": "these"}
    before = request(text, image(at(upstream, "cat.png"), detail="low"), file(at(upstream, "paper.pdf"), filename="p"))
    body = before.body
    after = prepared(before)
    assert content(after) == [
        text,
        image(PNG_URL, detail="low"),
        {"type": "file", "file": {"filename": "p", "file_data": PDF_URL}},
    ]
    assert before.body == body
    wire = json.loads(ENGINES["vertex-claude"].build(after, TARGET).body)
    _, picture, paper = wire["messages"][0]["content"]
    assert picture["source"] == {"type": "base64", "media_type": "image/png", "data": b64encode(PNG).decode()}
    assert paper["source"]["media_type"] == "application/pdf"


def test_pitfall_084_what_gemini_does_not_read_is_fetched_with_its_real_type(upstream: Upstream) -> None:
    """4.4/84: http(s) image URLs silently dropped; fileData.fileUri where accepted, else inlineData with real MIME.

    Source: OR PR#4373, BF remote_image_urls.go.
    """
    upstream.on("cat.jpg", sends(PNG, "image/jpeg"))
    read = "https://pictures.example/cat.jpg"
    after = prepared(request(image(at(upstream, "cat.jpg")), image(read)), "gemini")
    parts = json.loads(ENGINES["gemini"].build(after, TARGET).body)["contents"][0]["parts"]
    assert parts == [
        {"inlineData": {"mimeType": "image/png", "data": b64encode(PNG).decode()}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": read}},
    ]


@pytest.mark.parametrize("engine", ["vertex-gemini", "gpt"])
def test_what_a_provider_reads_by_itself_is_left_to_it(engine: str) -> None:
    """The same request, without a look at the address."""
    names = Names()
    before = request(image("http://pictures.example/cat.png"))
    assert prepared(before, engine, fetcher(names)) is before
    assert names.asked == []


def test_the_same_address_is_fetched_once_for_all_its_places(upstream: Upstream) -> None:
    """Within one request."""
    upstream.on("cat.png", sends(PNG))
    before = request(*[image(at(upstream, "cat.png"))] * 3, file(at(upstream, "cat.png")))
    assert content(prepared(before))[:3] == [image(PNG_URL)] * 3
    assert len(upstream.requests("cat.png")) == 1


def test_several_are_fetched_at_the_same_time(upstream: Upstream) -> None:
    """Each server here waits until all have been asked."""
    everyone = asyncio.Event()

    async def together(seen: Seen) -> bool | None:
        if sum(len(upstream.requests(name)) for name in ("a", "b", "c")) == 3:
            everyone.set()
        await everyone.wait()
        return await sends(PNG)(seen)

    for name in ("a", "b", "c"):
        upstream.on(name, together)
    after = prepared(request(*(image(at(upstream, name)) for name in ("a", "b", "c"))), images=fetcher(seconds=5.0))
    assert content(after) == [image(PNG_URL)] * 3


def test_many_are_fetched_a_few_at_a_time(upstream: Upstream) -> None:
    """So that one request does not hold the memory of a hundred pictures."""
    now, most = 0, 0

    async def counted(seen: Seen) -> bool | None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        now -= 1
        return await sends(PNG)(seen)

    names = [f"p{number}" for number in range(20)]
    for name in names:
        upstream.on(name, counted)
    after = prepared(request(*(image(at(upstream, name)) for name in names)))
    assert content(after) == [image(PNG_URL)] * 20
    assert most == 8


def test_too_much_for_one_request_is_refused(upstream: Upstream) -> None:
    """Each picture may be large, but not all of them."""
    upstream.on("large", sends(PNG + b"\0" * 18_000_000))
    before = request(*(image(f"{at(upstream, 'large')}{number}") for number in range(4)))
    with pytest.raises(RequestError, match="too large together") as caught:
        prepared(before)
    assert (caught.value.status, caught.value.param) == (400, "messages")


# --- what is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://inside.example/cat.png",
    ],
)
def test_addresses_that_are_not_public_are_refused(url: str) -> None:
    """In OpenAI's form, with the place of the address; where a name led is not told."""
    images = fetcher(Names(inside=[["10.0.0.1"]]), allowed=is_public)
    error = error_of(request({"type": "text", "text": "x"}, image(url)), images)
    assert (error.status, error.code, error.param) == (400, "invalid_image_url", "messages[1].content[1].image_url")
    assert error.message == f"The picture at {url} cannot be fetched: it leads to an address that is not public."


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "127.1"])
def test_addresses_in_numbers_of_other_kinds_are_refused(host: str) -> None:
    """All of them are 127.0.0.1."""
    error = error_of(request(image(f"http://{host}/")), fetcher(allowed=is_public))
    assert (error.status, error.code) == (400, "invalid_image_url")
    assert error.message == f"The picture at http://{host}/ cannot be fetched: that is no valid address."


def test_a_redirect_inside_is_refused_without_a_word_about_it(upstream: Upstream) -> None:
    """The client learns nothing of where it led."""
    upstream.on("one", redirects("http://10.11.12.13/secret"))
    error = error_of(request(image(at(upstream, "one"))))
    assert error.message.endswith("cannot be fetched: it leads to an address that is not public.")
    assert "10.11.12.13" not in error.message
    assert "secret" not in error.message


def test_dns_that_changes_is_looked_at_for_every_connection(upstream: Upstream) -> None:
    """A name that was public a moment ago; the first answer is not trusted longer than its connection."""
    upstream.on("a", sends(PNG))
    upstream.on("b", sends(PNG))
    names = Names(moving=[["127.0.0.1"], ["10.0.0.1"]])
    images = fetcher(names)

    async def both() -> None:
        await images.fetch(f"http://moving.example:{upstream.port}/a/")
        with pytest.raises(Exception, match="not public"):
            await images.fetch(f"http://moving.example:{upstream.port}/b/")

    asyncio.run(both())
    assert upstream.requests("b") == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<!doctype html><p>Sign in", "text/html"),
        (b"<!doctype html><p>Sign in", "image/png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (PDF, "image/png"),
        (b'{"error": "no"}', "application/json"),
    ],
)
def test_what_is_no_picture_is_refused(upstream: Upstream, body: bytes, content_type: str) -> None:
    """Whatever it is called: the bytes count."""
    upstream.on("page", sends(body, content_type))
    error = error_of(request(image(at(upstream, "page"))))
    assert error.message.endswith("cannot be fetched: there is no picture, or not one of a known type.")
    assert (error.status, error.code) == (400, "invalid_image_url")


def test_an_empty_answer_is_refused(upstream: Upstream) -> None:
    """With status 200."""
    upstream.on("empty", sends(b""))
    assert error_of(request(image(at(upstream, "empty")))).message.endswith("cannot be fetched: it is empty.")


def test_failures_are_the_clients_as_openai_has_it(upstream: Upstream) -> None:
    """A recorded refusal of OpenAI's: 400, invalid_request_error, invalid_image_url."""
    upstream.on("gone", answer(404, {"secret": 1}))
    url = at(upstream, "gone")
    error = error_of(request(image(f"{url}cat.png?signature=abc#x")))
    assert error.fields() == {
        "message": f"The picture at {url}cat.png cannot be fetched: its server answered with status 404.",
        "type": "invalid_request_error",
        "param": "messages[1].content[0].image_url",
        "code": "invalid_image_url",
    }
    assert error.status == 400


def test_a_file_that_is_not_there_is_told_of_as_a_file(upstream: Upstream) -> None:
    """With its own place and code."""
    upstream.on("gone", answer(404, {}))
    error = error_of(request(file(at(upstream, "gone"))))
    assert (error.param, error.code) == ("messages[1].content[0].file.file_url", "invalid_file_url")
    assert error.message.startswith("The file at http://127.0.0.1")


def test_one_failure_ends_all(upstream: Upstream) -> None:
    """The others are given up at once."""
    upstream.on("slow", hangs())
    upstream.on("gone", answer(404, {}))
    error = error_of(request(image(at(upstream, "slow")), image(at(upstream, "gone"))))
    assert error.param == "messages[1].content[1].image_url"


@pytest.mark.parametrize("url", ["http://me:secret@10.0.0.1/", "http://[::1", "http://" + "a" * 9_000])
def test_errors_show_little_of_an_address(url: str) -> None:
    """No credentials, nothing endless."""
    error = error_of(request(image(url)), fetcher(allowed=is_public))
    assert "secret" not in error.message
    assert len(error.message) < 400
