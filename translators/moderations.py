"""POST /v1/moderations, passed through."""

from collections.abc import Mapping

from translators.azure import Azure
from translators.base import JsonRequest, Service
from translators.errors import RequestError
from translators.forwarded import Forwarded
from translators.json_request import check_model, json_object
from translators.jsontext import dumps
from translators.openai import Gpt
from translators.openrouter import OpenRouter

USUAL_MODEL = "omni-moderation-latest"
"""What OpenAI takes where no model is named (OpenAI API reference, "Create moderation")."""


def read(body: bytes, content_type: str) -> JsonRequest:
    """Raises RequestError."""
    raw = json_object(body)
    if raw.get("model") is None:
        raw["model"] = USUAL_MODEL
        body = dumps(raw)
    check_model(raw)
    if not raw.get("input"):
        raise RequestError("`input` is missing: a text, or a list of texts and images.", param="input")
    return JsonRequest(body, raw)


SERVICES: Mapping[str, Service[JsonRequest]] = {
    engine.name: Forwarded(engine, "/moderations") for engine in (Gpt(), OpenRouter(), Azure())
}
