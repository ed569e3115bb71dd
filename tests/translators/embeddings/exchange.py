"""Short ways to the embeddings of every engine: a request built, an answer read."""

import json
from collections.abc import Mapping
from typing import Any

from translators.base import AnswerIdentity, WholeAnswer
from translators.embeddings import SERVICES, read
from translators.types import Target, WireRequest

VECTORS = [[0.5, -0.25, 1.0], [0.125, 2.0, -3.5]]
"""Numbers that 32 bits hold exactly."""
ENCODED = ["AAAAPwAAgL4AAIA/", "AAAAPgAAAEAAAGDA"]
"""The same in base64, little-endian."""


def wire(engine: str, request: Mapping[str, Any] | None = None, /, **target: Any) -> WireRequest:
    """What an engine makes of a client's request; `target` are fields of Target."""
    request = {"model": "m", "input": ["one", "two"], **(request or {})}
    destination = {"base_url": "", "model": request["model"], "alias": request["model"], **target}
    return SERVICES[engine].build(read(json.dumps(request).encode(), "application/json"), Target(**destination))


def body(engine: str, request: Mapping[str, Any] | None = None, /, **target: Any) -> Any:
    return json.loads(wire(engine, request, **target).body)


def noted(sent: WireRequest) -> set[str]:
    """The fields that were left out."""
    return {note.field for note in sent.notes}


def whole(engine: str, sent: WireRequest, answer: Any, *, alias: str = "m", renamed: bool = False) -> WholeAnswer:
    """What becomes of a provider's answer: JSON, or bytes."""
    data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    identity = AnswerIdentity(id="", created=0, model=alias, renamed=renamed, include_usage=False)
    return SERVICES[engine].whole(sent, identity, data, content_type="application/json", see=None)


def answered(engine: str, sent: WireRequest, answer: Any, **identity: Any) -> Any:
    """The same as the client sees it."""
    return json.loads(whole(engine, sent, answer, **identity).body)


def vectors(answer: Mapping[str, Any]) -> list[Any]:
    return [entry["embedding"] for entry in answer["data"]]


def openai_answer(*embeddings: Any, **fields: Any) -> dict[str, Any]:
    """An answer in OpenAI's form."""
    data = [{"object": "embedding", "index": i, "embedding": vector} for i, vector in enumerate(embeddings)]
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    return {"object": "list", "data": data, "model": "m-001", "usage": usage, **fields}
