"""Which wire a provider speaks, and what that wire needs to be told."""

from __future__ import annotations

from urllib.parse import urlsplit

ENGINES = (
    "gpt",
    "claude",
    "gemini",
    "vertex-claude",
    "vertex-gemini",
    "openrouter",
    "cohere",
    "cloudflare",
    "azure",
)
"""What `engine` accepts. Vertex unforced is called `vertex`: the model says which of its two wires."""

VERTEX_ENGINES = frozenset({"vertex", "vertex-claude", "vertex-gemini"})

NEEDS_BASE_URL = frozenset({"gpt", "azure"})
"""The others have a host of their own."""

NEEDS_KEY = frozenset({"claude", "gemini", "openrouter", "cohere", "cloudflare", "azure"})
"""Not gpt, which local servers speak without one, nor Vertex, which has other credentials."""

API_VERSION = "api-version"
"""What the engine azure takes from base_url's query. The rest of it, and all of it elsewhere, is not sent."""


def recognise(base_url: str | None, project_id: str | None, cf_account_id: str | None) -> str:
    """The engine of a provider that forces none: by its address, then by what it is given."""
    parts = urlsplit(base_url or "")
    host = parts.hostname or ""
    if host == "generativelanguage.googleapis.com" and "/openai" not in parts.path:
        return "gemini"
    if host.endswith("aiplatform.googleapis.com") or project_id:
        return "vertex"
    if host == "api.cloudflare.com" or cf_account_id:
        return "cloudflare"
    if host == "api.anthropic.com" or parts.path.rstrip("/").endswith("v1/messages"):
        return "claude"
    if host == "openrouter.ai" or host.endswith(".openrouter.ai"):
        return "openrouter"
    if host in ("api.cohere.com", "api.cohere.ai"):
        return "cohere"
    if host.endswith(".azure.com"):
        return "azure"
    return "gpt"
