"""The gateway with everything that it works with, put together."""

import logging
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial

from balancing.discovery import Discovery
from balancing.endpoints.service import ask_moderation
from balancing.gateway import Gateway
from balancing.image_fetch import ImageFetcher
from balancing.model_fetch import fetch_models
from balancing.moderation import Moderation
from balancing.own_calls import OwnCalls
from balancing.own_sessions import verification
from balancing.public_addresses import is_private, is_public
from config.environment import Environment
from config.schema import Model, Provider
from config.secrets import Secret

logger = logging.getLogger("uniapi")


class Assembly:
    """One per process. `tls_options` gives mitmproxy's `ssl_insecure` and `ssl_verify_upstream_trusted_ca`;
    `fetches_privately` whether pictures may also come from private networks."""

    def __init__(
        self,
        environment: Environment,
        *,
        tls_options: Callable[[], tuple[bool, str | None]],
        fetches_privately: Callable[[], bool],
    ) -> None:
        self._tls_options = tls_options
        self._own_calls = OwnCalls(tls_options)
        self.discovery = Discovery(self._fetch_models, on_news=lambda: self.gateway.refresh())
        self.gateway = gateway = Gateway(
            clock=time.monotonic,
            wall_clock=time.time,
            chance=random.Random(),  # noqa: S311 - it spreads load and names answers
            log=logger.warning,
            default_timeout=environment.timeout,
            discovered=self.discovery.models,
        )
        gateway.images = ImageFetcher(
            time.monotonic,
            verification=lambda: verification(*tls_options()),
            allowed=lambda address: is_public(address) or (fetches_privately() and is_private(address)),
        )
        gateway.moderation = Moderation(
            partial(ask_moderation, gateway, self._own_calls),
            lambda client, model: bool(gateway.catalogue.candidates(client, model)),
            time.monotonic,
            allow_on_error=environment.moderation_on_error == "allow",
        )

    async def close(self) -> None:
        await self._own_calls.close()

    def _fetch_models(self, provider: Provider, key: Secret | None) -> Awaitable[tuple[Model, ...]]:
        insecure, trusted_ca = self._tls_options()
        return fetch_models(provider, key, insecure=insecure, trusted_ca=trusted_ca)
