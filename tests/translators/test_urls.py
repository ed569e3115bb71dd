"""base_url → prefix of the endpoints."""

import pytest

from translators.urls import prefix


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("https://api.openai.com", "https://api.openai.com/v1"),
        ("https://host/api/paas/v4/chat/completions", "https://host/api/paas/v4"),
        ("https://host/api/paas/v4", "https://host/api/paas/v4"),
        ("https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api/v1"),
        ("https://api.anthropic.com/v1/messages", "https://api.anthropic.com/v1"),
        ("https://api.perplexity.ai/chat/completions", "https://api.perplexity.ai"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "https://generativelanguage.googleapis.com/v1beta/openai"),
        ("https://gateway.ai.cloudflare.com/v1/account/gateway/openai", "https://gateway.ai.cloudflare.com/v1/account/gateway/openai"),
        ("https://host/v1/audio/transcriptions", "https://host/v1"),
        ("https://host/v1/images/generations", "https://host/v1"),
        ("https://host/v1/embeddings?key=1", "https://host/v1"),
        ("http://v2.example.com:8000", "http://v2.example.com:8000/v1"),
        ("https://host/proxy", "https://host/proxy/v1"),
    ],
)  # fmt: skip
def test_the_prefix_of_all_endpoints(base_url: str, expected: str) -> None:
    """An endpoint at the end is cut off, a version is kept, and without one it is v1."""
    assert prefix(base_url) == expected
