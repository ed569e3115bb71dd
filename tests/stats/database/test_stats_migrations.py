"""Databases that other versions have made, and gateways that start together."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import Boolean, Column, Index, Integer, MetaData, Text, false, inspect, text

import stats.migrations
from config.secrets import Secret
from stats.database import database_at, sqlite_database
from stats.tables import attempts, requests
from tests.stats.database.accounts import account, attempt
from tests.stats.database.running import completed, count, rows, running

OLD_REQUESTS = """
    CREATE TABLE uniapi_requests (
        id {uuid} PRIMARY KEY, time {time} NOT NULL, endpoint TEXT, asked TEXT, total_ms INTEGER
    )
"""
OLD_ROW = """
    INSERT INTO uniapi_requests VALUES
        ('0123456789abcdef0123456789abcdef', '2027-01-15 07:59:00.000000', '/v1/chat/completions', 'old', 123)
"""
TYPES = {
    "sqlite": {"uuid": "CHAR(32)", "time": "DATETIME"},
    "postgresql": {"uuid": "UUID", "time": "TIMESTAMP WITH TIME ZONE"},
}


async def execute(database, *statements):
    """As another program would, which has no idea of the tables."""
    if database.file:
        database.file.parent.mkdir(exist_ok=True)
    async with database.writer.begin() as connection:
        if not database.file:
            await connection.execute(text("SET TIME ZONE 'UTC'"))
        for statement in statements:
            await connection.execute(text(statement))


async def indexed_columns(database, table):
    async with database.reader.begin() as connection:
        indexes = await connection.run_sync(lambda sync: inspect(sync).get_indexes(table.name))
    return [index["column_names"] for index in indexes]


def test_the_columns_that_an_older_version_had_not_are_added(database, told):
    """Its rows stay; for what it did not know they hold nothing, or the default."""

    async def run():
        await execute(database, OLD_REQUESTS.format(**TYPES[database.writer.dialect.name]), OLD_ROW)
        async with running(database, told) as statistics:
            statistics.record(account(asked="new"))
        old, new = await rows(database, requests)
        assert (old["asked"], old["total_ms"], old["provider"], old["flagged"]) == ("old", 123, None, False)
        assert old["time"].replace(tzinfo=UTC) == datetime(2027, 1, 15, 7, 59, tzinfo=UTC)
        assert (new["asked"], new["total_ms"], new["provider"], new["flagged"]) == ("new", 800, "one", False)
        assert await count(database, attempts) == 1
        assert ["time"] in await indexed_columns(database, requests)
        assert (await statistics.report(1))["totals"]["requests"] == 2

    completed(database, run())
    assert told == []


def test_a_newer_version_s_columns_are_left_alone(database, told):
    """An older gateway writes to the same database, and reads it."""

    async def run():
        async with running(database, told):
            pass
        await execute(
            database,
            "ALTER TABLE uniapi_requests ADD COLUMN mood TEXT",
            "ALTER TABLE uniapi_attempts ADD COLUMN weather TEXT DEFAULT 'fair'",
        )
        async with running(database, told) as statistics:
            statistics.record(account())
        assert await count(database, requests) == 1
        assert (await statistics.report(1))["totals"]["requests"] == 1
        await execute(database, "SELECT mood FROM uniapi_requests", "SELECT weather FROM uniapi_attempts")

    completed(database, run())
    assert told == []


@pytest.mark.parametrize(
    ("kind", "options"),
    [(Text, {}), (Integer, {}), (Boolean, {"nullable": False, "server_default": false()})],
    ids=["text", "integer", "boolean with a default"],
)
def test_a_column_of_any_kind_can_be_added(database, told, monkeypatch, kind, options):
    """With an index on it; what is there stays, and a second start finds nothing to do."""
    future = MetaData()
    later = requests.to_metadata(future)
    later.append_column(Column("later", kind, **options))
    Index("ix_later", later.c.later)

    async def run():
        async with running(database, told) as statistics:
            statistics.record(account())
        monkeypatch.setattr(stats.migrations, "metadata", future)
        for _ in range(2):
            async with running(database, told):
                pass
        [row] = await rows(database, later)
        assert row["later"] == (False if options else None)
        assert ["later"] in await indexed_columns(database, requests)

    completed(database, run())
    assert told == []


@pytest.mark.parametrize("old", [False, True], ids=["empty", "old"])
def test_gateways_start_together(postgresql, postgres, told, old):
    """Six at the same moment, with the tables still to be made or brought up to date; and all of them write."""
    completed(
        postgresql, start_together([postgresql, *(database_at_same(postgresql, postgres) for _ in range(5))], told, old)
    )


@pytest.mark.parametrize("old", [False, True], ids=["empty", "old"])
def test_gateways_share_a_file(sqlite, told, old):
    """The same with one SQLite file."""
    completed(sqlite, start_together([sqlite, *(sqlite_database(sqlite.name) for _ in range(5))], told, old))


def test_a_short_lock_while_the_file_is_begun_costs_nothing(sqlite, told):
    """SQLite does not wait for it on its own, for both could want the other to let go."""

    async def run():
        sqlite.file.parent.mkdir()
        with closing(sqlite3.connect(sqlite.file, isolation_level=None)) as another:
            another.execute("BEGIN IMMEDIATE")
            async with running(sqlite, told) as statistics:
                await asyncio.sleep(0.3)
                assert statistics._failures == 0
                another.execute("COMMIT")
                statistics.record(account())
        assert await count(sqlite, requests) == 1

    completed(sqlite, run())
    assert told == []


def database_at_same(database, postgres):
    return database_at(Secret(postgres.url(database.name.rpartition("/")[2])))


async def start_together(databases, told, old):
    if old:
        await execute(databases[0], OLD_REQUESTS.format(**TYPES[databases[0].writer.dialect.name]))

    async def gateway(database):
        async with running(database, told) as statistics:
            for _ in range(300):
                statistics.record(account(attempts=[attempt(), attempt()]))
        assert statistics.lost == 0

    await asyncio.gather(*map(gateway, databases))
    assert await count(databases[0], requests) == 300 * len(databases)
    assert await count(databases[0], attempts) == 600 * len(databases)
    assert told == []
