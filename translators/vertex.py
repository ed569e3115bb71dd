"""The engines vertex-gemini and vertex-claude: Google Cloud's Vertex AI, where the model is named in the address.

The bodies are those of gemini.py and anthropic.py; keys are access tokens, see balancing/tokens.py. Sources: Vertex AI
documentation, "Deployments and endpoints" and "REST resource: publishers.models"; Claude documentation, "Claude on
Vertex AI"; Google Cloud, "Structured outputs with Anthropic Claude models" (switched off by default there).
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlsplit

from translators.anthropic_answer import MessageStream, whole_message
from translators.anthropic_blocks import Block
from translators.anthropic_request import draft_request as draft_message
from translators.anthropic_request import marked_places
from translators.base import ClientRequest, StreamTranslator
from translators.errors import UpstreamError
from translators.gemini import content_headers, google_failure, method
from translators.gemini_answer import AnswerStream, whole_answer
from translators.gemini_options import BODY_FIELDS
from translators.gemini_request import Host, draft_request
from translators.jsontext import dumps, object_in
from translators.models import claude_model
from translators.types import Event, Note, Target, WireRequest
from translators.urls import VERSION

GEMINI_VERSION = "v1beta1"
"""Google's own SDK asks this one too: it has every feature of Gemini."""
CLAUDE_VERSION = "v1"

VERTEX = Host(fields=BODY_FIELDS | {"labels", "modelArmorConfig"}, tells_server_tools=False)

ANTHROPIC_VERSION = "vertex-2023-10-16"
OTHER_NAMES = {"advanced-tool-use-2025-11-20": "tool-search-tool-2025-10-19"}
BETAS = re.compile(
    r"(web-search|interleaved-thinking|context-1m|context-management|compact|tool-search-tool|computer-use"
    r"|fine-grained-tool-streaming|token-efficient-tools|output-128k)-20\d\d-\d\d-\d\d"
)
"""The betas that Vertex has; it refuses a request with any other (pitfall 50)."""

OWN_HOST = re.compile(r"(([\w-]+-)?aiplatform|aiplatform\.[\w-]+\.rep)\.googleapis\.com")


class VertexGemini:
    """The engine: Gemini on Vertex AI."""

    name = "vertex-gemini"
    speaks: str | None = None

    def build(self, request: ClientRequest, target: Target) -> WireRequest:
        """Raises RequestError if the request is wrong, UntranslatableError if the wire cannot say it."""
        draft = draft_request(request.chat, target, VERTEX)
        return WireRequest(
            method="POST",
            url=self.url(target, method(stream=request.stream)),
            headers=content_headers(stream=request.stream),
            credentials=self.credentials(target),
            body=dumps(draft.body),
            notes=draft.notes,
            context=draft.context,
        )

    def url(self, target: Target, call: str) -> str:
        """The address at which the model is called so: "generateContent"."""
        # Models of one's own are named by their path: endpoints/123.
        model = target.model if "/" in target.model else f"publishers/google/models/{target.model}"
        return f"{location(target, GEMINI_VERSION)}/{quote(model)}:{call}"

    def credentials(self, target: Target) -> Mapping[str, str]:
        """The headers with the key in them."""
        return bearer(target)

    def parse(self, body: bytes, wire: WireRequest) -> list[Event]:
        return whole_answer(body, wire.context)

    def stream(self, wire: WireRequest) -> StreamTranslator:
        return AnswerStream(wire.context)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return google_failure(status, headers, body)


class VertexClaude:
    """The engine: Claude on Vertex AI."""

    name = "vertex-claude"
    speaks: str | None = None

    def build(self, request: ClientRequest, target: Target) -> WireRequest:
        """Raises RequestError if the request is wrong, UntranslatableError if the wire cannot say it."""
        draft = draft_message(request.chat, target, replace(claude_model(target.model), structured=False))
        betas = dict.fromkeys(OTHER_NAMES.get(beta, beta) for beta in draft.betas)
        known = [beta for beta in betas if BETAS.fullmatch(beta)]
        notes = [Note("betas", f"Vertex has no beta {beta!r}") for beta in betas if beta not in known]
        body, has_scope = without_cache_scopes(draft.body)
        if has_scope:
            notes.append(Note("cache_control.scope", "Vertex knows no scope of a prompt cache"))
        rpc = "streamRawPredict" if request.stream else "rawPredict"
        return WireRequest(
            method="POST",
            url=f"{location(target, CLAUDE_VERSION)}/publishers/anthropic/models/{quote(target.model, safe='@')}:{rpc}",
            headers={
                **content_headers(stream=request.stream),
                **({"anthropic-beta": ",".join(known)} if known else {}),
            },
            credentials=self.credentials(target),
            body=dumps({"anthropic_version": ANTHROPIC_VERSION, **body}),
            notes=(*draft.notes, *notes),
            context=draft.context,
        )

    def credentials(self, target: Target) -> Mapping[str, str]:
        """The headers with the key in them."""
        return bearer(target)

    def parse(self, body: bytes, wire: WireRequest) -> list[Event]:
        return whole_message(body, wire.context)

    def stream(self, wire: WireRequest) -> StreamTranslator:
        return MessageStream(wire.context)

    def failure(self, status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
        return google_failure(status, headers, body)


def without_cache_scopes(body: Block) -> tuple[Block, bool]:
    """The body, its cache marks without `scope`, which Vertex refuses (pitfall 48); and whether any had one."""
    whole, found = [body], False
    for blocks, position in [(whole, 0), *marked_places(body)]:
        mark = object_in(blocks[position].get("cache_control"))
        if "scope" in mark:
            found = True
            plain = {name: value for name, value in mark.items() if name != "scope"}
            blocks[position] = {**blocks[position], "cache_control": plain}
    return whole[0], found


# --- addresses ------------------------------------------------------------------------------------------------


def location(target: Target, version: str) -> str:
    """The address up to the region. `base_url` replaces Vertex's host, and its version if it names one; a host of
    Vertex's own in it only says that this is Vertex, since each region has another."""
    base_url = target.base_url.split("?", 1)[0].split("/projects/", 1)[0].rstrip("/")
    given = VERSION.search(urlsplit(base_url).path)
    if not base_url or OWN_HOST.fullmatch(urlsplit(base_url).netloc):
        base_url = regional_host(target.region) + (given[0].rstrip("/") if given else f"/{version}")
    elif not given:
        base_url += f"/{version}"
    return f"{base_url}/projects/{quote(target.project)}/locations/{target.region}"


def regional_host(region: str) -> str:
    """The host of a region, of a group of them (us, eu), or of all (global)."""
    if region == "global":
        return "https://aiplatform.googleapis.com"
    if region in ("us", "eu"):
        return f"https://aiplatform.{region}.rep.googleapis.com"
    return f"https://{region}-aiplatform.googleapis.com"


def bearer(target: Target) -> Mapping[str, str]:
    return {"authorization": f"Bearer {target.key}"} if target.key else {}
