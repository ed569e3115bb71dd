"""Facts about hosts of OpenAI's wire: what each refuses in a request for embeddings, or calls by another name.

A host that is not in the table gets the request as the client wrote it. Whatever a host answers, the client gets its
vectors in the format that it asked for; so where one format fails, the other is asked for.

- Mistral: a recorded request with output_dimension; gbrain#3001 (dimensions is refused as unknown, and so is user).
- Voyage: gbrain#735 (dimensions, and the format "float", which is what it answers unasked).
- Jina: new-api#1941, MaxKB#2639 (encoding_format is refused; vectors are numbers).
- OpenRouter: honcho#932 (no vectors in base64 from some of the hosts behind it).
- Cloudflare: karakeep#2698 (numbers, whatever was asked for).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from translators.hosts import UNKNOWN, Facts


@dataclass(frozen=True, slots=True)
class EmbeddingFacts:
    """`fields`: those that have another name, those that are refused. `base64`: it answers in base64 if asked to.
    `names_float`: it may be asked for numbers by name; if not, they come when nothing is asked for."""

    fields: Facts = UNKNOWN
    base64: bool = True
    names_float: bool = True


MISTRAL = EmbeddingFacts(Facts(renamed={"dimensions": "output_dimension"}, refused=frozenset({"user"})))
VOYAGE = EmbeddingFacts(MISTRAL.fields, names_float=False)
JINA = EmbeddingFacts(Facts(refused=frozenset({"user"})), base64=False, names_float=False)
OPENROUTER = EmbeddingFacts(base64=False)
CLOUDFLARE = EmbeddingFacts(base64=False, names_float=False)

ENGINES = {"openrouter": OPENROUTER, "cloudflare": CLOUDFLARE}

HOSTS: tuple[tuple[str, EmbeddingFacts], ...] = (
    (r"api\.mistral\.ai|codestral\.mistral\.ai", MISTRAL),
    (r"api\.voyageai\.com", VOYAGE),
    (r"api\.jina\.ai", JINA),
    (r"openrouter\.ai", OPENROUTER),
    (r"(api|gateway\.ai)\.cloudflare\.com", CLOUDFLARE),
    (r".*", EmbeddingFacts()),
)
"""Host → facts; the first that fits whole, in lower case."""


@lru_cache(maxsize=1024)
def embedding_facts(engine: str, base_url: str) -> EmbeddingFacts:
    """The facts about an engine, or about the host of a provider's `base_url`."""
    host = urlsplit(base_url).hostname or ""
    return ENGINES.get(engine) or next(facts for pattern, facts in HOSTS if re.fullmatch(pattern, host))
