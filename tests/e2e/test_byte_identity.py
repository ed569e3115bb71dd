"""What is none of the gateway's passes as if the addon were not there: the same bytes, connections and endings.

More than 200 exchanges (tests/e2e/exchanges) go through two real mitmdumps, one with the addon and one without, and
both ends of each are compared.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import namespaces
from tests.e2e.certificates import host_certificate
from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.exchanges.http1 import CHAT, Asker, http1_exchanges
from tests.e2e.exchanges.http2 import http2_exchanges
from tests.e2e.exchanges.others import other_exchanges
from tests.e2e.gateway_process import ROOT, GatewayProcess
from tests.e2e.upstream import dead_url
from tests.e2e.wire_recorder import Exchange, RecordingServer, Transcript, message

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="each exchange has a loopback address of its own")

EXCHANGES = [*http1_exchanges(thrown=60), *http2_exchanges(), *other_exchanges()]
OURS = Exchange(
    "ours",
    (
        Asker("/v1/chat/completions", (("Host", "api.openai.com"), ("Authorization", f"Bearer {CLIENT_KEY}"))).ask(),
        message,
    ),
    ((message,),),
)
"""The same with a key that the gateway knows: shows that the comparison sees a difference."""
ADDON = ROOT / "uniapi_addon.py"

IN_TRANSPARENT_MODE = [exchange for exchange in EXCHANGES if exchange.tunnel is not None]
"""Without a proxy that the client speaks to, a tunnel is a connection like any other."""
PORTS = {"plain 80, TLS 443": (80, 8443, 443), "plain 443, TLS 80": (443, 80, 8443)}
"""Of the servers in transparent mode: plain, TLS with HTTP/2, TLS without. On 80 and 443 the addon waits for a name."""
OUTWARDS = "127.9.9.9"
"""The address that proxies connect from in transparent mode, so that they are not led to themselves."""

Both = tuple[dict[str, Transcript], dict[str, Transcript]]
"""All transcripts, without the addon and with it."""
Play = Callable[[RecordingServer, int], Awaitable[dict[str, Transcript]]]
"""Plays exchanges through the proxy on this port."""


def record_both(
    parent: Path, confdir: Path, play: Play, *options: str, ports: tuple[int, int, int] = (0, 0, 0), **keywords: Any
) -> Both:
    """Start both proxies, one after the other."""
    certificate = host_certificate(confdir, "api.openai.com", "other.example")
    authority = confdir / "mitmproxy-ca-cert.pem"
    config = config_of(provider("dead", dead_url()))
    trusting = ("--set", f"ssl_verify_upstream_trusted_ca={authority}")
    nothing = parent / "nothing.py"
    nothing.touch()

    async def record(server: RecordingServer, name: str, addon: Path) -> dict[str, Transcript]:
        directory = parent / name
        directory.mkdir()
        with GatewayProcess(
            directory, config, *trusting, *options, confdir=confdir, addon=addon, **keywords
        ) as gateway:
            return await play(server, gateway.port)

    async def both() -> Both:
        async with RecordingServer(certificate, authority, ports) as server:
            return await record(server, "without", nothing), await record(server, "with", ADDON)

    return asyncio.run(both())


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> Both:
    """In regular mode."""
    return record_both(
        tmp_path_factory.mktemp("byte-identity"), confdir, lambda server, port: server.record(port, [*EXCHANGES, OURS])
    )


@pytest.fixture(scope="module", params=PORTS)
def recorded_in_transparent_mode(request, tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> Both:
    if reason := namespaces.missing():
        pytest.skip(reason)
    with namespaces.joined_machines() as (_, machine), machine.entered():

        async def play(server: RecordingServer, port: int) -> dict[str, Transcript]:
            namespaces.lead_own_connections(machine, port, but_from=OUTWARDS)
            return await server.record(None, IN_TRANSPARENT_MODE, name="other.example")

        options = ("--mode", "transparent", "--set", f"connect_addr={OUTWARDS}")
        parent = tmp_path_factory.mktemp("byte-identity")
        return record_both(
            parent,
            confdir,
            play,
            *options,
            ports=PORTS[request.param],
            pattern=r"Transparent Proxy listening at .*:(\d+)",
        )


def test_exchanges_are_many_and_each_is_another():
    """At least 200, told apart by their names."""
    assert len({exchange.name for exchange in EXCHANGES}) == len(EXCHANGES) >= 200


@pytest.mark.parametrize("name", [exchange.name for exchange in EXCHANGES])
def test_others_pass_as_without_the_addon(recorded, name):
    """Bytes in both directions, number and endings of connections, and what TLS agreed on."""
    assert_equal(recorded, name)


@pytest.mark.parametrize("name", [exchange.name for exchange in IN_TRANSPARENT_MODE])
def test_others_pass_in_transparent_mode_too(recorded_in_transparent_mode, name):
    """There the addon waits for the client's first bytes before a connection to the server is opened."""
    assert_equal(recorded_in_transparent_mode, name)


def assert_equal(recorded: Both, name: str) -> None:
    without, with_addon = recorded
    assert with_addon[name] == without[name]
    ends = chain.from_iterable((each[name].client, *each[name].servers) for each in recorded)
    assert "gave up" not in [end.ended for end in ends]


def test_what_is_ours_differs(recorded):
    """The server of an exchange with a key of the gateway's is never asked."""
    without, with_addon = recorded
    assert CHAT in without[OURS.name].servers[0].received
    assert with_addon[OURS.name].servers == ()
