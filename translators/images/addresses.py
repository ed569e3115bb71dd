"""Pictures to change that a request names by an address: those that a provider does not read by itself, and a request
with their bytes in their place. Who reads what is in translators/media_urls.py."""

from collections.abc import Mapping
from dataclasses import dataclass

from translators.base import JsonRequest
from translators.images.request import image_urls
from translators.jsontext import dumps
from translators.media_urls import OWN_WIRES, WEB
from translators.types import Target


@dataclass(frozen=True, slots=True)
class PictureAddress:
    """`position` is the picture's among those of the request."""

    url: str
    position: int
    kind = "image"

    @property
    def path(self) -> str:
        """Where in the request it stands, as errors name it."""
        return f"images[{self.position}]"


def unread_pictures(request: JsonRequest, engine: str, target: Target) -> list[PictureAddress]:
    """The addresses whose bytes have to be sent; none for engines that get a request as it came, nor if the provider
    is configured without images. Raises RequestError for a picture without an address."""
    wire = OWN_WIRES.get(engine)
    if wire is None or not target.image:
        return []
    return [
        PictureAddress(url, position)
        for position, url in enumerate(image_urls(request))
        if url.lower().startswith(WEB) and not url.lower().startswith(wire.image)
    ]


def with_pictures(request: JsonRequest, found: Mapping[PictureAddress, str]) -> JsonRequest:
    """The request with data URLs in the place of these addresses."""
    urls = dict(enumerate(image_urls(request)))
    urls |= {address.position: data_url for address, data_url in found.items()}
    raw = {name: value for name, value in request.raw.items() if name != "image"}
    raw["images"] = [{"image_url": url} for url in urls.values()]
    return JsonRequest(dumps(raw), raw)
