"""`python -m scripts.demo`: serves the simulator on a free loopback port until stdin is closed.

Prints its address in one line when it is ready. Whoever starts it keeps the other end of stdin: when that
process is gone, however it ended, the pipe closes and the simulator goes too.
"""

import asyncio
import sys

from aiohttp import web

from scripts.demo.server import application


async def main() -> None:
    """Serves until stdin ends."""
    runner = web.AppRunner(application(), access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    print(f"http://127.0.0.1:{port}", flush=True)
    await _end_of_stdin()


async def _end_of_stdin() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


if __name__ == "__main__":
    asyncio.run(main())
