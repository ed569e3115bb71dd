"""The state behind the addon: the configuration in force, the planner, and what is made of them for each request."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from balancing.admission import model_not_found, no_destination
from balancing.channels import Candidate, Catalogue
from balancing.exchange import Exchange, Preparation
from balancing.identity import short_name
from balancing.image_fetch import ImageFetcher
from balancing.limits import RateLimits
from balancing.moderation import Moderation
from balancing.plan import Planner
from balancing.signatures import ReasoningStore
from balancing.tokens import TokenSource
from config.schema import ClientKey, Config, Model
from translators.base import AnswerIdentity, ApiRequest, Service
from translators.errors import WireError


class Reports(Protocol):
    """What there is to tell of the past; stats/reports.py has it."""

    async def statistics(self, hours: float) -> Mapping[str, Any]:
        """Raises WireError where there are none."""
        ...

    def page(self) -> tuple[Mapping[str, str], bytes]:
        """Headers and body of the page that shows the statistics."""
        ...

    def metrics(self) -> tuple[Mapping[str, str], bytes]:
        """Headers and body of what Prometheus scrapes."""
        ...


class Gateway:
    """One per process. `clock` is monotonic, `wall_clock` Unix time, both in seconds."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        chance: random.Random,
        log: Callable[[str], None],
        default_timeout: float,
        discovered: Callable[[Config], Mapping[int, tuple[Model, ...]]] = lambda config: {},
    ) -> None:
        """`discovered` gives the models that are known of providers whose models the configuration does not name."""
        self.clock = clock
        self.wall_clock = wall_clock
        self.tokens = TokenSource(wall_clock)
        self.reasoning = ReasoningStore(clock)
        self._chance = chance
        self.planner = Planner(clock, chance, log)
        self.rate_limits = RateLimits(clock)
        self.reports: Reports
        self.images: ImageFetcher | None = None
        """None: addresses of pictures go to providers as they are."""
        self.moderation: Moderation | None = None
        """None: nothing is moderated, whatever the configuration says."""
        self._default_timeout = default_timeout
        self._discovered = discovered
        self._config: Config | None = None
        self._catalogue: Catalogue | None = None
        self.problem = "The gateway has no configuration yet."
        self.default_key = ""
        """Names the entry of api_keys that intercepted apps are served as when their key is unknown."""

    @property
    def config(self) -> Config | None:
        return self._config

    def use(self, config: Config) -> None:
        """Serve by this configuration from the next request on; running requests keep theirs."""
        catalogue = Catalogue(config, self._default_timeout, self._discovered(config))
        self._config, self._catalogue = config, catalogue
        self.planner.forget_absent(catalogue)
        self.rate_limits.keep_only(config.client_keys)

    def refresh(self) -> None:
        """Other models have been discovered: offer them from the next request on."""
        if self._config is not None:
            self.use(self._config)

    @property
    def catalogue(self) -> Catalogue:
        """Raises WireError 503 while there is no configuration, with the sentence that says what to do."""
        if self._catalogue is None:
            raise WireError(503, self.problem, type="server_error", code="not_configured")
        return self._catalogue

    def client(self, key: str) -> ClientKey | None:
        """The entry that lists this key; None while there is no configuration."""
        return self._catalogue.client(key) if self._catalogue else None

    @property
    def default_client(self) -> ClientKey | None:
        """The default key's entry."""
        return self.client(self.default_key)

    def client_called(self, name: str) -> ClientKey | None:
        """The entry whose key has this short name: what accounts call it."""
        clients = self._config.client_keys if self._config else ()
        return next((client for client in clients if short_name(client) == name), None)

    def cooldowns(self) -> list[dict[str, Any]]:
        """Those in force, the longest first, as GET /v1/stats lists them."""
        return [
            {
                "what": str(cooling.what),
                "provider": cooling.what.provider,
                "model": cooling.what.model,
                "key": cooling.what.key,
                "region": cooling.what.region,
                "seconds_left": round(cooling.seconds_left, 1),
                "why": cooling.why,
            }
            for cooling in self.planner.cooling()
        ]

    def candidates(self, client: ClientKey, asked: str, destination: str = "") -> Sequence[Candidate]:
        """The channels that may serve this client's request, or those at a destination, which a person has chosen
        for it. Raises WireError: 404 if there is none, 503."""
        candidates = self.catalogue.named(destination) if destination else self.catalogue.candidates(client, asked)
        if not candidates:
            raise no_destination(destination) if destination else model_not_found(asked)
        return candidates

    def exchange(
        self,
        client: ClientKey,
        request: ApiRequest,
        services: Mapping[str, Service[Any]],
        candidates: Sequence[Candidate],
        preparation: Preparation,
        destination: str = "",
    ) -> Exchange:
        """A request that is served from now on, by these channels. Those at a destination have turns of their own:
        the client's other requests go on as if nothing had been."""
        assert self._config
        plan = self.planner.plan(
            client,
            destination or request.model,
            candidates,
            cooldown_period=self._config.preferences.cooldown_period,
        )
        identity = AnswerIdentity(
            id=f"chatcmpl-{self._chance.getrandbits(128):032x}",
            created=int(self.wall_clock()),
            model=request.model,
            renamed=False,
            include_usage=request.include_usage,
        )
        return Exchange(
            request,
            services,
            plan,
            self.clock,
            identity,
            token_of=self.tokens.token,
            prepared=preparation,
            hedge_after=client.preferences.hedge_after,
        )
