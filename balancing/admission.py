"""Who may come in: the client's key, and what it may ask for."""

from collections.abc import Mapping

from config.schema import ClientKey
from translators.errors import WireError

KEY_HEADERS = ("authorization", "x-api-key", "api-key")


def offered_key(headers: Mapping[str, str]) -> str:
    """The key that a client shows, "" if none; `headers` finds names in lower case."""
    for name in KEY_HEADERS:
        value = headers.get(name, "").strip()
        if name == "authorization":
            scheme, _, value = value.partition(" ")
            if scheme.lower() != "bearer":
                continue
            value = value.strip()
        if value:
            return value
    return ""


def wrong_key(*, missing: bool) -> WireError:
    if missing:
        message = "No API key. Send one that the gateway's api.yaml lists: `Authorization: Bearer <key>`."
    else:
        message = "The API key is not one of the gateway's. Keys are listed under `api_keys` in its api.yaml."
    return WireError(401, message, type="invalid_request_error", code="invalid_api_key")


def unknown_name(name: str) -> WireError:
    """For a request that is looked at again later; `name` is the short name of its client, "" if it had none."""
    which = f" ({name})" if name else ""
    return WireError(
        401,
        f"The key that this request came with{which} is none of the configuration's. Set uniapi_default_key to the "
        "api_keys entry that it is to be replayed as.",
        type="invalid_request_error",
        code="invalid_api_key",
    )


def model_not_found(asked: str) -> WireError:
    """The same text whether the model does not exist or this key may not use it."""
    return WireError(
        404,
        f"The model {asked!r} does not exist or this key may not use it. GET /v1/models lists what it may.",
        type="invalid_request_error",
        code="model_not_found",
        param="model",
    )


def no_destination(destination: str) -> WireError:
    return WireError(
        404,
        f"No provider offers {destination!r}. Name one as provider/model; the command uniapi.channels lists them.",
        type="invalid_request_error",
        code="model_not_found",
    )


def check_admin(client: ClientKey) -> None:
    """Raises WireError 403 unless the key is an admin's."""
    if client.role != "admin":
        raise WireError(
            403,
            "This endpoint is for keys with `role: admin`.",
            type="invalid_request_error",
            code="permission_denied",
        )
