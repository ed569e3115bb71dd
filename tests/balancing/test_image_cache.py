"""What was fetched for a request serves others for a while, and nothing is fetched for nobody."""

import asyncio
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator

import pytest

from tests.balancing.picture_server import PNG, Clock, at, fetcher, file, image, request, sends
from tests.e2e.upstream import Seen, Upstream, answer, hangs, head
from translators import ENGINES
from translators.errors import RequestError
from translators.media import Media
from translators.types import Target

TARGET = Target(base_url="", model="m", alias="m", account="a")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


def test_what_was_fetched_is_kept_for_a_minute(upstream: Upstream) -> None:
    """For the next attempt, and for the next turn of the conversation."""
    upstream.on("cat.png", sends(PNG))
    clock = Clock()
    images = fetcher(clock=clock)

    async def at_times(*times: float) -> None:
        for time in times:
            clock.now = time
            assert (await images.fetch(at(upstream, "cat.png"))).mime == "image/png"

    asyncio.run(at_times(1000.0, 1001.0, 1059.9))
    assert len(upstream.requests("cat.png")) == 1
    asyncio.run(at_times(1060.1))
    assert len(upstream.requests("cat.png")) == 2


def test_what_is_kept_has_a_bound(upstream: Upstream) -> None:
    """64 MB: the third large picture drives out the first."""
    upstream.on("large", sends(b"\0" * 18_000_000, "application/pdf"))
    images = fetcher()

    async def fetch_all() -> None:
        for number in (1, 2, 3, 3, 2, 1):
            await images.fetch(f"{at(upstream, 'large')}{number}")

    asyncio.run(fetch_all())
    assert [seen.path[-1] for seen in upstream.requests("large")] == ["1", "2", "3", "1"]


def test_a_failure_is_not_tried_again_at_once(upstream: Upstream) -> None:
    """The request's other attempts would wait as long again; ten seconds later, it is."""
    upstream.on("cat.png", answer(503, {}), sends(PNG))
    clock = Clock()
    images = fetcher(clock=clock)

    async def attempts() -> None:
        for _ in range(2):
            with pytest.raises(Exception, match="status 503"):
                await images.fetch(at(upstream, "cat.png"))
        assert len(upstream.requests("cat.png")) == 1
        clock.now += 10.1
        await images.fetch(at(upstream, "cat.png"))

    asyncio.run(attempts())


def test_many_who_ask_at_once_get_one_download(upstream: Upstream) -> None:
    """Requests of different clients, too."""
    upstream.on("cat.png", sends(PNG))
    images = fetcher()

    async def ask() -> list[Media]:
        return await asyncio.gather(*(images.fetch(at(upstream, "cat.png")) for _ in range(20)))

    assert set(asyncio.run(ask())) == {Media("image/png", b64encode(PNG).decode())}
    assert len(upstream.requests("cat.png")) == 1


def test_many_who_ask_at_once_get_one_failure(upstream: Upstream) -> None:
    """Each with its own place in its own request."""
    upstream.on("gone", answer(404, {}))
    images = fetcher()
    first, second = request(image(at(upstream, "gone"))), request(file("gs://a/b"), image(at(upstream, "gone")))

    async def ask() -> list[object]:
        both = (images.prepared(each, ENGINES["cloudflare"], TARGET) for each in (first, second))
        return await asyncio.gather(*both, return_exceptions=True)

    errors = asyncio.run(ask())
    assert [error.param for error in errors if isinstance(error, RequestError)] == [
        "messages[1].content[0].image_url",
        "messages[1].content[1].image_url",
    ]
    assert len(upstream.requests("gone")) == 1


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_client_that_goes_away_takes_its_downloads_along(upstream: Upstream) -> None:
    """Connection and task; nothing is left behind."""

    async def begins(seen: Seen) -> bool | None:
        seen.writer.write(head(200, {"content-type": "image/png", "content-length": "100"}) + PNG[:20])
        return await hangs()(seen)

    upstream.on("slow", begins)

    async def leave() -> None:
        images = fetcher()
        before = request(image(at(upstream, "slow")), image(f"{at(upstream, 'slow')}2"))
        asking = asyncio.create_task(images.prepared(before, ENGINES["cloudflare"], TARGET))
        await until(lambda: len(upstream.requests("slow")) == 2)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await until(lambda: all(seen.gone_at for seen in upstream.requests("slow")))
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})

    asyncio.run(leave())


def test_a_client_that_goes_away_leaves_the_download_to_the_others(upstream: Upstream) -> None:
    """Whoever still waits gets it; who asks later, too."""
    go = threading.Event()

    async def when_told(seen: Seen) -> bool | None:
        while not go.is_set():
            await asyncio.sleep(0.01)
        return await sends(PNG)(seen)

    upstream.on("cat.png", when_told)
    url = at(upstream, "cat.png")

    async def leave() -> None:
        images = fetcher()
        first, second = (asyncio.create_task(images.fetch(url)) for _ in range(2))
        await until(lambda: upstream.requests("cat.png"))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        go.set()
        assert (await second).mime == "image/png"
        assert (await images.fetch(url)).mime == "image/png"

    asyncio.run(leave())
    assert len(upstream.requests("cat.png")) == 1


def test_what_was_given_up_is_fetched_anew(upstream: Upstream) -> None:
    """Giving up is no failure."""
    upstream.on("cat.png", hangs(), sends(PNG))
    url = at(upstream, "cat.png")

    async def return_later() -> None:
        images = fetcher()
        first = asyncio.create_task(images.fetch(url))
        await until(lambda: upstream.requests("cat.png"))
        first.cancel()
        second = asyncio.create_task(images.fetch(url))
        await asyncio.gather(first, return_exceptions=True)
        assert (await second).mime == "image/png"

    asyncio.run(return_later())
