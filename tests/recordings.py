"""Real exchanges with providers, as test data.

They live beside the checkout, in ../shared/recordings (one JSON file per exchange; the README there describes
them). A clone without that folder skips the tests that need it, and says so; with CI=true they fail instead.

    @for_recordings("anthropic", endpoint="chat", stream=True, status=200)
    def test_text_comes_out_whole(recording: Recording) -> None: ...

    @needs_recordings
    def test_every_finish_reason_is_known() -> None:
        for recording in recordings("anthropic"): ...
"""

import json
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "recordings"
MISSING = "no recordings here: they are expected in ../shared/recordings, beside the checkout"
REQUIRED = os.environ.get("CI") == "true"


@dataclass(frozen=True, slots=True)
class Recording:
    """One exchange. `kind` is "error" from status 400 on; `endpoint` names the API also then."""

    id: str
    provider: str
    kind: str
    endpoint: str
    stream: bool
    status: int
    features: frozenset[str]
    origin: str
    """How it was obtained: "http-cassette" is recorded on both sides, the others are listed in the README."""
    request_recorded: bool
    shortened: bool
    """Media, vectors or multipart bodies were cut: sizes and token counts no longer fit."""
    request: dict[str, Any]
    """method, url, headers, body (parsed JSON, or None)."""
    response: dict[str, Any]
    """status, headers and one of body (parsed JSON), sse (event-stream text), text."""

    @property
    def request_body(self) -> Any:
        """The request's JSON."""
        return self.request["body"]

    @property
    def response_bytes(self) -> bytes:
        """The response body as it came over the wire (JSON bodies: up to white space)."""
        if "body" in self.response:
            return json.dumps(self.response["body"], ensure_ascii=False).encode()
        text: str = self.response["sse"] if "sse" in self.response else self.response.get("text", "")
        return text.encode()


def recordings(
    provider: str,
    *,
    kind: str | None = None,
    endpoint: str | None = None,
    stream: bool | None = None,
    status: int | None = None,
    features: Collection[str] = (),
    where: Callable[[Recording], bool] | None = None,
) -> list[Recording]:
    """The provider's recordings that fit every filter given, ordered by id; `features` are those all present.

    Without the folder: an empty list. FileNotFoundError when the folder is required (CI=true);
    LookupError when nothing fits, since a test over nothing cannot fail.
    """
    if not FOLDER.is_dir():
        if REQUIRED:
            raise FileNotFoundError(MISSING)
        return []
    found = [
        recording
        for recording in _load(provider)
        if (kind is None or recording.kind == kind)
        and (endpoint is None or recording.endpoint == endpoint)
        and (stream is None or recording.stream == stream)
        and (status is None or recording.status == status)
        and recording.features.issuperset(features)
        and (where is None or where(recording))
    ]
    if not found:
        raise LookupError(f"no recording of {provider} fits these filters")
    return found


def all_recordings() -> list[Recording]:
    """Every recording of every provider."""
    return [recording for folder in sorted(FOLDER.iterdir()) if folder.is_dir() for recording in _load(folder.name)]


def for_recordings(providers: str | Sequence[str], **filters: Any) -> pytest.MarkDecorator:
    """Parametrises the test's argument `recording`, ids included; the filters are those of `recordings`."""
    names = (providers,) if isinstance(providers, str) else providers
    found = [recording for name in names for recording in recordings(name, **filters)]
    if not found:
        skipped = pytest.param(None, id="none", marks=pytest.mark.skip(reason=MISSING))
        return pytest.mark.parametrize("recording", [skipped])
    return pytest.mark.parametrize("recording", found, ids=[recording.id for recording in found])


needs_recordings = pytest.mark.skipif(not FOLDER.is_dir() and not REQUIRED, reason=MISSING)
"""For tests that call `recordings` themselves."""


@cache
def _load(provider: str) -> tuple[Recording, ...]:
    files = sorted((FOLDER / provider).glob("*.json"))
    return tuple(_recording(json.loads(file.read_bytes())) for file in files)


def _recording(data: dict[str, Any]) -> Recording:
    return Recording(
        id=data["id"],
        provider=data["provider"],
        kind=data["kind"],
        endpoint=data["endpoint"],
        stream=data["stream"],
        status=data["response"]["status"],
        features=frozenset(data["features"]),
        origin=data["recording"],
        request_recorded=data.get("request_recorded", True),
        shortened=data.get("shortened", False),
        request=data["request"],
        response=data["response"],
    )
