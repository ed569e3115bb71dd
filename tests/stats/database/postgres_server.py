"""A PostgreSQL server of the tests' own, from the machine's binaries, in a temporary folder."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg  # type: ignore[import-untyped]

USER = "uniapi"
PASSWORD = "p@ss/w:rd?#%"
"""With everything in it that must be encoded in a URL."""


def binaries() -> Path | None:
    """The folder of initdb and postgres; Debian keeps it off the PATH."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


class PostgresServer:
    """Starts, is killed, and starts again with the same data on the same port."""

    def __init__(self, folder: Path, commands: Path) -> None:
        self.folder = folder
        self.commands = commands
        self.names = count()
        # The server refuses to run as root.
        self.as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            self.as_user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        password_file = folder / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        command = [f"{commands}/initdb", f"--pgdata={folder}/data", f"--username={USER}", f"--pwfile={password_file}"]
        options = ["--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C"]
        subprocess.run([*command, *options], check=True, capture_output=True, cwd=folder, **self.as_user)

    def start(self) -> None:
        command = [
            f"{self.commands}/postgres",
            "-D",
            f"{self.folder}/data",
            "-k",
            f"{self.folder}",
            "-p",
            f"{self.port}",
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                **self.as_user,
            )
        ready = [f"{self.commands}/pg_isready", "-q", "-h", "127.0.0.1", "-p", f"{self.port}"]
        while subprocess.run(ready).returncode != 0:
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """At once, as a crash: clients see their connections break."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def url(self, database: str, password: str = PASSWORD) -> str:
        return f"postgresql://{USER}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """An empty one; its name."""
        name = f"test_{next(self.names)}"
        self.execute(f"CREATE DATABASE {name}", "postgres")
        return name

    def execute(self, statement: str, database: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(self.url(database))
            await connection.execute(statement)
            await connection.close()

        asyncio.run(run())
