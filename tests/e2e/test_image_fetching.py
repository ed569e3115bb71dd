"""Pictures at addresses, for a provider that takes bytes: what the gateway fetches, and where it does not go."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.balancing.picture_server import PNG, redirects, sends
from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.upstream import Upstream, answer, openai_answer

INTERNET = ("-s", str(Path(__file__).with_name("stand_in_internet.py")))
PRIVATE = ("--set", "uniapi_private_images=true")
SAYS_A_CAT = {"candidates": [{"content": {"role": "model", "parts": [{"text": "A cat."}]}, "finishReason": "STOP"}]}


@pytest.fixture
def served(start: Callable[..., GatewayProcess], upstream: Upstream) -> Callable[..., GatewayProcess]:
    """A gateway before a provider that fetches nothing by itself, and servers of pictures."""

    def serve(*options: str, others: tuple[dict, ...] = ()) -> GatewayProcess:
        gemini = provider("gemini", upstream.on("gemini", answer(200, SAYS_A_CAT)), engine="gemini")
        upstream.on("cat.png", sends(PNG))
        upstream.on("secret", sends(PNG))
        inside = f"127.0.0.1:{upstream.port}"
        upstream.on("to-loopback", redirects(f"http://{inside}/secret/"))
        upstream.on("to-loopback-6", redirects(f"//[::1]:{upstream.port}/secret/"))
        upstream.on("to-metadata", redirects("http://169.254.169.254/latest/meta-data/"))
        upstream.on("to-a-name", redirects("http://inside.example/secret/"))
        upstream.on("to-a-number", redirects(f"http://2130706433:{upstream.port}/secret/"))
        upstream.on("to-itself", redirects(f"http://moving.example:{upstream.port}/secret/"))
        return start(config_of(gemini, *others), *INTERNET, *options)

    return serve


def ask(gateway: GatewayProcess, url: str) -> httpx2.Response:
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]
    body = {"model": "test-model", "messages": [{"role": "user", "content": parts}]}
    headers = {"authorization": f"Bearer {CLIENT_KEY}"}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=headers, timeout=30)


def change(gateway: GatewayProcess, *urls: str) -> httpx2.Response:
    """Pictures to change, by their addresses."""
    body = {"model": "test-model", "prompt": "a hat", "images": [{"image_url": url} for url in urls]}
    headers = {"authorization": f"Bearer {CLIENT_KEY}"}
    return httpx2.post(f"{gateway.base_url}/images/edits", json=body, headers=headers, timeout=30)


def pictures(upstream: Upstream) -> list[dict]:
    """What the provider has been sent of them."""
    requests = [seen.json["contents"][0]["parts"] for seen in upstream.requests("gemini")]
    return [part for parts in requests for part in parts if "text" not in part]


def test_a_picture_of_the_internet_is_fetched(served, upstream):
    """By its name; the provider gets its bytes, and the client its answer."""
    gateway = served()
    answered = ask(gateway, f"http://public.example:{upstream.port}/cat.png/")
    assert answered.json()["choices"][0]["message"]["content"] == "A cat."
    assert pictures(upstream) == [{"inlineData": {"mimeType": "image/png", "data": b64encode(PNG).decode()}}]
    assert upstream.requests("cat.png")[0].headers["host"] == f"public.example:{upstream.port}"


def test_nothing_that_is_not_public_is_asked(served, upstream):
    """By address, in any spelling; by name; by a redirect to either; by a name that moved since it was looked at. The
    client is told which picture it was, and not where that led."""
    gateway = served()
    port = upstream.port
    addresses = [
        f"http://127.0.0.1:{port}/secret/",
        f"http://[::1]:{port}/secret/",
        f"http://[::ffff:127.0.0.1]:{port}/secret/",
        f"http://localhost:{port}/secret/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/secret/",
        "http://inside.example/secret/",
        f"http://2130706433:{port}/secret/",
        f"http://0177.0.0.1:{port}/secret/",
        f"http://017700000001:{port}/secret/",
        f"http://0x7f.1:{port}/secret/",
        f"http://127.1:{port}/secret/",
        f"http://public.example:{port}/to-loopback/",
        f"http://public.example:{port}/to-loopback-6/",
        f"http://public.example:{port}/to-metadata/",
        f"http://public.example:{port}/to-a-name/",
        f"http://public.example:{port}/to-a-number/",
        f"http://moving.example:{port}/to-itself/",
    ]
    for url in addresses:
        refusal = ask(gateway, url)
        assert refusal.status_code == 400, url
        error = refusal.json()["error"]
        assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_image_url"), url
        assert error["param"] == "messages[0].content[1].image_url"
        assert error["message"].startswith(f"The picture at {url} cannot be fetched: "), url
        assert error["message"].endswith(("it leads to an address that is not public.", "that is no valid address."))
    assert upstream.requests("secret") == []
    assert upstream.requests("gemini") == []
    assert len(upstream.requests("to-itself")) == 1


def test_what_was_looked_at_is_what_is_asked(served, upstream):
    """A name that leads elsewhere a moment later: the connection goes to the address that was allowed."""
    gateway = served()
    assert ask(gateway, f"http://moving.example:{upstream.port}/cat.png/").status_code == 200
    assert len(upstream.requests("cat.png")) == 1
    assert ask(gateway, f"http://moving.example:{upstream.port}/secret/").status_code == 400
    assert upstream.requests("secret") == []


def test_private_networks_can_be_allowed(served, upstream):
    """All of them but where machines of a cloud find their credentials."""
    gateway = served(*PRIVATE)
    for host in ("127.0.0.1", "localhost"):
        assert ask(gateway, f"http://{host}:{upstream.port}/cat.png/").status_code == 200
    assert pictures(upstream) == [{"inlineData": {"mimeType": "image/png", "data": b64encode(PNG).decode()}}] * 2
    for url in ("http://169.254.169.254/latest/", f"http://127.0.0.1:{upstream.port}/to-metadata/"):
        refusal = ask(gateway, url)
        assert (refusal.status_code, refusal.json()["error"]["code"]) == (400, "invalid_image_url")


def test_who_fetches_by_itself_is_asked_instead(served, upstream):
    """The next provider gets the address as it came."""
    reads = provider("reads", upstream.on("reads", answer(200, openai_answer("A cat."))))
    url = f"http://127.0.0.1:{upstream.port}/secret/"
    assert ask(served(others=(reads,)), url).status_code == 200
    [seen] = upstream.requests("reads")
    assert seen.json["messages"][0]["content"][1]["image_url"] == {"url": url}
    assert upstream.requests("secret") == []


def test_pictures_to_change_are_fetched_with_the_same_care(served, upstream):
    """What the provider reads by itself goes on as it is, what is public is fetched, anything else is refused."""
    gateway = served()
    change(gateway, "https://pictures.example/1.png", f"http://public.example:{upstream.port}/cat.png/")
    assert pictures(upstream) == [
        {"fileData": {"mimeType": "image/png", "fileUri": "https://pictures.example/1.png"}},
        {"inlineData": {"mimeType": "image/png", "data": b64encode(PNG).decode()}},
    ]
    for url in (f"http://127.0.0.1:{upstream.port}/secret/", f"http://public.example:{upstream.port}/to-loopback/"):
        refusal = change(gateway, f"http://public.example:{upstream.port}/cat.png/", url)
        error = refusal.json()["error"]
        assert (refusal.status_code, error["code"], error["param"]) == (400, "invalid_image_url", "images[1]")
        assert error["message"] == f"The picture at {url} cannot be fetched: it leads to an address that is not public."
    assert upstream.requests("secret") == []
    assert len(upstream.requests("gemini")) == 1
