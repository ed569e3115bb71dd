"""Facts about models are found by name, in every spelling that hosts have."""

import pytest

from translators.models import NOT_CLAUDE, UNKNOWN_CLAUDE, claude_model


@pytest.mark.parametrize(
    ("names", "max_output", "thinking"),
    [
        (("claude-3-opus-20240229", "claude-2.1", "claude-instant-1.2"), 4_096, "none"),
        (("claude-3-5-sonnet-20241022", "claude-3.5-haiku-latest"), 8_192, "none"),
        (("claude-3-7-sonnet@20250219", "anthropic.claude-3-7-sonnet-20250219-v1:0"), 64_000, "budget"),
        (
            ("claude-opus-4-20250514", "claude-4-opus-20250514", "claude-opus-4-0", "claude-opus-4@20250514"),
            32_000,
            "budget",
        ),
        (("claude-opus-4-1-20250805", "claude-opus-4.1"), 32_000, "budget"),
        (("claude-sonnet-4-20250514", "claude-sonnet-4-0", "claude-haiku-4-5@20251001"), 64_000, "budget"),
        (("us.anthropic.claude-opus-4-5-20251101-v1:0", "anthropic/claude-4.5-sonnet"), 64_000, "budget"),
        (("claude-opus-4-6", "us.anthropic.claude-opus-4-6-v1", "Claude-Sonnet-4.6"), 128_000, "adaptive"),
        (("claude-opus-4-7", "claude-opus-5", "claude-mythos-preview", "claude-fable-5-1"), 128_000, "adaptive"),
    ],
)
def test_a_family_is_known_by_every_name(names: tuple[str, ...], max_output: int, thinking: str) -> None:
    """Dates, hosts' prefixes and suffixes, dots and dashes, the version before or after the family."""
    assert {(claude_model(name).max_output, claude_model(name).thinking) for name in names} == {(max_output, thinking)}


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("claude-sonnet-4-0", {"sampling": "free", "structured": False, "prefill": True}),
        ("claude-opus-4-1", {"sampling": "one", "structured": False}),
        ("claude-haiku-4-5", {"sampling": "one", "structured": True, "prefill": True, "efforts": ()}),
        (
            "claude-sonnet-4-6",
            {"prefill": False, "thinking_hidden": False, "efforts": ("low", "medium", "high", "max")},
        ),
        ("claude-opus-4-7", {"sampling": "none", "thinking_hidden": True, "inline_system": False}),
        ("claude-opus-4-8", {"inline_system": True, "thinking_off": "omit", "forced_tools": True}),
        ("claude-mythos-preview", {"inline_system": False, "thinking_off": "never"}),
        ("claude-sonnet-5", {"inline_system": False, "thinking_off": "disabled"}),
        ("claude-opus-5", {"inline_system": True, "thinking_off": "disabled", "forced_tools": True}),
        ("claude-fable-5", {"inline_system": True, "thinking_off": "never", "forced_tools": True}),
        ("claude-fable-5-1", {"thinking_off": "never", "forced_tools": False}),
        ("claude-opus-5-5", {"thinking_off": "never", "forced_tools": False}),
        ("claude-sonnet-5-5", {"thinking_off": "between_tools", "forced_tools": False}),
        ("claude-haiku-5-5", {"thinking_off": "disabled", "forced_tools": True, "max_output": 128_000}),
    ],
)
def test_what_a_model_takes_is_in_the_table(name: str, facts: dict[str, object]) -> None:
    """As the documentation's tables have it."""
    model = claude_model(name)
    assert {fact: getattr(model, fact) for fact in facts} == facts


@pytest.mark.parametrize("name", ["claude-opus-6", "claude-sonnet-latest", "claude-next-7-1"])
def test_a_newer_claude_gets_what_no_newer_model_refuses(name: str) -> None:
    """No sampling, no prefill, nothing forced."""
    assert claude_model(name) is UNKNOWN_CLAUDE


def test_other_makers_models_are_not_limited() -> None:
    """Behind Anthropic's wire there are others, whose limits nobody here knows."""
    assert claude_model("kimi-k2") is NOT_CLAUDE
    assert not NOT_CLAUDE.limit_known
