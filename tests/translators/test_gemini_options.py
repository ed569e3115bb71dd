"""Settings of a request to Gemini: limits, sampling, thinking, the form of the answer, Gemini's own fields."""

import json
from typing import Any

import pytest

from tests.translators.gemini_exchange import body, config, noted, tool, wire
from translators.errors import RequestError, UntranslatableError

OLD = "gemini-2.0-flash"
FLASH = "gemini-2.5-flash"
PRO = "gemini-2.5-pro"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
FORM = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}


def test_pitfall_086_five_stop_sequences_at_most() -> None:
    """A text or a list, empty ones left out, the sixth noted. (simonw/llm-gemini PR#45, BF stopsequences_test.go)"""
    assert config(stop="END") == {"stopSequences": ["END"]}
    assert config(stop=["", "END"]) == {"stopSequences": ["END"]}
    assert config(stop=["1", "2", "3", "4", "5", "6"])["stopSequences"] == ["1", "2", "3", "4", "5"]
    assert "stop" in noted(stop=["1", "2", "3", "4", "5", "6"])
    assert config(stop="") == {}


def test_pitfall_087_penalties_only_where_they_are_taken() -> None:
    """2.5 and later refuse them; zero is no penalty. (LL PR#16041)"""
    wanted = {"frequency_penalty": 0.5, "presence_penalty": 0.2}
    assert config(model=OLD, **wanted) == {"frequencyPenalty": 0.5, "presencePenalty": 0.2}
    assert config(model=PRO, **wanted) == {}
    assert noted(model=PRO, **wanted) == {"frequency_penalty", "presence_penalty"}
    assert noted(model=PRO, frequency_penalty=0, presence_penalty=0) == set()


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        (FLASH, "none", {"thinkingBudget": 0}),
        (FLASH, "minimal", {"thinkingBudget": 512, "includeThoughts": True}),
        (FLASH, "low", {"thinkingBudget": 1_024, "includeThoughts": True}),
        (FLASH, "medium", {"thinkingBudget": 8_192, "includeThoughts": True}),
        (FLASH, "high", {"thinkingBudget": 24_576, "includeThoughts": True}),
        (FLASH, "xhigh", {"thinkingBudget": 24_576, "includeThoughts": True}),
        (PRO, "none", {"thinkingBudget": 128, "includeThoughts": True}),
        (PRO, "xhigh", {"thinkingBudget": 32_768, "includeThoughts": True}),
        ("gemini-3-pro-preview", "minimal", {"thinkingLevel": "LOW", "includeThoughts": True}),
        ("gemini-3-pro-preview", "medium", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("gemini-3-flash-preview", "minimal", {"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        ("gemini-3-flash-preview", "none", {"thinkingLevel": "MINIMAL", "includeThoughts": False}),
        ("gemini-3.1-flash-lite", "medium", {"thinkingLevel": "MEDIUM", "includeThoughts": True}),
        ("gemini-3.8-flash", "minimal", {"thinkingLevel": "LOW", "includeThoughts": True}),
        ("gemini-3.8-flash", "xhigh", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("gemini-flash-latest", "high", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        (OLD, "high", None),
        ("gemini-2.5-flash-image", "high", None),
        ("gemini-3-pro-image-preview", "low", None),
    ],
)
def test_pitfall_087_effort_is_a_budget_or_a_level(model: str, effort: str, thinking: Any) -> None:
    """As the family takes it, never both. (LL PR#21654, EN#1562, PK 442c8f49)"""
    assert config(model=model, reasoning_effort=effort).get("thinkingConfig") == thinking


def test_pitfall_087_effort_that_cannot_be_had_is_noted() -> None:
    """Thinking that cannot be switched off, levels and models without it, words that nobody knows."""
    for model, effort in ((PRO, "none"), ("gemini-3.8-flash", "none"), ("gemini-3.8-flash", "max"), (OLD, "high")):
        assert noted(model=model, reasoning_effort=effort) == {"reasoning_effort"}
    assert noted(reasoning_effort="a lot") == {"reasoning_effort"}
    assert noted(model=FLASH, reasoning_effort="none") == set()
    assert noted(model=OLD, reasoning_effort="none") == set()


def test_pitfall_088_everything_that_has_another_name() -> None:
    """n, seed, logprobs, limits, sampling. (EN#1680, BF responseslogprobs_test.go)"""
    assert config(
        n=2,
        seed=7,
        logprobs=True,
        top_logprobs=5,
        max_completion_tokens=100,
        max_tokens=50,
        temperature=1.5,
        top_p=0.9,
        top_k=40,
    ) == {
        "candidateCount": 2,
        "seed": 7,
        "responseLogprobs": True,
        "logprobs": 5,
        "maxOutputTokens": 100,
        "temperature": 1.5,
        "topP": 0.9,
        "topK": 40,
    }
    assert config(logprobs=True) == {"responseLogprobs": True}
    assert config(logprobs=False, top_logprobs=3) == {}


def test_pitfall_088_a_seed_is_a_small_number() -> None:
    """Gemini's has 32 bits; the same seed gives the same one."""
    assert config(seed=2**63 - 1) == config(seed=2**63 - 1)
    assert 0 <= config(seed=-5)["seed"] < 2**31


def test_more_answers_than_there_can_be_are_refused() -> None:
    """So that another engine may be tried."""
    with pytest.raises(UntranslatableError, match="at most 8"):
        config(n=9)


def test_limits_are_the_models() -> None:
    """More is refused there, so it is cut and noted; no limit is sent where the client sets none."""
    assert config(model=OLD, max_tokens=9_000) == {"maxOutputTokens": 8_192}
    assert noted(model=OLD, max_tokens=9_000) == {"max_tokens"}
    assert config(model=PRO, max_tokens=9_000) == {"maxOutputTokens": 9_000}
    assert config() == {}
    assert config(logprobs=True, top_logprobs=50)["logprobs"] == 20


# --- the form of the answer -----------------------------------------------------------------------------------


def test_json_of_any_form_and_of_a_given_one() -> None:
    """By response_format."""
    assert config(response_format={"type": "json_object"}) == {"responseMimeType": "application/json"}
    assert config(response_format=FORM) == {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    assert config(response_format={"type": "text"}) == {}


def test_json_beside_tools_is_asked_for_in_words_where_it_must() -> None:
    """Before Gemini 3 the two do not go together."""
    request = {"response_format": FORM, "tools": [tool("a")]}
    assert config(**request) == {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    assert noted(**request) == set()
    assert config(**request, model=FLASH) == {}
    assert noted(**request, model=FLASH) == {"response_format"}
    told = body(**request, model=FLASH)["systemInstruction"]["parts"][0]["text"]
    assert json.dumps(SCHEMA, separators=(",", ":")) in told


# --- Gemini's own fields --------------------------------------------------------------------------------------

SAFETY = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]


@pytest.mark.parametrize(
    "fields",
    [
        {"safety_settings": SAFETY},
        {"safetySettings": SAFETY},
        {"google": {"safety_settings": SAFETY}},
        {"extra_body": {"google": {"safety_settings": SAFETY}}},
    ],
)
def test_geminis_own_fields_in_every_place(fields: dict[str, Any]) -> None:
    """In snake or camel case, at the top or where Google's OpenAI-compatible endpoint has them."""
    assert body(fields)["safetySettings"] == SAFETY
    assert noted(**fields) == set()


def test_geminis_own_settings_are_passed_on() -> None:
    """Those beside generationConfig and those in it; `generation_config` goes before everything."""
    thinking = {"thinkingBudget": 5}
    made = body(
        cached_content="cachedContents/1",
        thinking_config=thinking,
        reasoning_effort="high",
        media_resolution="MEDIA_RESOLUTION_LOW",
        temperature=1,
        generation_config={"temperature": 0.5, "speech_config": {}},
    )
    assert made["cachedContent"] == "cachedContents/1"
    assert made["generationConfig"] == {
        "temperature": 0.5,
        "thinkingConfig": thinking,
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
        "speechConfig": {},
    }


def test_the_tier_by_openais_word() -> None:
    """default is Gemini's standard; auto is left to it; a tier that it has not is noted."""
    assert body(service_tier="flex")["serviceTier"] == "flex"
    assert body(service_tier="default")["serviceTier"] == "standard"
    assert "serviceTier" not in body(service_tier="auto")
    assert noted(service_tier="scale") == {"service_tier"}


def test_pictures_and_sound_as_the_answer() -> None:
    """`modalities`, as OpenAI and the hosts of image models have it; Gemini speaks or writes, not both."""
    assert config(modalities=["image", "text"]) == {"responseModalities": ["IMAGE", "TEXT"]}
    assert config(modalities=["text", "audio"], audio={"voice": "Kore", "format": "wav"}) == {
        "responseModalities": ["AUDIO"],
        "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
    }
    assert config(modalities=["text"]) == {}


def test_what_gemini_has_not_is_noted() -> None:
    """Never dropped in silence; what says nothing needs no note."""
    fields = {
        "logit_bias": {"1": 5},
        "user": "ann",
        "metadata": {"a": "b"},
        "labels": {"team": "x"},
        "verbosity": "low",
    }
    assert noted(**fields) == set(fields)
    assert noted(extra_body={"color": "red"}) == {"color"}
    assert noted(turns=0, quiet=False, mood="") == {"turns", "quiet", "mood"}
    assert noted(store=False, metadata={}, prediction=None, stream_options={"include_usage": True}) == set()


@pytest.mark.parametrize("fields", [{"extra_body": {"google": None}}, {"extra_body": None}, {"google": None}])
def test_a_setting_of_null_is_none(fields: dict[str, Any]) -> None:
    """Clients write null for what is not there."""
    assert body(fields) == body()
    assert noted(**fields) == set()


@pytest.mark.parametrize("name", ["google", "extra_body", "generation_config"])
def test_settings_that_should_be_objects(name: str) -> None:
    """Are refused by name."""
    with pytest.raises(RequestError, match=f"`{name}` must be an object"):
        body({name: "x"})


# --- address --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "prefix"),
    [
        ("", "https://generativelanguage.googleapis.com/v1beta"),
        ("https://generativelanguage.googleapis.com", "https://generativelanguage.googleapis.com/v1beta"),
        ("https://generativelanguage.googleapis.com/v1beta", "https://generativelanguage.googleapis.com/v1beta"),
        ("https://generativelanguage.googleapis.com/v1/", "https://generativelanguage.googleapis.com/v1"),
        ("https://generativelanguage.googleapis.com/v1beta/models", "https://generativelanguage.googleapis.com/v1beta"),
        ("https://host.example/gemini/v1alpha?x=1", "https://host.example/gemini/v1alpha"),
        ("http://localhost:9/proxy", "http://localhost:9/proxy/v1beta"),
    ],
)
def test_the_address(base_url: str, prefix: str) -> None:
    """The version that base_url names, or the one with every feature; the model's name in the path."""
    assert wire({}, base_url=base_url).url == f"{prefix}/models/gemini-3-flash-preview:generateContent"
    streamed = wire({"stream": True, "model": "tunedModels/my model"}, base_url=base_url)
    assert streamed.url == f"{prefix}/tunedModels/my%20model:streamGenerateContent?alt=sse"


def test_the_key_is_in_a_header() -> None:
    """Never in the address, which ends up in logs."""
    made = wire({}, key="AIza-secret")
    assert made.credentials == {"x-goog-api-key": "AIza-secret"}
    assert "secret" not in made.url
    assert "secret" not in repr(made)
