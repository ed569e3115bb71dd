"""POST /v1/images/edits as each engine offers it: pictures changed after a prompt."""

from collections.abc import Mapping

from translators.azure import Azure
from translators.base import JsonRequest, Service
from translators.forms import FormRequest
from translators.gemini import Gemini
from translators.images.google import GoogleImages
from translators.images.openai_wire import OpenAIImages
from translators.images.request import read_edit as read
from translators.openai import Gpt
from translators.openrouter import OpenRouter
from translators.vertex import VertexGemini

__all__ = ["SERVICES", "read"]

ENDPOINT = "/images/edits"
EVENT = "image_edit.completed"

SERVICES: Mapping[str, Service[JsonRequest | FormRequest]] = {
    service.name: service
    for service in (
        OpenAIImages(Gpt(), ENDPOINT),
        OpenAIImages(OpenRouter(), ENDPOINT),
        OpenAIImages(Azure(), ENDPOINT),
        GoogleImages(Gemini(), EVENT),
        GoogleImages(VertexGemini(), EVENT),
    )
}
