"""Where Vertex has which model.

Sources: "Deployments and endpoints" (Generative AI on Vertex AI), "Claude on Vertex AI" (Claude docs),
"Specify the location for accessing the model" (Firebase AI Logic). A region that lacks a model after
all answers 404 and is skipped; a provider's `region` replaces what stands here.
"""

from __future__ import annotations

GLOBAL = "global"
NO_REGION = ""
"""The region of a provider that has none."""

CLAUDE = (GLOBAL, "us-east5", "europe-west1", "asia-southeast1")
CLAUDE_OLD = ("us-east5", "europe-west1", "asia-southeast1")
CLAUDE_AMERICAN = ("us-east5",)
GEMINI = (
    GLOBAL,
    "us-central1",
    "us-east1",
    "us-east4",
    "us-east5",
    "us-south1",
    "us-west1",
    "us-west4",
    "europe-central2",
    "europe-north1",
    "europe-southwest1",
    "europe-west1",
    "europe-west4",
    "europe-west8",
)

REGIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # How the model's name at the provider begins; the first that fits.
    ("claude-3-haiku", CLAUDE_OLD),
    ("claude-3-5-sonnet-v2", ("us-east5", "europe-west1")),
    ("claude-3-5-sonnet", CLAUDE_OLD),
    ("claude-3-5-haiku", CLAUDE_AMERICAN),
    ("claude-3-7-sonnet", (GLOBAL, "us-east5", "europe-west1")),
    ("claude-3", CLAUDE_AMERICAN),
    ("claude-sonnet-4@", (GLOBAL, "us-east5", "europe-west1", "asia-east1")),
    ("claude", CLAUDE),
    ("gemini-2.0-flash", GEMINI),
    ("gemini-2.5-flash-image", (GLOBAL,)),
    ("gemini-2.5-pro", GEMINI),
    ("gemini-2.5-flash", GEMINI),
    # Gemini 3 and previews are served by the global endpoint alone.
    ("gemini-embedding", (GLOBAL, "us-central1")),
    ("gemini", (GLOBAL,)),
    ("text-embedding", ("us-central1", "us-east4", "us-west1", "europe-west1", "europe-west4")),
    ("text-multilingual-embedding", ("us-central1", "us-east4", "us-west1", "europe-west1", "europe-west4")),
    ("imagen", ("us-central1", "us-east4", "us-west1", "europe-west2", "europe-west3", "europe-west4")),
)
UNKNOWN = (GLOBAL, "us-central1")


def regions_for(engine: str, upstream: str, chosen: tuple[str, ...]) -> tuple[str, ...]:
    """The regions to spread a model over, `chosen` by the provider's configuration or known from the table.

    Never empty: an engine without regions has the one region NO_REGION.
    """
    if not engine.startswith("vertex"):
        return (NO_REGION,)
    return chosen or next((regions for begin, regions in REGIONS if upstream.startswith(begin)), UNKNOWN)
