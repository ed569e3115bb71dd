"""ENABLE_MODERATION, from outside: a judge among the providers reads what users write."""

import json

import httpx2
import pytest

from tests.e2e.conftest import CLIENT_KEY, config_of, provider
from tests.e2e.upstream import Seen, answer, dead_url, openai_answer

HEADERS = {"authorization": f"Bearer {CLIENT_KEY}"}
OMNI = "omni-moderation-latest"
BAD = "something that is bad"


def judge():
    """Flags every text with `bad` in it."""

    async def behave(seen: Seen) -> None:
        results = [{"flagged": "bad" in text, "categories": {"violence": "bad" in text}} for text in seen.json["input"]]
        await answer(200, {"id": "modr-1", "model": OMNI, "results": results})(seen)

    return behave


@pytest.fixture
def config(upstream):
    """A config in which `judges` moderate, in that order."""

    def moderated(*judges: str) -> dict:
        good = provider("good", upstream.on("good", answer(200, openai_answer("hi"))))
        models = [provider(f"judge{number}", url, model=OMNI) for number, url in enumerate(judges)]
        return config_of(good, *models, preferences={"ENABLE_MODERATION": True})

    return moderated


def ask(gateway, *messages: dict, **fields: object) -> httpx2.Response:
    body = {"model": "test-model", "messages": list(messages), **fields}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=HEADERS, timeout=30)


def said(role: str, text: str) -> dict:
    return {"role": role, "content": text}


@pytest.mark.parametrize("stream", [False, True])
def test_flagged_text_reaches_no_provider(start, config, upstream, stream):
    """400 with the categories; the text is in no log."""
    gateway = start(config(upstream.on("judge", judge())))
    response = ask(gateway, said("user", BAD), stream=stream)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "content_policy_violation"
    assert "violence" in response.json()["error"]["message"]
    assert BAD not in response.text
    assert upstream.requests("good") == []
    assert BAD not in gateway.log


def test_nothing_passes_beside_what_is_read(start, config, upstream):
    """Of a text that stands in a message twice, the provider gets the one that was judged."""
    gateway = start(config(upstream.on("judge", judge())))
    body = f'{{"model": "test-model", "messages": [{{"role": "user", "content": "{BAD}", "content": "fine"}}]}}'
    response = httpx2.post(f"{gateway.base_url}/chat/completions", content=body, headers=HEADERS, timeout=30)
    assert response.status_code == 200
    assert upstream.requests("good")[0].json["messages"] == [said("user", "fine")]
    assert BAD.encode() not in upstream.requests("good")[0].body


@pytest.mark.parametrize(
    ("endpoint", "fields"),
    [
        ("images/generations", {"prompt": BAD}),
        ("audio/speech", {"input": BAD, "voice": "alloy"}),
        ("completions", {"prompt": BAD}),
    ],
)
def test_so_are_other_endpoints_texts(start, config, upstream, endpoint, fields):
    """Image prompts, speech input, completions' prompts."""
    gateway = start(config(upstream.on("judge", judge())))
    body = {"model": "test-model", **fields}
    response = httpx2.post(f"{gateway.base_url}/{endpoint}", json=body, headers=HEADERS, timeout=30)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "content_policy_violation"
    assert upstream.requests("good") == []


def test_a_form_is_read_too(start, config, upstream):
    """An image edit's prompt comes in one."""
    gateway = start(config(upstream.on("judge", judge())))
    response = httpx2.post(
        f"{gateway.base_url}/images/edits",
        data={"model": "test-model", "prompt": BAD},
        files={"image": ("image.png", b"\x89PNG\r\n\x1a\n", "image/png")},
        headers=HEADERS,
        timeout=30,
    )
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "content_policy_violation"
    assert upstream.requests("good") == []


def test_only_new_text_is_sent_to_the_judge(start, config, upstream):
    """What came before the last answer has been read; the system's prompt is not the user's."""
    gateway = start(config(upstream.on("judge", judge())))
    response = ask(
        gateway,
        said("system", "a bad system prompt"),
        said("user", "a bad question of old"),
        said("assistant", "a bad answer"),
        said("user", "one"),
        said("user", "two"),
    )
    assert response.status_code == 200
    (seen,) = upstream.requests("judge")
    assert seen.path == "/judge/v1/moderations"
    assert seen.json == {"model": OMNI, "input": ["one", "two"]}


def test_nothing_new_asks_no_judge(start, config, upstream):
    """A tool's result is no text of the user's."""
    gateway = start(config(upstream.on("judge", judge())))
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "bad weather"}
    assistant = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert ask(gateway, said("user", "weather?"), assistant, result).status_code == 200
    assert upstream.requests("judge") == []


def test_clients_without_the_preference_are_not_read(start, config, upstream):
    """It is off by default."""
    plain = config(upstream.on("judge", judge()))
    del plain["api_keys"][0]["preferences"]
    assert ask(start(plain), said("user", BAD)).status_code == 200
    assert upstream.requests("judge") == []


def test_the_judges_are_balanced(start, config, upstream):
    """One that fails is followed by the next, in the same request."""
    gateway = start(
        config(upstream.on("broken", answer(500, {"error": {"message": "broken"}})), upstream.on("judge", judge()))
    )
    assert ask(gateway, said("user", BAD)).status_code == 400
    assert ask(gateway, said("user", "good")).status_code == 200
    assert len(upstream.requests("broken")) == 1
    assert len(upstream.requests("judge")) == 2


UNREACHABLE = {
    "nobody listens": lambda upstream: [dead_url()],
    "it fails": lambda upstream: [upstream.on("broken", answer(500, {"error": {"message": "broken"}}))],
    "no verdict": lambda upstream: [upstream.on("broken", answer(200, {"results": []}))],
    "no judge": lambda upstream: [],
}


@pytest.mark.parametrize("judges", UNREACHABLE.values(), ids=UNREACHABLE)
def test_without_a_verdict_the_request_is_refused(start, config, upstream, judges):
    """503, and no provider is called."""
    gateway = start(config(*judges(upstream)))
    response = ask(gateway, said("user", "hello"))
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "moderation_unavailable"
    assert upstream.requests("good") == []


@pytest.mark.parametrize("judges", UNREACHABLE.values(), ids=UNREACHABLE)
def test_or_passes_where_the_operator_allows_it(start, config, upstream, judges):
    """With one warning."""
    gateway = start(config(*judges(upstream)), environ={"MODERATION_ON_ERROR": "allow"})
    for _ in range(3):
        assert ask(gateway, said("user", "hello")).json()["choices"][0]["message"]["content"] == "hi"
    assert gateway.log.count("requests pass without moderation") == 1
    assert len(upstream.requests("good")) == 3


def test_flagged_text_is_refused_all_the_same(start, config, upstream):
    """`allow` is for a moderation that cannot be asked."""
    gateway = start(config(upstream.on("judge", judge())), environ={"MODERATION_ON_ERROR": "allow"})
    assert ask(gateway, said("user", BAD)).status_code == 400


def test_the_flow_shows_no_moderation_key(start, config, upstream):
    """The judge got the provider's key, and nobody else sees it (the gateway's log and flows are searched when the
    test ends)."""
    gateway = start(config(upstream.on("judge", judge())))
    ask(gateway, said("user", "hello"))
    (seen,) = upstream.requests("judge")
    assert seen.headers["authorization"].startswith("Bearer sk-test-provider")
    assert json.loads(seen.body)["model"] == OMNI
