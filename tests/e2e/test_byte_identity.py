"""What is none of the gateway's passes as if the addon were not there: the same bytes, connections and endings.

More than 200 exchanges (tests/e2e/exchanges) go through two real mitmdumps, one with the addon and one without, and
both ends of each are compared. The mitmdump without it has `connection_strategy` as the addon sets it: so connections
to servers are opened when there is a request for them, which is documented and not hidden.
"""

import asyncio
import sys
from itertools import chain
from pathlib import Path

import pytest

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

Both = tuple[dict[str, Transcript], dict[str, Transcript]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> Both:
    """All transcripts, without the addon and with it."""
    parent = tmp_path_factory.mktemp("byte-identity")
    certificate = host_certificate(confdir, "api.openai.com")
    authority = confdir / "mitmproxy-ca-cert.pem"
    config = config_of(provider("dead", dead_url()))

    for name in ("without", "with"):
        (parent / name).mkdir()
    nothing = parent / "nothing.py"
    nothing.touch()

    async def record(directory: Path, addon: Path) -> dict[str, Transcript]:
        options = (f"ssl_verify_upstream_trusted_ca={authority}", "connection_strategy=lazy")
        given = chain.from_iterable(("--set", option) for option in options)
        with GatewayProcess(directory, config, *given, confdir=confdir, addon=addon) as gateway:
            return await server.record(gateway.port, [*EXCHANGES, OURS])

    async def record_both() -> Both:
        async with server:
            return await record(parent / "without", nothing), await record(parent / "with", ADDON)

    server = RecordingServer(certificate, authority)
    return asyncio.run(record_both())


def test_exchanges_are_many_and_each_is_another():
    """At least 200, told apart by their names."""
    assert len({exchange.name for exchange in EXCHANGES}) == len(EXCHANGES) >= 200


@pytest.mark.parametrize("name", [exchange.name for exchange in EXCHANGES])
def test_others_pass_as_without_the_addon(recorded, name):
    """Bytes in both directions, number and endings of connections, and what TLS agreed on."""
    without, with_addon = recorded
    assert with_addon[name] == without[name]
    ends = chain.from_iterable((each[name].client, *each[name].servers) for each in recorded)
    assert "gave up" not in [end.ended for end in ends]


def test_what_is_ours_differs(recorded):
    """The server of an exchange with a key of the gateway's is never asked."""
    without, with_addon = recorded
    assert CHAT in without[OURS.name].servers[0].received
    assert with_addon[OURS.name].servers == ()
