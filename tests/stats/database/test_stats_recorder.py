import asyncio
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from stats.inserts import insert_rows
from stats.recorder import QUEUE, Statistics
from stats.tables import attempts, requests
from tests.stats.database.accounts import NOW, account, attempt
from tests.stats.database.running import completed, count, rows, running, until_written

ROOT = Path(__file__).resolve().parents[3]


def test_ten_thousand_requests_are_ten_thousand_rows(database, told):
    """Recorded at one blow, faster than any database writes."""

    async def run():
        async with running(database, told) as statistics:
            for number in range(10_000):
                statistics.record(account(asked=f"model-{number}", attempts=[attempt(), attempt()]))
        assert statistics.lost == 0
        assert await count(database, requests) == 10_000
        assert await count(database, attempts) == 20_000
        assert len({row["asked"] for row in await rows(database, requests)}) == 10_000

    completed(database, run())
    assert told == []


def test_a_request_is_written_while_the_gateway_runs(database, told):
    """Not only as it stops."""

    async def run():
        async with running(database, told) as statistics:
            statistics.record(account())
            await until_written(statistics)
            assert await count(database, requests) == 1

    completed(database, run())


def test_recording_waits_for_nothing(sqlite, told, other_process_locks):
    """With the writer stuck inside a transaction: record is a plain call, and it returns without a turn of the loop."""

    async def run():
        async with running(sqlite, told) as statistics:
            await until_written(statistics)
            with other_process_locks(sqlite.file):
                statistics.record(account())
                await asyncio.sleep(0.2)  # The writer is waiting for the lock now.
                turns: list[str] = []
                asyncio.get_running_loop().call_soon(turns.append, "the loop had a turn")
                for _ in range(1000):
                    statistics.record(account())
                assert turns == []
                assert len(statistics._queue) == 1001
            await until_written(statistics)
        assert await count(sqlite, requests) == 1001

    assert not inspect.iscoroutinefunction(Statistics.record)
    completed(sqlite, run())
    assert told == []


def test_what_does_not_fit_into_the_queue_is_counted(sqlite, told):
    """Attempts too. Before the start, so that nothing is written meanwhile."""
    statistics = Statistics(sqlite, wall_clock=lambda: NOW, log=told)
    for _ in range(QUEUE):
        statistics.record(account())
    assert statistics.lost == 0
    statistics.record(account(attempts=[attempt(), attempt()]))
    assert statistics.lost == 3

    async def run():
        statistics.start()
        await statistics.stop(seconds=60)
        assert await count(sqlite, requests) == QUEUE

    completed(sqlite, run())
    assert len(told) == 1
    assert "more requests than" in told[0]
    assert "rows lost so far: 3" in told[0]


@pytest.mark.parametrize("broken", [{}, {"time": "yesterday"}, account(total_ms="long"), account(attempts=[None])])
def test_a_broken_account_costs_a_row_and_no_exception(sqlite, told, broken):
    """The client has had its answer: nothing may come of a mistake in the account."""
    statistics = Statistics(sqlite, wall_clock=lambda: NOW, log=told)
    statistics.record(broken)
    statistics.record(broken)
    assert statistics.lost == 2
    assert len(told) == 1


def test_a_batch_that_was_written_already_is_not_written_twice(database, told):
    """As when the connection breaks just after the commit, and the batch is tried again."""

    async def run():
        async with running(database, told) as statistics:
            await until_written(statistics)
            statistics.record(account())
            waiting = statistics._queue[0]
            await until_written(statistics)
            statistics._queue.append(waiting)
            await until_written(statistics)
        assert await count(database, requests) == 1
        assert await count(database, attempts) == 1

    completed(database, run())
    assert told == []


def test_a_database_that_does_not_answer_does_not_hold_up_the_end(sqlite, told, other_process_locks):
    """Stopping has a time limit; what was not written is counted and said."""

    async def run():
        async with running(sqlite, told) as statistics:
            await until_written(statistics)
            with other_process_locks(sqlite.file):
                statistics.record(account())
                await statistics.stop(seconds=0.1)
            assert statistics.lost == 2

    completed(sqlite, run())
    assert len(told) == 1
    assert "rows lost: 2" in told[0]
    assert str(sqlite.file) in told[0]


PROGRAM = """
import asyncio, sqlite3, sys, time
from stats.database import sqlite_database
from stats.recorder import Statistics
from tests.stats.database.accounts import account
from tests.stats.database.running import until_written

async def main():
    statistics = Statistics(sqlite_database(sys.argv[1]), wall_clock=time.time, log=print)
    statistics.start()
    await until_written(statistics)
    lock = sqlite3.connect(sys.argv[1], isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    statistics.record(account())
    await asyncio.sleep(1.2)
    return lock

"""


@pytest.mark.parametrize(
    "ending",
    ["asyncio.run(main())", "loop = asyncio.new_event_loop(); lock = loop.run_until_complete(main())"],
    ids=["loop closed", "loop left lying"],
)
def test_the_process_ends_without_a_stop(tmp_path, ending):
    """In the midst of a write that waits for a lock: no thread of the database keeps the process alive."""
    command = [sys.executable, "-c", PROGRAM + ending, str(tmp_path / "stats.db")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 0, run.stderr


def test_what_comes_while_it_is_written_waits_for_the_next_time(database, told, monkeypatch):
    """A busy gateway would otherwise be written for without end, a few rows at a time."""
    written = []

    async def run():
        statistics = Statistics(database, log=told, wall_clock=lambda: NOW)

        async def while_more_come(connection, table, batch):
            statistics.record(account())
            await insert_rows(connection, table, batch)
            written.append(len(batch))

        monkeypatch.setattr("stats.recorder.insert_rows", while_more_come)
        for _ in range(3):
            statistics.record(account())
        async with asyncio.timeout(10):
            await statistics._write()
        assert written == [3, 3]
        assert len(statistics._queue) == 2
        await statistics._write()
        assert written[2:] == [2, 2]
        assert await count(database, requests) == 5

    completed(database, run())
