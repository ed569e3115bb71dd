"""Anthropic's Messages: everything in a request that is neither conversation nor tool.

Shapes and limits: Claude API reference, "Create a Message"; Claude documentation, "Thinking", "Extended thinking",
"Effort". What a model takes is in models.py.
"""

from typing import Any

from translators.anthropic_blocks import Block
from translators.defaults import changes_nothing
from translators.errors import RequestError
from translators.models import ClaudeModel
from translators.types import ChatRequest, Note

PASSED = (
    "billing_policy",
    "cache_control",
    "compaction",
    "container",
    "context_management",
    "diagnostics",
    "fallback_credit_token",
    "fallbacks",
    "inference_geo",
    "mcp_servers",
    "output_format",
    "speed",
    "thread",
    "user_profile_id",
)
"""Fields of Anthropic's that OpenAI has not; they pass as they came."""

TAKEN = frozenset(
    {
        *PASSED,
        "anthropic_beta",
        "betas",
        "metadata",
        "output_config",
        "safety_identifier",
        "service_tier",
        "thinking",
        "top_k",
    }
)

SERVICE_TIERS = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}

LEAST_BUDGET = 1_024
BUDGETS = {
    "minimal": LEAST_BUDGET,
    "low": 2_048,
    "medium": 8_192,
    "high": 16_384,
    "xhigh": 24_576,
    "max": 24_576,
}
"""reasoning_effort → tokens of thinking; below every model's max_output."""

LEAST_TOP_P = 0.95
"""With thinking, top_p may be between this and 1."""


def own_object(chat: ChatRequest, name: str) -> Block | None:
    """A field of Anthropic's that must be an object; None if the client sent none. Raises RequestError."""
    value = chat.extensions.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise RequestError(f"`{name}` must be an object.", param=name)


# --- thinking -------------------------------------------------------------------------------------------------


def thinking_for(chat: ChatRequest, model: ClaudeModel, notes: list[Note]) -> tuple[Block | None, str | None]:
    """`thinking` and `output_config.effort`. The client's own `thinking` goes before `reasoning_effort`."""
    own = own_object(chat, "thinking")
    effort = chat.reasoning_effort
    if effort is None:
        return own, None
    if effort != "none" and effort not in BUDGETS:
        notes.append(Note("reasoning_effort", f"{effort!r} is none of none, {', '.join(BUDGETS)}"))
        return own, None
    if model.thinking == "adaptive":
        return adaptive_thinking(own, effort, model, notes)
    if own is not None or effort == "none":
        return own, None
    if model.thinking == "none":
        notes.append(Note("reasoning_effort", "this model does not think"))
        return None, None
    return {"type": "enabled", "budget_tokens": BUDGETS[effort]}, None


def adaptive_thinking(
    own: Block | None, effort: str, model: ClaudeModel, notes: list[Note]
) -> tuple[Block | None, str | None]:
    if effort != "none":
        thinking: Block = {"type": "adaptive"}
        if model.thinking_hidden:
            thinking["display"] = "summarized"
        return own or thinking, nearest_effort(effort, model, notes)
    if own is not None or model.thinking_off == "omit":
        return own, None
    if model.thinking_off == "never":
        notes.append(Note("reasoning_effort", "this model always thinks: it gets the least effort"))
        return None, model.efforts[0]
    return {"type": model.thinking_off}, None


def nearest_effort(effort: str, model: ClaudeModel, notes: list[Note]) -> str:
    """The model's own level: the wanted one, or the highest below it."""
    if effort in model.efforts:
        return effort
    order = list(BUDGETS)
    below = [level for level in model.efforts if order.index(level) < order.index(effort)]
    if not below:
        return model.efforts[0]
    notes.append(Note("reasoning_effort", f"this model has no {effort!r}: it gets {below[-1]!r}"))
    return below[-1]


def is_thinking(thinking: Block | None) -> bool:
    return thinking is not None and thinking.get("type") in ("enabled", "adaptive")


# --- limits ---------------------------------------------------------------------------------------------------


def limits(
    chat: ChatRequest, model: ClaudeModel, thinking: Block | None, betas: tuple[str, ...], notes: list[Note]
) -> tuple[int, Block | None]:
    """`max_tokens`, which must be there, and `thinking`, whose budget must lie below it."""
    extended = any(beta.startswith("output-") for beta in betas)
    highest = model.max_output if model.limit_known and not extended else None
    tokens = model.max_output if chat.max_tokens is None else chat.max_tokens
    if highest is not None and tokens > highest:
        notes.append(Note("max_tokens", f"this model writes at most {highest} tokens"))
        tokens = highest
    budget = thinking.get("budget_tokens") if thinking else None
    if thinking is None or not isinstance(budget, int) or tokens > budget:
        return tokens, thinking
    if any(beta.startswith("interleaved-thinking") for beta in betas):
        return tokens, thinking  # Here the budget is that of all the calls of a turn together.
    if "thinking" not in chat.extensions:
        # The client's limit holds; the budget is ours to shrink.
        budget = max(LEAST_BUDGET, tokens // 2)
        thinking = {**thinking, "budget_tokens": budget}
    if tokens <= budget:
        tokens = tokens + budget if highest is None else min(tokens + budget, highest)
        notes.append(Note("max_tokens", f"raised to {tokens}: it includes {budget} tokens of thinking"))
    return tokens, thinking


def sampling(chat: ChatRequest, model: ClaudeModel, notes: list[Note], *, thinking: bool) -> Block:
    """temperature, top_p and top_k, as far as the model takes them."""
    top_k = chat.extensions.get("top_k")
    if top_k is not None and not isinstance(top_k, int):
        raise RequestError("`top_k` must be a whole number.", param="top_k")
    wanted = {"temperature": chat.temperature, "top_p": chat.top_p, "top_k": top_k}
    values: Block = {name: value for name, value in wanted.items() if value is not None}

    def leave_out(name: str, reason: str) -> None:
        if values.pop(name) != 1 or name == "top_k":  # 1 is the default of the other two.
            notes.append(Note(name, reason))

    if model.sampling == "none":
        for name in list(values):
            leave_out(name, "this model takes no sampling parameters")
    if values.get("temperature", 0) > 1:
        notes.append(Note("temperature", "Claude's highest is 1"))
        values["temperature"] = 1
    if thinking:
        for name, least in (("temperature", 1), ("top_p", LEAST_TOP_P), ("top_k", float("inf"))):
            if name in values and values[name] < least:
                leave_out(name, "cannot be set while the model thinks")
    if model.sampling == "one" and "temperature" in values and "top_p" in values:
        leave_out("top_p", "this model does not take it beside temperature")
    return values


def stop_sequences(chat: ChatRequest, notes: list[Note]) -> list[str]:
    """Each must hold something else than white space."""
    kept = [sequence for sequence in chat.stop if sequence.strip()]
    if len(kept) < len(chat.stop):
        notes.append(Note("stop", "Claude takes no stop sequence of white space only"))
    return kept


# --- the rest -------------------------------------------------------------------------------------------------


def passed_fields(chat: ChatRequest, notes: list[Note]) -> Block:
    """Anthropic's own fields, and OpenAI's that have another name there; notes for everything that has no place."""
    fields: Block = {name: chat.extensions[name] for name in PASSED if name in chat.extensions}
    tier = chat.extensions.get("service_tier")
    if tier is not None:
        if isinstance(tier, str) and tier in SERVICE_TIERS:
            fields["service_tier"] = SERVICE_TIERS[tier]
        else:
            notes.append(Note("service_tier", f"Claude has no tier {tier!r}"))
    metadata = request_metadata(chat, notes)
    if metadata:
        fields["metadata"] = metadata
    unsaid: dict[str, Any] = {
        "frequency_penalty": chat.frequency_penalty,
        "presence_penalty": chat.presence_penalty,
        "logit_bias": chat.logit_bias,
        "logprobs": chat.logprobs,
        "top_logprobs": chat.top_logprobs,
        "seed": chat.seed is not None,
    }
    names = [name for name, value in unsaid.items() if value]
    names += [name for name, value in chat.extensions.items() if name not in TAKEN and not changes_nothing(name, value)]
    notes += [Note(name, "Claude has no such parameter") for name in names]
    return fields


def request_metadata(chat: ChatRequest, notes: list[Note]) -> Block:
    """`metadata` has one member, the user's id: OpenAI's `user`, or `safety_identifier`, its newer name."""
    own = own_object(chat, "metadata") or {}
    notes += [Note(f"metadata.{name}", "Claude's metadata holds user_id only") for name in own if name != "user_id"]
    user = own.get("user_id") or chat.user or chat.extensions.get("safety_identifier")
    return {"user_id": user} if user else {}


def beta_headers(chat: ChatRequest) -> tuple[str, ...]:
    """The betas that the client asks for, in `betas` or `anthropic_beta`, as lists or comma text; each once."""
    found: dict[str, None] = {}
    for name in ("betas", "anthropic_beta"):
        value = chat.extensions.get(name) or []
        betas = value.split(",") if isinstance(value, str) else value
        if not isinstance(betas, list) or not all(isinstance(beta, str) for beta in betas):
            raise RequestError(f"`{name}` must be a list of texts, or a text with commas.", param=name)
        found |= dict.fromkeys(beta.strip() for beta in betas if beta.strip())
    return tuple(found)
