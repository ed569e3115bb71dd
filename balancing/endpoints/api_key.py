"""GET /v1/generate-api-key, for admins: a new key to write into api.yaml."""

import secrets
import string

from balancing.admission import check_admin
from balancing.endpoints.endpoint import Endpoint, Question
from balancing.gateway import Gateway
from balancing.replies import Reply, json_reply

ALPHABET = string.ascii_letters + string.digits
CHARACTERS = 48


async def generate(gateway: Gateway, question: Question) -> Reply:
    """Raises WireError 403."""
    check_admin(question.asker)
    return json_reply({"api_key": "sk-" + "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))})


GENERATE_API_KEY = Endpoint("GET", "/v1/generate-api-key", generate)
