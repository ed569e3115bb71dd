"""Facts about models: what a family takes and what it refuses. One table, matched by name; nothing here calls anyone.

Sources, read in November 2026: Claude documentation, pages "Troubleshooting thinking" (the table by model), "Thinking",
"Effort", "Structured outputs", "Mid-conversation system messages and tool changes", the model pages' "Max output" and
the pages "What's new in" Claude Opus 4.7, Opus 5.5, Sonnet 5.5 and Haiku 5.5. Temperature beside top_p is refused in
words ("cannot both be specified") since Opus 4.1.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

# --- Claude ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClaudeModel:
    """What a family of Claude models takes.

    `max_output`: tokens; sent when the client sets no limit. `limit_known`: more than that would be refused.
    `thinking`: how thinking is asked for: not at all, with a budget of tokens, or adaptive with an effort.
    `thinking_off`: how it is switched off: by leaving the field out, by one of its types, or not at all.
    `thinking_hidden`: blocks come without their text unless it is asked for.
    `efforts`: levels of output_config.effort that may go with adaptive thinking, from the least.
    `sampling`: temperature, top_p and top_k together, not temperature beside top_p, or none of them.
    `prefill`: the conversation may end with an assistant message.
    `inline_system`: system messages may stand inside the conversation.
    `structured`: output_config.format and strict tools.
    `forced_tools`: tool_choice may be `any` or `tool`.
    """

    max_output: int
    limit_known: bool = True
    thinking: Literal["none", "budget", "adaptive"] = "none"
    thinking_off: Literal["omit", "disabled", "between_tools", "never"] = "omit"
    thinking_hidden: bool = False
    efforts: tuple[str, ...] = ()
    sampling: Literal["free", "one", "none"] = "free"
    prefill: bool = True
    inline_system: bool = False
    structured: bool = False
    forced_tools: bool = True


CLAUDE_3 = ClaudeModel(max_output=4_096)
CLAUDE_4 = ClaudeModel(max_output=64_000, thinking="budget")
OPUS_4 = replace(CLAUDE_4, max_output=32_000)
CLAUDE_4_5 = replace(CLAUDE_4, sampling="one", structured=True)
CLAUDE_4_6 = replace(
    CLAUDE_4_5,
    max_output=128_000,
    thinking="adaptive",
    efforts=("low", "medium", "high", "max"),
    prefill=False,
)
OPUS_4_7 = replace(CLAUDE_4_6, thinking_hidden=True, efforts=("low", "medium", "high", "xhigh", "max"), sampling="none")
OPUS_4_8 = replace(OPUS_4_7, inline_system=True)
SONNET_5 = replace(OPUS_4_7, thinking_off="disabled")
OPUS_5 = replace(OPUS_4_8, thinking_off="disabled")
FABLE_5 = replace(OPUS_4_8, thinking_off="never")
OPUS_5_5 = replace(FABLE_5, forced_tools=False)

CLAUDE_FAMILIES: tuple[tuple[str, ClaudeModel], ...] = (
    (r"\w+-3", CLAUDE_3),
    (r"\w+-3\.5", replace(CLAUDE_3, max_output=8_192)),
    (r"\w+-3\.7", CLAUDE_4),
    (r"opus-4", OPUS_4),
    (r"opus-4\.1", replace(OPUS_4, sampling="one")),
    (r"\w+-4", CLAUDE_4),
    (r"\w+-4\.5", CLAUDE_4_5),
    (r"\w+-4\.6", CLAUDE_4_6),
    (r"\w+-4\.7", OPUS_4_7),
    (r"\w+-4\.8", OPUS_4_8),
    (r"mythos-preview", replace(FABLE_5, efforts=CLAUDE_4_6.efforts, inline_system=False)),
    (r"(fable|mythos)-5", FABLE_5),
    (r"sonnet-5", SONNET_5),
    (r"opus-5", OPUS_5),
    (r"(fable|mythos|opus)-5\.\d", OPUS_5_5),
    (r"sonnet-5\.5", replace(OPUS_5_5, thinking_off="between_tools")),
    (r"haiku-5\.5", SONNET_5),
)
"""Family and version, `haiku-4.5`, `opus-5`; the first that fits."""

UNKNOWN_CLAUDE = replace(OPUS_5_5, inline_system=False)
"""A newer Claude: only what no model since 4.6 refuses."""

NOT_CLAUDE = ClaudeModel(max_output=32_000, limit_known=False, thinking="budget")
"""Another maker's model behind Anthropic's wire (Kimi, DeepSeek, GLM, a private name)."""

CLAUDE_NAME = re.compile(
    r"claude-(?:(?P<first>\d)(?:[.-](?P<second>\d{1,2}))?-)?(?P<family>[a-z]+)"
    r"(?:-(?P<major>\d{1,2})(?:[.-](?P<minor>\d{1,2}))?(?!\d))?"
)
"""claude-3-5-sonnet-20241022, claude-opus-4-1@20250805, anthropic/claude-4.7-opus, us.anthropic.claude-opus-4-6-v1"""


@lru_cache(maxsize=1024)
def claude_model(name: str) -> ClaudeModel:
    """The facts about the model that the provider calls `name`."""
    name = name.lower()
    if "claude" not in name:
        return NOT_CLAUDE
    if re.search(r"claude-(instant|v?[12]\b)", name):
        return CLAUDE_3
    version = "mythos-preview" if "mythos-preview" in name else _family_and_version(name)
    for pattern, model in CLAUDE_FAMILIES:
        if re.fullmatch(pattern, version):
            return model
    return UNKNOWN_CLAUDE


def _family_and_version(name: str) -> str:
    found = CLAUDE_NAME.search(name)
    if found is None:
        return ""
    major = found["first"] or found["major"]
    minor = found["second"] if found["first"] else found["minor"]
    return f"{found['family']}-{major}" + (f".{minor}" if minor and minor != "0" else "")


# --- Gemini ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GeminiModel:
    """What a family of Gemini models takes.

    `max_output`: tokens; more is refused.
    `thinking`: how it is asked for: not at all, with a budget of tokens, or by a level.
    `budgets`: the least and the greatest budget; a least of 0 means that thinking can be switched off.
    `levels`: the levels that it knows, from the least.
    `json_schema`: schemas in JSON Schema; else in a subset of OpenAPI's.
    `penalties`: frequency_penalty and presence_penalty.
    `combines`: functions may stand beside tools that Google runs, and beside a demand for JSON.
    `signed_calls`: calls in the history must carry their thought signature.
    `media_results`: results of tools may hold pictures and documents.
    """

    max_output: int = 65_536
    thinking: Literal["none", "budget", "level"] = "none"
    budgets: tuple[int, int] = (0, 0)
    levels: tuple[str, ...] = ()
    json_schema: bool = True
    penalties: bool = False
    combines: bool = False
    signed_calls: bool = False
    media_results: bool = False


GEMINI_2_0 = GeminiModel(max_output=8_192, penalties=True)
GEMINI_1 = replace(GEMINI_2_0, json_schema=False)
GEMINI_2_5_FLASH = GeminiModel(thinking="budget", budgets=(0, 24_576))
GEMINI_2_5_PRO = GeminiModel(thinking="budget", budgets=(128, 32_768))
GEMINI_3 = GeminiModel(
    thinking="level",
    levels=("low", "medium", "high"),
    combines=True,
    signed_calls=True,
    media_results=True,
)
"""And every newer one: these levels all of them know."""

GEMINI_3_MINIMAL = replace(GEMINI_3, levels=("minimal", *GEMINI_3.levels))

GEMINI_FAMILIES: tuple[tuple[str, GeminiModel], ...] = (
    (r"gemini-1|gemma|learnlm", GEMINI_1),
    (r"gemini-2\.0", GEMINI_2_0),
    (r"2\.5.*(image|tts|audio)", GeminiModel(max_output=32_768)),
    (r"gemini-2\.5-pro", GEMINI_2_5_PRO),
    (r"2\.5", GEMINI_2_5_FLASH),
    (r"gemini-3.*(image|tts|audio)", replace(GEMINI_3, thinking="none", levels=(), signed_calls=False)),
    (r"gemini-3-pro", replace(GEMINI_3, levels=("low", "high"))),
    (r"gemini-3-flash|gemini-3\.[1-6]-flash", GEMINI_3_MINIMAL),
)
"""Part of a name; the first that fits."""


@lru_cache(maxsize=1024)
def gemini_model(name: str) -> GeminiModel:
    """The facts about the model that the provider calls `name`; what no table knows is taken for a newer Gemini."""
    name = name.lower()
    return next((model for part, model in GEMINI_FAMILIES if re.search(part, name)), GEMINI_3)
