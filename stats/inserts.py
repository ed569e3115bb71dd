"""How rows are written, a batch in one statement.

SQLite takes a batch as one JSON text: Python's driver lets go of the interpreter for every row of a list, and has to
wait for it anew each time while the loop is busy, which costs both of them far more than the rows themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Insert, String, Table, bindparam, func, select, true
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from stats.tables import Row, attempts, requests

BATCH = "batch"


async def insert_rows(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Write rows; what is there already is left alone, for the answer to an earlier commit may have been lost."""
    if rows:
        await WRITERS[connection.dialect.name](connection, table, rows)


async def insert_into_sqlite(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    names = [column.name for column in table.columns]
    batch = orjson.dumps([[as_sqlite(row[name]) for name in names] for row in rows]).decode()
    await connection.execute(SQLITE_STATEMENTS[table], {BATCH: batch})


def sqlite_statement(table: Table) -> Insert:
    row = func.json_each(bindparam(BATCH, type_=String)).table_valued("value")
    values = [func.json_extract(row.c.value, f"$[{place}]") for place in range(len(table.columns))]
    # SQLite would read "ON CONFLICT" behind a bare FROM as the beginning of a join.
    rows = select(*values).select_from(row).where(true())
    return sqlite.insert(table).from_select(list(table.columns), rows).on_conflict_do_nothing()


def as_sqlite(value: Any) -> Any:
    """As SQLAlchemy stores it ("SQLite: Date and Time Types", "Uuid")."""
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return value


async def insert_into_postgresql(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    await connection.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)


SQLITE_STATEMENTS = {table: sqlite_statement(table) for table in (requests, attempts)}
type Writer = Callable[[AsyncConnection, Table, Sequence[Row]], Any]
WRITERS: Mapping[str, Writer] = {"sqlite": insert_into_sqlite, "postgresql": insert_into_postgresql}
