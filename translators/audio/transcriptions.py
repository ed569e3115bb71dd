"""POST /v1/audio/transcriptions, passed through: the form whole, with its file and whatever else is in it.

The answer is what was asked for with `response_format`: JSON, or text as such and with times (srt, vtt), or events.
"""

from collections.abc import Mapping

from translators.audio.upload import read
from translators.azure import Azure
from translators.base import Service
from translators.cohere import Cohere
from translators.event_passage import TypedEvents
from translators.forms import FormRequest
from translators.forwarded import Forwarded
from translators.openai import Gpt
from translators.openrouter import OpenRouter

__all__ = ["SERVICES", "read"]

SERVICES: Mapping[str, Service[FormRequest]] = {
    engine.name: Forwarded(engine, "/audio/transcriptions", TypedEvents)
    for engine in (Gpt(), OpenRouter(), Azure(), Cohere())
}
