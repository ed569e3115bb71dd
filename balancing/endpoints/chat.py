"""POST /v1/chat/completions."""

from balancing.chat_preparation import ChatPreparation
from balancing.endpoints.service import service_endpoint
from balancing.gateway import Gateway
from balancing.identity import identity_of
from config.schema import ClientKey
from translators import DIALECTS
from translators.base import ClientRequest
from translators.chat import OPENAI_CHAT


def read(body: bytes, content_type: str) -> ClientRequest:
    """Clients send chats as anything from text/plain to nothing at all: the type is not looked at."""
    return DIALECTS["openai-chat"].read(body)


def preparation(gateway: Gateway, client: ClientKey) -> ChatPreparation:
    return ChatPreparation(gateway.images, gateway.reasoning, identity_of(client))


CHAT = service_endpoint("/v1/chat/completions", read, OPENAI_CHAT, preparation)
