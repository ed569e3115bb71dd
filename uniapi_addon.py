"""uniapi: an LLM gateway inside mitmproxy. `mitmdump -s uniapi_addon.py`

Flow ⇄ gateway. A client's OpenAI-format request is rewritten in place into a provider's, and the same flow carries the
answer back; balancing/failover.py sends it, several times if need be. Read the hooks of `Uniapi` from top to bottom:
they are called in this order.
"""

import asyncio
import gc
import logging
import os
import random
import sys
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

import mitmproxy.hooks
from mitmproxy import ctx, exceptions, http
from mitmproxy.addonmanager import Loader
from mitmproxy.connection import Client
from mitmproxy.proxy.layer import NextLayer
from mitmproxy.proxy.layers.http import HttpLayer
from mitmproxy.proxy.mode_specs import RegularMode, Socks5Mode, UpstreamMode

HERE = str(Path(__file__).resolve().parent)
PACKAGES = ("config", "translators", "balancing", "inspection", "stats")


def make_packages_importable() -> None:
    """Put this folder first on the path, and forget what an earlier load of this script imported from it.

    The packages' names are common words: another script's package of the same name would be taken for ours.
    """
    from_earlier_load = getattr(sys.modules.get("balancing"), "belongs_to_uniapi_addon", False)
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        module = sys.modules[name]
        if not (getattr(module, "__file__", None) or "").startswith(HERE + os.sep):
            raise ImportError(
                f"uniapi's package {name.partition('.')[0]!r} is shadowed by {module!r}, which another script has "
                "imported. Run uniapi without that script, or rename its package."
            )
        if from_earlier_load:
            del sys.modules[name]
    mitmproxy.hooks.all_hooks.pop("uniapi_next_attempt", None)
    sys.path.insert(0, HERE)


make_packages_importable()

import balancing  # noqa: E402
from balancing.account import Visit, account_of, refused_account  # noqa: E402
from balancing.admission import offered_key, wrong_key  # noqa: E402
from balancing.call import Call  # noqa: E402
from balancing.discovery import Discovery  # noqa: E402
from balancing.dispatch import DirectAddonManager  # noqa: E402
from balancing.endpoints import ENDPOINTS, Endpoint, Question, endpoint_of, unknown_endpoint  # noqa: E402
from balancing.endpoints.service import ask_moderation  # noqa: E402
from balancing.exchange import Exchange  # noqa: E402
from balancing.failover import FailoverHttpLayer  # noqa: E402
from balancing.gateway import Gateway  # noqa: E402
from balancing.identity import short_name  # noqa: E402
from balancing.image_fetch import ImageFetcher  # noqa: E402
from balancing.limits import Allowance  # noqa: E402
from balancing.model_fetch import fetch_models  # noqa: E402
from balancing.moderation import Moderation  # noqa: E402
from balancing.own_calls import OwnCalls  # noqa: E402
from balancing.own_sessions import verification  # noqa: E402
from balancing.public_addresses import is_private, is_public  # noqa: E402
from balancing.replies import Reply, error_reply  # noqa: E402
from config.environment import Environment  # noqa: E402
from config.load import ConfigError, Loaded  # noqa: E402
from config.options import NO_CONFIG, OPTIONS, wrong_host  # noqa: E402
from config.schema import ClientKey, Model, Provider  # noqa: E402
from config.secrets import Secret  # noqa: E402
from config.watch import ConfigSource, find_source  # noqa: E402
from inspection import views  # noqa: E402
from inspection.flow_notes import note_client, note_outcome, note_provider  # noqa: E402
from inspection.messages import (  # noqa: E402
    PREFLIGHT_HEADERS,
    Credential,
    body_of,
    clone,
    mask_key,
    rewrite,
    shown_credentials,
    stream_head,
    whole_response,
    with_credentials,
)
from inspection.ownership import Ownership  # noqa: E402
from inspection.request_log import RequestLog  # noqa: E402
from inspection.summary import log_line  # noqa: E402
from stats.database import database_of  # noqa: E402
from stats.recorder import Statistics  # noqa: E402
from stats.reports import Reports  # noqa: E402
from translators.errors import WireError  # noqa: E402

balancing.belongs_to_uniapi_addon = True  # type: ignore[attr-defined]

logger = logging.getLogger("uniapi")

UPSTREAM_CONNECTIONS = 1000
"""Per address and client connection; mitmproxy's own 5 would queue the parallel requests of an HTTP/2 client."""


@dataclass(slots=True)
class Passage:
    """One flow of ours on its way through."""

    endpoint: Endpoint | None
    client: ClientKey | None
    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    """What the client sent, its key masked."""
    refusal: WireError | None
    """Why the gateway does not serve it."""
    began: float = field(default_factory=time.time)
    """In Unix time."""
    allowance: Allowance | None = None
    """What the client's rate limits have left."""
    exchange: Exchange | None = None
    call: Call | None = None
    """The attempt that is prepared in the flow's request, until it is sent."""
    credentials: list[Credential] = field(default_factory=list)
    """That attempt's."""


class Uniapi:
    def __init__(self) -> None:
        self.passages: WeakKeyDictionary[http.HTTPFlow, Passage] = WeakKeyDictionary()
        self.source: ConfigSource | None = None
        self.watcher: asyncio.Task[None] | None = None
        self.ownership = Ownership()
        self.request_log = RequestLog(logger)
        self.own_calls = OwnCalls(tls_options)
        self.discovery = Discovery(self.fetch_models, on_news=lambda: self.gateway.refresh())

    # --- the program's life ---

    def load(self, loader: Loader) -> None:
        try:
            self.environment = Environment.read(os.environ)
            database = None if self.environment.disable_database else database_of(self.environment)
        except ConfigError as error:
            refuse(str(error))
        self.gateway = Gateway(
            clock=time.monotonic,
            wall_clock=time.time,
            chance=random.Random(),  # noqa: S311 - it spreads load and names answers
            log=logger.warning,
            default_timeout=self.environment.timeout,
            discovered=self.discovery.models,
        )
        self.gateway.images = ImageFetcher(
            time.monotonic,
            verification=lambda: verification(*tls_options()),
            allowed=lambda address: is_public(address) or (self.fetches_privately and is_private(address)),
        )
        self.gateway.moderation = Moderation(
            partial(ask_moderation, self.gateway, self.own_calls),
            lambda client, model: bool(self.gateway.catalogue.candidates(client, model)),
            time.monotonic,
            allow_on_error=self.environment.moderation_on_error == "allow",
        )
        self.statistics = Statistics(database, wall_clock=time.time, log=logger.warning) if database else None
        self.reports = Reports(
            self.statistics, endpoints=[endpoint.path for endpoint in ENDPOINTS], cooldowns=self.gateway.cooldowns
        )
        self.gateway.reports = self.reports
        views.add()
        for option in OPTIONS:
            loader.add_option(option.name, option.kind, option.default, option.help)
        for name, value in (("connection_strategy", "lazy"), ("tcp_timeout", 3600)):
            if ctx.options.default(name) == getattr(ctx.options, name):
                ctx.options.update(**{name: value})

    def configure(self, updated: set[str]) -> None:
        # Reading an option copies it deeply: once here, not for every request.
        self.ownership.hosts = tuple(ctx.options.uniapi_hosts)
        self.default_key: str = ctx.options.uniapi_default_key
        self.keeps_secrets: bool = ctx.options.uniapi_keep_secrets
        self.fetches_privately: bool = ctx.options.uniapi_private_images
        if mistake := wrong_host(self.ownership.hosts):
            refuse(mistake)
        if "uniapi_config" in updated:
            self.source = self.found_source()
            self.gateway.problem = NO_CONFIG if self.source is None else f"{self.source.name} is not loaded yet."
            if self.source is None:
                logger.warning(f"uniapi: {NO_CONFIG}")
            elif self.source.is_file:
                self.load_first()

    def load_first(self) -> None:
        """The first configuration, from a file: with mistakes in it nothing starts."""
        assert self.source
        try:
            self.use(self.source.load_file())
        except ConfigError as error:
            refuse(str(error))

    def use(self, loaded: Loaded) -> None:
        for warning in loaded.warnings:
            logger.warning(str(warning))
        is_first = self.gateway.config is None
        self.gateway.use(loaded.config)
        if self.watcher is not None:
            self.discovery.follow(loaded.config)
        if not is_first:
            logger.info("uniapi: the new configuration is in force.")
        if self.default_key and self.gateway.client(self.default_key) is None:
            logger.warning("uniapi: uniapi_default_key names no entry of api_keys, so nobody is served by it.")

    def running(self) -> None:
        # What start-up has made stays for good: the garbage collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        DirectAddonManager.take_over(ctx.master.addons)
        self.watcher = asyncio.get_running_loop().create_task(self.follow_source())
        if self.statistics is not None:
            self.statistics.start()
        if self.gateway.config is not None:
            self.discovery.follow(self.gateway.config)
        if is_open_proxy() and not ctx.options.proxyauth:
            logger.warning(
                "uniapi: listening on all interfaces without proxyauth: anybody who reaches this port can use it as a "
                "proxy. Use --listen-host 127.0.0.1, or set proxyauth."
            )

    async def follow_source(self) -> None:
        """Use every new configuration; without any, wait for one to be written."""
        while self.source is None:
            await asyncio.sleep(1)
            self.source = self.found_source()
        await self.source.watch(self.use)

    def fetch_models(self, provider: Provider, key: Secret | None) -> Awaitable[tuple[Model, ...]]:
        insecure, trusted_ca = tls_options()
        return fetch_models(provider, key, insecure=insecure, trusted_ca=trusted_ca)

    def found_source(self) -> ConfigSource | None:
        return find_source(ctx.options.uniapi_config, Path.cwd(), self.environment)

    def done(self) -> Awaitable[None] | None:
        """mitmproxy waits for what is returned when the program ends, and not when the script is loaded anew."""
        self.request_log.flush()
        views.remove()
        DirectAddonManager.give_back(ctx.master.addons)
        if self.watcher is not None:
            self.watcher.cancel()
        self.discovery.stop()
        if self.watcher is None:
            return None
        self.closing = self.watcher.get_loop().create_task(self.close())
        return self.closing

    async def close(self) -> None:
        await self.own_calls.close()
        if self.statistics is not None:
            await self.statistics.stop()

    # --- a connection ---

    def client_connected(self, client: Client) -> None:
        handler = ctx.master.addons.get("proxyserver").connections.get(client.id)
        if handler is not None:
            handler.max_conns.default_factory = lambda: asyncio.Semaphore(UPSTREAM_CONNECTIONS)

    def next_layer(self, next_layer: NextLayer) -> None:
        ctx.master.addons.get("nextlayer").next_layer(next_layer)
        for layer in next_layer.context.layers:
            if type(layer) is HttpLayer:
                FailoverHttpLayer.take_over(layer, self)

    # --- a request ---

    def requestheaders(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        request = flow.request
        if request.method == "CONNECT":
            return None
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
        """Decide whether the gateway answers this flow, and take the client's key out of it."""
        request = flow.request
        path = request.path.partition("?")[0]
        endpoint: Endpoint | None = None
        error: WireError | None = None
        try:
            endpoint = endpoint_of(path, request.method)
        except WireError as wrong_method:
            error = wrong_method
        if endpoint is None and error is None:
            if not addressed_here:
                return
            error = unknown_endpoint(path)
        is_public = endpoint is not None and endpoint.is_public
        if is_public and not addressed_here:
            return
        key = offered_key(request.headers)
        client = self.gateway.client(key)
        if client is None and not addressed_here:
            client = self.gateway.client(self.default_key)
            if client is None:
                return  # The app's own key belongs to the real host.
        if client is None and error is None and not is_public:
            error = self.refusal(key)
        if key and not self.keeps_secrets:
            mask_key(request, key)
        if client is not None and flow.response is not None and flow.response.status_code in (401, 407):
            flow.response = None  # mitmproxy's proxyauth is for the proxy's users; the gateway's have shown their key.
        self.passages[flow] = Passage(endpoint, client, request.method, request.path, request.headers.fields, error)
        request.stream = False

    def refusal(self, key: str) -> WireError:
        """Why nobody is served as: a wrong key, or no configuration to compare it with."""
        try:
            _ = self.gateway.catalogue
        except WireError as not_configured:
            return not_configured
        return wrong_key(missing=not key)

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
            passage.refusal = internal_error()
            flow.response = self.reply(flow, error_reply(passage.refusal))

    async def serve(self, flow: http.HTTPFlow, passage: Passage) -> None:
        if flow.request.method == "OPTIONS" and passage.endpoint is not None:
            flow.response = self.reply(flow, Reply(204, PREFLIGHT_HEADERS, b""))
            return
        if passage.refusal is not None:
            raise passage.refusal
        assert passage.endpoint
        if passage.client is not None and not passage.endpoint.is_public:
            passage.allowance = self.gateway.rate_limits.admit(passage.client)
        question = question_of(flow, passage)
        note_client(flow, passage.method, passage.path, passage.headers, question.body)
        answer = await passage.endpoint.answer(self.gateway, question)
        if isinstance(answer, Reply):
            flow.response = self.reply(flow, answer)
        else:
            passage.exchange = answer
            self.reports.began(stream=answer.request.stream)
            await self.prepare_attempt(flow, passage, answer)

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
                flow.response = self.reply(flow, error_reply(internal_error()))

    async def prepare_attempt(self, flow: http.HTTPFlow, passage: Passage, exchange: Exchange) -> None:
        passage.call = await exchange.begin()
        if passage.call is not None:
            wire = passage.call.wire
            passage.credentials = shown_credentials(wire.credentials, masked=not self.keeps_secrets)
            rewrite(flow.request, wire, passage.credentials)
        elif exchange.reply is not None:
            flow.response = self.reply(flow, exchange.reply)

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
        return call, with_credentials(flow.request, passage.credentials)

    def reply(self, flow: http.HTTPFlow, reply: Reply) -> http.Response:
        return whole_response(flow.request, reply.status, {**reply.headers, **self.rate_headers(flow)}, reply.body)

    def stream_head(self, flow: http.HTTPFlow) -> http.Response:
        exchange = self.passages[flow].exchange
        assert exchange
        assert exchange.winner
        assert exchange.winner.stream
        headers = {**exchange.answer_headers(), **self.rate_headers(flow)}
        return stream_head(flow.request, exchange.winner.stream.content_type, headers)

    def rate_headers(self, flow: http.HTTPFlow) -> Mapping[str, str]:
        passage = self.passages.get(flow)
        return passage.allowance.headers if passage and passage.allowance else {}

    # --- afterwards ---

    def response(self, flow: http.HTTPFlow) -> None:
        self.report(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        self.report(flow)

    def report(self, flow: http.HTTPFlow) -> None:
        """Tell what became of a request for a provider: in the flow, in the log, to the statistics."""
        passage = self.passages.pop(flow, None)
        if passage is None or passage.client is None or passage.endpoint is None or passage.endpoint.method != "POST":
            return
        exchange = passage.exchange
        visit = Visit(
            time=passage.began,
            endpoint=passage.endpoint.path,
            client=short_name(passage.client),
            ip=flow.client_conn.peername[0],
            status=flow.response.status_code if flow.response else None,
            refusal=passage.refusal,
        )
        if exchange is None:
            account = refused_account(visit)
            self.reports.refused(account)
        else:
            account = account_of(exchange, visit)
            self.reports.ended(account)
            if (winner := exchange.winner) is not None:
                note_provider(flow, winner.status, winner.headers, bytes(winner.kept), winner.cut)
        note_outcome(flow, account)
        self.request_log.add(log_line(account))


def question_of(flow: http.HTTPFlow, passage: Passage) -> Question:
    assert passage.endpoint
    path, _, query = passage.path.partition("?")
    return Question(
        client=passage.client,
        body=body_of(flow.request),
        content_type=flow.request.headers.get("content-type", ""),
        name=path.removeprefix(passage.endpoint.path).strip("/"),
        query=dict(parse_qsl(query)),
        ip=flow.client_conn.peername[0],
    )


def refuse(message: str) -> NoReturn:
    """A bad option or configuration ends the start, one line a mistake, no traceback; later on it changes nothing."""
    if ctx.master.addons.get("proxyserver").is_running:
        raise exceptions.OptionsError(message)
    logger.error(message)
    sys.exit(1)


def tls_options() -> tuple[bool, str | None]:
    """How mitmproxy verifies servers: not at all, by which authorities."""
    return ctx.options.ssl_insecure, ctx.options.ssl_verify_upstream_trusted_ca


def is_open_proxy() -> bool:
    """Whether other machines could use this one as their proxy."""
    proxyserver = ctx.master.addons.get("proxyserver")
    return any(
        isinstance(server.mode, RegularMode | Socks5Mode | UpstreamMode)
        and any(address[0] in ("0.0.0.0", "::", "") for address in server.listen_addrs)  # noqa: S104
        for server in proxyserver.servers
    )


def internal_error() -> WireError:
    return WireError(
        500, "The gateway failed on this request; its log says more.", type="server_error", code="internal_error"
    )


addons = [Uniapi()]
