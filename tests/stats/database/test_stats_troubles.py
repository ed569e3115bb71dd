"""A database that cannot be written: what it costs, what is said, and that writing goes on by itself afterwards."""

import asyncio
import sqlite3

import pytest

import stats.database
import stats.migrations
import stats.recorder
from config.secrets import Secret
from stats.database import database_at, sqlite_database
from stats.inserts import insert_rows
from stats.recorder import StatisticsUnavailable
from stats.tables import attempts, requests
from tests.stats.database.accounts import account
from tests.stats.database.postgres_server import PASSWORD
from tests.stats.database.running import completed, count, running, until, until_written


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    """For locks, and for servers that are not there."""
    for module in (stats.database, stats.migrations):
        monkeypatch.setattr(module, "LOCK_SECONDS", 0.02)


async def lose(statistics, told):
    """Requests while nothing can be written: they are counted as lost, and it is said once."""
    lost, said = statistics.lost, len(told)
    for _ in range(3):
        statistics.record(account())
    await until(lambda: statistics.lost == lost + 6)
    statistics.record(account())
    await until(lambda: statistics.lost == lost + 8)
    await until(lambda: len(told) == said + 1)
    await asyncio.sleep(0.1)
    assert len(told) == said + 1
    assert "rows lost so far: " in told[-1]
    assert statistics._database.name in told[-1]


async def recover(statistics, told):
    """As soon as it can be written again, that is said, and rows arrive."""
    lost, said = statistics.lost, len(told)
    await until(lambda: len(told) == said + 1)
    assert "can be written again" in told[-1]
    statistics.record(account())
    await until_written(statistics)
    assert statistics.lost == lost


async def stored(database):
    return await count(database, requests), await count(database, attempts)


def test_a_read_only_file(small_disk, told):
    """The disk it is on is mounted read-only, as systems do after an error of the disk."""
    database = sqlite_database(str(small_disk.folder / "stats.db"))

    async def run():
        async with running(database, told) as statistics:
            statistics.record(account())
            await until_written(statistics)
            small_disk.make_read_only()
            await lose(statistics, told)
            small_disk.make_writable()
            await recover(statistics, told)
        assert await stored(database) == (2, 2)

    completed(database, run())


def test_a_disk_that_is_read_only_from_the_start(small_disk, told):
    """Neither the folder nor the file can be made; they are, when it is possible."""
    database = sqlite_database(str(small_disk.folder / "data" / "stats.db"))
    small_disk.make_read_only()

    async def run():
        async with running(database, told) as statistics:
            await lose(statistics, told)
            assert "Read-only file system" in told[0]
            with pytest.raises(StatisticsUnavailable, match="Read-only file system"):
                await statistics.report(1)
            small_disk.make_writable()
            await recover(statistics, told)
            assert (await statistics.report(1))["totals"]["requests"] == 1

    completed(database, run())


def test_a_full_disk(small_disk, told):
    """Not a byte is left; then there is room again."""
    database = sqlite_database(str(small_disk.folder / "stats.db"))

    async def run():
        async with running(database, told) as statistics:
            statistics.record(account())
            await until_written(statistics)
            small_disk.fill()
            await lose(statistics, told)
            assert "disk" in told[0]
            small_disk.make_room()
            await recover(statistics, told)
        assert await stored(database) == (2, 2)

    completed(database, run())


def test_a_lock_of_another_process(sqlite, told, other_process_locks):
    """For long: rows are lost until it lets go."""

    async def run():
        async with running(sqlite, told) as statistics:
            await until_written(statistics)
            with other_process_locks(sqlite.file):
                await lose(statistics, told)
                assert "database is locked" in told[0]
            await recover(statistics, told)
        assert await stored(sqlite) == (1, 1)

    completed(sqlite, run())


def test_a_short_lock_costs_nothing(sqlite, told, other_process_locks):
    """The rows wait for the next try."""

    async def run():
        async with running(sqlite, told, interval=0.2) as statistics:
            await until_written(statistics)
            with other_process_locks(sqlite.file):
                statistics.record(account())
                await until(lambda: statistics._failures == 2)
            await until_written(statistics)
        assert await stored(sqlite) == (1, 1)

    completed(sqlite, run())
    assert told == []


def test_a_short_lock_at_the_end_costs_nothing(sqlite, told, monkeypatch):
    """Stopping gives the last rows more than one try."""
    refusals = [sqlite3.OperationalError("database is locked")] * 2

    async def refused_at_first(*batch):
        if refusals:
            raise refusals.pop()
        await insert_rows(*batch)

    monkeypatch.setattr(stats.recorder, "insert_rows", refused_at_first)

    async def run():
        async with running(sqlite, told) as statistics:
            statistics.record(account())
        assert await stored(sqlite) == (1, 1)

    completed(sqlite, run())
    assert refusals == []
    assert told == []


def test_a_file_that_is_taken_away(sqlite, told):
    """An operator who moves the file away gets a new one, with everything from then on."""

    async def run():
        async with running(sqlite, told) as statistics:
            statistics.record(account())
            await until_written(statistics)
            sqlite.file.rename(sqlite.file.with_name("old.db"))
            statistics.record(account())
            await until_written(statistics)
        assert await stored(sqlite) == (1, 1)

    completed(sqlite, run())
    assert told == []


def test_a_file_that_is_no_database(sqlite, told):
    """It is left as it is."""
    sqlite.file.parent.mkdir()
    sqlite.file.write_text("my diary " * 100)

    async def run():
        async with running(sqlite, told) as statistics:
            await lose(statistics, told)

    completed(sqlite, run())
    assert "file is not a database" in told[0]
    assert sqlite.file.read_text() == "my diary " * 100


def test_a_server_that_is_gone_for_a_while(postgresql, postgres, told):
    """Killed in the midst of it, and started again."""

    async def run():
        async with running(postgresql, told) as statistics:
            statistics.record(account())
            await until_written(statistics)
            postgres.kill()
            try:
                await lose(statistics, told)
                with pytest.raises(StatisticsUnavailable, match="Connect call failed"):
                    await statistics.report(1)
            finally:
                postgres.start()
            await recover(statistics, told)
            assert (await statistics.report(1))["totals"]["requests"] == 2

    completed(postgresql, run())
    assert "Connect call failed" in told[0]


def test_a_server_that_comes_after_the_gateway(postgresql, postgres, told):
    """The tables are made when it does."""
    postgres.kill()

    async def run():
        async with running(postgresql, told) as statistics:
            try:
                await lose(statistics, told)
            finally:
                postgres.start()
            await recover(statistics, told)
        assert await stored(postgresql) == (1, 1)

    completed(postgresql, run())


def test_a_wrong_password_is_said_without_the_password(postgres, told):
    """What the server says, and where it is."""
    wrong = PASSWORD + "!"
    database = database_at(Secret(postgres.url("postgres", wrong)))

    async def run():
        async with running(database, told) as statistics:
            await lose(statistics, told)
            with pytest.raises(StatisticsUnavailable) as caught:
                await statistics.report(1)
            told.append(str(caught.value))

    completed(database, run())
    assert (
        f"postgresql://127.0.0.1:{postgres.port}/postgres cannot be written (password authentication failed" in told[0]
    )
    assert PASSWORD not in "".join(told)


def test_one_warning_a_minute(sqlite, told):
    """For as long as it lasts; each one tells how much is lost by then."""
    now = 1000.0
    sqlite.file.mkdir(parents=True)  # A folder in the file's place.

    async def run():
        nonlocal now
        async with running(sqlite, told, clock=lambda: now) as statistics:
            await lose(statistics, told)
            now += 59
            statistics.record(account())
            await until(lambda: statistics.lost == 10)
            await asyncio.sleep(0.1)
            assert len(told) == 1
            now += 1
            await until(lambda: len(told) == 2)
            now += 60
            await until(lambda: len(told) == 3)

    completed(sqlite, run())
    assert [line.partition("rows lost so far: ")[2].partition(".")[0] for line in told] == ["6", "10", "10"]
    assert "unable to open database file" in told[0]
