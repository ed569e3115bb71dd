import asyncio

from stats.retention import DAYS_KEPT, PIECE, delete_piece
from stats.tables import attempts, requests
from tests.stats.database.accounts import NOW, account, attempt
from tests.stats.database.running import completed, count, rows, running, until, until_written

DAY = 86400


def test_rows_are_kept_for_ninety_days(database, told):
    """To the second, and their attempts with them; deleted at the start and, later on, every hour."""
    wall = NOW
    clock = 5000.0

    async def run():
        nonlocal wall, clock
        async with running(database, told, wall_clock=lambda: wall, clock=lambda: clock) as statistics:
            await until_written(statistics)
            for age in (DAYS_KEPT * DAY + 1, DAYS_KEPT * DAY - 1, 0):
                statistics.record(account(time=NOW - age, asked=f"{age}", attempts=[attempt(), attempt()]))
            await until_written(statistics)
        assert await count(database, requests) == 3

        async with running(database, told, wall_clock=lambda: wall, clock=lambda: clock) as statistics:
            await until_written(statistics)
            assert [row["asked"] for row in await rows(database, requests)] == [f"{DAYS_KEPT * DAY - 1}", "0"]
            assert await count(database, attempts) == 4
            wall += 10
            clock += 3599
            await asyncio.sleep(0.1)
            assert await count(database, requests) == 2
            clock += 1
            await until(lambda: statistics._next_retention > clock)
            assert [row["asked"] for row in await rows(database, requests)] == ["0"]
            assert await count(database, attempts) == 2

    completed(database, run())
    assert told == []


def test_old_rows_go_in_small_pieces(database, told):
    """No transaction holds the database for long; new rows are written in between."""
    number = 2 * PIECE + 500

    async def run():
        async with running(database, told) as statistics:
            await until_written(statistics)
            for _ in range(number):
                statistics.record(account(time=NOW - 100 * DAY, attempts=[attempt()] * 2))
        assert await count(database, requests) == number
        assert await delete_piece(database.writer, NOW)
        assert await count(database, requests) == number - PIECE
        assert 2 * number - 2 * PIECE <= await count(database, attempts) <= 2 * number - PIECE
        async with running(database, told) as statistics:
            statistics.record(account())
            await until_written(statistics)
            assert await count(database, requests) == 1
            assert await count(database, attempts) == 1

    completed(database, run())
    assert told == []


def test_two_gateways_delete_in_one_database(postgresql, told):
    """At the same moment, without waiting for each other or failing."""

    async def run():
        async with running(postgresql, told) as statistics:
            await until_written(statistics)
            for _ in range(3 * PIECE):
                statistics.record(account(time=NOW - 100 * DAY))
        async with running(postgresql, told) as one, running(postgresql, told) as other:
            await until_written(one)
            await until_written(other)
        assert await count(postgresql, requests) == await count(postgresql, attempts) == 0

    completed(postgresql, run())
    assert told == []


def test_a_deletion_that_fails_is_tried_again_in_an_hour(sqlite, told):
    """It is said, and nothing is lost by it."""
    clock = 5000.0

    async def run():
        nonlocal clock
        async with running(sqlite, told, clock=lambda: clock) as statistics:
            await until_written(statistics)
            async with sqlite.writer.begin() as connection:
                await connection.exec_driver_sql(
                    "CREATE TRIGGER keep BEFORE DELETE ON uniapi_requests BEGIN SELECT RAISE(ABORT, 'never'); END"
                )
            statistics.record(account(time=NOW - 100 * DAY))
            await until_written(statistics)
            clock += 3600
            await until(lambda: bool(told))
            statistics.record(account())
            await until_written(statistics)
        assert statistics.lost == 0
        assert await count(sqlite, requests) == 2

    completed(sqlite, run())
    assert len(told) == 1
    assert "cannot be deleted (never)" in told[0]
