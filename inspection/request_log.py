"""The log's line for each request, cheap when there are many.

A log entry in mitmproxy costs about as much as one of a request's hooks. Lines that come within the same moment are
one entry; on its own, a line waits no longer than a person notices.
"""

import asyncio
import logging

MOMENT = 0.05
"""Seconds."""


class RequestLog:
    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """Log this line soon. A loop must be running."""
        if not self._lines:
            asyncio.get_running_loop().call_later(MOMENT, self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        """Log what has come since the last time."""
        if self._lines:
            self._logger.info("\n".join(self._lines))
            self._lines.clear()
