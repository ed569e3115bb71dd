"""Endpoints that are answered by providers: who may ask, what, and by which channels it goes."""

from collections.abc import Callable, Mapping

from balancing.chat_preparation import ChatPreparation
from balancing.endpoints.endpoint import Endpoint, Question
from balancing.exchange import Exchange, Preparation
from balancing.gateway import Gateway
from balancing.identity import identity_of
from balancing.image_edit_preparation import ImageEditPreparation
from balancing.own_calls import OwnCalls
from balancing.replies import Reply
from config.schema import ClientKey
from translators.base import ApiRequest, ClientRequest, See
from translators.services import OFFERS
from translators.types import Target

CHAT = "/v1/chat/completions"
EDITS = "/v1/images/edits"
MODERATIONS = "/v1/moderations"


def chat_preparation(gateway: Gateway, client: ClientKey) -> Preparation:
    return ChatPreparation(gateway.images, gateway.reasoning, identity_of(client))


def edit_preparation(gateway: Gateway, client: ClientKey) -> Preparation:
    return ImageEditPreparation(gateway.images) if gateway.images else as_it_is


def no_preparation(gateway: Gateway, client: ClientKey) -> Preparation:
    return as_it_is


async def as_it_is(request: ApiRequest, target: Target, engine: str) -> tuple[ApiRequest, See | None]:
    return request, None


PREPARATIONS: Mapping[str, Callable[[Gateway, ClientKey], Preparation]] = {
    CHAT: chat_preparation,
    EDITS: edit_preparation,
}
"""Endpoint → what its requests need before a service builds from them."""


def service_endpoint(path: str) -> Endpoint:
    """One of translators/services.py."""
    offer = OFFERS[path]
    preparation = PREPARATIONS.get(path, no_preparation)

    async def answer(gateway: Gateway, question: Question) -> Exchange:
        client = question.asker
        request = offer.read(question.body, question.content_type)
        candidates = gateway.candidates(client, request.model, question.destination)
        if gateway.moderation is not None:
            await gateway.moderation.check(client, path, request)
            if client.preferences.enable_moderation and isinstance(request, ClientRequest):
                # What was read goes out: of a member that stands in a message twice, a provider may take the other.
                request = request.replaced(request.raw)
        return gateway.exchange(
            client,
            request,
            offer.services,
            candidates,
            preparation(gateway, client),
            destination=question.destination,
        )

    return Endpoint("POST", path, answer)


SERVICE_ENDPOINTS = tuple(service_endpoint(path) for path in OFFERS)


async def ask_moderation(gateway: Gateway, own_calls: OwnCalls, client: ClientKey, body: bytes) -> Reply:
    """What the client's own request would be answered, without its limits. Raises WireError: 400, 404, 503."""
    offer = OFFERS[MODERATIONS]
    request = offer.read(body, "application/json")
    candidates = gateway.candidates(client, request.model)
    return await own_calls.serve(gateway.exchange(client, request, offer.services, candidates, as_it_is))
