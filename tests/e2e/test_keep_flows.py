"""uniapi_keep_flows: mitmweb's list stays as long as is wanted, and so does its memory."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.mitmweb_person import MitmwebPerson
from tests.e2e.upstream import answer, openai_answer

KEPT = 500
CONNECTIONS = 8
SETTLED_AFTER = 4_000
FLOWS = 20_000
ALLOWED_GROWTH_MB = 60
BODY = json.dumps({"model": "test-model", "messages": [{"role": "user", "content": "x" * 1000}]}).encode()


def resident_megabytes(gateway: GatewayProcess) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{gateway.process.pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


async def ask(port: int, times: int) -> None:
    """Requests one after another on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {CLIENT_KEY}\r\n"
        f"content-length: {len(BODY)}\r\n\r\n"
    )
    for _ in range(times):
        writer.write(head.encode() + BODY)
        answered = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", answered)
        assert length
        await reader.readexactly(int(length[1]))
    writer.close()


async def ask_on_many(port: int, times: int) -> None:
    await asyncio.gather(*(ask(port, times // CONNECTIONS) for _ in range(CONNECTIONS)))


@pytest.fixture
def config(upstream) -> dict:
    return config_of(provider("good", upstream.on("good", answer(200, openai_answer("word " * 200)))))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from Linux's /proc")
def test_memory_is_flat_over_20_000_flows(start, config):
    """After a list has been filled some times over, nothing is added to it any more."""
    web = MitmwebPerson(start, config, "--set", f"uniapi_keep_flows={KEPT}")
    asyncio.run(ask_on_many(web.gateway.port, SETTLED_AFTER))
    before = resident_megabytes(web.gateway)
    asyncio.run(ask_on_many(web.gateway.port, FLOWS - SETTLED_AFTER))
    growth = resident_megabytes(web.gateway) - before
    assert len(web.flows()) == KEPT
    assert growth < ALLOWED_GROWTH_MB


def test_a_number_below_zero_ends_the_start(tmp_path, confdir, config):
    """In one line."""
    gateway = GatewayProcess(tmp_path, config, "--set", "uniapi_keep_flows=-1", confdir=confdir)
    assert gateway.process.wait(20) != 0
    gateway.stop()
    assert "uniapi_keep_flows takes 0 or a larger number, got -1." in gateway.log
    assert "Traceback" not in gateway.log
