"""Databases for the tests: files, small disks, and a PostgreSQL server where the machine has one."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from config.secrets import Secret
from stats.database import Database, database_at, sqlite_database
from tests.stats.database.postgres_server import PostgresServer, binaries
from tests.stats.database.running import Told
from tests.stats.database.small_disk import SmallDisk

HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def told() -> Told:
    """The log."""
    return Told()


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    """A file that is not there yet, in a folder that is not there yet."""
    return sqlite_database(str(tmp_path / "data" / "stats.db"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server. A machine without its binaries skips the test; with CI=true in the environment it fails."""
    commands = binaries()
    if commands is None:
        missing = "there is no PostgreSQL on this machine (Debian: apt-get install postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    # Not in pytest's folders: those are closed to the user that the server runs as.
    with tempfile.TemporaryDirectory(prefix="uniapi-postgres-") as folder:
        server = PostgresServer(Path(folder), commands)
        server.start()
        yield server
        server.kill()


@pytest.fixture
def postgresql(postgres: PostgresServer) -> Database:
    """A database of its own on the server."""
    return database_at(Secret(postgres.url(postgres.new_database())))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """Both kinds, one after the other."""
    found: Database = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Needs the right to mount, which root has outside of closed containers."""
    disk = SmallDisk(tmp_path / "disk")
    if shutil.which("mount") is None:
        pytest.skip("there is no mount command on this machine, so no disk that could become full")
    try:
        disk.mount()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"a small disk cannot be mounted here: {error.stderr.decode().strip()}")
    yield disk
    disk.unmount()


@contextmanager
def _other_process_locks(file: Path) -> Iterator[None]:
    command = [sys.executable, "-c", HOLD_LOCK, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "locked\n"
        yield
        process.stdin.close()


@pytest.fixture
def other_process_locks() -> Callable[[Path], AbstractContextManager[None]]:
    """Within `with other_process_locks(file)` another process holds the file's write lock."""
    return _other_process_locks
