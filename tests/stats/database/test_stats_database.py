import asyncio
import logging
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text

from config.environment import Environment
from config.problems import ConfigError
from config.secrets import Secret
from stats.database import database_at, database_of, reason_of, sqlite_database
from tests.stats.database.accounts import account
from tests.stats.database.postgres_server import PASSWORD as SERVER_PASSWORD
from tests.stats.database.postgres_server import USER
from tests.stats.database.running import completed, running

PASSWORD = "tops3cret"


def test_without_a_url_it_is_the_file_that_db_path_names(tmp_path, monkeypatch):
    """From the folder in which the gateway was started, whatever the folder is later."""
    monkeypatch.chdir(tmp_path)
    database = database_of(Environment.read({}))
    assert database.name == "data/stats.db"
    assert database.file == tmp_path / "data" / "stats.db"
    assert database_of(Environment.read({"DB_PATH": "/var/x.db"})).file == Path("/var/x.db")
    monkeypatch.setenv("HOME", "/home/someone")
    assert database_of(Environment.read({"DB_PATH": "~/x.db"})).file == Path("/home/someone/x.db")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg2", "POSTGRES"])
def test_every_spelling_of_postgresql_is_understood(scheme):
    """Also those that name another driver: ours is used."""
    environment = Environment.read({"DATABASE_URL": f"{scheme}://ann:{PASSWORD}@db.example:5433/stats?sslmode=require"})
    database = database_of(environment)
    assert database.name == "postgresql://db.example:5433/stats"
    assert database.writer.dialect.name == "postgresql"
    assert database.writer.dialect.driver == "asyncpg"
    assert database.file is None
    assert PASSWORD not in repr(database)
    assert PASSWORD not in repr(database.writer.url)


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:////var/lib/stats.db", "/var/lib/stats.db"),
        ("sqlite+aiosqlite:////var/lib/stats.db", "/var/lib/stats.db"),
        ("sqlite:///stats.db", "stats.db"),
    ],
)
def test_a_url_of_sqlite_names_a_file(url, file, tmp_path, monkeypatch):
    """Three slashes and a path."""
    monkeypatch.chdir(tmp_path)
    assert database_at(Secret(url)).file == tmp_path / file


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"mysql://ann:{PASSWORD}@db/stats", "must begin with postgresql:// or sqlite:///"),
        (f"ann:{PASSWORD}@db/stats", "must begin with"),
        ("data/stats.db", "must begin with"),
        ("sqlite://", "must name a file"),
        ("sqlite:///", "must name a file"),
        (f"postgresql://ann:{PASSWORD}/x@db/stats", "%2F for /"),
        (f"postgresql://ann:{PASSWORD}?x@db/stats", "%40 for @"),
        (f"postgresql://ann:{PASSWORD}#x@db/stats", "%40 for @"),
        (f"postgresql://ann:12/{PASSWORD}@db/stats", "%40 for @"),
        (f"postgresql://ann@db:{PASSWORD}/stats", "must have the form postgresql://user:password@host:5432/database"),
        (f"postgresql://[{PASSWORD}/stats", "must have the form"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_at_the_start(url, said):
    """With the variable's name and what to write, and without a piece of the password."""
    with pytest.raises(ConfigError) as caught:
        database_at(Secret(url))
    message = str(caught.value)
    assert message.startswith("environment: DATABASE_URL: ")
    assert said in message
    assert PASSWORD not in message
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or PASSWORD not in str(caught.value.__context__)


def test_a_reason_is_one_line():
    """And says something even where the error does not."""
    assert reason_of(OSError("no route\nto host")) == "no route"
    assert reason_of(TimeoutError()) == "TimeoutError"


def test_parameters_behind_the_question_mark_are_those_of_libpq(postgres, told):
    """A server that is reached through its socket, without any encryption."""
    name = postgres.new_database()
    password = quote(SERVER_PASSWORD, safe="")
    places = f"host={postgres.folder}&port={postgres.port}&sslmode=disable&application_name=uniapi-test"
    database = database_at(Secret(f"postgresql://{USER}:{password}@/{name}?{places}"))

    async def run():
        async with running(database, told) as statistics:
            statistics.record(account())
        async with database.reader.begin() as connection:
            return (await connection.execute(text("SELECT current_setting('application_name')"))).scalar_one()

    assert completed(database, run()) == "uniapi-test"
    assert database.name == f"postgresql:///{name}"
    assert told == []


def test_statements_are_not_logged(tmp_path, caplog):
    """mitmproxy's root logger takes everything, and a statement's rows hold clients' addresses."""
    caplog.set_level(logging.DEBUG)
    engine = sqlite_database(str(tmp_path / "stats.db")).writer

    async def ask() -> None:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("SELECT 'an address'")

    asyncio.run(ask())
    assert "an address" not in caplog.text
