"""OpenAI's sizes in pixels as what other makers have: a ratio of the sides, and a resolution by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from translators.errors import UntranslatableError
from translators.images.request import ImageRequest, shown
from translators.types import Note

MEGAPIXEL = 1024 * 1024
RESOLUTIONS = {"1K": MEGAPIXEL, "2K": 4 * MEGAPIXEL, "4K": 16 * MEGAPIXEL}
"""Name → pixels of a square."""
TOLERANCE = 0.03
"""How far a ratio may be off before it is worth a word: 1792x1024 is 16:9 for everybody."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """`ratio` and `resolution` as they are called by the maker; None leaves them to the model."""

    ratio: str | None
    resolution: str | None


def canvas(
    request: ImageRequest, ratios: Sequence[str], resolutions: Sequence[str], notes: list[Note], maker: str
) -> Canvas:
    """What comes nearest to the size asked for; `resolutions` are those of RESOLUTIONS that the model knows beside 1K.

    Raises UntranslatableError for an aspect ratio that there is not.
    """
    if request.aspect_ratio:
        if request.aspect_ratio not in ratios:
            raise UntranslatableError(
                f"`aspect_ratio` is {shown(request.aspect_ratio)}; {maker} has {', '.join(ratios)}.",
                param="aspect_ratio",
            )
        if request.size:
            notes.append(Note("size", "`aspect_ratio` goes before it"))
        return Canvas(request.aspect_ratio, None)
    if request.size is None:
        return Canvas(None, None)
    width, height = request.size
    ratio = min(ratios, key=lambda name: distance(name, width / height))
    area = width * height
    wanted = min(RESOLUTIONS, key=lambda name: abs(log(area / RESOLUTIONS[name])))
    known = [name for name in ("1K", *resolutions) if RESOLUTIONS[name] <= RESOLUTIONS[wanted]]
    if distance(ratio, width / height) > TOLERANCE or known[-1] != wanted or area < MEGAPIXEL / 2:
        notes.append(Note("size", f"{maker} comes nearest to it with {ratio} at {known[-1]}"))
    return Canvas(ratio, known[-1] if known[-1] != "1K" else None)


def distance(ratio: str, wanted: float) -> float:
    """How far two ratios of sides are apart, whichever is the greater."""
    width, _, height = ratio.partition(":")
    return abs(log(float(width) / float(height) / wanted))
