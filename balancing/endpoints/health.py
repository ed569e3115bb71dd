"""GET /healthz: whether the gateway serves. For load balancers and containers, without a key."""

from balancing.endpoints.endpoint import Endpoint, Question
from balancing.gateway import Gateway
from balancing.replies import Reply, json_reply


async def health(gateway: Gateway, question: Question) -> Reply:
    """Raises WireError 503 while there is no configuration."""
    _ = gateway.catalogue
    return json_reply({"status": "ok"})


HEALTH = Endpoint("GET", "/healthz", health, is_public=True)
