"""GET /v1/models and /v1/models/{id}: what this key may ask for, and nothing else."""

from balancing.admission import model_not_found
from balancing.endpoints.endpoint import Endpoint, Question
from balancing.gateway import Gateway
from balancing.replies import Reply, json_reply


async def model_list(gateway: Gateway, question: Question) -> Reply:
    models = [model_object(name) for name in gateway.catalogue.models(question.asker)]
    return json_reply({"object": "list", "data": models})


async def model(gateway: Gateway, question: Question) -> Reply:
    """Raises WireError 404."""
    if question.name not in gateway.catalogue.models(question.asker):
        raise model_not_found(question.name)
    return json_reply(model_object(question.name))


def model_object(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "uniapi"}


MODEL_LIST = Endpoint("GET", "/v1/models", model_list)
MODEL = Endpoint("GET", "/v1/models/", model, takes_name=True)
