from datetime import UTC, datetime

import pytest
from sqlalchemy import DateTime

from stats.tables import LARGEST_COUNT, LONGEST_TEXT, attempts, requests, rows_of
from tests.stats.database.accounts import account, attempt
from tests.stats.database.running import completed, rows, running

SECRET = "sk-proj-never-to-be-seen"


async def written(database, told, one):
    async with running(database, told) as statistics:
        statistics.record(one)
    assert told == []
    return await rows(database, requests), await rows(database, attempts)


def test_a_request_is_one_row_and_each_attempt_another(database, told):
    """With every value that the account has for them."""
    failed = attempt(provider="two", status=429, error="rate_limit", first_output_ms=None)
    one = account(time=1_800_000_000.25, attempts=[failed, attempt(cancelled=True)])
    [request], tried = completed(database, written(database, told, one))
    assert request.pop("time").replace(tzinfo=UTC) == datetime(2027, 1, 15, 8, 0, 0, 250_000, tzinfo=UTC)
    identity = request.pop("id")
    assert request == {name: value for name, value in one.items() if name not in ("time", "attempts", "dropped")}
    tried.sort(key=lambda row: row["number"])
    assert [(row["request_id"], row["number"]) for row in tried] == [(identity, 1), (identity, 2)]
    for row, made in zip(tried, one["attempts"], strict=True):
        columns = ("provider", "model", "status", "ms", "first_output_ms", "error", "cancelled")
        assert {name: row[name] for name in columns} == {name: made[name] for name in columns}


def test_no_prompt_no_answer_and_no_key_is_kept(sqlite, told):
    """Not a byte of it is in the file."""
    tried = attempt(
        key=SECRET, url=f"http://127.0.0.1/v1?key={SECRET}", message=f"bad key {SECRET}", answer=SECRET.encode()
    )
    one = account(attempts=[tried], dropped=[{"field": SECRET, "reason": SECRET}], prompt=SECRET, later=SECRET)
    found = completed(sqlite, written(sqlite, told, one))
    assert len(found[0]) == len(found[1]) == 1
    for file in sqlite.file.parent.iterdir():
        assert SECRET.encode() not in file.read_bytes()
    assert sqlite.file.stat().st_size > 0


def test_the_time_is_utc_and_indexed():
    """In both tables."""
    for table in (requests, attempts):
        assert isinstance(table.c.time.type, DateTime)
        assert table.c.time.type.timezone
        assert table.c.time.index


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("x" * 100_000, "x" * LONGEST_TEXT),
        ("nothing\0at all", "nothingat all"),
        ("half a pair \ud83d", "half a pair ?"),
        ("模型 😀", "模型 😀"),
        ("'; DROP TABLE uniapi_requests; --", "'; DROP TABLE uniapi_requests; --"),
    ],
    ids=["long", "NUL", "surrogate", "unicode", "SQL"],
)
def test_any_text_of_a_client_can_be_written(database, told, sent, kept):
    """And one that cannot be stored as it is does not cost the others of its batch."""
    [request], _ = completed(database, written(database, told, account(asked=sent)))
    assert request["asked"] == kept


@pytest.mark.parametrize(("sent", "kept"), [(10**30, LARGEST_COUNT), (-5, 0), (None, None), (7.0, 7)])
def test_any_number_of_a_provider_can_be_written(database, told, sent, kept):
    """Token counts come from outside."""
    [request], _ = completed(database, written(database, told, account(prompt_tokens=sent)))
    assert request["prompt_tokens"] == kept


def test_no_two_requests_have_the_same_id():
    """Nor do those of two gateways that write to one database."""
    assert rows_of(account()).request["id"] != rows_of(account()).request["id"]


def test_every_column_can_be_added_to_an_older_database():
    """It can be empty, or has a default on the database's side; but for the keys and the time."""
    for table in (requests, attempts):
        for column in table.columns:
            made_first = column.primary_key or column.name == "time"
            assert made_first or column.nullable or column.server_default is not None, column
