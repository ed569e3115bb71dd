"""POST /v1/audio/translations, passed through: transcriptions in English, whatever was spoken."""

from collections.abc import Mapping

from translators.audio.upload import read
from translators.azure import Azure
from translators.base import Service
from translators.event_passage import TypedEvents
from translators.forms import FormRequest
from translators.forwarded import Forwarded
from translators.openai import Gpt
from translators.openrouter import OpenRouter

__all__ = ["SERVICES", "read"]

SERVICES: Mapping[str, Service[FormRequest]] = {
    engine.name: Forwarded(engine, "/audio/translations", TypedEvents) for engine in (Gpt(), OpenRouter(), Azure())
}
