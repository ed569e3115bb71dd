"""The state behind the addon: the configuration in force, the planner, and what is made of them for each request."""

import hashlib
import random
from collections.abc import Callable, Mapping

from balancing.admission import model_not_found
from balancing.channels import Catalogue
from balancing.exchange import Exchange
from balancing.plan import Planner
from balancing.signatures import ReasoningStore
from balancing.tokens import TokenSource
from config.schema import ClientKey, Config, Model
from translators import DIALECTS
from translators.base import AnswerIdentity
from translators.errors import WireError
from translators.jsontext import dumps


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
        self._default_timeout = default_timeout
        self._discovered = discovered
        self._config: Config | None = None
        self._catalogue: Catalogue | None = None
        self.problem = "The gateway has no configuration yet."

    @property
    def config(self) -> Config | None:
        return self._config

    def use(self, config: Config) -> None:
        """Serve by this configuration from the next request on; running requests keep theirs."""
        catalogue = Catalogue(config, self._default_timeout, self._discovered(config))
        self._config, self._catalogue = config, catalogue
        self.planner.forget_absent(catalogue)

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

    def chat(self, client: ClientKey, body: bytes) -> Exchange:
        """A chat request that may be served. Raises WireError: 400, 404, 503."""
        catalogue = self.catalogue
        assert self._config
        dialect = DIALECTS["openai-chat"]
        request = dialect.read(body)
        candidates = catalogue.candidates(client, request.model)
        if not candidates:
            raise model_not_found(request.model)
        plan = self.planner.plan(
            client, request.model, candidates, cooldown_period=self._config.preferences.cooldown_period
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
            dialect,
            plan,
            self.clock,
            identity,
            request.model,
            self.tokens.token,
            self.reasoning,
            client=hashlib.sha256(client.api.reveal().encode()).hexdigest(),
            started=self.clock(),
        )

    def model_list(self, client: ClientKey) -> bytes:
        """The body of GET /v1/models: what this key may ask for."""
        models = [self._model_object(name) for name in self.catalogue.models(client)]
        return dumps({"object": "list", "data": models})

    def model(self, client: ClientKey, name: str) -> bytes:
        """The body of GET /v1/models/{name}. Raises WireError 404."""
        if name not in self.catalogue.models(client):
            raise model_not_found(name)
        return dumps(self._model_object(name))

    def _model_object(self, name: str) -> dict[str, object]:
        return {"id": name, "object": "model", "created": 0, "owned_by": "uniapi"}
