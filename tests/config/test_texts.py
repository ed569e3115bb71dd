import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from config.problems import ConfigError
from config.texts import SETTLING_ROUNDS, FileText, UrlText, url_name


class Sleeper:
    """A sleep that takes no time, and does what happens meanwhile."""

    def __init__(self, *meanwhile: Callable[[], object]) -> None:
        self.meanwhile = list(meanwhile)
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.meanwhile:
            self.meanwhile.pop(0)()


def write(path: Path, text: str) -> None:
    """Write in place, with a time that differs from the last one's even where the clock is coarse."""
    previous = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    os.utime(path, ns=(previous + 1_000_000_000, previous + 1_000_000_000))


def test_a_file_is_news_once(tmp_path):
    """Until it changes."""
    path = tmp_path / "api.yaml"
    write(path, "one")

    async def looks() -> list[str | None]:
        text = FileText(path, "api.yaml", Sleeper())
        found = [await text.read(), await text.poll()]
        write(path, "two")
        return [*found, await text.poll(), await text.poll()]

    assert asyncio.run(looks()) == ["one", None, "two", None]


def test_a_file_that_is_replaced_is_news(tmp_path):
    """As editors do it, and configuration management: same size, same time, another inode."""
    path, other = tmp_path / "api.yaml", tmp_path / "new"
    path.write_text("one")
    other.write_text("two")
    for file in (path, other):
        os.utime(file, ns=(1_000, 1_000))

    async def looks() -> list[str | None]:
        text = FileText(path, "api.yaml", Sleeper())
        await text.read()
        os.replace(other, path)
        return [await text.poll(), await text.poll()]

    assert asyncio.run(looks()) == ["two", None]


def test_a_file_is_left_to_settle(tmp_path):
    """Half of a text may be valid, and mean something else."""
    path = tmp_path / "api.yaml"
    write(path, "one")
    sleeper = Sleeper(lambda: write(path, "one, two"), lambda: write(path, "one, two, three"))

    async def looks() -> list[str | None]:
        text = FileText(path, "api.yaml", sleeper)
        await text.read()
        write(path, "on")
        return [await text.poll(), await text.poll()]

    assert asyncio.run(looks()) == ["one, two, three", None]
    assert len(sleeper.slept) == 3


def test_a_file_that_is_gone_for_a_moment_is_waited_for(tmp_path):
    """Some editors move the old file away before they write the new one."""
    path = tmp_path / "api.yaml"
    write(path, "one")

    async def look() -> str | None:
        text = FileText(path, "api.yaml", Sleeper(lambda: write(path, "two")))
        await text.read()
        path.unlink()
        return await text.poll()

    assert asyncio.run(look()) == "two"


def test_a_file_that_never_settles_is_read_all_the_same(tmp_path):
    """After a while."""
    path = tmp_path / "api.yaml"
    write(path, "one")
    sleeper = Sleeper(*[lambda: write(path, "more")] * 1000)

    async def look() -> str | None:
        text = FileText(path, "api.yaml", sleeper)
        await text.read()
        write(path, "two")
        return await text.poll()

    assert asyncio.run(look()) == "more"
    assert len(sleeper.slept) == SETTLING_ROUNDS


def test_a_file_that_cannot_be_read_is_told_once(tmp_path):
    """With the reason; it is news again when it is back."""
    path = tmp_path / "api.yaml"
    write(path, "one")

    async def looks() -> list[object]:
        text = FileText(path, "my/api.yaml", Sleeper())
        await text.read()
        path.unlink()
        with pytest.raises(ConfigError, match=r"^my/api\.yaml: cannot be read: No such file or directory$"):
            await text.poll()
        found = [await text.poll()]
        write(path, "back")
        return [*found, await text.poll()]

    assert asyncio.run(looks()) == [None, "back"]


@pytest.mark.parametrize("use", ["file", "folder"])
def test_what_is_no_text_is_told(tmp_path, use):
    """A picture, a folder."""
    path = tmp_path / "api.yaml"
    if use == "file":
        path.write_bytes(b"\xff\xfe\x00")
    else:
        path.mkdir()
    message = {"file": "is not a text in UTF-8", "folder": "cannot be read: Is a directory"}[use]
    with pytest.raises(ConfigError, match=f"^api.yaml: {message}$"):
        FileText(path, "api.yaml", Sleeper()).read_now()


class Server:
    """Serves a text at /folder/api.yaml and notes what it is asked."""

    def __init__(self, etag: str | None = '"1"') -> None:
        self.text: bytes = b"one"
        self.etag = etag
        self.status = 200
        self.conditions: list[str | None] = []

    async def answer(self, request: web.Request) -> web.Response:
        condition = request.headers.get("If-None-Match")
        self.conditions.append(condition)
        if self.status != 200:
            return web.Response(status=self.status)
        if self.etag and condition == self.etag:
            return web.Response(status=304)
        return web.Response(body=self.text, headers={"ETag": self.etag} if self.etag else {})

    def visit(self, steps: Callable[[UrlText], Awaitable[object]]) -> object:
        """Run the steps against it."""

        async def visit() -> object:
            application = web.Application()
            application.router.add_get("/folder/api.yaml", self.answer)
            async with TestServer(application) as server:
                return await steps(UrlText(str(server.make_url("/folder/api.yaml?token=fake-secret"))))

        return asyncio.run(visit())


def test_a_url_is_asked_with_its_etag():
    """No news is an answer without a body."""
    server = Server()

    async def steps(text: UrlText) -> list[str | None]:
        found = [await text.read(), await text.poll()]
        server.text, server.etag = b"two", '"2"'
        return [*found, await text.poll(), await text.poll()]

    assert server.visit(steps) == ["one", None, "two", None]
    assert server.conditions == [None, '"1"', '"1"', '"2"']


def test_a_url_without_etag_is_read_each_time():
    """Whether it is news is for the reader of the text to see."""
    server = Server(etag=None)

    async def steps(text: UrlText) -> list[str | None]:
        return [await text.read(), await text.poll()]

    assert server.visit(steps) == ["one", "one"]
    assert server.conditions == [None, None]


def test_reading_asks_for_the_whole_text():
    """Whatever is known of it: somebody asked to have it loaded again."""
    server = Server()

    async def steps(text: UrlText) -> list[str | None]:
        return [await text.read(), await text.read()]

    assert server.visit(steps) == ["one", "one"]
    assert server.conditions == [None, None]


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (404, b"", "cannot be fetched: answered 404"),
        (500, b"", "cannot be fetched: answered 500"),
        (304, b"", r"answered 304 \(not modified\) to a request without conditions"),
        (200, b"\xff", "is not a text in UTF-8"),
    ],
)
def test_a_url_that_gives_no_text_is_told(status: int, body: bytes, message: str):
    """Without its query, which may hold a token."""
    server = Server()
    server.status, server.text = status, body

    async def steps(text: UrlText) -> None:
        with pytest.raises(ConfigError, match=rf"^http://127\.0\.0\.1:\d+/…/api\.yaml: {message}$"):
            await text.read()

    server.visit(steps)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/fake-secret/api.yaml",
        "http://user:fake-secret@127.0.0.1:1/api.yaml?x=fake-secret",
        "http://127.0.0.1:99999/fake-secret/api.yaml",
        "http://[::fake-secret/api.yaml",
        "http:///fake-secret/api.yaml",
        "http://a..b/fake-secret/api.yaml",
    ],
)
def test_a_url_that_leads_nowhere_is_told_without_its_secrets(url: str):
    """Whatever is wrong with it."""
    with pytest.raises(ConfigError) as caught:
        asyncio.run(UrlText(url).read())
    assert ": cannot be fetched: " in str(caught.value)
    assert "fake-secret" not in str(caught.value)


def test_a_url_that_does_not_answer_is_given_up(monkeypatch):
    """The gateway goes on meanwhile."""
    monkeypatch.setattr("config.texts.URL_SECONDS", 0.05)
    server = Server()

    async def never(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    monkeypatch.setattr(server, "answer", never)

    async def steps(text: UrlText) -> None:
        with pytest.raises(ConfigError, match="cannot be fetched: no answer in 0 s"):
            await text.read()

    server.visit(steps)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/api.yaml", "https://example.com/api.yaml"),
        ("https://example.com", "https://example.com/"),
        ("https://user:fake@example.com:8443/a/b/api.yaml?token=fake", "https://example.com:8443/…/api.yaml"),
        ("http://x:99999/", "the URL"),
    ],
)
def test_a_url_is_named_without_what_may_be_secret(url: str, name: str):
    """User, folders, query."""
    assert url_name(url) == name
