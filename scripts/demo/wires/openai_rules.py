"""What all endpoints of OpenAI's wire share: the key, errors, and what is refused."""

from collections.abc import Container, Mapping
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField
from multidict import MultiDictProxy

from scripts.demo.wires.base import Refused, new_id, reading
from scripts.demo.wires.chat import Reader, event

Form = MultiDictProxy[str | bytes | bytearray | FileField]
KEY = "sk-simulated-openai"
TYPES = {400: "invalid_request_error", 401: "invalid_request_error", 404: "invalid_request_error"}
MOST_CHOICES = 128
"""The largest `n` of chats and completions."""
CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


# --- errors -------------------------------------------------------------------------------------------------


def failure(status: int, message: str, param: str | None = None, code: str | None = None) -> web.Response:
    """An error answer."""
    headers = {"x-request-id": new_id("req_", 32)}
    return web.json_response(_error(status, message, param, code), status=status, headers=headers)


def _error(status: int, message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    kind = "requests" if status == 429 else TYPES.get(status, "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code or CODES.get(status)}}


def broken(message: str) -> bytes:
    """A stream that is nothing but an error."""
    return event(_error(500, message))


# --- requests -----------------------------------------------------------------------------------------------


READER = Reader(failure)


def authorised(request: web.Request) -> None:
    """Refuses any key but KEY."""
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    if key != KEY:
        shown = f"{key[:8]}****{key[-4:]}" if len(key) > 12 else "****"
        raise Refused(failure(401, f"Incorrect API key provided: {shown}."))


def check(holds: object, message: str, param: str) -> None:
    """Refuses a request whose field `param` is wrong."""
    if not holds:
        raise Refused(failure(400, message, param))


def check_model(fields: Mapping[str, Any], models: Container[str]) -> str:
    """The model that is asked for, one of `models`."""
    model = fields.get("model")
    if not isinstance(model, str) or not model:  # In a form it may be a file.
        raise Refused(failure(400, "you must provide a model parameter", "model"))
    if model not in models:
        raise Refused(failure(404, f"The model `{model}` does not exist or you do not have access to it."))
    return model


def check_range(fields: Mapping[str, Any], name: str, least: int, most: int) -> int:
    """The whole number in a field, from `least` to `most`; `least` where the field is missing."""
    given: int = least if fields.get(name) is None else fields[name]
    if given < least:
        message = (
            f"Invalid '{name}': integer below minimum value. Expected a value >= {least}, but got {given} instead."
        )
        raise Refused(failure(400, message, name, "integer_below_min_value"))
    if given > most:
        message = f"Invalid '{name}': integer above maximum value. Expected a value <= {most}, but got {given} instead."
        raise Refused(failure(400, message, name, "integer_above_max_value"))
    return given


async def form_of(request: web.Request) -> Form:
    """The form in a request."""
    with reading(failure):
        return await request.post()
