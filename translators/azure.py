"""The engine azure: OpenAI's wire at Azure, where a model is a deployment and the key has a header of its own.

    base_url                                           the endpoint
    https://name.openai.azure.com                      …/openai/deployments/<model>/chat/completions?api-version=…
    …/openai/deployments/<deployment>                  behind it, ?api-version=…
    …/openai/v1, …/models, https://name.services.ai…   behind it, with the model in the body

`api-version` is taken from base_url's query. What Azure adds to answers (filter results, a first chunk without
choices) goes through to the client. Claude at Azure (…/anthropic/v1) is a matter for the engine claude.

Sources: Microsoft Learn, "Azure OpenAI in Microsoft Foundry Models REST API reference", "API version lifecycle",
"Endpoints for Microsoft Foundry Models".
"""

import re
from dataclasses import replace
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from translators.hosts import AZURE_MODELS, Facts, model_facts
from translators.openai import Gpt
from translators.types import Target

API_VERSION = "2024-10-21"
"""The last dated version that is no preview; it knows stream_options."""

MODELS_VERSION = "2024-05-01-preview"
"""The only version of the older …/models endpoint."""

USAGE_IN_STREAMS = "2024-09-01-preview"
"""The first version that knows stream_options."""

ENDPOINT = re.compile(
    r"/((chat/)?completions|embeddings|images/(generations|edits)|audio/(transcriptions|translations|speech))/?$"
)
OWN_PREFIX = re.compile(r"/(deployments/[^/]+|models|v1)$")
RESOURCE = re.compile(r"/openai(/deployments)?$")
DEPLOYMENT = re.compile(r"/deployments/([^/]+)$")


class Azure(Gpt):
    """The engine: a resource of Azure OpenAI or Microsoft Foundry."""

    name = "azure"

    def url(self, target: Target, endpoint: str) -> str:
        base, version = base_and_version(target.base_url, target.model)
        return f"{base}{endpoint}" + (f"?api-version={version}" if version else "")

    def credentials(self, target: Target) -> dict[str, str]:
        return {"api-key": target.key} if target.key else {}

    def facts(self, target: Target) -> Facts:
        return azure_facts(target.base_url, target.model)


def base_and_version(base_url: str, model: str) -> tuple[str, str]:
    """What stands before the endpoint, and the api-version; the version is empty where none is needed."""
    parts = urlsplit(base_url)
    base = ENDPOINT.sub("", f"{parts.scheme}://{parts.netloc}{parts.path}").rstrip("/")
    version = parse_qs(parts.query).get("api-version", [""])[0]
    if not OWN_PREFIX.search(base):
        foundry = (parts.hostname or "").endswith(".services.ai.azure.com")
        base = RESOURCE.sub("", base) + ("/openai/v1" if foundry else f"/openai/deployments/{model}")
    if base.endswith("/v1"):
        return base, version
    return base, version or (MODELS_VERSION if base.endswith("/models") else API_VERSION)


@lru_cache(maxsize=1024)
def azure_facts(base_url: str, model: str) -> Facts:
    """The facts about a deployment, which has the model's name or one of the user's own."""
    base, version = base_and_version(base_url, model)
    deployment = DEPLOYMENT.search(base)
    facts = model_facts(AZURE_MODELS, deployment[1] if deployment else model)
    if deployment and version < USAGE_IN_STREAMS:
        facts = replace(facts, refused=facts.refused | {"stream_options"})
    return facts
