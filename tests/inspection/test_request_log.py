"""The log's line for each request."""

import asyncio
import logging

from inspection.request_log import MOMENT, RequestLog


def test_lines_of_one_moment_are_one_entry(caplog):
    """In their order; the next moment has an entry of its own."""

    async def run() -> None:
        log = RequestLog(logging.getLogger("test"))
        log.add("one")
        log.add("two")
        await asyncio.sleep(MOMENT * 2)
        log.add("three")
        await asyncio.sleep(MOMENT * 2)

    with caplog.at_level(logging.INFO, "test"):
        asyncio.run(run())
    assert [record.getMessage() for record in caplog.records] == ["one\ntwo", "three"]


def test_the_last_lines_are_not_lost(caplog):
    """At the end they are flushed by hand; a flush too many logs nothing."""

    async def run() -> None:
        log = RequestLog(logging.getLogger("test"))
        log.add("last")
        log.flush()
        log.flush()
        await asyncio.sleep(MOMENT * 2)

    with caplog.at_level(logging.INFO, "test"):
        asyncio.run(run())
    assert [record.getMessage() for record in caplog.records] == ["last"]
