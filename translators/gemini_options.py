"""Gemini's generateContent: everything in a request that is neither conversation nor tool.

Shapes and limits: Gemini API reference, "GenerationConfig"; Gemini API, "Gemini thinking" and "OpenAI
compatibility" (reasoning_effort and budgets). What a model takes is in models.py.

Gemini's own settings go by their own names, in snake or camel case: at the top of the request, or in `google`, or in
`extra_body.google`, as Google's OpenAI-compatible endpoint has them. `generation_config` holds whatever of it has no
name in OpenAI's API; its members go before everything else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from translators.defaults import changes_nothing
from translators.errors import RequestError, UntranslatableError
from translators.gemini_parts import JsonObject
from translators.gemini_schema import json_schema, openapi_schema
from translators.jsontext import dumps, object_in, text_in
from translators.models import GeminiModel
from translators.types import ChatRequest, Note

CONFIG_FIELDS = frozenset(
    {
        "audioTimestamp",
        "enableEnhancedCivicAnswers",
        "imageConfig",
        "mediaResolution",
        "responseModalities",
        "routingConfig",
        "speechConfig",
        "thinkingConfig",
        "topK",
    }
)
"""Members of `generationConfig` that pass as they came; others can be set by `generation_config`."""

BODY_FIELDS = frozenset({"safetySettings", "cachedContent", "toolConfig", "continuationToken"})
"""Members beside it that pass as they came, on every host."""

READ_ELSEWHERE = frozenset({"audio", "extra_body", "google", "modalities", "web_search_options"})

MOST_STOPS = 5
MOST_CANDIDATES = 8
MOST_LOGPROBS = 20
SEEDS = 2**31

SERVICE_TIERS = {"default": "standard", "standard": "standard", "flex": "flex", "priority": "priority"}

BUDGETS = {"none": 0, "minimal": 512, "low": 1_024, "medium": 8_192, "high": 24_576, "xhigh": 32_768, "max": 32_768}
"""reasoning_effort → tokens of thinking."""
EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")

JSON_ONLY = "Answer with one JSON value and nothing else: no words around it and no code fence."


@dataclass(frozen=True, slots=True)
class Settings:
    """Gemini's own settings in a request, by their names on the wire. `config` goes into `generationConfig`;
    `own_config`, which the client wrote as that, goes before everything there; `body` stands beside it."""

    config: JsonObject
    own_config: JsonObject
    body: JsonObject


def own_settings(chat: ChatRequest, passing: frozenset[str], notes: list[Note]) -> Settings:
    """`passing`: what this host takes beside `generationConfig`. Raises RequestError for what should be an object."""
    config: JsonObject = {}
    body: JsonObject = {}
    own_config: JsonObject = {}
    for name, value in own_fields(chat).items():
        wire = camel(name)
        if wire == "generationConfig":
            own_config = {camel(key): inner for key, inner in object_or_none(name, value).items()}
        elif wire == "serviceTier":
            tier = SERVICE_TIERS.get(text_in(value).lower())
            if tier and wire in passing:
                body[wire] = tier
            elif value not in ("auto", "default"):
                notes.append(Note(name, f"Gemini has no tier {value!r} here"))
        elif wire in CONFIG_FIELDS:
            config[wire] = value
        elif wire in passing:
            body[wire] = value
        elif name not in READ_ELSEWHERE and not changes_nothing(name, value):
            notes.append(Note(name, "Gemini has no such parameter"))
    return Settings(config, own_config, body)


def own_fields(chat: ChatRequest) -> JsonObject:
    """Everything that may be Gemini's, the most particular place last."""
    extra_body = object_or_none("extra_body", chat.extensions.get("extra_body"))
    nested = object_or_none("google", extra_body.get("google"))
    google = object_or_none("google", chat.extensions.get("google"))
    return {**chat.extensions, **extra_body, **nested, **google}


def object_or_none(name: str, value: Any) -> Mapping[str, Any]:
    """A field's members; none if it is null or not there. Raises RequestError for anything but an object."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    raise RequestError(f"`{name}` must be an object.", param=name)


def camel(name: str) -> str:
    """A name as the wire spells it: thinking_config → thinkingConfig."""
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


# --- generationConfig -----------------------------------------------------------------------------------------


def generation_config(chat: ChatRequest, model: GeminiModel, settings: Settings, notes: list[Note]) -> JsonObject:
    """Without the form of the answer. Raises UntranslatableError for more candidates than there can be."""
    if chat.n is not None and chat.n > MOST_CANDIDATES:
        raise UntranslatableError(f"`n` is {chat.n}; Gemini gives at most {MOST_CANDIDATES} answers.", param="n")
    config: JsonObject = {
        "candidateCount": chat.n,
        "maxOutputTokens": limited(chat, model, notes),
        "temperature": chat.temperature,
        "topP": chat.top_p,
        "stopSequences": stop_sequences(chat, notes) or None,
        "seed": None if chat.seed is None else chat.seed % SEEDS,
        **penalties(chat, model, notes),
        **logprobs(chat, notes),
        **modalities(chat, notes),
        "thinkingConfig": thinking_config(chat, model, settings, notes),
    }
    if chat.logit_bias:
        notes.append(Note("logit_bias", "Gemini has no such parameter"))
    if chat.user:
        notes.append(Note("user", "Gemini has no such parameter"))
    return {name: value for name, value in config.items() if value is not None} | settings.config


def limited(chat: ChatRequest, model: GeminiModel, notes: list[Note]) -> int | None:
    if chat.max_tokens is not None and chat.max_tokens > model.max_output:
        notes.append(Note("max_tokens", f"this model writes at most {model.max_output} tokens"))
        return model.max_output
    return chat.max_tokens


def stop_sequences(chat: ChatRequest, notes: list[Note]) -> list[str]:
    found = [sequence for sequence in chat.stop if sequence]
    if len(found) > MOST_STOPS:
        notes.append(Note("stop", f"Gemini takes {MOST_STOPS} stop sequences: the others were left out"))
    return found[:MOST_STOPS]


def penalties(chat: ChatRequest, model: GeminiModel, notes: list[Note]) -> JsonObject:
    wanted = {"frequencyPenalty": chat.frequency_penalty, "presencePenalty": chat.presence_penalty}
    if model.penalties:
        return wanted
    for name, value in (("frequency_penalty", chat.frequency_penalty), ("presence_penalty", chat.presence_penalty)):
        if value:
            notes.append(Note(name, "this model takes no penalties"))
    return {}


def logprobs(chat: ChatRequest, notes: list[Note]) -> JsonObject:
    if not chat.logprobs:
        return {}
    most = chat.top_logprobs
    if most is not None and most > MOST_LOGPROBS:
        notes.append(Note("top_logprobs", f"Gemini gives at most {MOST_LOGPROBS}"))
        most = MOST_LOGPROBS
    return {"responseLogprobs": True, "logprobs": most or None}


def modalities(chat: ChatRequest, notes: list[Note]) -> JsonObject:
    """OpenAI's `modalities` and `audio`: what the answer is made of, and the voice that speaks it."""
    wanted = chat.extensions.get("modalities")
    config: JsonObject = {}
    if isinstance(wanted, list) and wanted != ["text"]:
        kinds = [text_in(kind).upper() for kind in wanted]
        # OpenAI's models speak and write at once, Gemini's do one of the two.
        config["responseModalities"] = ["AUDIO"] if "AUDIO" in kinds else kinds
    voice = text_in(object_in(chat.extensions.get("audio")).get("voice"))
    if voice:
        config["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}}
    return config


# --- thinking -------------------------------------------------------------------------------------------------


def thinking_config(chat: ChatRequest, model: GeminiModel, settings: Settings, notes: list[Note]) -> JsonObject | None:
    """`thinkingConfig` for `reasoning_effort`; with it the thoughts are shown. None leaves it to the model."""
    effort = chat.reasoning_effort
    if effort is None or "thinkingConfig" in settings.config:
        return None
    if effort not in BUDGETS:
        notes.append(Note("reasoning_effort", f"{effort!r} is none of {', '.join(BUDGETS)}"))
        return None
    if model.thinking == "none":
        if effort != "none":
            notes.append(Note("reasoning_effort", "how much this model thinks cannot be set"))
        return None
    if model.thinking == "budget":
        least, most = model.budgets
        budget = min(max(BUDGETS[effort], least), most)
        if effort == "none" and budget:
            notes.append(Note("reasoning_effort", "this model always thinks: it gets the least budget"))
        return {"thinkingBudget": budget, "includeThoughts": True} if budget else {"thinkingBudget": 0}
    return {"thinkingLevel": level(effort, model, notes).upper(), "includeThoughts": effort != "none"}


def level(effort: str, model: GeminiModel, notes: list[Note]) -> str:
    """The model's own level: the wanted one, or the next above it, or the highest."""
    if effort == "none":
        notes.append(Note("reasoning_effort", "this model always thinks: it gets the least level"))
        return model.levels[0]
    enough = [known for known in model.levels if EFFORTS.index(known) >= EFFORTS.index(effort)]
    if enough:
        return enough[0]
    notes.append(Note("reasoning_effort", f"this model has no {effort!r}: it gets {model.levels[-1]!r}"))
    return model.levels[-1]


# --- the form of the answer -----------------------------------------------------------------------------------


def answer_form(
    chat: ChatRequest, model: GeminiModel, notes: list[Note], *, with_tools: bool
) -> tuple[JsonObject, str]:
    """What `generationConfig` says of the form of the answer, or, where it must not, what the system prompt says."""
    wanted = chat.response_format
    if wanted is None or wanted.kind == "text":
        return {}, ""
    schema = wanted.schema if wanted.kind == "json_schema" else None
    if with_tools and not model.combines:
        notes.append(Note("response_format", "this model does not combine it with tools: asked for in words"))
        told = f" It must follow this JSON schema:\n{dumps(schema).decode()}" if schema else ""
        return {}, JSON_ONLY + told
    form: JsonObject = {"responseMimeType": "application/json"}
    if schema and model.json_schema:
        form["responseJsonSchema"] = json_schema(schema)
    elif schema:
        form["responseSchema"] = openapi_schema(schema)
    return form, ""
