"""Whatever history a client sends, the engines with OpenAI's wire build what each host accepts, and lose no word."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.translators.hosts_validator import HOSTS, PLAIN, problems
from translators import ENGINES
from translators.openai_request import read_request
from translators.types import Target

MODELS = {
    "https://api.openai.com/v1": "gpt-4o",
    "https://api.groq.com/openai/v1": "llama-3.3-70b-versatile",
    "https://api.mistral.ai/v1": "mistral-large-latest",
    "https://api.deepseek.com": "deepseek-v4-flash",
    "https://api.x.ai/v1": "grok-4.6",
}
MARK = {"type": "ephemeral"}
TEXTS = st.sampled_from(["", "Hello", "日本"])
TEXT_PARTS = st.builds(
    lambda text, mark: {"type": "text", "text": text} | ({"cache_control": MARK} if mark else {}), TEXTS, st.booleans()
)
IMAGES = st.just({"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}})
IDS = st.sampled_from(["call_1", "functions.Bash:0", "aB3dE6gH9", "toolu_" + "x" * 60])
CALLS = st.builds(
    lambda id_, extra: {"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}, **extra},
    IDS,
    st.fixed_dictionaries(
        {}, optional={"index": st.just(0), "extra_content": st.just({"google": {"thought_signature": "s"}})}
    ),
)
ANYWHERE: dict[str, st.SearchStrategy[Any]] = {
    "name": st.just("Ada"),
    "cache_control": st.just(MARK),
    "metadata": st.just({"a": 1}),
}
REPLAYED: dict[str, st.SearchStrategy[Any]] = {
    "content": st.none() | TEXTS | st.lists(TEXT_PARTS, max_size=2),
    "tool_calls": st.lists(CALLS, min_size=1, max_size=3),
    "reasoning": st.just("I think."),
    "reasoning_content": st.just("I think."),
    "reasoning_details": st.just([{"type": "reasoning.text", "text": "I think."}]),
    "thinking_blocks": st.just([{"type": "thinking", "thinking": "signed", "signature": "s"}]),
    "native_blocks": st.just([{"type": "server_tool_use"}]),
    "annotations": st.just([]),
    "refusal": st.none(),
}


def message(role: str, content: st.SearchStrategy[Any], **fields: Any) -> st.SearchStrategy[Any]:
    required: dict[str, st.SearchStrategy[Any]] = {"role": st.just(role), "content": content, **fields}
    return st.fixed_dictionaries(required, optional=ANYWHERE)


MESSAGES = st.one_of(
    message("system", TEXTS),
    message("developer", TEXTS | st.lists(TEXT_PARTS, max_size=2)),
    message("user", TEXTS | st.lists(TEXT_PARTS | IMAGES, max_size=3)),
    st.fixed_dictionaries({"role": st.just("assistant")}, optional={**ANYWHERE, **REPLAYED}),
    message("tool", TEXTS, tool_call_id=IDS),
)
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}, "cache_control": MARK}
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "stream": st.booleans(),
    "stream_options": st.just({"include_usage": True}),
    "tools": st.sampled_from([[], [TOOL]]),
    "tool_choice": st.sampled_from(["auto", "required", {"type": "function", "function": {"name": "f"}}]),
    "max_tokens": st.just(5),
    "max_completion_tokens": st.just(6),
    "stop": st.just(["x"]),
    "presence_penalty": st.sampled_from([0, 1]),
    "reasoning_effort": st.sampled_from(["none", "low"]),
    "thinking": st.sampled_from([{"type": "enabled"}, {"type": "disabled"}]),
    "user": st.just("ada"),
    "seed": st.just(1),
    "store": st.booleans(),
    "metadata": st.just({"a": "b"}),
    "logprobs": st.just(True),
    "prompt_cache_key": st.just("k"),
}
REQUESTS = st.fixed_dictionaries({"messages": st.lists(MESSAGES, min_size=1, max_size=6)}, optional=OPTIONS)


@pytest.mark.parametrize("host", HOSTS)
@given(raw=REQUESTS)
def test_any_history_becomes_a_request_that_the_host_accepts(host: str, raw: dict[str, Any]) -> None:
    """Replayed reasoning, marks, ids and roles of other providers; every word of the conversation arrives."""
    engine, base_url = (ENGINES["gpt"], host) if "://" in host else (ENGINES[host], "https://host.example/v1")
    model = MODELS.get(host, "some-model")
    request = read_request(json.dumps({"model": model, **raw}).encode())
    before = copy.deepcopy(request.raw)
    target = Target(base_url, model, model, account="a")
    first, second = engine.build(request, target), engine.build(request, target)
    body = json.loads(first.body)
    assert problems(host, body) == []
    assert first == second, "the same request gives the same bytes, so that prompt caches hit"
    assert request.raw == before, "the client's request is never changed"
    assert len(body["messages"]) == len(raw["messages"])
    for given_message, sent in zip(raw["messages"], body["messages"], strict=True):
        assert said(sent) == said(given_message)
        assert set(sent) >= {name for name, value in given_message.items() if name in PLAIN and value}


def said(item: dict[str, Any]) -> str:
    content = item.get("content") or ""
    if isinstance(content, str):
        return content.replace("\n", "")
    return "".join(part.get("text", "") for part in content)


@pytest.mark.parametrize("host", HOSTS)
def test_what_nobody_has_to_change_goes_out_byte_for_byte(host: str) -> None:
    """White space included."""
    engine, base_url = (ENGINES["gpt"], host) if "://" in host else (ENGINES[host], "https://host.example/v1")
    raw = b'{ "model": "m", "messages": [ {"role": "user", "content": "Hi"} ], "temperature": 0.5 }'
    assert engine.build(read_request(raw), Target(base_url, "m", "m")).body == raw


@pytest.mark.parametrize(
    ("host", "wrong"),
    [
        ("https://api.openai.com/v1", {"cache_control": MARK}),
        ("https://api.groq.com/openai/v1", {"reasoning_content": "x"}),
        ("https://api.mistral.ai/v1", {"role": "developer"}),
        ("https://api.mistral.ai/v1", {"tool_calls": [{"id": "call_1"}]}),
        ("https://api.deepseek.com", {"tool_calls": [{"id": "call_1"}]}),
        ("cloudflare", {"content": None}),
        ("https://llm.example/v1", {"thinking_blocks": []}),
    ],
)
def test_the_validator_refuses_what_hosts_refuse(host: str, wrong: Any) -> None:
    """Otherwise the tests that use it could not fail."""
    plain = {"role": "assistant", "content": "Hi"}
    assert problems(host, {"messages": [plain]}) == []
    assert problems(host, {"messages": [{**plain, **wrong}]}) != []
