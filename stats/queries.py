"""What is asked of the database for a report. It counts and sorts; no answer grows with the number of rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Select, Table, and_, cast, extract, func, literal, select

from stats.tables import attempts, requests

LONGEST_LIST = 1000
"""Of models, endpoints or addresses: what clients send can have any number of values."""
LAST_ERRORS = 50
TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")

type Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a report is about: from `begin` on, before `end`."""

    begin: datetime
    end: datetime

    def holds(self, table: Table) -> ColumnElement[bool]:
        """The condition on a table's rows."""
        return and_(table.c.time >= self.begin, table.c.time < self.end)


def request_totals(window: Window) -> Query:
    """One row: requests, succeeded, hedged, flagged, and the tokens."""
    columns = requests.c
    return select(
        *_counts(),
        func.count().filter(columns.hedged).label("hedged"),
        func.count().filter(columns.flagged).label("flagged"),
        *_token_sums(),
    ).where(window.holds(requests))


def request_counts(window: Window, column: Column[Any], name: str) -> Query:
    """`name`, count: how many requests had which value; without those that had none."""
    count = func.count().label("count")
    return (
        select(column.label(name), count)
        .where(window.holds(requests), column != "")
        .group_by(column)
        .order_by(count.desc(), column)
        .limit(LONGEST_LIST)
    )


def attempt_counts(window: Window) -> Query:
    """provider, model, attempts, and of these finished (not cancelled) and succeeded."""
    columns = attempts.c
    finished = ~columns.cancelled
    return (
        select(
            columns.provider,
            columns.model,
            func.count().label("attempts"),
            func.count().filter(finished).label("finished"),
            func.count().filter(finished, columns.error.is_(None)).label("succeeded"),
        )
        .where(window.holds(attempts))
        .group_by(columns.provider, columns.model)
        .order_by(func.count().filter(finished).desc(), columns.provider, columns.model)
    )


def served(window: Window, *buckets: ColumnElement[Any]) -> Query:
    """[bucket,] provider, model, requests, succeeded, and the tokens: by who served, and by `time_bucket` if given."""
    columns = requests.c
    keys = (*buckets, columns.provider, columns.model)
    return (
        select(*keys, *_counts(), *_token_sums())
        .where(window.holds(requests))
        .group_by(*keys)
        .order_by(*buckets, func.count().desc(), columns.provider, columns.model)
    )


def percentiles(window: Window, time: Column[Any], *buckets: ColumnElement[Any]) -> Query:
    """[bucket,] provider, model, p50 and p95 of a column of milliseconds, for the same groups as `served`.

    Exact, by the nearest rank: the smallest value that at least so many percent of the values do not exceed.
    SQLite has no function for that; this works in SQLite and PostgreSQL alike.
    """
    keys = (*buckets, requests.c.provider, requests.c.model)
    share = func.cume_dist().over(partition_by=keys, order_by=time).label("share")
    shares = select(*keys, time.label("value"), share).where(window.holds(requests), time.is_not(None)).subquery().c
    groups = [shares[key.name] for key in keys]
    p50, p95 = (func.min(shares.value).filter(shares.share >= least) for least in (0.5, 0.95))
    return select(*groups, p50.label("p50"), p95.label("p95")).group_by(*groups)


def time_bucket(seconds: int) -> ColumnElement[int]:
    """When the bucket of a request begins, in Unix seconds."""
    return _seconds(requests.c.time, seconds).label("bucket")


def last_errors(window: Window) -> Query:
    """time (Unix seconds), provider, model, status, error, endpoint of failed attempts, newest first."""
    columns = attempts.c
    return (
        select(
            _seconds(columns.time, 1).label("time"),
            columns.provider,
            columns.model,
            columns.status,
            columns.error,
            requests.c.endpoint,
        )
        .join_from(attempts, requests, columns.request_id == requests.c.id)
        .where(window.holds(attempts), columns.error.is_not(None), ~columns.cancelled)
        .order_by(columns.time.desc(), columns.request_id, columns.number.desc())
        .limit(LAST_ERRORS)
    )


def _seconds(time: ColumnElement[datetime], multiple: int) -> ColumnElement[int]:
    """Unix seconds, down to a multiple. Not by a cast alone, which SQLite rounds down and PostgreSQL to the nearest."""
    seconds = extract("epoch", time)
    # Written into the statement: PostgreSQL does not see that two parameters in SELECT and GROUP BY are the same.
    return cast(seconds - seconds % literal(multiple, literal_execute=True), BigInteger)


def _counts() -> tuple[ColumnElement[int], ...]:
    succeeded = func.count().filter(requests.c.outcome == "ok")
    return func.count().label("requests"), succeeded.label("succeeded")


def _token_sums() -> list[ColumnElement[int]]:
    return [cast(func.coalesce(func.sum(requests.c[name]), 0), BigInteger).label(name) for name in TOKENS]
