"""Statistics at work, for tests that look at what comes of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Table, func, select

from stats.database import Database
from stats.recorder import Statistics
from tests.stats.database.accounts import NOW


class Told(list[str]):
    """What was logged. Called as the log is."""

    __call__ = list.append


@asynccontextmanager
async def running(database: Database, told: Callable[[str], None], **options: Any) -> AsyncIterator[Statistics]:
    """Started, with short pauses between writes; stopped in the end."""
    usual: dict[str, Any] = {"wall_clock": lambda: NOW, "interval": 0.02}
    statistics = Statistics(database, log=told, **usual | options)
    statistics.start()
    try:
        yield statistics
    finally:
        await statistics.stop()


def completed[T](database: Database, work: Coroutine[Any, Any, T]) -> T:
    """What the work returns, in a loop of its own; no connection outlives that."""

    async def run() -> T:
        try:
            return await work
        finally:
            await database.writer.dispose()

    return asyncio.run(run())


async def rows(database: Database, table: Table) -> list[dict[str, Any]]:
    """All rows of a table, by time."""
    async with database.reader.begin() as connection:
        found = await connection.execute(select(table).order_by(table.c.time))
        return [dict(row) for row in found.mappings()]


async def count(database: Database, table: Table) -> int:
    async with database.reader.begin() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true; the test's time limit ends what never does."""
    while not condition():
        await asyncio.sleep(0.01)


async def until_written(statistics: Statistics) -> None:
    """Until nothing waits and no transaction is open."""
    await until(lambda: not statistics._queue and statistics._next_retention > 0)
