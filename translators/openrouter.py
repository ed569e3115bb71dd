"""The engine openrouter: OpenAI's wire at OpenRouter, with OpenRouter's words for reasoning.

An answer's `reasoning_details` go back as they came, reasoning as text goes by the name `reasoning`, and what is asked
for with `reasoning_effort` is asked for with `reasoning` (OpenRouter documentation, "Reasoning Tokens").
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from translators.base import ClientRequest
from translators.hosts import OPENROUTER, Facts
from translators.openai import Gpt
from translators.openai_adjust import ABSENT
from translators.types import Note, Target
from translators.urls import prefix

HOST = "https://openrouter.ai"
API = "/api/v1"


class OpenRouter(Gpt):
    """The engine: OpenRouter, or what stands before it."""

    name = "openrouter"

    def url(self, target: Target, endpoint: str) -> str:
        base_url = (target.base_url or HOST).split("?", 1)[0]
        return prefix(base_url if urlsplit(base_url).path.strip("/") else base_url.rstrip("/") + API) + endpoint

    def facts(self, target: Target) -> Facts:
        return OPENROUTER

    def changes(self, request: ClientRequest, target: Target) -> tuple[dict[str, Any], tuple[Note, ...]]:
        changes, notes = super().changes(request, target)
        return changes | reasoning_asked(request.raw), notes


def reasoning_asked(raw: Mapping[str, Any]) -> dict[str, Any]:
    """`reasoning_effort` as part of `reasoning`, whose own effort or limit of tokens goes before it."""
    effort = raw.get("reasoning_effort")
    reasoning = raw.get("reasoning", {})
    if effort is None or not isinstance(reasoning, dict):
        return {}
    if "effort" not in reasoning and "max_tokens" not in reasoning:
        reasoning = {**reasoning, "effort": effort}
    return {"reasoning_effort": ABSENT, "reasoning": reasoning}
