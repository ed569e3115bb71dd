"""Wires: each engine and each dialect has its entry here and a file of its own. Pure: no I/O, no clock, no chance."""

from translators.anthropic import Claude
from translators.azure import Azure
from translators.base import Dialect, Translator
from translators.cloudflare import Cloudflare
from translators.cohere import Cohere
from translators.gemini import Gemini
from translators.openai import Gpt, OpenAIChat
from translators.openrouter import OpenRouter
from translators.vertex import VertexClaude, VertexGemini

ENGINES: dict[str, Translator] = {
    "gpt": Gpt(),
    "claude": Claude(),
    "gemini": Gemini(),
    "vertex-gemini": VertexGemini(),
    "vertex-claude": VertexClaude(),
    "openrouter": OpenRouter(),
    "cohere": Cohere(),
    "cloudflare": Cloudflare(),
    "azure": Azure(),
}

DIALECTS: dict[str, Dialect] = {
    "openai-chat": OpenAIChat(),
}
