"""The tables, and how the account of a request becomes their rows. docs/statistics.md says what the columns mean.

A column that the account has under the same name needs one line here and nothing else: stats/migrations.py adds it to
databases that lack it. It must be nullable or have a server default, so that the rows before it stay valid and an older
gateway can go on writing to the same database.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, Table, Text, Uuid, false

LONGEST_TEXT = 200
"""Characters: some texts come from clients, and a row is to be small whatever they send."""
LARGEST_COUNT = 2**31 - 1
"""What an INTEGER of PostgreSQL holds."""

metadata = MetaData()

requests = Table(
    "uniapi_requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("time", DateTime(timezone=True), nullable=False, index=True),
    Column("endpoint", Text),
    Column("client", Text),
    Column("ip", Text),
    Column("asked", Text),
    Column("stream", Boolean, nullable=False, server_default=false()),
    Column("outcome", Text),
    Column("status", Integer),
    Column("flagged", Boolean, nullable=False, server_default=false()),
    Column("hedged", Boolean, nullable=False, server_default=false()),
    Column("provider", Text),
    Column("model", Text),
    Column("total_ms", Integer),
    Column("first_output_ms", Integer),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("cached_tokens", Integer),
    Column("reasoning_tokens", Integer),
)

attempts = Table(
    "uniapi_attempts",
    metadata,
    Column("request_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time", DateTime(timezone=True), nullable=False, index=True),
    Column("provider", Text),
    Column("model", Text),
    Column("status", Integer),
    Column("ms", Integer),
    Column("first_output_ms", Integer),
    Column("error", Text),
    Column("cancelled", Boolean, nullable=False, server_default=false()),
)

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """One request and its attempts."""

    request: Row
    attempts: list[Row]

    def __len__(self) -> int:
        return 1 + len(self.attempts)


def rows_of(account: Mapping[str, Any]) -> Rows:
    """What is kept of an account. Raises KeyError, TypeError, ValueError or OverflowError for what is none."""
    identity = uuid4()
    time = datetime.fromtimestamp(account["time"], UTC)
    return Rows(
        {"id": identity, "time": time, **_values(account, REQUEST_COLUMNS)},
        [
            {"request_id": identity, "number": number, "time": time, **_values(attempt, ATTEMPT_COLUMNS)}
            for number, attempt in enumerate(account["attempts"], 1)
        ],
    )


def _values(source: Mapping[str, Any], columns: Mapping[str, Callable[[Any], Any]]) -> Row:
    return {name: convert(source[name]) for name, convert in columns.items()}


def _text(value: Any) -> str | None:
    """Without what PostgreSQL or UTF-8 has no place for: NUL and halves of surrogate pairs."""
    if value is None:
        return None
    return str(value)[:LONGEST_TEXT].encode("utf-8", "replace").decode().replace("\0", "")


def _count(value: Any) -> int | None:
    return None if value is None else min(max(int(value), 0), LARGEST_COUNT)


CONVERSIONS: Mapping[type, Callable[[Any], Any]] = {Text: _text, Integer: _count, Boolean: bool}


def _columns(table: Table, *made_here: str) -> dict[str, Callable[[Any], Any]]:
    """The columns that are taken from the account, and how their values are made fit."""
    return {column.name: CONVERSIONS[type(column.type)] for column in table.columns if column.name not in made_here}


REQUEST_COLUMNS = _columns(requests, "id", "time")
ATTEMPT_COLUMNS = _columns(attempts, "request_id", "number", "time")
