"""Writes down what became of the requests: in batches, beside them, and never at their cost.

A database that cannot be written costs rows and nothing else. Rows wait for some tries; then they are given up and
counted, and at most one line a minute says so, until the database can be written again.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from stats.database import FAILURES, Database, reason_of
from stats.inserts import insert_rows
from stats.migrations import prepare
from stats.report import read_report
from stats.retention import delete_piece
from stats.tables import Rows, attempts, requests, rows_of

BATCH = 500
"""Requests in one transaction."""
QUEUE = 20_000
"""Requests that may wait to be written; some 30 MB."""
TRIES = 5
"""What fails so often in a row, an interval apart, is no hiccup: what waits is given up."""
RETENTION_SECONDS = 3600
WARNING_SECONDS = 60
REPORT_WAITS = 1.0
"""Seconds that a report waits at most for what has not been written yet."""


class StatisticsUnavailable(Exception):
    """The database cannot be read now; the text says which and why, and holds no secret."""


class Statistics:
    """One per process. `clock` is monotonic, `wall_clock` Unix time; `interval` between writes: all in seconds."""

    def __init__(
        self,
        database: Database,
        *,
        wall_clock: Callable[[], float],
        log: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        interval: float = 1.0,
    ) -> None:
        self._database = database
        self._wall_clock = wall_clock
        self._log = log
        self._clock = clock
        self._interval = interval
        self._queue: deque[Rows] = deque()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._wake = asyncio.Event()
        self._written = asyncio.Event()
        self._report_lock = asyncio.Lock()
        self._prepared = False
        self._failures = 0
        self._said_to_fail = False
        self._next_warning = -math.inf
        self._next_retention = -math.inf
        self.lost = 0
        """Rows, of requests and attempts, that will not be written."""

    # --- for requests ---

    def record(self, account: Mapping[str, Any]) -> None:
        """Take down a finished request. Returns at once, whatever the database does, and never raises."""
        try:
            rows = rows_of(account)
        except Exception as error:
            # A mistake in an account is not the client's, who has been answered.
            self.lost += 1
            self._warn(f"a request has no usable account ({error!r})")
            return
        if len(self._queue) < QUEUE:
            self._queue.append(rows)
        else:
            self.lost += len(rows)

    # --- the program's life ---

    def start(self) -> None:
        """Begin to write. Call it in the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self, seconds: float = 5.0) -> None:
        """Write what waits, for so long at most, and close the database."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            _, running = await asyncio.wait({self._task}, timeout=seconds)
            if running:
                self._task.cancel()
                await asyncio.wait(running)
        if self._queue:
            self._give_up()
            self._log(f"uniapi: statistics: rows lost: {self.lost}; {self._database.name} did not take them in time.")
        await self._database.writer.dispose()

    async def _run(self) -> None:
        while True:
            await self._write()
            self._written.set()
            # At the end, too, another gateway or a backup may hold the file for a moment: `stop` bounds the tries.
            if self._stopping and not self._queue:
                return
            await wait_for(self._wake, self._interval)
            self._wake.clear()

    # --- writing ---

    async def _write(self) -> None:
        try:
            await self._prepare()
            overflowed = len(self._queue) >= QUEUE
            if self._queue:
                await self._write_queue()
        except Exception as error:
            # Whatever it is, it may cost rows and must not end the writing.
            self._failed(reason_of(error))
            return
        self._succeeded()
        if overflowed:
            self._warn(f"more requests than {self._database.name} takes")
        if self._clock() >= self._next_retention:
            await self._delete_old()

    async def _prepare(self) -> None:
        if not self._prepared:
            await prepare(self._database)
            self._prepared = True

    async def _write_queue(self) -> None:
        """All that waits now, by one connection: opening and closing an SQLite file takes longer than a batch.

        What comes in the meantime waits for the next time; a busy gateway would be written for without end otherwise,
        a few rows at a time.
        """
        waiting = len(self._queue)
        async with self._database.writer.connect() as connection:
            while waiting > 0:
                batch = list(islice(self._queue, min(BATCH, waiting)))
                async with connection.begin():
                    await insert_rows(connection, requests, [rows.request for rows in batch])
                    await insert_rows(connection, attempts, [row for rows in batch for row in rows.attempts])
                for _ in batch:
                    self._queue.popleft()
                waiting -= len(batch)

    def _failed(self, reason: str) -> None:
        self._prepared = False  # The file may be a new one, or the server's database.
        self._failures += 1
        if self._failures >= TRIES:
            self._give_up()
            self._said_to_fail |= self._warn(f"{self._database.name} cannot be written ({reason})")

    def _succeeded(self) -> None:
        self._failures = 0
        if self._said_to_fail:
            self._said_to_fail = False
            self._log(f"uniapi: statistics: {self._database.name} can be written again; rows lost: {self.lost}.")

    def _give_up(self) -> None:
        self.lost += sum(map(len, self._queue))
        self._queue.clear()

    def _warn(self, what: str) -> bool:
        """Whether it was said: one line a minute is enough."""
        if self._clock() < self._next_warning:
            return False
        self._next_warning = self._clock() + WARNING_SECONDS
        self._log(f"uniapi: statistics: {what}; rows lost so far: {self.lost}. Requests are served all the same.")
        return True

    async def _delete_old(self) -> None:
        """A piece, and the next one after the next batches."""
        try:
            more = await delete_piece(self._database.writer, self._wall_clock())
        except Exception as error:
            more = False
            self._warn(f"old rows of {self._database.name} cannot be deleted ({reason_of(error)})")
        if not more:
            self._next_retention = self._clock() + RETENTION_SECONDS

    # --- reading ---

    async def report(self, hours: float) -> dict[str, Any]:
        """What GET /v1/stats answers for the last so many hours, but for the cooldowns, as JSON data.

        One at a time: a report over months of rows is work for the database. What has just happened is in it, unless
        the database is slow to take it. Raises StatisticsUnavailable.
        """
        async with self._report_lock:
            if self._queue and self._task is not None and not self._failures:
                self._written.clear()
                self._wake.set()
                await wait_for(self._written, REPORT_WAITS)
            try:
                await self._prepare()
                report = await read_report(self._database.reader, self._wall_clock(), hours)
            except FAILURES as error:
                raise StatisticsUnavailable(
                    f"The statistics in {self._database.name} cannot be read: {reason_of(error)}."
                ) from error
        return {**report, "lost_rows": self.lost}


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Until it is set, or so much time has passed."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
