"""What Google's own SDK sends for embeddings."""

import json
from typing import Any

import httpx
from google import genai
from google.auth.credentials import AnonymousCredentials
from google.genai import types

PROJECT = {"project": "example-project", "region": "us-central1"}


def sdk_sends(model: str, texts: list[str], config: dict[str, Any], *, vertex: bool) -> tuple[str, Any]:
    """The URL and the body. Each text is a content of its own, as each input of OpenAI's has a vector of its own."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    options = types.HttpOptions(httpx_client=httpx.Client(transport=httpx.MockTransport(answer)))
    if vertex:
        credentials = AnonymousCredentials()
        credentials.token = "token"
        client = genai.Client(
            vertexai=True,
            project=PROJECT["project"],
            location=PROJECT["region"],
            credentials=credentials,
            http_options=options,
        )
    else:
        options.api_version = "v1beta"  # the version that chat asks too, and every feature is in
        client = genai.Client(api_key="k", http_options=options)
    contents = [types.Content(role="user", parts=[types.Part(text=text)]) for text in texts]
    client.models.embed_content(model=model, contents=contents, config=types.EmbedContentConfig(**config))
    return str(seen[0].url), json.loads(seen[0].content)
