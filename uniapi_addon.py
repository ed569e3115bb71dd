"""uniapi: an LLM gateway inside mitmproxy. `mitmdump -s uniapi_addon.py`

Flow ⇄ gateway. A client's OpenAI-format request is rewritten in place into a provider's, and the same flow carries the
answer back; balancing/failover.py sends it, several times if need be. Read the hooks of `Uniapi` from top to bottom:
they are called in this order.
"""

import asyncio
import gc
import logging
import os
import sys
import time
from collections.abc import Awaitable, Iterator
from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary

import mitmproxy.hooks
from mitmproxy import ctx, http
from mitmproxy.addonmanager import Loader
from mitmproxy.connection import Client
from mitmproxy.flow import Error
from mitmproxy.proxy.layer import NextLayer
from mitmproxy.proxy.layers.http import HttpLayer

HERE = str(Path(__file__).resolve().parent)
PACKAGES = ("config", "translators", "balancing", "inspection", "stats")


def make_packages_importable() -> None:
    """Put this folder first on the path, and forget what an earlier load of this script imported from it.

    The packages' names are common words: another script's package of the same name would be taken for ours.
    """
    from_earlier_load = hasattr(sys.modules.get("balancing"), "passages")
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        module = sys.modules[name]
        if not (getattr(module, "__file__", None) or "").startswith(HERE + os.sep):
            raise ImportError(
                f"uniapi's package {name.partition('.')[0]!r} is shadowed by {module!r}, which another script has "
                "imported. Run uniapi without that script, or rename its package."
            )
        if from_earlier_load:
            del sys.modules[name]
    for hook in ("uniapi_next_attempt", "uniapi_drain"):
        mitmproxy.hooks.all_hooks.pop(hook, None)
    sys.path.insert(0, HERE)


passages_of_earlier_load = getattr(sys.modules.get("balancing"), "passages", None)
make_packages_importable()

import balancing  # noqa: E402
from balancing.admission import offered_key  # noqa: E402
from balancing.assembly import Assembly  # noqa: E402
from balancing.call import Call  # noqa: E402
from balancing.configuration import Configuration  # noqa: E402
from balancing.dispatch import DirectAddonManager  # noqa: E402
from balancing.echoes import hidden_bytes, hidden_headers, secrets_of  # noqa: E402
from balancing.endpoints import ENDPOINTS  # noqa: E402
from balancing.exchange import Exchange  # noqa: E402
from balancing.failover import FailoverHttpLayer  # noqa: E402
from balancing.identity import short_name  # noqa: E402
from balancing.overview import channel_lines, outlook_lines  # noqa: E402
from balancing.passage import Passage, arriving, replayed  # noqa: E402
from balancing.replies import Reply, error_reply, internal_error, loaded_anew  # noqa: E402
from balancing.request_body import decoded  # noqa: E402
from config.environment import Environment  # noqa: E402
from config.load import ConfigError  # noqa: E402
from config.options import wrong_host, wrong_number  # noqa: E402
from inspection import views  # noqa: E402
from inspection.client_connections import ClientConnections  # noqa: E402
from inspection.commands import Commands  # noqa: E402
from inspection.early_connections import EarlyConnections  # noqa: E402
from inspection.flow_list import FlowList  # noqa: E402
from inspection.flow_notes import NotedClient, note_client, note_outcome, note_provider, recognise  # noqa: E402
from inspection.host import add_options, refuse, tls_options, warn_if_open  # noqa: E402
from inspection.messages import (  # noqa: E402
    PREFLIGHT_HEADERS,
    clone,
    mask_keys,
    rewrite,
    stream_head,
    whole_response,
    with_credentials,
)
from inspection.ownership import Ownership  # noqa: E402
from inspection.replay import Replays  # noqa: E402
from inspection.request_log import RequestLog  # noqa: E402
from inspection.summary import log_line  # noqa: E402
from stats.database import database_of  # noqa: E402
from stats.recorder import Statistics  # noqa: E402
from stats.reports import Reports  # noqa: E402
from translators.errors import WireError  # noqa: E402

passages: WeakKeyDictionary[http.HTTPFlow, Passage] = (
    WeakKeyDictionary() if passages_of_earlier_load is None else passages_of_earlier_load
)
balancing.passages = passages  # type: ignore[attr-defined]
"""The requests that are on; those that an earlier load of this script has begun end in this one."""

logger = logging.getLogger("uniapi")


class Uniapi:
    def __init__(self) -> None:
        self.passages = passages
        self.clients = ClientConnections()
        self.ownership = Ownership()
        self.request_log = RequestLog(logger)
        self.closing: asyncio.Task[None] | None = None
        self.fetches_privately = False

    # --- the program's life ---

    def load(self, loader: Loader) -> None:
        add_options(loader)
        try:
            environment = Environment.read(os.environ)
            database = None if environment.disable_database else database_of(environment)
        except ConfigError as error:
            refuse(str(error))
        self.assembly = Assembly(environment, tls_options=tls_options, fetches_privately=lambda: self.fetches_privately)
        self.gateway = self.assembly.gateway
        self.configuration = Configuration(self.gateway, self.assembly.discovery, environment)
        self.statistics = Statistics(database, wall_clock=time.time, log=logger.warning) if database else None
        self.gateway.reports = self.reports = Reports(
            self.statistics, endpoints=[endpoint.path for endpoint in ENDPOINTS], cooldowns=self.gateway.cooldowns
        )
        for passage in self.passages.values():
            if passage.exchange is not None:
                self.reports.began(stream=passage.exchange.request.stream)
        self.addons = [self.commands(), FlowList()]
        self.replays = Replays(self.receive_replay, partial(FailoverHttpLayer.take_over, gatekeeper=self))
        self.replays.put_in_place()
        self.early_connections = EarlyConnections(self.ownership)
        self.early_connections.put_in_place()
        views.add()

    def commands(self) -> Commands:
        return Commands(
            channels=partial(channel_lines, self.gateway),
            outlook=partial(outlook_lines, self.gateway),
            clear_cooldowns=self.gateway.planner.clear_cooldowns,
            reload=self.configuration.reload,
            refusal_of=lambda noted, destination: self.replay_of(noted, destination).refusal,
        )

    def configure(self, updated: set[str]) -> None:
        # Reading an option copies it deeply: once here, not for every request.
        options = ctx.options
        self.ownership.intercept(options.uniapi_hosts)
        self.gateway.default_key = options.uniapi_default_key
        self.keeps_secrets: bool = options.uniapi_keep_secrets
        self.fetches_privately = options.uniapi_private_images
        mistake = wrong_host(options.uniapi_hosts) or wrong_number("uniapi_keep_flows", options.uniapi_keep_flows)
        if mistake:
            refuse(mistake)
        if "uniapi_config" in updated:
            try:
                self.configuration.choose(options.uniapi_config)
            except ConfigError as error:
                refuse(str(error))

    def running(self) -> None:
        # What start-up has made stays for good: the garbage collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        DirectAddonManager.take_over(ctx.master.addons)
        self.configuration.follow()
        if self.statistics is not None:
            self.statistics.start()
        warn_if_open()

    def done(self) -> Awaitable[None] | None:
        """mitmproxy waits for what is returned when the program ends, and not when the script is loaded anew."""
        self.request_log.flush()
        views.remove()
        self.replays.give_back()
        self.early_connections.give_back()
        self.clients.close_idle()
        DirectAddonManager.give_back(ctx.master.addons)
        if not self.configuration.stop():
            return None
        self.closing = asyncio.get_running_loop().create_task(self.close())
        return self.closing

    async def close(self) -> None:
        await self.assembly.close()
        if self.statistics is not None:
            await self.statistics.stop()

    # --- a connection ---

    def client_connected(self, client: Client) -> None:
        self.clients.opened(client)

    def client_disconnected(self, client: Client) -> None:
        self.clients.closed(client)

    def next_layer(self, next_layer: NextLayer) -> None:
        ctx.master.addons.get("nextlayer").next_layer(next_layer)
        for layer in next_layer.context.layers:
            if type(layer) is HttpLayer:
                FailoverHttpLayer.take_over(layer, self)
                self.clients.taken_over(next_layer.context.client, layer)

    # --- a request ---

    def requestheaders(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        request = flow.request
        if not flow.live:
            recognise(flow)  # It comes from a file, and is over.
            return None
        if request.method == "CONNECT" or flow.is_replay:
            return None  # Replays begin elsewhere.
        if self.ownership.is_addressed_here(flow):
            self.receive(flow, addressed_here=True)
        elif self.ownership.is_intercepted(request.pretty_host):
            self.receive(flow, addressed_here=False)
        elif self.ownership.may_be_own_name(flow):
            return self.receive_if_own_name(flow)
        return None

    async def receive_if_own_name(self, flow: http.HTTPFlow) -> None:
        if await self.ownership.is_own_name(flow):
            self.receive(flow, addressed_here=True)

    def receive(self, flow: http.HTTPFlow, *, addressed_here: bool) -> None:
        """If the gateway answers this flow, take the client's key out of it."""
        request = flow.request
        key = offered_key(request.headers)
        ip = flow.client_conn.peername[0]
        try:
            passage = arriving(self.gateway, request.method, request.path, key, ip=ip, addressed_here=addressed_here)
        except Exception:
            logger.exception("uniapi: the request could not be received")
            passage = Passage(request.path, ip, None, None, internal_error())
        if passage is None:
            return
        if not self.clients.is_of_this_load(flow.client_conn):
            passage.refusal = loaded_anew()
        if not self.keeps_secrets:
            mask_keys(request)
        if passage.client is not None and flow.response is not None and flow.response.status_code in (401, 407):
            flow.response = None  # mitmproxy's proxyauth is for the proxy's users; the gateway's have shown their key.
        self.passages[flow] = passage
        # What came from the client goes on being its own: mitmproxy looks there whether to keep the connection.
        flow.request = clone(request)
        flow.request.stream = False

    def receive_replay(self, flow: http.HTTPFlow, noted: NotedClient, destination: str) -> None:
        """A flow of ours is to be sent again, the client's request in it; `requestheaders` and the rest follow."""
        self.passages[flow] = self.replay_of(noted, destination, ip=flow.client_conn.peername[0])

    def replay_of(self, noted: NotedClient, destination: str, ip: str = "") -> Passage:
        return replayed(
            *(self.gateway, noted.method, noted.path, noted.name), cut=noted.cut, ip=ip, destination=destination
        )

    def request(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        passage = self.passages.get(flow)
        return self.answer(flow, passage) if passage else None

    async def answer(self, flow: http.HTTPFlow, passage: Passage) -> None:
        try:
            await self.serve(flow, passage)
        except WireError as error:
            passage.refusal = error
            flow.response = self.reply(flow, error_reply(error))
        except Exception:
            # Anything else would let the request go on to where the client sent it, its key included.
            logger.exception("uniapi: the request could not be handled")
            self.give_up(flow, passage)

    async def serve(self, flow: http.HTTPFlow, passage: Passage) -> None:
        if flow.request.method == "OPTIONS" and passage.endpoint is not None:
            note_client(flow, "", b"")
            flow.response = self.reply(flow, Reply(204, PREFLIGHT_HEADERS, b""))
            return
        body = await self.take_in(flow, passage)
        assert passage.endpoint
        question = passage.question(body, flow.request.headers)
        answer = await passage.endpoint.answer(self.gateway, question)
        if isinstance(answer, Reply):
            flow.response = self.reply(flow, answer)
        else:
            passage.exchange = answer
            self.reports.began(stream=answer.request.stream)
            await self.prepare_attempt(flow, passage, answer)

    async def take_in(self, flow: http.HTTPFlow, passage: Passage) -> bytes:
        """The body of the request, which is kept with the flow whatever becomes of it. Raises WireError: the request
        is not served."""
        body = flow.request.raw_content or b""
        try:
            if passage.refusal is not None:
                raise passage.refusal
            passage.admit(self.gateway)
            body = await decoded(body, flow.request.headers.get("content-encoding", ""))
        finally:
            note_client(flow, short_name(passage.client) if passage.client else "", body)
        return body

    # --- attempts (called by balancing/failover.py) ---

    async def uniapi_next_attempt(self, flow: http.HTTPFlow) -> None:
        passage = self.passages[flow]
        exchange = passage.exchange
        assert exchange
        flow.request = clone(flow.request)  # Another attempt may be on, and shows the one there was.
        try:
            await self.prepare_attempt(flow, passage, exchange)
        except Exception:
            logger.exception("uniapi: the next attempt could not be prepared")
            if not exchange.calls:
                self.give_up(flow, passage)
        intercept = ctx.master.addons.get("intercept")
        if intercept is not None and exchange.calls == [passage.call]:
            intercept.process_flow(flow)  # A breakpoint is for every attempt, but not for one beside another.

    async def prepare_attempt(self, flow: http.HTTPFlow, passage: Passage, exchange: Exchange) -> None:
        passage.call = await exchange.begin()
        if passage.call is not None:
            rewrite(flow.request, passage.call.wire, masked=not self.keeps_secrets)
        elif exchange.reply is not None:
            flow.response = self.reply(flow, exchange.reply)

    async def uniapi_drain(self, client: Client) -> None:
        await self.clients.drain(client)

    def owns(self, flow: http.HTTPFlow) -> bool:
        return flow in self.passages

    def exchange(self, flow: http.HTTPFlow) -> Exchange | None:
        passage = self.passages.get(flow)
        return passage.exchange if passage else None

    def attempt(self, flow: http.HTTPFlow) -> tuple[Call, http.Request] | None:
        passage = self.passages.get(flow)
        if passage is None or passage.call is None:
            return None
        call, passage.call = passage.call, None
        return call, with_credentials(flow.request, call.wire.credentials)

    def reply(self, flow: http.HTTPFlow, reply: Reply) -> http.Response:
        passage = self.passages.get(flow)
        limits = passage.rate_headers if passage else {}
        return whole_response(flow.request, reply.status, {**reply.headers, **limits}, reply.body)

    def stream_head(self, flow: http.HTTPFlow) -> http.Response:
        passage = self.passages[flow]
        exchange = passage.exchange
        assert exchange
        assert exchange.winner
        assert exchange.winner.stream
        headers = {**exchange.answer_headers(), **passage.rate_headers}
        return stream_head(flow.request, exchange.winner.stream.content_type, headers)

    def give_up(self, flow: http.HTTPFlow, passage: Passage) -> None:
        """A mistake of the gateway's own."""
        passage.refusal = internal_error()
        flow.response = self.reply(flow, error_reply(passage.refusal))

    # --- afterwards ---

    def response(self, flow: http.HTTPFlow) -> None:
        self.report(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        self.report(flow)

    def busy_clients(self) -> Iterator[Client]:
        return (flow.client_conn for flow in self.passages)

    def report(self, flow: http.HTTPFlow) -> None:
        """Tell what became of a request for a provider: in the flow, in the log, to the statistics."""
        passage = self.passages.pop(flow, None)
        if passage is None:
            return
        client = flow.client_conn
        if not (flow.is_replay or self.clients.is_of_this_load(client) or client in self.busy_clients()):
            self.clients.close_soon(client)  # It is to come again, to layers that this load has made.
        killed = flow.error is not None and flow.error.msg == Error.KILLED_MESSAGE
        account = passage.account(flow.response.status_code if flow.response else None, killed=killed)
        if account is None:
            return
        if passage.exchange is None:
            self.reports.refused(account)
        else:
            self.reports.ended(account)
            if (winner := passage.exchange.winner) is not None:
                secrets = secrets_of(winner)
                headers, body = hidden_headers(winner.headers, secrets), hidden_bytes(bytes(winner.kept), secrets)
                note_provider(flow, winner.status, headers, body, winner.cut)
        note_outcome(flow, account)
        self.request_log.add(log_line(account))


addons = [Uniapi()]
