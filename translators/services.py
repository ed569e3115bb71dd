"""Every endpoint that providers answer, by its path: how its requests are read, and which engines offer it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from translators import DIALECTS, completions, embeddings, moderations
from translators.audio import speech, transcriptions, translations
from translators.base import ApiRequest, ClientRequest, Service
from translators.chat import OPENAI_CHAT
from translators.images import edits, generations


class Offer(NamedTuple):
    """`read`: body and content type → request; raises RequestError. `services`: by the engine's name."""

    read: Callable[[bytes, str], ApiRequest]
    services: Mapping[str, Service[Any]]


def read_chat(body: bytes, content_type: str) -> ClientRequest:
    """Raises RequestError."""
    return DIALECTS["openai-chat"].read(body)


OFFERS: Mapping[str, Offer] = {
    "/v1/chat/completions": Offer(read_chat, OPENAI_CHAT),
    "/v1/completions": Offer(completions.read, completions.SERVICES),
    "/v1/embeddings": Offer(embeddings.read, embeddings.SERVICES),
    "/v1/moderations": Offer(moderations.read, moderations.SERVICES),
    "/v1/images/generations": Offer(generations.read, generations.SERVICES),
    "/v1/images/edits": Offer(edits.read, edits.SERVICES),
    "/v1/audio/speech": Offer(speech.read, speech.SERVICES),
    "/v1/audio/transcriptions": Offer(transcriptions.read, transcriptions.SERVICES),
    "/v1/audio/translations": Offer(translations.read, translations.SERVICES),
}
