"""POST /v1/embeddings as each engine offers it. Claude has none, so its engines are absent."""

from collections.abc import Mapping

from translators.azure import Azure
from translators.base import Service
from translators.cloudflare import Cloudflare
from translators.cohere import Cohere
from translators.embeddings.cloudflare import CloudflareEmbeddings
from translators.embeddings.cohere import CohereEmbeddings
from translators.embeddings.gemini import GeminiEmbeddings
from translators.embeddings.openai_wire import OpenAIEmbeddings
from translators.embeddings.request import EmbeddingRequest, read_request
from translators.embeddings.vertex import VertexEmbeddings
from translators.gemini import Gemini
from translators.openai import Gpt
from translators.openrouter import OpenRouter
from translators.vertex import VertexGemini

SERVICES: Mapping[str, Service[EmbeddingRequest]] = {
    service.name: service
    for service in (
        OpenAIEmbeddings(Gpt()),
        OpenAIEmbeddings(OpenRouter()),
        OpenAIEmbeddings(Azure()),
        CloudflareEmbeddings(Cloudflare()),
        GeminiEmbeddings(Gemini()),
        VertexEmbeddings(VertexGemini()),
        CohereEmbeddings(Cohere()),
    )
}


def read(body: bytes, content_type: str) -> EmbeddingRequest:
    """The request in a body, which is JSON whatever its content type says. Raises RequestError, naming the field."""
    return read_request(body)
