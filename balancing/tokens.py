"""Access tokens for Vertex AI: who the gateway is at Google, proved once an hour.

Three ways to prove it, as the provider's configuration says: a service account's key (`private_key`, `client_email`),
a key file (`credentials_file`), or, with neither, application default credentials. google-auth does it, in a thread,
so that the loop never waits. (Google Cloud, "How Application Default Credentials works"; RFC 7523.)
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import google.auth
from google.auth import transport
from google.auth.credentials import Credentials, CredentialsWithTokenUri
from google.auth.exceptions import RefreshError, TransportError
from google.oauth2 import service_account

from balancing.own_sessions import by_proxy, new_session
from balancing.proxies import Proxy, proxy_of
from config.schema import Provider
from config.secrets import Secret
from translators.errors import Kind, UpstreamError

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
MARGIN = 300.0
"""Seconds before a token's end from which on a new one is fetched."""
PATIENCE = 10.0
"""Seconds that Google may take to answer."""
LONGEST_REASON = 300

Identity = tuple[str | None, Secret | None, str | None, str | None]
"""What makes two providers the same at Google."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; `expires` in Unix seconds."""

    text: str = field(repr=False)
    expires: float


class TokenSource:
    """The tokens of all providers. `clock` is Unix time in seconds. To be used from one event loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tokens: dict[Identity, Token] = {}
        self._fetches: dict[Identity, asyncio.Task[Token]] = {}

    async def token(self, provider: Provider) -> str:
        """A token that is good for some minutes at least. However many ask at once, one is fetched.

        Raises UpstreamError: CREDENTIALS for credentials that are of no use, CONNECT when Google cannot be reached,
        SERVER when it has troubles of its own.
        """
        identity = identity_of(provider)
        held = self._tokens.get(identity)
        if held and self._clock() < held.expires - MARGIN:
            return held.text
        fetch = self._fetches.get(identity)
        if fetch is None:
            fetch = asyncio.create_task(asyncio.to_thread(fetch_token, provider))
            fetch.add_done_callback(lambda done: self._arrived(identity, done))
            self._fetches[identity] = fetch
        try:
            # A client that goes away must not take the token from all the others.
            return (await asyncio.shield(fetch)).text
        except Exception as error:  # google-auth trips over odd answers and files in many ways.
            if held and self._clock() < held.expires:
                return held.text
            raise failure(provider, error) from None

    def forget(self, provider: Provider) -> None:
        """The token was refused: the next request fetches another."""
        self._tokens.pop(identity_of(provider), None)

    def _arrived(self, identity: Identity, fetch: asyncio.Task[Token]) -> None:
        del self._fetches[identity]
        if not fetch.cancelled() and fetch.exception() is None:
            self._tokens[identity] = fetch.result()


def identity_of(provider: Provider) -> Identity:
    return provider.client_email, provider.private_key, provider.credentials_file, provider.token_uri


# --- in a thread ----------------------------------------------------------------------------------------------


def fetch_token(provider: Provider) -> Token:
    """Ask Google for a token. Blocks. Raises whatever google-auth does, OSError for a key file."""
    request = Web(proxy_of(provider))
    credentials = credentials_of(provider, request)
    credentials.refresh(request)
    expiry = credentials.expiry or datetime.max
    return Token(str(credentials.token), expiry.replace(tzinfo=UTC).timestamp())


def credentials_of(provider: Provider, request: transport.Request) -> Credentials:
    """The credentials that the provider's configuration names, read anew: a key file may have been replaced."""
    credentials: Credentials
    if provider.private_key is not None:
        account = {
            "client_email": provider.client_email,
            "private_key": provider.private_key.reveal(),
            "token_uri": TOKEN_URI,
        }
        credentials = service_account.Credentials.from_service_account_info(account, scopes=SCOPES)
    elif provider.credentials_file is not None:
        credentials = service_account.Credentials.from_service_account_file(provider.credentials_file, scopes=SCOPES)
    else:
        credentials, _ = google.auth.default(scopes=SCOPES, request=request)
    if provider.token_uri is not None and isinstance(credentials, CredentialsWithTokenUri):
        credentials = credentials.with_token_uri(provider.token_uri)
    return credentials


@dataclass(frozen=True, slots=True)
class Answer(transport.Response):
    """What google-auth reads of an HTTP answer."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class Web(transport.Request):
    """HTTP for google-auth, which runs in a thread: through the provider's proxy, else as the environment says."""

    def __init__(self, proxy: Proxy | None) -> None:
        self._proxy = proxy

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = PATIENCE,
        **kwargs: Any,
    ) -> Answer:
        """Raises TransportError."""
        if not url.startswith(("http://", "https://")):
            raise TransportError(f"{url} is no web address")
        try:
            return asyncio.run(self._ask(url, method, body, headers or {}, timeout or PATIENCE))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Their own texts may hold the proxy's password.
            raise TransportError(getattr(error, "strerror", None) or type(error).__name__) from None

    async def _ask(
        self, url: str, method: str, body: bytes | None, headers: Mapping[str, str], patience: float
    ) -> Answer:
        arguments = by_proxy(self._proxy, url, headers)
        tls = ssl.create_default_context()
        async with (
            asyncio.timeout(patience),
            new_session(self._proxy, tls, trust_env=self._proxy is None) as session,
            session.request(method, url, data=body, **arguments) as response,
        ):
            return Answer(response.status, dict(response.headers), await response.read())


# --- what went wrong ------------------------------------------------------------------------------------------


def failure(provider: Provider, error: Exception) -> UpstreamError:
    """A failed fetch, as a failed attempt at the provider. Nothing secret is in what google-auth says."""
    reason = str(error.args[0] if error.args else error)[:LONGEST_REASON]
    if isinstance(error, TransportError):
        return UpstreamError(
            Kind.CONNECT, f"Google could not be asked for an access token: {reason}", code="upstream_connect"
        )
    if isinstance(error, RefreshError) and error.retryable:
        return UpstreamError(Kind.SERVER, f"Google gave no access token just now: {reason}", code="server_error")
    if isinstance(error, OSError):
        reason = f"{error.strerror or reason}: {error.filename}" if error.filename else reason
    return UpstreamError(
        Kind.CREDENTIALS,
        f"Google gave no access token for {whose(provider)}: {reason}",
        type="authentication_error",
        code="upstream_credentials_rejected",
    )


def whose(provider: Provider) -> str:
    if provider.client_email is not None:
        return provider.client_email
    if provider.credentials_file is not None:
        return provider.credentials_file
    return "the application default credentials"
