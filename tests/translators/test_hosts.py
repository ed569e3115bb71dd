"""translators/hosts.py: what each host of OpenAI's wire takes, and how a request is made to fit."""

import json
from typing import Any

import pytest

from translators import DIALECTS, ENGINES
from translators.base import AnswerIdentity
from translators.hosts import HOSTS, OPENAI, UNKNOWN, host_facts
from translators.openai_request import read_request
from translators.relay import whole_answer
from translators.types import Target, WireRequest

OPENAI_URL = "https://api.openai.com/v1"
GROQ = "https://api.groq.com/openai/v1"
MISTRAL = "https://api.mistral.ai/v1"
DEEPSEEK = "https://api.deepseek.com"
MOONSHOT = "https://api.moonshot.ai/v1"
XAI = "https://api.x.ai/v1"
NVIDIA = "https://integrate.api.nvidia.com/v1"
DEEPBRICKS = "https://api.deepbricks.ai/v1"
SOMEWHERE = "https://llm.example/v1"

USER = {"role": "user", "content": "Hello"}
SYSTEM = {"role": "system", "content": "Be brief."}
DEVELOPER = {"role": "developer", "content": "Be brief."}


def call(id_: str, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}, **fields}


def called(*ids: str, **fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": [call(id_) for id_ in ids], **fields}


def result(id_: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": "found"}


def wire(base_url: str, model: str, **fields: Any) -> WireRequest:
    """What the engine gpt makes of a request for this host and model."""
    request = read_request(json.dumps({"model": model, "messages": [USER], **fields}).encode())
    return ENGINES["gpt"].build(request, Target(base_url, model, model))


def body(base_url: str, model: str, **fields: Any) -> Any:
    return json.loads(wire(base_url, model, **fields).body)


def noted(base_url: str, model: str, **fields: Any) -> set[str]:
    return {note.field for note in wire(base_url, model, **fields).notes}


# --- the table ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "model"),
    [
        (SOMEWHERE, "gpt-5"),
        ("http://127.0.0.1:8000/v1", "mistral-large"),
        ("https://api.openai.com.evil.example/v1", "o3"),
        ("https://notapi.openai.com.example", "o3"),
        ("", "o3"),
    ],
)
def test_nothing_is_known_about_an_unknown_host(base_url: str, model: str) -> None:
    """Its models may be called like anybody's."""
    assert host_facts(base_url, model) is UNKNOWN


def test_a_host_is_known_by_its_name_alone() -> None:
    """Whatever path, port or case; a model also with its maker's name before it."""
    assert host_facts("https://API.OpenAI.com:443/v1/chat/completions", "gpt-4o") is OPENAI
    assert host_facts("https://eu.api.openai.com/v1", "gpt-4o") is OPENAI
    assert host_facts(GROQ, "openai/gpt-oss-120b") is host_facts(GROQ, "GPT-OSS-20b")
    assert host_facts(GROQ, "openai/gpt-oss-120b") is not host_facts(GROQ, "llama-3.3-70b-versatile")


def test_deepbricks_hands_openais_models_on() -> None:
    """What they refuse is refused there; about its other models nothing is known."""
    assert host_facts(DEEPBRICKS, "o3") is host_facts(OPENAI_URL, "o3")
    assert host_facts(DEEPBRICKS, "claude-3-5-sonnet") is UNKNOWN


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4.1-mini", "gpt-3.5-turbo", "gpt-35-turbo", "gpt-4o-audio-preview"])
def test_models_that_take_everything(model: str) -> None:
    """A request goes out byte for byte."""
    fields = {"max_tokens": 5, "temperature": 0.2, "stop": ["x"], "messages": [SYSTEM, USER], "unheard_of": 1}
    raw = json.dumps({"model": model, **fields}).encode()
    sent = ENGINES["gpt"].build(read_request(raw), Target(OPENAI_URL, model, model))
    assert (sent.body, sent.notes) == (raw, ())


def test_every_host_ends_in_facts_for_any_model_or_none() -> None:
    """No name of a model raises."""
    for pattern, models in HOSTS:
        assert pattern
        assert models
    for base_url in (OPENAI_URL, GROQ, MISTRAL, DEEPSEEK, MOONSHOT, XAI, NVIDIA, DEEPBRICKS):
        assert host_facts(base_url, "") is not None


# --- other engines' fields ------------------------------------------------------------------------------------


@pytest.mark.parametrize("base_url", [OPENAI_URL, GROQ, MISTRAL, DEEPSEEK, XAI, SOMEWHERE])
def test_what_only_other_engines_read_stays_away(base_url: str) -> None:
    """Claude's blocks, Gemini's signatures; with a note for each kind, not for each message."""
    blocks = [{"type": "thinking", "thinking": "secret", "signature": "secret"}]
    signed = call("c1", extra_content={"google": {"thought_signature": "secret"}})
    turn = {
        "role": "assistant",
        "content": "a",
        "thinking_blocks": blocks,
        "native_blocks": blocks,
        "tool_calls": [signed],
    }
    sent = wire(base_url, "m", messages=[USER, turn, result("c1"), turn, result("c1")])
    assert b"secret" not in sent.body
    assert [note.field for note in sent.notes if note.field != "thinking"] == [
        "messages[1].thinking_blocks",
        "messages[1].native_blocks",
        "messages[1].tool_calls[].extra_content",
    ]


@pytest.mark.parametrize("base_url", ["https://generativelanguage.googleapis.com/v1beta/openai", SOMEWHERE])
def test_gemini_behind_this_wire_gets_its_signatures_back(base_url: str) -> None:
    """It refuses calls without them."""
    turn = {"role": "assistant", "tool_calls": [call("c1", extra_content={"google": {"thought_signature": "s"}})]}
    assert body(base_url, "gemini-3-pro", messages=[USER, turn, result("c1")])["messages"][1] == turn


def test_cache_marks_stay_away_where_they_are_refused() -> None:
    """In messages, parts and tools; elsewhere they may be understood."""
    mark = {"cache_control": {"type": "ephemeral"}}
    function = {"name": "f", "parameters": {"$schema": "x", "type": "object"}, **mark}
    fields: dict[str, Any] = {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "a", **mark}, "b"], **mark}],
        "tools": [{"type": "function", "function": function, **mark}, {"type": "custom", "custom": {}}],
    }
    plain = body(GROQ, "llama", **fields)
    assert plain["messages"] == [{"role": "user", "content": [{"type": "text", "text": "a"}, "b"]}]
    assert plain["tools"] == [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
        fields["tools"][1],
    ]
    assert body(SOMEWHERE, "m", **fields) == {"model": "m", **fields}
    assert "$schema" in json.dumps(body(OPENAI_URL, "gpt-4o", **fields))


# --- pitfalls -------------------------------------------------------------------------------------------------


def test_pitfall_018_mistral_takes_ids_of_nine_letters() -> None:
    """gptel#1203, opencode PR#3080: the same id for a call and its result, in every request; fitting ones stay."""
    messages = [USER, called("functions.Bash:0", "aB3dE6gH9"), result("functions.Bash:0"), result("aB3dE6gH9")]
    sent = body(MISTRAL, "mistral-large-latest", messages=messages)["messages"]
    first, second = [item["id"] for item in sent[1]["tool_calls"]]
    assert first.isalnum()
    assert (len(first), second) == (9, "aB3dE6gH9")
    assert [item["tool_call_id"] for item in sent[2:]] == [first, second]
    assert body(MISTRAL, "mistral-large-latest", messages=messages)["messages"] == sent


def test_pitfall_017_openai_takes_ids_of_forty_letters() -> None:
    """openclaw#875: a longer one, of another provider's, is cut to a name of its own."""
    long, other = "toolu_" + "x" * 40, "toolu_" + "x" * 39 + "y"
    messages = [USER, called(long, other), result(long), result(other)]
    sent = body(OPENAI_URL, "gpt-4o", messages=messages)["messages"]
    ids = [item["id"] for item in sent[1]["tool_calls"]]
    assert [len(id_) for id_ in ids] == [32, 32]
    assert [item["tool_call_id"] for item in sent[2:]] == ids
    assert len(set(ids)) == 2


@pytest.mark.parametrize("base_url", [OPENAI_URL, GROQ, MISTRAL, DEEPSEEK, SOMEWHERE])
def test_pitfall_020_positions_of_replayed_calls_are_stripped(base_url: str) -> None:
    """litellm remove_index_from_tool_calls: at every host, and without a note, since they say nothing."""
    turn = {"role": "assistant", "reasoning_content": "", "tool_calls": [call("aB3dE6gH9", index=0)]}
    sent = wire(base_url, "m", messages=[USER, turn, result("aB3dE6gH9")])
    assert json.loads(sent.body)["messages"][1]["tool_calls"] == [call("aB3dE6gH9")]
    assert sent.notes == ()


@pytest.mark.parametrize("base_url", [MISTRAL, DEEPSEEK, MOONSHOT, NVIDIA])
def test_pitfall_029_the_developer_is_the_system(base_url: str) -> None:
    """EN#127, pi#1048: where the role is unknown; the host says 400 otherwise."""
    assert body(base_url, "m", messages=[DEVELOPER, USER])["messages"] == [SYSTEM, USER]
    assert body(OPENAI_URL, "gpt-4o", messages=[DEVELOPER, USER])["messages"] == [DEVELOPER, USER]


def test_pitfall_036_an_empty_list_of_tools_is_none() -> None:
    """PK c9fe94d3, BF emptytools_test.go: nor is there a choice from it."""
    sent = wire(OPENAI_URL, "gpt-4o", tools=[], tool_choice="auto", parallel_tool_calls=True)
    assert json.loads(sent.body) == {"model": "gpt-4o", "messages": [USER]}
    assert sent.notes == ()


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "f"}}])
@pytest.mark.parametrize(("base_url", "model"), [(DEEPSEEK, "deepseek-v4-flash"), (MOONSHOT, "kimi-k2.5")])
def test_pitfall_040_a_forced_call_stops_the_thinking(base_url: str, model: str, choice: Any) -> None:
    """mastra#7507, and DeepSeek's recorded 400: a call is what the client's code waits for, so the thinking yields."""
    tools = [{"type": "function", "function": {"name": "f"}}]
    sent = wire(base_url, model, tools=tools, tool_choice=choice, reasoning_effort="low")
    assert json.loads(sent.body)["thinking"] == {"type": "disabled"}
    assert "reasoning_effort" not in json.loads(sent.body)
    assert [note.field for note in sent.notes] == ["thinking"]
    assert "thinking" not in body(base_url, model, tools=tools, tool_choice="auto")
    assert "thinking" not in body(base_url, model, tools=tools, tool_choice=choice, reasoning_effort="none")
    assert "thinking" not in body(DEEPSEEK, "deepseek-chat", tools=tools, tool_choice=choice)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_details", "metadata", "unheard_of"])
def test_pitfall_091_groq_gets_the_message_fields_that_it_knows(field: str) -> None:
    """freellmapi#1070, odysseus#167, CCR#1458: "property X is unsupported"."""
    turn = {"role": "assistant", "content": "Hi", "name": "g", field: "x"}
    sent = wire(GROQ, "llama-3.3-70b-versatile", messages=[USER, turn, USER])
    assert json.loads(sent.body)["messages"][1] == {"role": "assistant", "content": "Hi", "name": "g"}
    assert [note.field for note in sent.notes] == [f"messages[1].{field}"]


def test_pitfall_091_groq_gets_the_body_fields_that_it_knows() -> None:
    """freellmapi#1070: what only OpenAI has is left out and noted; what nobody knows may be Groq's newest."""
    refused = {"store": True, "metadata": {"a": "b"}, "logprobs": True, "prompt_cache_key": "k", "verbosity": "low"}
    sent = wire(GROQ, "llama", **refused, temperature=0.5, compound_custom={"models": {}})
    assert json.loads(sent.body).keys() == {"model", "messages", "temperature", "compound_custom"}
    assert {note.field for note in sent.notes} == set(refused)
    assert noted(GROQ, "llama", store=False, logprobs=False) == set()


def test_pitfall_091_groqs_reasoning_models_get_their_reasoning_back() -> None:
    """vercel/ai#8057: by its name there; other models refuse it."""
    turn = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm."}
    sent = wire(GROQ, "openai/gpt-oss-120b", messages=[USER, turn, USER])
    assert json.loads(sent.body)["messages"][1] == {"role": "assistant", "content": "Hi", "reasoning": "Hm."}
    assert sent.notes == ()


def test_pitfall_092_mistral_refuses_what_it_does_not_know() -> None:
    """9router PR#3325, crush#1590, eca#231: extra_forbidden; some of it has another name there."""
    turn = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm.", "prefix": False, "refusal": None}
    sent = wire(
        MISTRAL,
        "mistral-large-latest",
        messages=[{**USER, "name": "Ada"}, turn, USER],
        max_completion_tokens=9,
        seed=1,
        user="ada",
        store=True,
        prompt_cache_key="k",
        safe_prompt=True,
    )
    assert json.loads(sent.body) == {
        "model": "mistral-large-latest",
        "messages": [USER, {"role": "assistant", "content": "Hi", "prefix": False}, USER],
        "prompt_cache_key": "k",
        "safe_prompt": True,
        "max_tokens": 9,
        "random_seed": 1,
    }
    assert {note.field for note in sent.notes} == {"messages[0].name", "messages[1].reasoning_content", "user", "store"}


def test_pitfall_092_nvidia_refuses_some_parameters() -> None:
    """OmniRoute#848, CLIProxyAPI#4149: "Unsupported parameter(s)"."""
    sent = wire(NVIDIA, "z-ai/glm-5.2", prompt_cache_key="k", thinking={"type": "enabled"}, max_completion_tokens=9)
    assert json.loads(sent.body) == {"model": "z-ai/glm-5.2", "messages": [USER], "max_tokens": 9}
    assert {note.field for note in sent.notes} == {"prompt_cache_key", "thinking"}


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize(("base_url", "model"), [(DEEPSEEK, "deepseek-v4-flash"), (MOONSHOT, "kimi-k2.5")])
def test_pitfall_093_reasoning_goes_back_where_it_is_required(base_url: str, model: str, field: str) -> None:
    """qwen-code#3578, pi#3636: by the name that it has there, whichever the client uses."""
    turn = called("c1", **{field: "Hm."})
    sent = wire(base_url, model, messages=[USER, turn, result("c1")])
    assert json.loads(sent.body)["messages"][1] == called("c1", reasoning_content="Hm.")
    assert sent.notes == ()
    assert "thinking" not in json.loads(sent.body)


@pytest.mark.parametrize(("base_url", "model"), [(DEEPSEEK, "deepseek-v4-flash"), (MOONSHOT, "kimi-k2.6")])
def test_pitfall_093_without_its_reasoning_a_model_does_not_think(base_url: str, model: str) -> None:
    """NA#4408, rikkahub#1587: where the client lost it, the request would be refused."""
    messages = [USER, called("c1"), result("c1")]
    assert body(base_url, model, messages=messages)["thinking"] == {"type": "disabled"}
    assert noted(base_url, model, messages=messages, thinking={"type": "enabled"}) == {"thinking"}
    assert noted(base_url, model, messages=messages, thinking={"type": "disabled"}) == set()
    assert "thinking" not in body(DEEPSEEK, "deepseek-chat", messages=messages)


REASONING = ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5-nano", "openai/gpt-5-mini", "gpt-5.6-sol", "gpt-6"]


@pytest.mark.parametrize("model", REASONING)
def test_pitfall_101_models_that_reason_have_their_own_words(model: str) -> None:
    """UA aae3ead, f5bb421, ff75833: the limit's newer name, the developer, no temperature."""
    sent = wire(OPENAI_URL, model, messages=[SYSTEM, USER], max_tokens=9, temperature=0.2, presence_penalty=1)
    assert json.loads(sent.body) == {"model": model, "messages": [DEVELOPER, USER], "max_completion_tokens": 9}
    assert {note.field for note in sent.notes} == {"temperature", "presence_penalty"}
    assert noted(OPENAI_URL, model, temperature=1, presence_penalty=0, top_p=1) == set()


@pytest.mark.parametrize(
    ("model", "effort", "kept"),
    [
        ("gpt-5.1", None, True),
        ("gpt-5.4-mini", "none", True),
        ("gpt-5.2", "low", False),
        ("gpt-5.5", None, False),
        ("gpt-5.5", "none", True),
        ("gpt-5", "none", False),
        ("gpt-5.1-codex", None, False),
        ("gpt-5.2-chat-latest", None, False),
        ("gpt-5-chat-latest", None, True),
        ("o3", None, False),
    ],
)
def test_pitfall_101_a_temperature_where_the_model_does_not_reason(model: str, effort: Any, kept: bool) -> None:
    """langchain#35424, vercel/ai#10932: GPT-5.1 and later ones take it then."""
    fields = {"temperature": 0.2} | ({"reasoning_effort": effort} if effort else {})
    assert ("temperature" in body(OPENAI_URL, model, **fields)) == kept
    assert noted(OPENAI_URL, model, **fields) == (set() if kept else {"temperature"})


@pytest.mark.parametrize(("model", "kept"), [("gpt-5.5", False), ("gpt-5.1", True)])
def test_an_effort_of_null_is_none_given(model: str, kept: bool) -> None:
    """A model that reasons unasked does so, and refuses a temperature."""
    sent = body(OPENAI_URL, model, temperature=0.2, reasoning_effort=None)
    assert ("temperature" in sent) == kept


@pytest.mark.parametrize(
    ("base_url", "model", "kept"),
    [
        (OPENAI_URL, "o1", True),
        (OPENAI_URL, "o3-mini", True),
        (OPENAI_URL, "o3", False),
        (OPENAI_URL, "gpt-5-mini", False),
        (XAI, "grok-4", False),
        (XAI, "grok-code-fast-1", False),
        (XAI, "grok-4.6", False),
        (XAI, "grok-4-fast-non-reasoning", True),
    ],
)
def test_pitfall_101_stop_is_refused_by_some(base_url: str, model: str, kept: bool) -> None:
    """LL PR#14565, opencodex#5278, a recorded 400 of GPT-5 and a recorded 200 of o3-mini."""
    assert ("stop" in body(base_url, model, stop=["x"])) == kept
    assert noted(base_url, model, stop=["x"]) == (set() if kept else {"stop"})


@pytest.mark.parametrize(
    ("model", "kept"),
    [("grok-3-mini", True), ("grok-4.3", True), ("grok-4.20-multi-agent", True)]
    + [(model, False) for model in ("grok-3", "grok-4", "grok-4-0709", "grok-4-1-fast", "grok-4.20-reasoning")],
)
def test_grok_takes_an_effort_or_not(model: str, kept: bool) -> None:
    """A recorded 400; penalties no model takes, not even of zero (NativeTavern#83)."""
    assert ("reasoning_effort" in body(XAI, model, reasoning_effort="low")) == kept
    assert "presence_penalty" not in body(XAI, model, presence_penalty=0)
    assert noted(XAI, model, presence_penalty=0) == set()


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6}, 6),
        ({"max_tokens": 5, "max_completion_tokens": 6}, 6),
        ({"max_tokens": 5, "max_completion_tokens": None}, 5),
        ({"max_tokens": None}, None),
    ],
)
@pytest.mark.parametrize(
    ("base_url", "model", "name"),
    [(OPENAI_URL, "o3", "max_completion_tokens"), (MISTRAL, "mistral-large", "max_tokens")],
)
def test_the_newer_of_two_limits_counts(base_url: str, model: str, name: str, given: Any, limit: Any) -> None:
    """Whichever way the name has to be changed (pitfall 43)."""
    sent = body(base_url, model, **given)
    assert sent.get(name) == limit
    assert len({"max_tokens", "max_completion_tokens"} & set(sent)) <= 1


def test_pitfall_104_usage_is_not_asked_for_where_that_is_refused() -> None:
    """OR#9750, mistral's 422: it says it all the same."""
    assert "stream_options" not in body(MISTRAL, "mistral-large", stream=True)
    assert "stream_options" not in body(MISTRAL, "mistral-large", stream=True, stream_options={"include_usage": True})
    assert body(GROQ, "llama", stream=True)["stream_options"] == {"include_usage": True}


def test_pitfall_021_reasoning_models_that_answer_in_parts_are_translated():
    """Mistral's content is a list of parts then, which OpenAI's clients cannot read (rig, ruby_llm recordings)."""
    request = read_request(b'{"model":"m","messages":[{"role":"user","content":"x"}]}')
    parts: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "hello"},
    ]
    body = {"id": "1", "model": "m", "choices": [{"index": 0, "message": {"content": parts}, "finish_reason": "stop"}]}
    for model, expected in (("magistral-medium-latest", "hello"), ("codestral-latest", parts)):
        target = Target("https://api.mistral.ai/v1", model, "m", key="k")
        engine = ENGINES["gpt"]
        wire = engine.build(request, target)
        identity = AnswerIdentity("x", 1, "m", renamed=False, include_usage=False)
        answer = whole_answer(
            engine, DIALECTS["openai-chat"], wire, identity, json.dumps(body).encode(), arrives_as_stream=False
        )
        message = json.loads(answer.body)["choices"][0]["message"]
        assert message["content"] == expected
        assert message.get("reasoning_content") == ("hm" if expected == "hello" else None)
