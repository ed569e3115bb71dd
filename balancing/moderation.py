"""ENABLE_MODERATION: before a request is served, a moderation model reads what its user has newly written."""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from balancing.replies import Reply
from config.schema import ClientKey
from translators.base import ApiRequest
from translators.errors import WireError
from translators.forms import FormRequest
from translators.jsontext import dumps, loads_object, object_in, objects_in
from translators.user_text import FINDERS, new_user_text

logger = logging.getLogger("uniapi")

MODELS = ("omni-moderation-latest", "text-moderation-latest")
"""The first of them that the client key may use reads the text."""
FORM_TEXT = "prompt"
"""The field of a form that its user writes: what a picture is to become."""
WARNING_INTERVAL = 60.0
"""Seconds. Unread requests that pass are warned of no more often."""


class Unavailable(Exception):
    """The moderation gave no verdict; the text says why, and holds nothing of what was to be read."""


class Moderation:
    """One per process; keeps no text. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        ask: Callable[[ClientKey, bytes], Awaitable[Reply]],
        may_use: Callable[[ClientKey, str], bool],
        clock: Callable[[], float],
        *,
        allow_on_error: bool,
    ) -> None:
        """`ask` sends the body of a request for /v1/moderations on the client's behalf, through the same balancing as
        any other; it may raise WireError. `may_use` tells whether a model is offered to the client.
        """
        self._ask = ask
        self._may_use = may_use
        self._clock = clock
        self._allow_on_error = allow_on_error
        self._next_warning = -math.inf

    async def check(self, client: ClientKey, endpoint: str, request: ApiRequest) -> None:
        """Let the request pass, or raise WireError: 400 when its new text is flagged, 503 when it cannot be read.

        `endpoint` is its path. Clients without ENABLE_MODERATION pass.
        """
        if not client.preferences.enable_moderation or endpoint not in FINDERS:
            return
        texts = new_user_text(endpoint, fields_to_read(request))
        if not texts:
            return
        try:
            results = await self._results(client, texts)
        except Unavailable as why:
            if not self._allow_on_error:
                raise unavailable(why) from None
            self._warn(why)
            return
        if any(is_flagged(result) for result in results):
            raise violation(results)

    async def _results(self, client: ClientKey, texts: list[str]) -> list[dict[str, Any]]:
        """One for each text. Raises Unavailable."""
        model = next((model for model in MODELS if self._may_use(client, model)), None)
        if model is None:
            raise Unavailable(
                f"no moderation model is offered to this API key; the gateway's operator has to give it "
                f"{' or '.join(MODELS)} in api.yaml, or switch ENABLE_MODERATION off"
            )
        try:
            reply = await self._ask(client, dumps({"model": model, "input": texts}))
        except WireError as error:
            raise Unavailable(f"asking {model} ended with status {error.status}") from None
        if reply.status != 200:
            raise Unavailable(f"asking {model} ended with status {reply.status}")
        results = objects_in(object_in(loads_object(reply.body)).get("results"))
        if len(results) < len(texts) or not all(has_verdict(result) for result in results):
            raise Unavailable(f"{model} gave an answer that is no verdict on every text")
        return results

    def _warn(self, why: Unavailable) -> None:
        now = self._clock()
        if now >= self._next_warning:
            self._next_warning = now + WARNING_INTERVAL
            logger.warning(f"uniapi: requests pass without moderation (MODERATION_ON_ERROR=allow): {why}.")


def fields_to_read(request: ApiRequest) -> Mapping[str, Any]:
    """Those with the user's text. A form's others are not looked at: they need not even be text."""
    if isinstance(request, FormRequest):
        return {part.name: request.text(part) for part in request.parts if part.name == FORM_TEXT}
    return request.fields


def has_verdict(result: Mapping[str, Any]) -> bool:
    """Some providers (Mistral) give categories and leave it at that."""
    return isinstance(result.get("flagged"), bool) or isinstance(result.get("categories"), dict)


def is_flagged(result: Mapping[str, Any]) -> bool:
    flagged = result.get("flagged")
    return flagged if isinstance(flagged, bool) else bool(flagged_categories(result))


def flagged_categories(result: Mapping[str, Any]) -> list[str]:
    return [name for name, is_true in object_in(result.get("categories")).items() if is_true is True]


def violation(results: list[dict[str, Any]]) -> WireError:
    names = {name: None for result in results if is_flagged(result) for name in flagged_categories(result)}
    categories = f" ({', '.join(names)})" if names else ""
    return WireError(
        400,
        f"The moderation flagged the new text of this request{categories}. It was not sent on.",
        type="invalid_request_error",
        code="content_policy_violation",
    )


def unavailable(why: Unavailable) -> WireError:
    return WireError(
        503,
        f"This API key's requests pass a moderation, which is not available: {why}.",
        type="server_error",
        code="moderation_unavailable",
    )
