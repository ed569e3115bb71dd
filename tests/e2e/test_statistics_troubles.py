"""A database that cannot be written costs rows, never requests: what clients, the log and /metrics see of it."""

import re
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.upstream import answer, openai_answer
from tests.stats.database import conftest as databases
from tests.stats.database.postgres_server import PASSWORD, PostgresServer
from tests.stats.database.small_disk import SmallDisk

small_disk = databases.small_disk
postgres = databases.postgres
other_process_locks = databases.other_process_locks

HEADERS = {"authorization": f"Bearer {CLIENT_KEY}"}
ASK = {"model": "test-model", "messages": [{"role": "user", "content": "hello"}]}


@dataclass(frozen=True, slots=True)
class Trouble:
    """`environ` says where the database is; `begin` makes it unusable, `end` usable again; `said` is a pattern
    for why, in the log."""

    environ: dict[str, str]
    begin: Callable[[], object]
    end: Callable[[], object]
    said: str


@pytest.fixture
def read_only(small_disk: SmallDisk) -> Trouble:
    environ = {"DB_PATH": str(small_disk.folder / "stats.db")}
    said = "unable to open database file|readonly database"
    return Trouble(environ, small_disk.make_read_only, small_disk.make_writable, said)


@pytest.fixture
def disk_full(small_disk: SmallDisk) -> Trouble:
    environ = {"DB_PATH": str(small_disk.folder / "stats.db")}
    return Trouble(environ, small_disk.fill, small_disk.make_room, "disk is full|disk I/O error")


@pytest.fixture
def locked(tmp_path: Path, other_process_locks: Callable[[Path], AbstractContextManager[None]]) -> Trouble:
    file = tmp_path / "stats.db"
    lock = other_process_locks(file)
    return Trouble({"DB_PATH": str(file)}, lock.__enter__, lambda: lock.__exit__(None, None, None), "is locked")


@pytest.fixture
def server_gone(postgres: PostgresServer) -> Trouble:
    environ = {"DATABASE_URL": postgres.url(postgres.new_database())}
    return Trouble(environ, postgres.kill, postgres.start, "Connect call failed")


@pytest.fixture
def begin_gateway(start, upstream) -> Callable[..., GatewayProcess]:
    def begin(environ: dict[str, str]) -> GatewayProcess:
        good = provider("good", upstream.on("good", answer(200, openai_answer("hi"))))
        return start(config_of(good, role="admin"), environ=environ)

    return begin


def ask(gateway: GatewayProcess) -> None:
    response = httpx2.post(f"{gateway.base_url}/chat/completions", json=ASK, headers=HEADERS, timeout=30)
    assert response.status_code == 200


def written(gateway: GatewayProcess) -> int | None:
    """How many requests GET /v1/stats knows of; None: it says that it cannot tell now."""
    response = httpx2.get(f"{gateway.base_url}/stats", headers=HEADERS, timeout=60)
    if response.status_code == 503:
        assert response.json()["error"]["code"] == "statistics_unavailable"
        return None
    return response.json()["totals"]["requests"]


def lost(gateway: GatewayProcess) -> float:
    families = text_string_to_metric_families(httpx2.get(f"{gateway.url}/metrics").text)
    [sample] = [sample for family in families for sample in family.samples if sample.name == "uniapi_lost_rows_total"]
    return sample.value


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("kind", ["read_only", "disk_full", "locked", "server_gone"])
def test_requests_go_on_without_the_database(begin_gateway, request, kind):
    """All of them are answered while it cannot be used. What is lost is counted, and said once; afterwards rows are
    written again, and that is said, too."""
    trouble: Trouble = request.getfixturevalue(kind)
    gateway = begin_gateway(trouble.environ)
    ask(gateway)
    eventually(lambda: written(gateway) == 1)
    began = time.monotonic()
    trouble.begin()
    try:
        for _ in range(100):
            ask(gateway)
        eventually(lambda: lost(gateway) >= 200)
        ask(gateway)
        eventually(lambda: lost(gateway) >= 202)
        assert lost(gateway) == 202
        assert written(gateway) in (1, None)
    finally:
        trouble.end()
    gateway.wait_for_log(r"can be written again; rows lost: 202\.", seconds=60)
    ask(gateway)
    eventually(lambda: written(gateway) == 2)
    assert lost(gateway) == 202
    gateway.stop()  # It is to let go of the disk.
    warnings = re.findall(r"uniapi: statistics: .* cannot be written .*", gateway.log)
    assert 1 <= len(warnings) <= 1 + (time.monotonic() - began) // 60
    assert re.search(trouble.said, warnings[0])
    assert re.search(r"rows lost so far: \d+\. Requests are served all the same\.", warnings[0])
    assert PASSWORD not in gateway.log


def test_a_database_that_was_never_there(begin_gateway, tmp_path):
    """A folder in the file's place: the gateway starts, and serves."""
    (tmp_path / "stats.db").mkdir()
    gateway = begin_gateway({"DB_PATH": str(tmp_path / "stats.db")})
    ask(gateway)
    eventually(lambda: lost(gateway) == 2)
    assert written(gateway) is None
    assert "unable to open database file" in gateway.wait_for_log("uniapi: statistics: .*")[0]
    shutil.rmtree(tmp_path / "stats.db")
    gateway.wait_for_log("can be written again")
    ask(gateway)
    eventually(lambda: written(gateway) == 1)


def test_the_end_does_not_wait_for_a_database_for_ever(begin_gateway, locked):
    """What could not be written by then is counted in the log's last words."""
    gateway = begin_gateway(locked.environ)
    ask(gateway)
    eventually(lambda: written(gateway) == 1)
    locked.begin()
    try:
        ask(gateway)
        assert gateway.stop() == 0
    finally:
        locked.end()
    assert "uniapi: statistics: rows lost: 2; " in gateway.log
