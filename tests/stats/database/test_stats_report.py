import asyncio
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from config.secrets import Secret
from stats.database import database_at, sqlite_database
from stats.migrations import prepare
from stats.report import BUCKETS, MOST_POINTS, read_report
from stats.tables import metadata
from tests.stats.database.accounts import NOW, account, accounts, attempt
from tests.stats.database.counting import counted_report, in_any_order
from tests.stats.database.running import completed, running, until_written


async def reported(database, told, made, hours=24.0):
    """What is reported after these accounts."""
    async with running(database, told) as statistics:
        for one in made:
            statistics.record(one)
    report = await statistics.report(hours)
    assert json.loads(json.dumps(report)) == report
    return report


def check(database, made, hours):
    """Everything but the order and the time of the report."""

    async def run():
        await prepare(database)
        async with database.writer.begin() as connection:
            for table in metadata.sorted_tables:
                await connection.execute(delete(table))
        return await reported(database, [].append, made, hours)

    report = completed(database, run())
    del report["time_range"]
    assert report.pop("lost_rows") == 0
    for name in ("channel_model_success_rates", "channel_success_rates"):
        assert_falling([row["total_requests"] for row in report[name]])
    for name in ("model_request_counts", "endpoint_request_counts", "ip_request_counts"):
        assert_falling([row["count"] for row in report[name]])
    assert_falling([row["time"] for row in report["last_errors"]])
    assert_falling([row["time"] for row in report["timeline"]][::-1])
    assert in_any_order(report) == in_any_order(counted_report(made, NOW, hours, report["bucket_seconds"]))


def assert_falling(values):
    assert values == sorted(values, reverse=True)


# No more failed attempts than are listed, so that it does not matter which of them are.
some_accounts = st.lists(accounts, max_size=16)
some_hours = st.sampled_from([0.25, 1.0, 24.0, 100.0, 720.0])


@given(made=some_accounts, hours=some_hours)
@settings(max_examples=40)
def test_a_report_from_sqlite_equals_what_is_counted_by_hand(made, hours):
    """Sums, rates, percentiles, timeline and errors, over any requests."""
    with tempfile.TemporaryDirectory() as folder:
        check(sqlite_database(str(Path(folder) / "stats.db")), made, hours)


@pytest.fixture(scope="module")
def postgresql_url(postgres):
    """One database for all examples: to make one takes long."""
    return postgres.url(postgres.new_database())


@given(made=some_accounts, hours=some_hours)
@settings(max_examples=40)
def test_a_report_from_postgresql_equals_what_is_counted_by_hand(postgresql_url, made, hours):
    """The same statements there."""
    check(database_at(Secret(postgresql_url)), made, hours)


def test_an_empty_report_has_all_its_parts(database, told):
    """Zeros and empty lists, before the first request."""
    report = completed(database, reported(database, told, []))
    assert report["time_range"] == {"hours": 24.0, "from": "2027-01-14T08:00:00Z", "to": "2027-01-15T08:00:00Z"}
    assert set(report["totals"].values()) == {0}
    assert report["timeline"] == report["latencies"] == report["tokens"] == report["last_errors"] == []
    assert report["bucket_seconds"] == 3600
    assert report["lost_rows"] == 0


def test_percentiles_are_the_nearest_rank(database, told):
    """Of 1 to 20: ten are not above 10, nineteen not above 19."""
    made = [account(total_ms=number, first_output_ms=None if number % 2 else number) for number in range(1, 21)]
    [latencies] = completed(database, reported(database, told, made))["latencies"]
    assert (latencies["total_p50_ms"], latencies["total_p95_ms"]) == (10, 19)
    assert (latencies["first_output_p50_ms"], latencies["first_output_p95_ms"]) == (10, 20)


def test_cancelled_attempts_are_no_success_and_no_failure(database, told):
    """The loser of a hedge; a provider that only ever lost is not listed."""
    lost = attempt(provider="two", cancelled=True, status=None)
    made = [account(hedged=True, attempts=[attempt(), lost]), account(attempts=[attempt(error="timeout"), attempt()])]
    report = completed(database, reported(database, told, made))
    assert report["channel_success_rates"] == [{"provider": "one", "success_rate": 2 / 3, "total_requests": 3}]
    assert report["totals"]["attempts"] == 4
    assert report["totals"]["hedged"] == 1
    assert [(error["provider"], error["error"]) for error in report["last_errors"]] == [("one", "timeout")]


def test_the_last_fifty_errors_are_listed_newest_first(database, told):
    """Of more than there is room for."""
    failed = attempt(error="rate_limit", status=429)
    made = [account(time=NOW - 100 + number, attempts=[failed | {"model": f"{number}"}]) for number in range(80)]
    errors = completed(database, reported(database, told, made))["last_errors"]
    assert [error["model"] for error in errors] == [str(number) for number in range(79, 29, -1)]


def test_lists_of_what_clients_send_are_cut(database, told):
    """Ten thousand model names that nobody has heard of: the most asked for are listed."""
    made = [account(asked=f"model-{number:04}", provider=None, model=None, attempts=[]) for number in range(1500)]
    report = completed(database, reported(database, told, [*made, account(asked="model-1499")]))
    assert len(report["model_request_counts"]) == 1000
    assert report["model_request_counts"][0] == {"model": "model-1499", "count": 2}
    assert report["totals"]["requests"] == 1501


@pytest.mark.parametrize("hours", [0.5, 1, 2, 5, 24, 48, 168, 720])
def test_a_timeline_has_few_points(sqlite, hours):
    """However long the time: the smallest bucket that gives no more than sixty."""

    async def run():
        await prepare(sqlite)
        return await read_report(sqlite.reader, NOW, hours)

    size = completed(sqlite, run())["bucket_seconds"]
    smaller = BUCKETS[BUCKETS.index(size) - 1] if size > BUCKETS[0] else 0
    assert hours * 3600 / size <= MOST_POINTS
    assert not smaller or hours * 3600 / smaller > MOST_POINTS


def test_the_loop_runs_on_while_a_report_is_made(database, told):
    """The database works elsewhere, in a thread or in its server: others have turn after turn meanwhile."""

    async def run():
        async with running(database, told) as statistics:
            for _ in range(5000):
                statistics.record(account())
            await statistics.stop()
            report = asyncio.ensure_future(statistics.report(24))
            turns = 0
            while not report.done():
                await asyncio.sleep(0)
                turns += 1
            return turns, await report

    turns, report = completed(database, run())
    assert report["totals"]["requests"] == 5000
    assert turns > 100


def test_reports_are_made_one_at_a_time(database, told):
    """Many people who look at once do not take the database from the writer."""

    async def run():
        async with running(database, told) as statistics:
            reports = asyncio.gather(*(statistics.report(24) for _ in range(20)))
            for _ in range(100):
                statistics.record(account())
                await asyncio.sleep(0)
            await reports
        assert (await statistics.report(24))["totals"]["requests"] == 100

    completed(database, run())
    assert told == []


def test_a_report_shows_one_moment(database, told):
    """Requests that are written between its statements are in none of its parts, or in all."""

    async def run():
        async with running(database, told, interval=0) as statistics:
            numbers: list[int] = []
            while len(numbers) < 15:
                report = asyncio.ensure_future(statistics.report(24))
                while not report.done():
                    statistics.record(account())
                    await asyncio.sleep(0.001)
                found = await report
                numbers.append(found["totals"]["requests"])
                assert found["totals"]["attempts"] == numbers[-1]
                assert sum(row["requests"] for row in found["timeline"]) == numbers[-1]
                assert sum(row["count"] for row in found["ip_request_counts"]) == numbers[-1]
            assert numbers[-1] > numbers[0]

    completed(database, run())


def test_a_report_has_what_has_just_happened(database, told):
    """It does not wait for the next time that the database is written anyway."""

    async def run():
        async with running(database, told, interval=60) as statistics:
            await until_written(statistics)
            for number in (1, 2):
                statistics.record(account())
                report = await statistics.report(24.0)
                assert report["totals"]["requests"] == number

    completed(database, run())
