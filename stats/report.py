"""The report of GET /v1/stats: the answers of the database in the form that clients read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from stats.queries import (
    Query,
    Window,
    attempt_counts,
    last_errors,
    percentiles,
    request_counts,
    request_totals,
    served,
    time_bucket,
)
from stats.tables import requests

type Json = dict[str, Any]

BUCKETS = (60, 300, 900, 3600, 4 * 3600, 12 * 3600)
"""Seconds that a point of the timeline may stand for; the smallest that gives no more points than MOST_POINTS."""
MOST_POINTS = 60
NO_TIMES = {"p50": None, "p95": None}
COUNTED = {"model": requests.c.asked, "endpoint": requests.c.endpoint, "ip": requests.c.ip}


async def read_report(engine: AsyncEngine, now: float, hours: float) -> Json:
    """For the hours up to `now` (Unix seconds). All of it shows one moment of the database."""
    begin = now - hours * 3600
    window = Window(datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(now, UTC))
    bucket_seconds = next((size for size in BUCKETS if hours * 3600 <= size * MOST_POINTS), BUCKETS[-1])
    async with engine.begin() as connection:
        channels = await _rows(connection, attempt_counts(window))
        models = await _served(connection, window)
        timeline = await _served(connection, window, time_bucket(bucket_seconds))
        errors = await _rows(connection, last_errors(window))
        [totals] = await _rows(connection, request_totals(window))
        return {
            "time_range": {"hours": hours, "from": _iso(begin), "to": _iso(now)},
            "channel_model_success_rates": _success_rates(channels, "provider", "model"),
            "channel_success_rates": _success_rates(channels, "provider"),
            **{
                f"{name}_request_counts": await _rows(connection, request_counts(window, column, name))
                for name, column in COUNTED.items()
            },
            "totals": totals | {"attempts": sum(row["attempts"] for row in channels)},
            "latencies": [_latencies(row) for row in models],
            "tokens": [_tokens(row) for row in models],
            "bucket_seconds": bucket_seconds,
            "timeline": [_point(row) for row in timeline],
            "last_errors": [row | {"time": _iso(row["time"])} for row in errors],
        }


async def _rows(connection: AsyncConnection, query: Query) -> list[Json]:
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _served(connection: AsyncConnection, window: Window, *buckets: ColumnElement[Any]) -> list[Json]:
    """The rows of `served`, with those of `percentiles` under the columns' names."""
    groups = await _rows(connection, served(window, *buckets))
    for column in (requests.c.first_output_ms, requests.c.total_ms):
        times = {_key(row): row for row in await _rows(connection, percentiles(window, column, *buckets))}
        for group in groups:
            group[column.name] = times.get(_key(group), NO_TIMES)
    return groups


def _key(row: Json) -> tuple[Any, ...]:
    return row.get("bucket"), row["provider"], row["model"]


def _success_rates(channels: Sequence[Json], *keys: str) -> list[Json]:
    """Of the attempts that were not cancelled, the largest number first."""
    succeeded: dict[tuple[Any, ...], int] = {}
    finished: dict[tuple[Any, ...], int] = {}
    for row in channels:
        group = tuple(row[key] for key in keys)
        succeeded[group] = succeeded.get(group, 0) + row["succeeded"]
        finished[group] = finished.get(group, 0) + row["finished"]
    return [
        dict(zip(keys, group, strict=True)) | {"success_rate": succeeded[group] / number, "total_requests": number}
        for group, number in sorted(finished.items(), key=lambda item: -item[1])
        if number
    ]


def _latencies(row: Json) -> Json:
    return {
        "provider": row["provider"],
        "model": row["model"],
        "first_output_p50_ms": row["first_output_ms"]["p50"],
        "first_output_p95_ms": row["first_output_ms"]["p95"],
        "total_p50_ms": row["total_ms"]["p50"],
        "total_p95_ms": row["total_ms"]["p95"],
    }


def _tokens(row: Json) -> Json:
    return {
        "provider": row["provider"],
        "model": row["model"],
        "prompt": row["prompt_tokens"],
        "completion": row["completion_tokens"],
        "cached": row["cached_tokens"],
        "reasoning": row["reasoning_tokens"],
    }


def _point(row: Json) -> Json:
    return {
        "time": _iso(row["bucket"]),
        "provider": row["provider"],
        "model": row["model"],
        "requests": row["requests"],
        "succeeded": row["succeeded"],
        "first_output_p50_ms": row["first_output_ms"]["p50"],
        "total_p95_ms": row["total_ms"]["p95"],
        # What was cached is part of the prompt, and reasoning part of the completion.
        "tokens": row["prompt_tokens"] + row["completion_tokens"],
    }


def _iso(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}"
