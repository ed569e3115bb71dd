"""The engines with OpenAI's wire build what real clients sent to each host: recorded requests, through the engine."""

import json
from typing import Any

from tests.recordings import Recording, for_recordings
from tests.translators.openai_wire import speaks_openai
from translators import ENGINES
from translators.openai_request import read_request
from translators.types import Target, WireRequest

Json = dict[str, Any]

PROVIDERS = {
    "openai": "gpt",
    "groq": "gpt",
    "deepseek": "gpt",
    "mistral": "gpt",
    "xai": "gpt",
    "openrouter": "openrouter",
    "azure": "azure",
    "cloudflare": "cloudflare",
}
"""Provider → the engine that speaks to it."""

OPENAI_NAMES = {"mistral": {"random_seed": "seed"}}
"""Provider → its names of fields → OpenAI's."""

DIFFERENT = {
    "openai-error-chat-bad-request-e17693": "max_tokens, for which it was refused, by its newer name (pitfall 101)",
    "openai-error-openai-gpt-5-mini-completions-7cf298": "stop, for which it was refused, is left out (pitfall 101)",
    "deepseek-error-forced-tool-choice-under-thinking-is-rejected-upstream-4fe78c": (
        "a forced call while thinking, for which it was refused: no thinking (pitfall 40)"
    ),
    "deepseek-error-forced-tool-choice-under-thinking-is-rejected-upstream-8889d7": (
        "a forced call while thinking, for which it was refused: no thinking (pitfall 40)"
    ),
    "xai-error-reasoning-basic-ed96e3": "reasoning_effort, for which it was refused, is left out",
}
"""Recording → why it is, on purpose, not built as it was sent."""


REQUESTS: dict[str, Any] = {
    "endpoint": "chat",
    "where": lambda recording: recording.request_recorded and speaks_openai(recording),
}


def openai_request(recording: Recording, model: str) -> Json:
    """What a client of OpenAI's API would have sent: written apart from the engine."""
    names = OPENAI_NAMES.get(recording.provider, {})
    return {"model": model, **{names.get(name, name): value for name, value in recording.request_body.items()}}


def model_of(recording: Recording) -> str:
    """The model, which Azure's clients leave to the URL."""
    return recording.request_body.get("model") or recording.request["url"].split("/deployments/")[1].split("/")[0]


def built(recording: Recording) -> WireRequest:
    model = model_of(recording)
    request = read_request(json.dumps(openai_request(recording, model)).encode())
    target = Target(base_url=recording.request["url"], model=model, alias=model, account="a")
    return ENGINES[PROVIDERS[recording.provider]].build(request, target)


def normalised(recording: Recording, body: Json) -> Json:
    """What the documentation calls the same, written the same."""
    body = {"model": model_of(recording), **body}
    if body.get("stream_options") in ({"include_usage": True}, {}):
        del body["stream_options"]  # The gateway asks for usage, whether the client does or not.
    if body.get("temperature") == 1:
        del body["temperature"]  # The default, and the only one that models which reason take.
    if "reasoning_effort" in body and recording.provider == "openrouter":
        body["reasoning"] = {"effort": body.pop("reasoning_effort")}
    if "max_completion_tokens" in body and recording.provider in ("mistral", "deepseek", "cloudflare"):
        body["max_tokens"] = body.pop("max_completion_tokens")
    ids: dict[str, int] = {}
    return body | {"messages": [normalised_message(recording, message, ids) for message in body["messages"]]}


def normalised_message(recording: Recording, message: Json, ids: dict[str, int]) -> Json:
    """`ids`: those of calls in order of appearance; some recordings hold replaced ones that no host would take."""
    fields = dict(message)
    if fields["role"] == "system":
        fields["role"] = "developer"  # The same to models that reason, and only there it changes.
    if "tool_calls" in fields:
        fields["tool_calls"] = [
            # Some recorded clients replay the index: see pitfall 20.
            {name: value for name, value in call.items() if name != "index"}
            | {"id": ids.setdefault(call["id"], len(ids))}
            for call in fields["tool_calls"]
        ]
    if "tool_call_id" in fields:
        fields["tool_call_id"] = ids.setdefault(fields["tool_call_id"], len(ids))
    content = fields.get("content")
    if recording.provider == "cloudflare" and isinstance(content, str):
        fields["content"] = [{"type": "text", "text": content}]
    return fields


@for_recordings(tuple(PROVIDERS), **REQUESTS)
def test_recorded_requests_are_built_equal(recording: Recording) -> None:
    """Up to key order and to what the documentation calls the same; with a note for whatever is left out."""
    wire = built(recording)
    same = normalised(recording, json.loads(wire.body)) == normalised(recording, recording.request_body)
    assert same != (recording.id in DIFFERENT), f"{recording.id}\n{wire.notes}"
    assert bool(wire.notes) <= (recording.id in DIFFERENT), recording.id


@for_recordings(tuple(PROVIDERS), **REQUESTS)
def test_recorded_addresses_are_built_equal(recording: Recording) -> None:
    """From the base_url that a user would write: the endpoint itself."""
    if "api-version" in recording.request["url"] or "/deployments/" not in recording.request["url"]:
        assert built(recording).url == recording.request["url"], recording.id
