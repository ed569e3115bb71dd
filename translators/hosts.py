"""Facts about hosts of OpenAI's wire: what each refuses, or calls by another name. Data; nothing here calls anyone.

A host that is not in the table gets the request as the client wrote it. DeepBricks hands OpenAI's models on, so what
these refuse is refused there too. OpenRouter and Cloudflare have engines, which take their facts from here by name.

Sources, read in November 2026:
- OpenAI: API reference, "Create chat completion", and guide "Reasoning models"; the recorded refusals of max_tokens
  and stop; langchain#29704 (parallel_tool_calls), langchain#35424 (GPT-5.1 and its successors do not reason unasked),
  openclaw#875 (ids of calls), lobehub#7574 (the search models); guide "File inputs" (`file_url` is not supported).
- Groq: types of the groq SDK 1.7, documentation "OpenAI Compatibility", freellmapi#1070, vercel/ai#8057.
- Mistral: types of the mistralai SDK 3.7, recorded refusals, crush#1590, eca#231, gptel#1203.
- DeepSeek: documentation "Thinking Mode", recorded refusals, pi#1048. Moonshot: continue#11600, oh-my-pi#1078,
  documentation "Use the Kimi Vision Model" (no addresses of pictures).
- xAI: a recorded refusal, litellm#12635 and #14565, opencodex#5278, NativeTavern#83, new-api#6081.
- NVIDIA: OmniRoute#848, CLIProxyAPI#4149, 9router#2311, langchain-nvidia#156.
- Cloudflare: opencode#30381, cloudflare-os#54, sure#467, the models' schemas ("HTTP URL will not be accepted").
- OpenRouter: documentation "Reasoning Tokens" and "PDF Inputs" (`file_data` only). Google: one-api#2245 (pictures).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class CallIds:
    """Which ids of calls are taken; another one is replaced by `digits` characters that are taken."""

    pattern: re.Pattern[str]
    digits: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a host takes for a model, where that is not simply what the client wrote.

    `renamed`: fields of the body that have another name; `refused`: those that are refused whatever they say;
    `refused_reasoning`: those that are refused while the model reasons, which it does unless `reasoning_effort` says
    none, or says nothing where the model reasons only when asked (`reasons_unasked`).
    `message_fields`: fields of a message and of the calls in it beyond which there may be none; None: any.
    `roles`: roles of messages that have another name.
    `reasoning`: the name of a message's reasoning as text; None: as the client calls it.
    `cache_marks`: Anthropic's `cache_control` is taken. `schema_names`: a schema may name its dialect with `$schema`.
    `text_only`: content without pictures must be one string, never null.
    `call_ids`: see there; None: any. `signatures`: a call may bring back Google's thought signature.
    `reasoning_details`: a message may bring back OpenRouter's.
    `answers_in_parts`: answers may hold typed parts where OpenAI's clients expect text, so they have to be translated.
    `without_thinking`: the fields that stop a model from thinking that thinks unasked. It has to be stopped where a
    call is forced, and where the reasoning behind earlier calls was lost: both are refused while it thinks.
    `image_urls`, `file_urls`: pictures and files may be named by an http(s) address; else only their bytes will do.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    refused_reasoning: frozenset[str] = frozenset()
    reasons_unasked: bool = True
    message_fields: frozenset[str] | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    reasoning: Literal["reasoning", "reasoning_content"] | None = None
    cache_marks: bool = True
    schema_names: bool = True
    text_only: bool = False
    call_ids: CallIds | None = None
    signatures: bool = False
    reasoning_details: bool = False
    answers_in_parts: bool = False
    without_thinking: Mapping[str, Any] | None = None
    image_urls: bool = True
    file_urls: bool = True


UNKNOWN = Facts(reasoning_details=True)
GEMINI = Facts(signatures=True, reasoning_details=True)
"""Gemini behind OpenAI's wire, at Google's own endpoint for it or at whoever hands that on."""
GOOGLE = replace(GEMINI, image_urls=False)

CALLED_SYSTEM = {"developer": "system"}
CALLED_DEVELOPER = {"system": "developer"}

MESSAGE_FIELDS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "id", "type", "function"})
"""What every host of this wire knows of a message and of a call."""

OPENAIS_OWN = frozenset(
    {
        "audio",
        "modalities",
        "moderation",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "store",
        "verbosity",
        "web_search_options",
    }
)
"""Fields of the body that OpenAI has and hosts that refuse unknown fields do not know."""

# --- OpenAI ---------------------------------------------------------------------------------------------------

SAMPLING = frozenset({"temperature", "top_p", "logprobs", "top_logprobs"})
PENALTIES = frozenset({"presence_penalty", "frequency_penalty"})

OPENAI = Facts(
    message_fields=MESSAGE_FIELDS | {"refusal", "audio", "annotations", "function_call", "custom"},
    cache_marks=False,
    call_ids=CallIds(re.compile(r"[\s\S]{1,40}"), 32),
    file_urls=False,
)
O_SERIES = replace(
    OPENAI,
    renamed={"max_tokens": "max_completion_tokens"},
    refused=SAMPLING | PENALTIES | {"logit_bias", "parallel_tool_calls"},
    roles=CALLED_DEVELOPER,
)
GPT_5 = replace(O_SERIES, refused=SAMPLING | PENALTIES | {"logit_bias", "stop"})
GPT_5_5 = replace(GPT_5, refused=PENALTIES | {"logit_bias", "stop"}, refused_reasoning=SAMPLING)
GPT_5_1 = replace(GPT_5_5, reasons_unasked=False)

OPENAI_MODELS: tuple[tuple[str, Facts], ...] = (
    (r"o1.*|o3-mini.*", O_SERIES),
    (r"o\d.*|codex-mini.*", replace(O_SERIES, refused=O_SERIES.refused | {"stop"})),
    (r"gpt-5-chat.*", replace(OPENAI, renamed=O_SERIES.renamed)),
    (r"gpt-5(?!\.).*|gpt-5.*(chat|codex|pro).*", GPT_5),
    (r"gpt-5\.[1-4]\b.*", GPT_5_1),
    (r"gpt-([5-9]|[12]\d)\b.*", GPT_5_5),
    (r"gpt-4o.*-search-.*", replace(OPENAI, refused=SAMPLING | PENALTIES)),
)

# --- the others -----------------------------------------------------------------------------------------------

GROQ = Facts(
    refused=OPENAIS_OWN | {"logit_bias", "logprobs", "top_logprobs", "metadata", "reasoning", "thinking"},
    message_fields=MESSAGE_FIELDS | {"function_call"},
    cache_marks=False,
    schema_names=False,
)
GROQ_REASONING = replace(GROQ, message_fields=MESSAGE_FIELDS | {"function_call", "reasoning"}, reasoning="reasoning")

MISTRAL = Facts(
    renamed={"max_completion_tokens": "max_tokens", "seed": "random_seed"},
    refused=OPENAIS_OWN - {"prediction", "prompt_cache_key"}
    | {"logit_bias", "reasoning", "stream_options", "thinking", "user"},
    message_fields=MESSAGE_FIELDS - {"name"} | {"prefix"},
    roles=CALLED_SYSTEM,
    cache_marks=False,
    call_ids=CallIds(re.compile(r"[a-zA-Z0-9]{9}"), 9),
)

MISTRAL_REASONING = replace(MISTRAL, answers_in_parts=True)

DEEPSEEK = Facts(renamed={"max_completion_tokens": "max_tokens"}, roles=CALLED_SYSTEM, reasoning="reasoning_content")
DEEPSEEK_THINKING = replace(DEEPSEEK, without_thinking={"thinking": {"type": "disabled"}})

MOONSHOT = Facts(roles=CALLED_SYSTEM, reasoning="reasoning_content", image_urls=False)
KIMI_THINKING = replace(MOONSHOT, without_thinking={"thinking": {"type": "disabled"}})

NVIDIA = Facts(
    renamed={"max_completion_tokens": "max_tokens"},
    refused=frozenset({"client_metadata", "prompt_cache_key", "thinking"}),
    roles=CALLED_SYSTEM,
)

GROK = Facts(refused=PENALTIES | {"stop"})
GROK_FIXED_EFFORT = replace(GROK, refused=GROK.refused | {"reasoning_effort"})

XAI_HOST = r"([\w-]+\.)?api\.x\.ai"
XAI_MODELS: tuple[tuple[str, Facts], ...] = (
    (r"grok-3-mini.*|grok-4\.20.*multi-agent.*", GROK),
    (r".*non-reasoning.*", replace(GROK_FIXED_EFFORT, refused=PENALTIES | {"reasoning_effort"})),
    (r"grok-[1-4](?!\.)\b.*|grok-4\.20\b.*|grok-(code|build).*", GROK_FIXED_EFFORT),
    (r".*", GROK),
)

OPENROUTER = Facts(reasoning="reasoning", reasoning_details=True, file_urls=False)
"""It makes up for what the hosts behind it refuse."""

AZURE_MODELS = (*OPENAI_MODELS, *XAI_MODELS[:-1], (r".*", OPENAI))
"""A deployment has the model's name, or one of the user's own."""

CLOUDFLARE = Facts(
    renamed={"max_completion_tokens": "max_tokens"},
    message_fields=MESSAGE_FIELDS,
    roles=CALLED_SYSTEM,
    cache_marks=False,
    text_only=True,
    image_urls=False,
    file_urls=False,
)

HOSTS: tuple[tuple[str, tuple[tuple[str, Facts], ...]], ...] = (
    (r"([\w-]+\.)?api\.openai\.com", (*OPENAI_MODELS, (r".*", OPENAI))),
    (r"api\.deepbricks\.ai", OPENAI_MODELS),
    (r"api\.groq\.com", ((r".*(gpt-oss|qwen-?3).*", GROQ_REASONING), (r".*", GROQ))),
    (
        r"api\.mistral\.ai|codestral\.mistral\.ai",
        ((r"(magistral|mistral-(small|medium)).*", MISTRAL_REASONING), (r".*", MISTRAL)),
    ),
    (r"api\.deepseek\.com", ((r"deepseek-(chat|coder).*", DEEPSEEK), (r".*", DEEPSEEK_THINKING))),
    (r"api\.moonshot\.(ai|cn)", ((r"kimi-k(2\.[5-9]|[3-9]).*", KIMI_THINKING), (r".*", MOONSHOT))),
    (XAI_HOST, XAI_MODELS),
    (r"integrate\.api\.nvidia\.com", ((r".*", NVIDIA),)),
    (r"generativelanguage\.googleapis\.com", ((r".*", GOOGLE),)),
    (r".*", ((r".*gemini.*", GEMINI),)),
)
"""Host → model → facts; the first that fits whole, in lower case."""


@lru_cache(maxsize=1024)
def host_facts(base_url: str, model: str) -> Facts:
    """The facts about a model at the host of a provider's `base_url`."""
    host = urlsplit(base_url).hostname or ""
    models = next(models for pattern, models in HOSTS if re.fullmatch(pattern, host))
    return model_facts(models, model)


def model_facts(models: tuple[tuple[str, Facts], ...], model: str) -> Facts:
    """The facts of the first pattern that fits the model's name; UNKNOWN if none does."""
    name = model.lower().rpartition("/")[2]
    return next((facts for pattern, facts in models if re.fullmatch(pattern, name)), UNKNOWN)
