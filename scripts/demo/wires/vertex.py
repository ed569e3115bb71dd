"""Vertex AI's addresses: /vertex/…, where Gemini and Claude are named in the path, and a token is the key.

/vertex/token gives a token to whoever sends a signed assertion (RFC 7523); the signature is not checked.
"""

from aiohttp import web

from scripts.demo.wires import anthropic, gemini, gemini_media
from scripts.demo.wires.base import Refused, Wire, reading

TOKEN = "ya29.simulated"  # noqa: S105 - made up
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GEMINI = "POST /v1beta1/projects/{project}/locations/{region}/publishers/google/models/{model}"
CLAUDE = "POST /v1/projects/{project}/locations/{region}/publishers/anthropic/models/{model}"


def _authorised(request: web.Request) -> None:
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        raise Refused(gemini.failure(401, "Request had invalid authentication credentials."))


async def _token(request: web.Request) -> web.Response:
    form = await request.post()
    if form.get("grant_type") != GRANT or str(form.get("assertion")).count(".") != 2:
        return web.json_response({"error": "invalid_grant", "error_description": "Invalid JWT."}, status=400)
    return web.json_response({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})


async def _gemini(request: web.Request) -> web.StreamResponse:
    _authorised(request)
    return await gemini.generated(request, request.match_info["model"])


async def _predict(request: web.Request) -> web.Response:
    """Pictures and vectors of the models that are older than generateContent."""
    _authorised(request)
    models = [gemini_media.IMAGEN, gemini_media.TEXT_EMBEDDING]
    body = await gemini.json_of(request, request.match_info["model"], models)
    embeds = request.match_info["model"] == gemini_media.TEXT_EMBEDDING
    with reading(gemini.failure):
        return web.json_response((gemini_media.predicted_vectors if embeds else gemini_media.predicted)(body))


async def _embed(request: web.Request) -> web.Response:
    _authorised(request)
    return web.json_response(await gemini.embedded(request, request.match_info["model"]))


async def _claude(request: web.Request) -> web.StreamResponse:
    _authorised(request)
    body = await anthropic.json_of(request)
    if "model" in body:
        raise Refused(anthropic.failure(400, "model: Extra inputs are not permitted"))
    if body.pop("anthropic_version", None) != "vertex-2023-10-16":
        raise Refused(anthropic.failure(400, "anthropic_version: Field required"))
    return await anthropic.created(request, {"model": request.match_info["model"], **body})


WIRE = Wire(
    name="vertex",
    routes={
        "POST /token": _token,
        f"{GEMINI}:generateContent": _gemini,
        f"{GEMINI}:streamGenerateContent": _gemini,
        f"{GEMINI}:predict": _predict,
        f"{GEMINI}:embedContent": _embed,
        f"{GEMINI}:batchEmbedContents": _embed,
        f"{CLAUDE}:rawPredict": _claude,
        f"{CLAUDE}:streamRawPredict": _claude,
    },
    failure=gemini.failure,
    broken=gemini.broken,
)
