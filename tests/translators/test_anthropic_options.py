"""How the engine claude writes limits, thinking, sampling and everything else, and where it sends it."""

import json
from typing import Any

import pytest

from tests.translators.anthropic_exchange import MODEL, TOOL, USER, body, called, noted, result, wire
from translators import ENGINES
from translators.anthropic import Claude
from translators.errors import RequestError, UntranslatableError

BUDGET = {"type": "enabled", "budget_tokens": 4000}
SIGNED = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}


# --- where it goes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
        ("https://api.anthropic.com/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("https://host.example/anthropic/v1", "https://host.example/anthropic/v1/messages"),
    ],
)
def test_the_address_is_made_from_the_prefix(base_url: str, url: str) -> None:
    """With and without version and endpoint; Anthropic's own host when there is none."""
    sent = wire({}, base_url=base_url)
    assert (sent.method, sent.url) == ("POST", url)


def test_the_headers_are_anthropics() -> None:
    """The version, what is sent and wanted, the key apart from the rest; nothing of the client's."""
    sent = wire({"stream": True}, key="sk-ant-secret")
    assert sent.headers == {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "anthropic-version": "2023-06-01",
    }
    assert sent.credentials == {"x-api-key": "sk-ant-secret"}
    assert "secret" not in repr(sent)
    assert wire({}).headers["accept"] == "application/json"
    assert wire({}).credentials == {}


def test_the_engine_is_registered() -> None:
    """Under the name that configurations use; it speaks no dialect of clients."""
    assert isinstance(ENGINES["claude"], Claude)
    assert (Claude.name, Claude.speaks) == ("claude", None)


def test_the_providers_name_of_the_model_is_sent() -> None:
    """Not the client's."""
    assert json.loads(wire({"model": "alias"}, model="claude-opus-4-8").body)["model"] == "claude-opus-4-8"


def test_pitfall_050_betas_are_merged() -> None:
    """LL PR#19343, PR#19542: from both fields, as lists or text, each once."""
    sent = wire({"betas": ["a-2025", "b-2025"], "anthropic_beta": "b-2025, c-2025"})
    assert sent.headers["anthropic-beta"] == "a-2025,b-2025,c-2025"
    assert not {"betas", "anthropic_beta"} & set(json.loads(sent.body))
    with pytest.raises(RequestError) as caught:
        wire({"betas": 7})
    assert caught.value.param == "betas"


# --- limits ---------------------------------------------------------------------------------------------------


def test_pitfall_042_the_limit_is_the_models_own() -> None:
    """EN#893: a fixed 4096 cut answers short; max_tokens must be there."""
    assert body()["max_tokens"] == 64_000
    assert body(model="claude-opus-4-8")["max_tokens"] == 128_000
    assert body(model="claude-3-haiku-20240307")["max_tokens"] == 4_096


def test_pitfall_043_the_users_limit_wins_under_both_names() -> None:
    """LL#18939, OR#6912: also with thinking; above the model's maximum it is lowered, and said to be."""
    assert body(max_tokens=7)["max_tokens"] == 7
    assert body(max_completion_tokens=7)["max_tokens"] == 7
    assert body(max_completion_tokens=9000, reasoning_effort="low")["max_tokens"] == 9000
    assert body(max_tokens=99_999)["max_tokens"] == 64_000
    assert noted(max_tokens=99_999) == {"max_tokens"}
    assert body(max_tokens=99_999, model="some-other-model")["max_tokens"] == 99_999
    assert (
        body(max_tokens=99_999, model="claude-3-7-sonnet-latest", betas=["output-128k-2025-02-19"])["max_tokens"]
        == 99_999
    )


def test_pitfall_044_the_limit_is_above_the_budget() -> None:
    """BYK/loreai PR#767: max_tokens > budget_tokens ≥ 1024; our budget shrinks, then the limit is raised."""
    shrunk = body(reasoning_effort="high", max_tokens=8000)
    assert (shrunk["max_tokens"], shrunk["thinking"]["budget_tokens"]) == (8000, 4000)
    raised = body(reasoning_effort="high", max_tokens=100)
    assert (raised["max_tokens"], raised["thinking"]["budget_tokens"]) == (1124, 1024)
    assert noted(reasoning_effort="high", max_tokens=100) == {"max_tokens"}
    own = body(thinking=BUDGET, max_tokens=1000)
    assert (own["max_tokens"], own["thinking"]) == (5000, BUDGET)
    large = {"type": "enabled", "budget_tokens": 31_000}
    assert body(thinking=large, max_tokens=30_000, model="claude-opus-4-1")["max_tokens"] == 32_000
    interleaved = body(thinking=BUDGET, max_tokens=1000, betas="interleaved-thinking-2025-05-14")
    assert interleaved["max_tokens"] == 1000


# --- thinking -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "config"),
    [
        ("claude-sonnet-4-5", "low", {"type": "enabled", "budget_tokens": 2048}, None),
        ("claude-sonnet-4-5", "none", None, None),
        ("claude-opus-4-6", "medium", {"type": "adaptive"}, {"effort": "medium"}),
        ("claude-opus-4-6", "minimal", {"type": "adaptive"}, {"effort": "low"}),
        ("claude-opus-4-6", "none", None, None),
        ("claude-opus-4-8", "xhigh", {"type": "adaptive", "display": "summarized"}, {"effort": "xhigh"}),
        ("claude-sonnet-5", "none", {"type": "disabled"}, None),
        ("claude-sonnet-5-5", "none", {"type": "between_tools"}, None),
        ("claude-opus-5-5", "high", {"type": "adaptive", "display": "summarized"}, {"effort": "high"}),
    ],
)
def test_reasoning_effort_is_thinking(model: str, effort: str, thinking: Any, config: Any) -> None:
    """As a budget up to 4.5, adaptive with an effort since 4.6; its text asked for where it would be hidden."""
    sent = body(model=model, reasoning_effort=effort)
    assert (sent.get("thinking"), sent.get("output_config")) == (thinking, config)
    assert not noted(model=model, reasoning_effort=effort)


@pytest.mark.parametrize(
    ("model", "effort"),
    [
        ("claude-3-5-haiku-latest", "low"),
        ("claude-opus-4-6", "xhigh"),
        ("claude-opus-5-5", "none"),
        (MODEL, "as much as you like"),
    ],
)
def test_an_effort_that_a_model_has_not_is_noted(model: str, effort: str) -> None:
    """No thinking, the next lower level, always thinking, no such word."""
    assert noted(model=model, reasoning_effort=effort) == {"reasoning_effort"}


def test_a_model_that_always_thinks_gets_the_least_effort() -> None:
    """It refuses to be switched off."""
    sent = body(model="claude-opus-5-5", reasoning_effort="none")
    assert (sent["output_config"], "thinking" in sent) == ({"effort": "low"}, False)


def test_pitfall_047_anthropics_own_fields_pass() -> None:
    """LL#8837: known extensions were dropped."""
    own = {
        "thinking": BUDGET,
        "container": "container_1",
        "mcp_servers": [{"type": "url", "url": "https://example.com/mcp", "name": "files"}],
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
        "output_config": {"effort": "low"},
        "output_format": {"type": "json_schema", "schema": {"type": "object"}},
        "cache_control": {"type": "ephemeral"},
        "speed": "fast",
        "inference_geo": "eu",
    }
    assert body(own).items() >= own.items()
    assert not noted(**own)


def test_the_clients_own_thinking_goes_before_the_effort() -> None:
    """It says more."""
    sent = body(thinking=BUDGET, reasoning_effort="high")
    assert sent["thinking"] == BUDGET
    adaptive = body(thinking={"type": "disabled"}, reasoning_effort="low", model="claude-opus-4-6")
    assert (adaptive["thinking"], adaptive["output_config"]) == ({"type": "disabled"}, {"effort": "low"})


@pytest.mark.parametrize("field", ["thinking", "output_config", "metadata"])
def test_a_field_of_another_type_is_an_error_that_names_it(field: str) -> None:
    """Not dropped, not guessed."""
    with pytest.raises(RequestError) as caught:
        body({field: "text"})
    assert caught.value.param == field


@pytest.mark.parametrize("loop", [0, 1])
def test_pitfall_046_without_its_reasoning_a_turn_goes_on_without_thinking(loop: int) -> None:
    """opencode#3077: "Expected `thinking` … but found `tool_use`"; a turn lasts over all its calls."""
    steps = [called("b"), result("b")] * loop
    lost = [USER, called("a"), result("a"), *steps]
    kept = [USER, called("a", thinking_blocks=[SIGNED]), result("a"), *steps]
    request = {"tools": [TOOL], "reasoning_effort": "low"}
    assert "thinking" not in body(request, messages=lost)
    assert noted(**request, messages=lost) == {"reasoning_effort"}
    assert "thinking" in body(request, messages=kept)
    assert not noted(**request, messages=kept)


def test_pitfall_046_a_new_turn_may_think_again() -> None:
    """The calls before the user's last words are past; and adaptive thinking asks for nothing of the kind."""
    request = {"tools": [TOOL], "reasoning_effort": "low"}
    assert "thinking" in body(
        request, messages=[USER, called("a"), result("a"), {"role": "assistant", "content": "So"}, USER]
    )
    adaptive = body(request, model="claude-opus-4-7", messages=[USER, called("a"), result("a")])
    assert adaptive["thinking"]["type"] == "adaptive"


# --- sampling and stops ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "sent", "notes"),
    [
        ({"temperature": 1.7}, {"temperature": 1}, {"temperature"}),
        ({"temperature": 0, "top_k": 5}, {"temperature": 0, "top_k": 5}, set()),
        ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5}, {"top_p"}),
        ({"temperature": 0.5, "top_p": 1}, {"temperature": 0.5}, set()),
        (
            {"temperature": 0.5, "top_p": 0.9, "model": "claude-sonnet-4-0"},
            {"temperature": 0.5, "top_p": 0.9},
            set(),
        ),
        (
            {"temperature": 0.5, "top_p": 0.9, "top_k": 5, "model": "claude-opus-4-7"},
            {},
            {"temperature", "top_p", "top_k"},
        ),
        ({"temperature": 1, "top_p": 1, "model": "claude-opus-4-7"}, {}, set()),
        ({"temperature": 0.5, "top_k": 5, "reasoning_effort": "low"}, {}, {"temperature", "top_k"}),
        ({"temperature": 1, "reasoning_effort": "low"}, {"temperature": 1}, set()),
        ({"top_p": 0.95, "reasoning_effort": "low"}, {"top_p": 0.95}, set()),
        ({"top_p": 0.5, "thinking": BUDGET}, {}, {"top_p"}),
    ],
)
def test_pitfall_045_sampling_is_what_the_model_takes(request_: Any, sent: Any, notes: set[str]) -> None:
    """open-webui PR#9, pollinations PR#11319: above 1, with thinking, both at once, and any of it since Opus 4.7."""
    found = body(request_)
    assert {name: found[name] for name in ("temperature", "top_p", "top_k") if name in found} == sent
    assert noted(**request_) == notes


def test_a_top_k_of_another_type_is_an_error() -> None:
    """It names the field."""
    with pytest.raises(RequestError) as caught:
        body(top_k="many")
    assert caught.value.param == "top_k"


@pytest.mark.parametrize(
    ("stop", "expected"),
    [("END", ["END"]), (["a", "b"], ["a", "b"]), (["\n", "", " \t", "x"], ["x"]), (["\n"], None), ([], None)],
)
def test_pitfall_041_stop_sequences_hold_more_than_white_space(stop: Any, expected: Any) -> None:
    """LL#3286, PR#7484: "each stop sequence must contain non-whitespace"; a text is a list of one."""
    assert body(stop=stop).get("stop_sequences") == expected
    assert noted(stop=stop) == ({"stop"} if stop and stop != expected and stop != "END" else set())


# --- everything else ------------------------------------------------------------------------------------------


def test_what_the_wire_cannot_say_is_noted() -> None:
    """Behaviour towards users: unknown fields are never dropped silently."""
    request = {
        "seed": 0,
        "frequency_penalty": 0.1,
        "presence_penalty": -1,
        "logit_bias": {"50256": -100},
        "logprobs": True,
        "top_logprobs": 2,
        "store": True,
        "verbosity": "low",
    }
    assert noted(**request) == set(request)
    assert body(request) == body()
    assert noted(turns=0, quiet=False, mood="", other=None) == {"turns", "quiet", "mood"}


def test_what_asks_for_nothing_needs_no_note() -> None:
    """OpenAI's defaults, as many clients send them."""
    request = {"n": 1, "frequency_penalty": 0, "presence_penalty": 0, "logprobs": False, "store": False, "seed": None}
    assert not noted(**request)


def test_more_than_one_answer_is_an_error() -> None:
    """A note would not do: the client would get fewer answers than it asked for."""
    with pytest.raises(UntranslatableError) as caught:
        body(n=2)
    assert caught.value.param == "n"


@pytest.mark.parametrize(
    ("request_", "metadata", "notes"),
    [
        ({"user": "u"}, {"user_id": "u"}, set()),
        ({"safety_identifier": "s"}, {"user_id": "s"}, set()),
        ({"metadata": {"user_id": "m"}, "user": "u"}, {"user_id": "m"}, set()),
        ({"metadata": {"trace": "1"}}, None, {"metadata.trace"}),
    ],
)
def test_metadata_holds_the_user_only(request_: Any, metadata: Any, notes: set[str]) -> None:
    """OpenAI's has any members, Anthropic's has one."""
    assert body(request_).get("metadata") == metadata
    assert noted(**request_) == notes


@pytest.mark.parametrize(("tier", "expected"), [("auto", "auto"), ("default", "standard_only"), ("flex", None)])
def test_service_tiers_that_both_know_are_mapped(tier: str, expected: str | None) -> None:
    """The others are noted."""
    assert body(service_tier=tier).get("service_tier") == expected
    assert noted(service_tier=tier) == (set() if expected else {"service_tier"})


def test_pitfall_104_usage_needs_no_asking() -> None:
    """LL#28735: Claude always reports it; `stream_options` is OpenAI's and is not sent."""
    assert body(stream=True, stream_options={"include_usage": True}) == {**body(), "stream": True}
    assert not noted(stream=True, stream_options={"include_usage": True})
