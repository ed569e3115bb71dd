"""Access tokens for Vertex: fetched once, kept while they are good, and clear about what went wrong."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from balancing.tokens import MARGIN, TokenSource
from config.schema import Provider
from config.secrets import Secret
from tests.balancing.world import provider
from tests.e2e.proxies import HttpProxy, Socks5Proxy
from translators.errors import Kind, UpstreamError

EMAIL = "gateway@example-project.iam.gserviceaccount.com"


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def pem() -> str:
    encoded = private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()


@dataclass
class Google:
    """A token endpoint. `requests` are the form fields of each call; `answer` is what the next ones get."""

    uri: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)
    answer: tuple[int, Any] = (200, {"access_token": "ya29.one", "expires_in": 3_600, "token_type": "Bearer"})
    seconds: float = 0.0
    """How long it takes."""


@pytest.fixture
def google() -> Iterator[Google]:
    endpoint = Google()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            endpoint.requests.append({name: values[0] for name, values in form.items()})
            time.sleep(endpoint.seconds)
            status, body = endpoint.answer
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint.uri = f"http://127.0.0.1:{server.server_port}/token"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield endpoint
    server.shutdown()
    thread.join()
    server.server_close()


def vertex(google: Google, **fields: Any) -> Provider:
    account = {"private_key": Secret(pem()), "client_email": EMAIL, "token_uri": google.uri}
    return replace(provider("vertex", keys=(), engine="vertex"), **{**account, **fields})


class Wall:
    """A wall clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def test_a_service_account_proves_itself(google: Google) -> None:
    """By a signed assertion that names it, the scope and the token endpoint (RFC 7523)."""
    assert asyncio.run(TokenSource(time.time).token(vertex(google))) == "ya29.one"
    [form] = google.requests
    signed, _, signature = form["assertion"].rpartition(".")
    private_key().public_key().verify(decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    claims = json.loads(decoded(signed.partition(".")[2]))
    assert claims["iss"] == EMAIL
    assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_200_requests_at_once_fetch_one_token(google: Google) -> None:
    """With a cold source, and one more when it has run out."""
    google.seconds = 0.2
    clock = Wall()
    source = TokenSource(clock)

    async def ask(times: int) -> set[str]:
        return set(await asyncio.gather(*(source.token(vertex(google)) for _ in range(times))))

    async def play() -> None:
        assert await ask(200) == {"ya29.one"}
        assert len(google.requests) == 1
        google.answer = (200, {"access_token": "ya29.two", "expires_in": 3_600})
        clock.ahead = 3_600 - MARGIN - 60
        assert await ask(200) == {"ya29.one"}
        clock.ahead = 3_600 - MARGIN + 60
        assert await ask(200) == {"ya29.two"}
        assert len(google.requests) == 2

    asyncio.run(play())


def test_the_loop_does_not_wait(google: Google) -> None:
    """While Google takes its time, others are served."""
    google.seconds = 0.3

    async def play() -> int:
        turns = 0
        asking = asyncio.create_task(TokenSource(time.time).token(vertex(google)))
        while not asking.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert await asking == "ya29.one"
        return turns

    assert asyncio.run(play()) >= 5


def test_a_client_that_goes_away_takes_no_token_from_the_others(google: Google) -> None:
    """The fetch that it began goes on."""
    google.seconds = 0.2
    source = TokenSource(time.time)

    async def play() -> None:
        gone = asyncio.create_task(source.token(vertex(google)))
        other = asyncio.create_task(source.token(vertex(google)))
        await asyncio.sleep(0.05)
        gone.cancel()
        assert await other == "ya29.one"

    asyncio.run(play())
    assert len(google.requests) == 1


def test_every_identity_has_its_own_token(google: Google) -> None:
    """The same account under two providers shares one."""
    source = TokenSource(time.time)
    other = vertex(google, client_email="other@example.com")

    async def play() -> None:
        await source.token(vertex(google))
        await source.token(replace(vertex(google), name="again"))
        await source.token(other)

    asyncio.run(play())
    assert len(google.requests) == 2


def test_a_token_that_was_refused_is_forgotten(google: Google) -> None:
    """The next request fetches another."""
    source = TokenSource(time.time)

    async def play() -> None:
        await source.token(vertex(google))
        source.forget(vertex(google))
        await source.token(vertex(google))

    asyncio.run(play())
    assert len(google.requests) == 2


def test_an_old_token_serves_while_google_is_away(google: Google) -> None:
    """As long as it is good at all."""
    clock = Wall()
    source = TokenSource(clock)

    async def play() -> None:
        await source.token(vertex(google))
        google.answer = (400, {"error": "invalid_grant"})
        clock.ahead = 3_600 - MARGIN + 60
        assert await source.token(vertex(google)) == "ya29.one"
        clock.ahead = 3_700
        with pytest.raises(UpstreamError):
            await source.token(vertex(google))

    asyncio.run(play())


# --- other credentials ----------------------------------------------------------------------------------------


def key_file(folder: Path, google: Google) -> Path:
    account = {"type": "service_account", "private_key": pem(), "client_email": EMAIL, "token_uri": google.uri}
    path = folder / "key.json"
    path.write_text(json.dumps(account))
    return path


def test_a_key_file(google: Google, tmp_path: Path) -> None:
    """Its own token_uri, or the one that the provider names."""
    nothing = {"private_key": None, "client_email": None}
    path = str(key_file(tmp_path, google))
    own = vertex(google, credentials_file=path, token_uri=None, **nothing)
    assert asyncio.run(TokenSource(time.time).token(own)) == "ya29.one"
    named = vertex(google, credentials_file=path, token_uri=google.uri + "/other", **nothing)
    assert asyncio.run(TokenSource(time.time).token(named)) == "ya29.one"
    assert len(google.requests) == 2


def test_application_default_credentials(google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the provider names none."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file(tmp_path, google)))
    ambient = vertex(google, private_key=None, client_email=None, token_uri=None)
    assert asyncio.run(TokenSource(time.time).token(ambient)) == "ya29.one"


# --- what goes wrong ------------------------------------------------------------------------------------------


def refused(asked: Provider) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        asyncio.run(TokenSource(time.time).token(asked))
    return caught.value


def test_refused_credentials_say_whose_and_why(google: Google) -> None:
    """And nothing secret."""
    google.answer = (400, {"error": "invalid_grant", "error_description": "Account is disabled."})
    error = refused(vertex(google))
    assert error.kind is Kind.CREDENTIALS
    assert error.message == f"Google gave no access token for {EMAIL}: invalid_grant: Account is disabled."


def test_a_key_that_is_none() -> None:
    """Is found out without asking anybody, and not shown."""
    error = refused(replace(provider("vertex"), private_key=Secret("-----BEGIN nonsense"), client_email=EMAIL))
    assert error.kind is Kind.CREDENTIALS
    assert "nonsense" not in error.message


def test_a_key_file_that_is_not_there() -> None:
    """Is named."""
    error = refused(replace(provider("vertex"), credentials_file="/nowhere/key.json"))
    assert error.kind is Kind.CREDENTIALS
    assert "/nowhere/key.json" in error.message


def test_google_out_of_reach_is_no_fault_of_the_credentials(google: Google) -> None:
    """Another provider is tried, and the key keeps its good name."""
    error = refused(vertex(google, token_uri="http://127.0.0.1:9/token"))
    assert error.kind is Kind.CONNECT


def test_every_waiting_request_gets_the_error(google: Google) -> None:
    """Each its own, and the next one asks again."""
    google.answer = (401, {"error": "unauthorized_client"})
    google.seconds = 0.1
    source = TokenSource(time.time)

    async def play() -> None:
        found = await asyncio.gather(*(source.token(vertex(google)) for _ in range(5)), return_exceptions=True)
        assert all(isinstance(error, UpstreamError) for error in found)
        assert len({id(error) for error in found}) == 5
        google.answer = (200, {"access_token": "ya29.one", "expires_in": 3_600})
        assert await source.token(vertex(google)) == "ya29.one"

    asyncio.run(play())
    assert len(google.requests) == 2


@pytest.mark.parametrize("answer", [(200, {}), (200, ["odd"]), (200, {"access_token": "a", "expires_in": "soon"})])
def test_answers_that_hold_no_token(google: Google, answer: tuple[int, Any]) -> None:
    """Whatever stands behind the address."""
    google.answer = answer
    assert refused(vertex(google)).kind in (Kind.CREDENTIALS, Kind.SERVER)


@pytest.mark.parametrize("kind", [HttpProxy, Socks5Proxy])
def test_a_providers_own_proxy_is_asked_for_tokens_too(google: Google, kind: type[HttpProxy | Socks5Proxy]) -> None:
    """Where Google is out of reach without it; a wrong password is not told to anybody."""
    proxy = kind("user:pass")
    hidden = vertex(google, token_uri=google.uri.replace("127.0.0.1", "provider.test"))
    through = replace(hidden, preferences=replace(hidden.preferences, proxy=proxy.url("user:pass")))
    assert asyncio.run(TokenSource(time.time).token(through)) == "ya29.one"
    assert proxy.seen
    error = refused(replace(hidden, preferences=replace(hidden.preferences, proxy=proxy.url("user:wrong-one"))))
    assert "wrong-one" not in error.message
    proxy.close()
