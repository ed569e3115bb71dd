"""Asks a provider for its list of models. Not by mitmproxy: these calls belong to nobody's request."""

import asyncio
import ssl

import aiohttp

from balancing.own_sessions import by_proxy, new_session, verification
from balancing.preferences import with_headers
from balancing.proxies import Proxy, proxy_of
from config.schema import Model, Provider
from config.secrets import Secret
from translators.errors import UpstreamError
from translators.model_lists import ModelPage, list_answer, list_request
from translators.types import Target, WireRequest

SECONDS = 30.0
"""For all pages of a list."""
PAGES = 50


class ListError(Exception):
    """The models could not be had. Nothing secret in the message."""


def has_list(provider: Provider) -> bool:
    """Whether there is a list to ask for."""
    return list_request(provider.engine, target_of(provider, None)) is not None


async def fetch_models(
    provider: Provider, key: Secret | None, *, insecure: bool, trusted_ca: str | None
) -> tuple[Model, ...]:
    """What the provider lists now, each once, by the names that it gives them. Raises ListError.

    Its certificate is verified as mitmproxy does it: by the options `ssl_insecure`, `ssl_verify_upstream_trusted_ca`.
    """
    try:
        async with asyncio.timeout(SECONDS):
            tls = await asyncio.to_thread(verification, insecure, trusted_ca)
            names = await fetch_names(provider, key, tls)
    except TimeoutError:
        raise ListError(f"no answer in {SECONDS:g} s") from None
    except UpstreamError as error:
        raise ListError(error.message.replace(key.reveal(), key.masked) if key else error.message) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # Their own texts may hold the URL or a header. ValueError: what cannot be sent.
        raise ListError(getattr(error, "strerror", None) or type(error).__name__) from None
    return tuple(Model(name, name) for name in dict.fromkeys(names))


async def fetch_names(provider: Provider, key: Secret | None, tls: ssl.SSLContext) -> list[str]:
    proxy = proxy_of(provider)
    names: list[str] = []
    page = ModelPage((), {})
    async with new_session(proxy, tls) as session:
        for number in range(1, PAGES + 1):
            wire = list_request(provider.engine, target_of(provider, key), page.next_query)
            assert wire
            body = await ask(session, with_headers(wire, provider.preferences.headers), proxy)
            page = list_answer(provider.engine, body, number)
            names += page.names
            if not page.next_query:
                break
    return names


async def ask(session: aiohttp.ClientSession, wire: WireRequest, proxy: Proxy | None) -> bytes:
    """The answer's body. Raises ListError unless the status is 200: redirects are not followed."""
    arguments = by_proxy(proxy, wire.url, {**wire.headers, **wire.credentials})
    async with session.get(wire.url, **arguments) as response:
        if response.status != 200:
            raise ListError(f"status {response.status}")
        return await response.read()


def target_of(provider: Provider, key: Secret | None) -> Target:
    return Target(
        base_url=provider.base_url or "",
        model="",
        alias="",
        key=key.reveal() if key else "",
        account=provider.cf_account_id or "",
    )
