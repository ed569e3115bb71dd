"""What a chat request needs before an engine builds from it."""

from balancing.image_fetch import ImageFetcher
from balancing.signatures import ReasoningStore
from translators import ENGINES
from translators.base import ClientRequest, See
from translators.types import Target

REASONING_ENGINES = ("claude", "vertex-claude", "gemini", "vertex-gemini")
"""Engines that want their own reasoning back, which many clients lose (signatures.py)."""


class ChatPreparation:
    """A Preparation (exchange.py). `client` tells clients apart, and is no secret."""

    def __init__(self, images: ImageFetcher | None, reasoning: ReasoningStore, client: str) -> None:
        self._images = images
        self._reasoning = reasoning
        self._client = client

    async def __call__(self, request: ClientRequest, target: Target, engine: str) -> tuple[ClientRequest, See | None]:
        """Raises UntranslatableError for a picture that this engine cannot read and the gateway cannot fetch."""
        if self._images is not None:
            request = await self._images.prepared(request, ENGINES[engine], target)
        if engine not in REASONING_ENGINES:
            return request, None
        request = self._reasoning.restore(request, client=self._client, engine=engine)
        return request, self._reasoning.watch(self._client, engine).see
