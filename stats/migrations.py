"""Brings a database to what stats/tables.py says: missing tables, columns and indexes are added.

Nothing is ever changed or removed, so there is no version to keep: what a newer gateway has added stays, and older and
newer ones can share a database.
"""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Table, func, inspect, select
from sqlalchemy.schema import CreateColumn

from stats.database import LOCK_SECONDS, Database
from stats.tables import metadata

UPGRADE_LOCK = 0x756E69617069
"""Any number that nobody else uses: "uniapi"."""


async def prepare(database: Database) -> None:
    """Leaves the database with all tables and columns. Raises what the driver or the file system raises."""
    if database.file is not None:
        await asyncio.to_thread(_make_file, database.file)
    async with database.writer.begin() as connection:
        await connection.run_sync(_upgrade)


def _make_file(file: Path) -> None:
    """With its folder, and a write-ahead log, by which readers and the writer do not wait for each other.

    The file stays so. Where several begin it at the same moment, SQLite refuses all but one at once, whatever its own
    timeout, for it could be waiting for what waits for it ("sqlite3_busy_handler", sqlite.org): so the wait is here.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + LOCK_SECONDS
    with closing(sqlite3.connect(file, timeout=0)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                    raise
            time.sleep(0.01)


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Gateways that start at the same moment do it one after the other; in SQLite the write lock sees to that.
        connection.execute(select(func.pg_advisory_xact_lock(UPGRADE_LOCK)))
    metadata.create_all(connection)
    for table in metadata.sorted_tables:
        _add_missing(connection, table)


def _add_missing(connection: Connection, table: Table) -> None:
    inspector = inspect(connection)
    columns = {column["name"] for column in inspector.get_columns(table.name)}
    indexes = {index["name"] for index in inspector.get_indexes(table.name)}
    for column in table.columns:
        if column.name not in columns:
            definition = CreateColumn(column).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {definition}")
    for index in table.indexes:
        if index.name not in indexes:
            index.create(connection)
