"""Old rows are deleted, a small piece at a time, so that nobody waits long for a lock."""

from datetime import UTC, datetime

from sqlalchemy import Column, Delete, delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from stats.tables import attempts, requests

DAYS_KEPT = 90
PIECE = 1000
"""Rows of a table that are deleted in one transaction, and those of the same requests."""


async def delete_piece(engine: AsyncEngine, now: float) -> bool:
    """Delete the oldest rows that are too old; `now` in Unix seconds. True = there may be more of them."""
    end = datetime.fromtimestamp(now - DAYS_KEPT * 86400, UTC)
    async with engine.begin() as connection:
        counts = [
            (await connection.execute(_oldest(key, end))).rowcount for key in (attempts.c.request_id, requests.c.id)
        ]
    return max(counts) >= PIECE


def _oldest(key: Column[object], end: datetime) -> Delete:
    table = key.table
    piece = select(key).where(table.c.time < end).order_by(table.c.time).limit(PIECE)
    # Another gateway may be deleting in the same database: each takes rows that the other has not.
    return delete(table).where(key.in_(piece.with_for_update(skip_locked=True)))
