"""A small world for balancing's tests: a clock to turn, providers in a line, and a planner among them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from balancing.account import Visit
from balancing.channels import Catalogue
from balancing.endpoints import ENDPOINTS, Endpoint, Question
from balancing.endpoints.service import CHAT
from balancing.exchange import Exchange
from balancing.gateway import Gateway
from balancing.plan import Attempt, Plan, Planner
from balancing.replies import Reply
from config.schema import ClientKey, ClientPreferences, Config, Model, Preferences, Provider, ProviderPreferences, Rule
from config.secrets import Secret
from translators.errors import Kind, UpstreamError

CHAT_ENDPOINT = next(endpoint for endpoint in ENDPOINTS if endpoint.path == CHAT)
VISIT = Visit(
    time=1.0, endpoint="/v1/chat/completions", client="1a2b3c4d…0001", ip="192.0.2.1", status=200, refusal=None
)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def models(*names: str) -> tuple[Model, ...]:
    """Models from `upstream` or `upstream:alias`."""
    return tuple(Model(name.partition(":")[0], name.partition(":")[2] or name) for name in names)


def provider(
    name: str,
    *model_names: str,
    keys: Sequence[str] = ("one",),
    engine: str = "gpt",
    regions: tuple[str, ...] = (),
    **preferences: Any,
) -> Provider:
    """A provider, of the model `m` if none is named; its keys are `sk-<name>-<key>-and-so-on-<key>`."""
    return Provider(
        name=name,
        base_url=f"https://{name}.example/v1",
        keys=tuple(Secret(f"sk-{name}-{key}-and-so-on-{key}") for key in keys),
        models=models(*(model_names or ("m",))),
        tools=True,
        image=True,
        engine=engine,
        project_id=None,
        private_key=None,
        client_email=None,
        credentials_file=None,
        token_uri=None,
        regions=regions,
        cf_account_id=None,
        notes="",
        preferences=ProviderPreferences(**preferences),
        line=1,
    )


def client(*rules: str | tuple[str, int], key: str = "sk-client", **preferences: Any) -> ClientKey:
    """A client key with these rules, `all` if there are none."""
    pairs = [(rule, None) if isinstance(rule, str) else rule for rule in rules or ("all",)]
    return ClientKey(
        api=Secret(key),
        rules=tuple(Rule(text, weight) for text, weight in pairs),
        role="user",
        preferences=ClientPreferences(**preferences),
    )


ANYBODY = client()


def error(kind: Kind, retry_after: float | None = None, status: int | None = None) -> UpstreamError:
    """A failure whose message nobody should see in a log."""
    return UpstreamError(kind, "the provider's own words", retry_after=retry_after, upstream_status=status)


class World:
    """Providers, one client, and what becomes of its requests for one model."""

    def __init__(
        self,
        *providers: Provider,
        client: ClientKey | None = None,
        cooldown_period: float = 300.0,
        timeout: float = 100.0,
        asked: str = "m",
        seed: int = 1,
    ) -> None:
        self.clock = Clock()
        self.log: list[str] = []
        self.planner = Planner(self.clock, random.Random(seed), self.log.append)
        self.client = client or ANYBODY
        self.asked = asked
        self.timeout = timeout
        self.cooldown_period = cooldown_period
        self.reload(*providers)

    def reload(self, *providers: Provider, clients: Iterable[ClientKey] | None = None) -> None:
        """Another configuration, of these providers, takes the place of the one there is."""
        self.config = Config(
            tuple(providers),
            tuple(clients) if clients is not None else (self.client,),
            Preferences(cooldown_period=self.cooldown_period),
        )
        self.catalogue = Catalogue(self.config, self.timeout)
        self.planner.forget_absent(self.catalogue)

    def plan(self, client: ClientKey | None = None, asked: str | None = None) -> Plan:
        """A request begins."""
        client, asked = client or self.client, asked or self.asked
        candidates = self.catalogue.candidates(client, asked)
        return self.planner.plan(client, asked, candidates, cooldown_period=self.cooldown_period)

    def serve(self, client: ClientKey | None = None, asked: str | None = None) -> str:
        """A request whose first attempt succeeds. Returns what served it, as `shown` shows it."""
        plan = self.plan(client, asked)
        attempt = begun(plan)
        plan.succeeded(attempt)
        return shown(attempt)

    def serve_many(self, count: int) -> list[str]:
        """That many requests, one after the other."""
        return [self.serve() for _ in range(count)]

    def fail_first(self, kind: Kind, retry_after: float | None = None) -> str:
        """A request whose first attempt fails, and which then is given up."""
        plan = self.plan()
        attempt = begun(plan)
        plan.failed(attempt, error(kind, retry_after))
        return shown(attempt)

    def all_attempts(self, kind: Kind, retry_after: float | None = None) -> list[str]:
        """A request whose every attempt fails in this way, for as long as the plan goes on."""
        plan = self.plan()
        attempts = []
        while (attempt := plan.next()) is not None:
            attempts.append(shown(attempt))
            if not plan.failed(attempt, error(kind, retry_after)):
                break
        return attempts

    @property
    def cooling(self) -> dict[str, float]:
        """What cools, and for how many seconds."""
        return {str(each.what): each.seconds_left for each in self.planner.cooling()}


def begun(plan: Plan) -> Attempt:
    """The plan's next attempt, which there has to be."""
    attempt = plan.next()
    assert attempt is not None
    return attempt


def shown(attempt: Attempt) -> str:
    """An attempt in a word: provider, then `:key` if it has several keys, then `@region` if it has regions."""
    name = attempt.channel.provider.name
    if len(attempt.channel.keys) > 1 and attempt.key:
        name += f":{attempt.key.reveal().split('-')[2]}"
    return f"{name}@{attempt.region}" if attempt.region else name


def of_duplicates(provider: Provider, count: int) -> list[Provider]:
    """The same provider under several names: `<name>0`, `<name>1` …"""
    return [replace(provider, name=f"{provider.name}{number}") for number in range(count)]


def ask(
    gateway: Gateway, endpoint: Endpoint, client: ClientKey | None, body: bytes = b"", **fields: Any
) -> Exchange | Reply:
    """What an endpoint makes of a client's request."""
    question = {"content_type": "application/json", "name": "", "query": {}, "ip": "192.0.2.1", **fields}
    return asyncio.run(to_the_end(endpoint.answer(gateway, Question(client=client, body=body, **question))))


async def to_the_end[Result](answer: Awaitable[Result]) -> Result:
    return await answer


def chat(gateway: Gateway, client: ClientKey, body: bytes) -> Exchange:
    """A chat request that is served from now on."""
    exchange = ask(gateway, CHAT_ENDPOINT, client, body)
    assert isinstance(exchange, Exchange)
    return exchange
