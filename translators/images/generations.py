"""POST /v1/images/generations as each engine offers it."""

from collections.abc import Mapping

from translators.azure import Azure
from translators.base import JsonRequest, Service
from translators.gemini import Gemini
from translators.images.google import GoogleImages
from translators.images.openai_wire import OpenAIImages
from translators.images.request import read_generation as read
from translators.openai import Gpt
from translators.openrouter import OpenRouter
from translators.vertex import VertexGemini

__all__ = ["SERVICES", "read"]

ENDPOINT = "/images/generations"
EVENT = "image_generation.completed"

SERVICES: Mapping[str, Service[JsonRequest]] = {
    service.name: service
    for service in (
        OpenAIImages(Gpt(), ENDPOINT),
        OpenAIImages(OpenRouter(), ENDPOINT),
        OpenAIImages(Azure(), ENDPOINT),
        GoogleImages(Gemini(), EVENT),
        GoogleImages(VertexGemini(), EVENT),
    )
}
