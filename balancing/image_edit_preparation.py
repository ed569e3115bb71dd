"""What a request to change pictures needs before an engine builds from it."""

from balancing.image_fetch import ImageFetcher
from translators.base import ApiRequest, JsonRequest, See
from translators.forms import FormRequest
from translators.images.addresses import unread_pictures, with_pictures
from translators.types import Target


class ImageEditPreparation:
    """A Preparation (exchange.py)."""

    def __init__(self, images: ImageFetcher) -> None:
        self._images = images

    async def __call__(
        self, request: JsonRequest | FormRequest, target: Target, engine: str
    ) -> tuple[ApiRequest, See | None]:
        """Raises UntranslatableError for a picture that this engine cannot read and the gateway cannot fetch."""
        if isinstance(request, FormRequest):
            return request, None
        wanted = unread_pictures(request, engine, target)
        return with_pictures(request, await self._images.data_urls(wanted)) if wanted else request, None
