"""Where a provider lists its models, and what the list says: for those whose models the configuration does not name.

Vertex lists nothing that could be asked for, and neither does an address of Azure that belongs to one deployment.

Sources: OpenAI API reference, "List models"; Claude API reference, "List Models"; Gemini API reference, "Models";
Cohere API reference, "List Models"; Cloudflare API reference, "Model Search". Azure's list of models names what could
be deployed; what can be asked are deployments, which are told by a version from before Azure moved their list to its
management API (openai-python#447, langflow#14509).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from translators import ENGINES, anthropic, azure, cohere, gemini
from translators.cloudflare import Cloudflare
from translators.errors import Kind, UpstreamError
from translators.failures import failure_inside_answer, reports_failure
from translators.jsontext import loads
from translators.openai import CHAT_ENDPOINT, Gpt
from translators.openrouter import OpenRouter
from translators.types import Target, WireRequest

DEPLOYMENTS_VERSION = "2023-03-15-preview"
GEMINI_METHODS = {"generateContent", "embedContent"}
"""A model with neither, for films or for speech both ways, is of no use here."""
CLOUDFLARE_PAGE = 100
CLOUDFLARE_ACCOUNT = re.compile(r"(.*/accounts/[^/]+/ai)/.*")
AZURE_API = re.compile(r"/(openai|models)(/.*)?$")

type Answer = Mapping[str, Any]
type Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ModelPage:
    """One page of a list. `next_query` asks for the next one, beside what asked for the first; empty: the last page."""

    names: tuple[str, ...]
    next_query: Query


# --- addresses ------------------------------------------------------------------------------------------------


def beside_chat(engine: Gpt) -> Callable[[Target], str | None]:
    return lambda target: engine.url(target, "/models")


def azure_deployments(target: Target) -> str | None:
    base, _ = azure.base_and_version(target.base_url, "")
    if azure.DEPLOYMENT.search(base):
        return None
    return AZURE_API.sub("", base) + "/openai/deployments"


def cloudflare_search(target: Target) -> str | None:
    account = CLOUDFLARE_ACCOUNT.fullmatch(Cloudflare().url(target, CHAT_ENDPOINT))
    return f"{account[1]}/models/search" if account else None


# --- pages ----------------------------------------------------------------------------------------------------


def by_last_id(answer: Answer, number: int) -> Query:
    return {"after_id": str(answer["last_id"])} if answer.get("has_more") and answer.get("last_id") else {}


def by_token(answered: str, asked: str) -> Callable[[Answer, int], Query]:
    return lambda answer, number: {asked: str(answer[answered])} if answer.get(answered) else {}


def by_number(answer: Answer, number: int) -> Query:
    return {"page": str(number + 1)} if len(answer.get("result") or ()) >= CLOUDFLARE_PAGE else {}


# --- lists ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelList:
    """How the providers of one engine list their models. `address` gives None where there is no list; `member` of the
    answer holds the models, `name` of each is what it is called."""

    address: Callable[[Target], str | None]
    member: str = "data"
    name: str = "id"
    query: Query = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    next_query: Callable[[Answer, int], Query] = by_last_id


MODEL_LISTS: dict[str, ModelList] = {
    "gpt": ModelList(beside_chat(Gpt())),
    "openrouter": ModelList(beside_chat(OpenRouter())),
    "azure": ModelList(azure_deployments, query={"api-version": DEPLOYMENTS_VERSION}),
    "claude": ModelList(
        lambda target: f"{anthropic.address(target)}/models",
        query={"limit": "1000"},
        headers={"anthropic-version": anthropic.VERSION},
    ),
    "gemini": ModelList(
        lambda target: f"{gemini.address(target)}/models",
        member="models",
        name="name",
        query={"pageSize": "1000"},
        next_query=by_token("nextPageToken", "pageToken"),
    ),
    "cohere": ModelList(
        lambda target: f"{cohere.address(target)}/v1/models",
        member="models",
        name="name",
        query={"page_size": "1000"},
        next_query=by_token("next_page_token", "page_token"),
    ),
    "cloudflare": ModelList(
        cloudflare_search,
        member="result",
        name="name",
        query={"per_page": str(CLOUDFLARE_PAGE)},
        next_query=by_number,
    ),
}


def list_request(engine: str, target: Target, next_query: Query | None = None) -> WireRequest | None:
    """The request for a page; None where nothing lists models. Of the target, the model does not matter."""
    models = MODEL_LISTS.get(engine)
    address = models.address(target) if models else None
    if models is None or address is None:
        return None
    query = urlencode({**models.query, **(next_query or {})})
    return WireRequest(
        method="GET",
        url=f"{address}?{query}" if query else address,
        headers={"accept": "application/json", **models.headers},
        credentials=ENGINES[engine].credentials(target),
        body=b"",
    )


def list_answer(engine: str, body: bytes, number: int) -> ModelPage:
    """What the page of that number, from 1, says. Raises UpstreamError if it is none."""
    models = MODEL_LISTS[engine]
    try:
        answer = loads(body)
    except ValueError:
        answer = None
    if isinstance(answer, list):
        answer = {models.member: answer}  # Some hosts have nothing around it.
    if isinstance(answer, Mapping) and reports_failure(answer):
        raise failure_inside_answer(answer)
    if not isinstance(answer, Mapping) or not isinstance(answer.get(models.member, answer), list | None):
        raise UpstreamError(Kind.MALFORMED, "The provider's answer is no list of models.")
    listed = answer.get(models.member) or []  # Ollama says null when it has none.
    names = [model.get(models.name) for model in listed if isinstance(model, Mapping) and is_usable(model)]
    return ModelPage(
        tuple(name.removeprefix("models/") for name in names if isinstance(name, str) and name),
        models.next_query(answer, number),
    )


def is_usable(model: Mapping[str, Any]) -> bool:
    """Not if it is a deployment that is not there yet, or a model that can do nothing of what is asked for here."""
    methods = model.get("supportedGenerationMethods")
    is_deployed = model.get("object") != "deployment" or model.get("status", "succeeded") == "succeeded"
    return is_deployed and (not isinstance(methods, list) or not GEMINI_METHODS.isdisjoint(methods))
