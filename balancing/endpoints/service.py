"""Endpoints that are answered by providers: who may ask, what, how often, and by which channels it goes."""

from collections.abc import Callable, Mapping
from typing import Any

from balancing.endpoints.endpoint import Endpoint, Question
from balancing.exchange import Exchange, Preparation
from balancing.gateway import Gateway
from config.schema import ClientKey
from translators.base import ApiRequest, See, Service
from translators.types import Target


def service_endpoint(
    path: str,
    read: Callable[[bytes, str], ApiRequest],
    services: Mapping[str, Service[Any]],
    preparation: Callable[[Gateway, ClientKey], Preparation] = lambda gateway, client: as_it_is,
) -> Endpoint:
    """POST `path`, whose body `read` understands (body, content type; raises RequestError), as engines offer it."""

    async def answer(gateway: Gateway, question: Question) -> Exchange:
        client = question.asker
        request = read(question.body, question.content_type)
        candidates = gateway.candidates(client, request.model)
        if gateway.moderation is not None:
            await gateway.moderation.check(client, path, request.fields)
        return gateway.exchange(client, request, services, candidates, preparation(gateway, client))

    return Endpoint("POST", path, answer)


async def as_it_is(request: ApiRequest, target: Target, engine: str) -> tuple[ApiRequest, See | None]:
    """The preparation of requests that need none."""
    return request, None
