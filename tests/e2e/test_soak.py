"""Many requests: memory stays, and nothing is worth a warning."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.upstream import claude_stream, openai_stream, sse

WARM_UP = 300
SEQUENTIAL = 1000
CONCURRENT = 200
ALLOWED_GROWTH_MB = 20


def resident_megabytes(gateway: GatewayProcess) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{gateway.process.pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


async def ask(gateway: GatewayProcess, model: str, times: int) -> None:
    """Streamed requests, one after another on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    body = json.dumps({"model": model, "stream": True, "messages": [{"role": "user", "content": "x" * 2000}]}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{gateway.port}\r\n"
        f"authorization: Bearer {CLIENT_KEY}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    for _ in range(times):
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n0\r\n\r\n")
        assert b"data: [DONE]" in answer
    writer.close()


async def many(gateway: GatewayProcess, model: str) -> None:
    await ask(gateway, model, SEQUENTIAL)
    await asyncio.gather(*(ask(gateway, model, 1) for _ in range(CONCURRENT)))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from Linux's /proc")
@pytest.mark.parametrize("engine", ["gpt", "claude"])
def test_memory_stays_over_many_streams(start, upstream, engine):
    """A thousand in a row and two hundred at once, after a warm-up of the same kind."""
    frames = (openai_stream if engine == "gpt" else claude_stream)(*(["word "] * 50))
    gateway = start(
        config_of(provider("good", upstream.on("good", sse(frames)), engine=engine), preferences={"RATE_LIMIT": "none"})
    )

    async def warm_up() -> None:
        await asyncio.gather(
            ask(gateway, "test-model", WARM_UP), *(ask(gateway, "test-model", 1) for _ in range(CONCURRENT))
        )

    asyncio.run(warm_up())
    before = resident_megabytes(gateway)
    asyncio.run(many(gateway, "test-model"))
    assert resident_megabytes(gateway) - before < ALLOWED_GROWTH_MB
    gateway.stop()
    assert not re.search("warn|error|crash", gateway.log, re.IGNORECASE)
