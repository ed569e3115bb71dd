"""Which database the statistics are in, and how it is talked to: an SQLite file or a PostgreSQL server.

Nothing is opened here; connections are made when they are needed.
"""

import logging
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from config.environment import Environment
from config.problems import ConfigError, Problem
from config.secrets import Secret

LOCK_SECONDS = 2.0
"""How long a lock of another process is waited for. Only the writer waits, or a report."""
CONNECT_SECONDS = 5.0
COMMAND_SECONDS = 30.0
"""For a server that no longer answers."""

FAILURES = (SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
"""What is raised when a database cannot be used: not all of it passes through SQLAlchemy."""


@dataclass(frozen=True, slots=True)
class Database:
    """Where the statistics are."""

    name: str
    """For messages: the path, or the URL without user and password."""
    writer: AsyncEngine
    reader: AsyncEngine
    """The same connections, with transactions that see one moment of the database and change nothing."""
    file: Path | None = None
    """The SQLite file."""


def database_of(environment: Environment) -> Database:
    """What DATABASE_URL or else DB_PATH names. Raises ConfigError when that cannot be a database's address."""
    if environment.database_url is not None:
        return database_at(environment.database_url)
    return sqlite_database(environment.db_path)


def database_at(url: Secret) -> Database:
    """`postgresql://user:password@host:5432/database`, `postgres://…` or `sqlite:///path`. Raises ConfigError."""
    scheme, separator, rest = url.reveal().partition("://")
    # Others write the driver's name behind a "+"; there is one of each here.
    kind = scheme.partition("+")[0].lower()
    if separator and kind in ("postgresql", "postgres"):
        return _postgresql_database(f"postgresql://{rest}")
    if separator and kind == "sqlite":
        if not rest.startswith("/") or not rest.strip("/"):
            raise _refusal("must name a file, as sqlite:///data/stats.db or sqlite:////var/lib/uniapi/stats.db")
        return sqlite_database(rest[1:])
    raise _refusal(
        "must begin with postgresql:// or sqlite:///; there is no driver for other databases. "
        "Without it the statistics are in the file that DB_PATH names"
    )


def sqlite_database(path: str) -> Database:
    """A file, made with its folder when it is not there."""
    file = Path(os.path.expanduser(path)).absolute()
    # It would write down each statement with all its rows, clients' addresses too, where the root logger is at DEBUG,
    # as mitmproxy's is.
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(file)),
        # A file that was moved away or replaced is noticed only by who opens it anew; it costs a millisecond.
        poolclass=NullPool,
        # sqlite3 begins transactions on its own otherwise, and none for reading.
        connect_args={"timeout": LOCK_SECONDS, "isolation_level": None},
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _set_synchronous)
    event.listen(engine.sync_engine, "begin", _begin)
    return Database(path, engine, engine.execution_options(reads_only=True), file)


def _set_synchronous(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """A commit does not wait for the disk.

    With WAL and synchronous=NORMAL a power failure can cost the last rows, never the file ("Write-Ahead Logging",
    sqlite.org).
    """
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin(connection: Connection) -> None:
    """A writer takes the lock at once: one that first reads would be refused without waiting for another's."""
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _postgresql_database(dsn: str) -> Database:
    """The parameters behind the `?` are those of libpq's URIs (sslmode, …), as far as asyncpg knows them."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS)

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=2,  # the writer and one report
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Database(_name_without_credentials(dsn), engine, reader)


def _name_without_credentials(dsn: str) -> str:
    """A password that is not percent-encoded could end up in another part of the URL: such a URL is refused."""
    try:
        parts = urlsplit(dsn)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts = None
    if parts is None or "@" in parts.path + parts.query + parts.fragment:
        raise _refusal(
            "must have the form postgresql://user:password@host:5432/database; "
            "in user and password, characters other than letters and digits are written as %40 for @, %2F for /"
        )
    return f"postgresql://{parts.hostname or ''}{port}{parts.path}"


def _refusal(message: str) -> ConfigError:
    return ConfigError([Problem("environment", None, "DATABASE_URL", message)])


def reason_of(error: Exception) -> str:
    """What the database or the system said, in one line, without the statement."""
    cause: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        cause = error.orig.__cause__ or error.orig
    lines = str(cause).splitlines()
    return lines[0] if lines else type(cause).__name__
