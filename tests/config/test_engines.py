import pytest

from config.engines import recognise


@pytest.mark.parametrize(
    ("base_url", "engine"),
    [
        ("https://generativelanguage.googleapis.com/v1beta", "gemini"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "gpt"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/chat/completions", "gpt"),
        ("https://us-central1-aiplatform.googleapis.com", "vertex"),
        ("https://aiplatform.googleapis.com/v1/projects/p", "vertex"),
        ("https://api.cloudflare.com/client/v4", "cloudflare"),
        ("https://api.anthropic.com", "claude"),
        ("https://API.Anthropic.com/v1", "claude"),
        ("https://api.example.com/v1/messages", "claude"),
        ("https://api.example.com/anthropic/v1/messages/", "claude"),
        ("https://api.example.com/v1/messages/count", "gpt"),
        ("https://openrouter.ai/api/v1/chat/completions", "openrouter"),
        ("https://eu.openrouter.ai/api/v1", "openrouter"),
        ("https://notopenrouter.ai/api/v1", "gpt"),
        ("https://api.cohere.com/v2/chat", "cohere"),
        ("https://api.cohere.ai/v2", "cohere"),
        ("https://fake.openai.azure.com", "azure"),
        ("https://fake.services.ai.azure.com/models", "azure"),
        ("https://azure.com.example.com/v1", "gpt"),
        ("https://api.openai.com/v1/chat/completions", "gpt"),
        ("https://api.anthropic.com.example.com/v1", "gpt"),
        ("http://localhost:8000", "gpt"),
        (None, "gpt"),
    ],
)
def test_the_address_tells_the_engine(base_url: str | None, engine: str):
    """By the host, or by the path where an engine has one that is its own."""
    assert recognise(base_url, None, None) == engine


def test_an_account_tells_the_engine_at_any_address():
    """Private endpoints and proxies have hosts that say nothing."""
    assert recognise(None, "project", None) == "vertex"
    assert recognise("https://proxy.example.com/v1/messages", "project", None) == "vertex"
    assert recognise(None, None, "account") == "cloudflare"
    assert recognise("http://localhost:1", None, "account") == "cloudflare"


def test_gemini_at_its_own_host_goes_before_an_account():
    """A key for the Gemini API may stand beside the project it belongs to."""
    assert recognise("https://generativelanguage.googleapis.com/v1beta", "project", None) == "gemini"
