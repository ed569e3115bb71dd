"""POST /v1/moderations: for clients, and for the gateway's own moderation of what they send."""

from balancing.endpoints.service import as_it_is, service_endpoint
from balancing.gateway import Gateway
from balancing.own_calls import OwnCalls
from balancing.replies import Reply
from config.schema import ClientKey
from translators import moderations

MODERATIONS = service_endpoint("/v1/moderations", moderations.read, moderations.SERVICES)


async def ask_moderation(gateway: Gateway, own_calls: OwnCalls, client: ClientKey, body: bytes) -> Reply:
    """What a client's own request would be answered, without its limits. Raises WireError: 400, 404, 503."""
    request = moderations.read(body, "application/json")
    candidates = gateway.candidates(client, request.model)
    return await own_calls.serve(gateway.exchange(client, request, moderations.SERVICES, candidates, as_it_is))
