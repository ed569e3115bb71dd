"""Providers whose models the configuration does not name."""

import time

import httpx2

from tests.e2e.conftest import CLIENT_KEY, PROVIDER_KEY, config_of
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.upstream import Behaviour, Seen, Upstream, answer, dead_url, hangs, openai_answer

HEADERS = {"authorization": f"Bearer {CLIENT_KEY}"}
OTHER_KEY = "sk-test-client-key-0001-other"


def offers(*models: str, text: str = "hi") -> Behaviour:
    """Lists these models, and answers for any."""
    listing = answer(200, {"object": "list", "data": [{"id": model, "object": "model"} for model in models]})
    answering = answer(200, openai_answer(text))

    async def behave(seen: Seen) -> None:
        await (listing if seen.method == "GET" else answering)(seen)

    return behave


def unlisted(name: str, base_url: str, **fields: object) -> dict:
    return {"provider": name, "base_url": base_url, "api": PROVIDER_KEY, **fields}


def models(gateway: GatewayProcess, key: str = CLIENT_KEY) -> list[str]:
    headers = {"authorization": f"Bearer {key}"}
    return [model["id"] for model in httpx2.get(f"{gateway.base_url}/models", headers=headers).json()["data"]]


def wait_for_models(gateway: GatewayProcess, expected: list[str]) -> None:
    deadline = time.monotonic() + 10
    while models(gateway) != expected:
        assert time.monotonic() < deadline, models(gateway)
        time.sleep(0.05)


def ask(gateway: GatewayProcess, model: str) -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=HEADERS, timeout=20)


def test_models_are_offered_seconds_after_the_start(start, upstream: Upstream):
    """By rules of every form; what is dead, hangs, or has no list to read, keeps nobody waiting."""
    first = upstream.on("first", offers("gpt-4o", "gpt-4o-mini", "vendor/model"))
    second = upstream.on("second", offers("gpt-4o", "extra", text="second"))
    config = config_of(
        unlisted("dead", dead_url()),
        unlisted("hanging", upstream.on("hanging", hangs())),
        {"provider": "vertex", "project_id": "fake-project"},
        unlisted("first", first),
        unlisted("second", second, model=[]),
    )
    config["api_keys"].append({"api": OTHER_KEY, "model": ["second/*", "gpt-4o-*", "<vendor/model>", "first/gpt-4o"]})
    gateway = start(config)
    wait_for_models(gateway, ["gpt-4o", "gpt-4o-mini", "vendor/model", "extra"])
    assert models(gateway, OTHER_KEY) == ["gpt-4o", "extra", "gpt-4o-mini", "vendor/model"]
    assert ask(gateway, "gpt-4o").status_code == 200
    assert ask(gateway, "extra").json()["choices"][0]["message"]["content"] == "second"
    assert ask(gateway, "gpt-4o-m*").status_code == 200
    assert [seen.method for seen in upstream.requests("first")] == ["GET", "POST", "POST"]
    gateway.wait_for_log(r"uniapi: the models of dead cannot be listed \(.*\); next try in 5 s")
    gateway.wait_for_log("uniapi: vertex has no list of models that could be read")


def test_a_reload_keeps_what_is_known_and_finds_what_is_new(start, upstream: Upstream):
    """The file itself is never written to."""
    known, new = upstream.on("known", offers("m")), upstream.on("new", offers("n"))
    gateway = start(config_of(unlisted("known", known)))
    wait_for_models(gateway, ["m"])
    upstream.on("known", answer(500, {}))
    gateway.write_config(config_of(unlisted("new", new), unlisted("known", known, notes="changed")))
    written = gateway.config_path.read_text()
    gateway.wait_for_log("the new configuration is in force")
    assert "m" in models(gateway)
    wait_for_models(gateway, ["n", "m"])
    gateway.wait_for_log(r"the models of known cannot be listed \(status 500\).* What was known of them stays")
    gateway.stop()
    assert gateway.config_path.read_text() == written


def test_the_end_does_not_wait_for_a_list(start, upstream: Upstream):
    """Nor does anything complain that was left unread."""
    gateway = start(config_of(unlisted("hanging", upstream.on("hanging", hangs()))))
    deadline = time.monotonic() + 10
    while not upstream.requests("hanging"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    began = time.monotonic()
    gateway.stop()
    assert time.monotonic() - began < 5
    assert "Task was destroyed" not in gateway.log
    assert "Unclosed" not in gateway.log
