"""Arguments of a call that come in pieces (Vertex AI, "Function calling", `streamFunctionCallArguments`).

A piece names its place by a JSON path, `$.recipe.ingredients[0].name`, and brings a value; texts go on over several.
"""

import re
from itertools import pairwise
from typing import Any

from translators.jsontext import text_in

STEP = re.compile(r"\.([^.\[\]]+)|\[(\d{1,4})\]|\[['\"]([^'\"]*)['\"]\]")
VALUES = ("stringValue", "numberValue", "boolValue")


class PartialArguments:
    """The arguments of one call, as far as they have come."""

    def __init__(self) -> None:
        self.value: dict[str, Any] = {}

    def read(self, pieces: list[dict[str, Any]]) -> None:
        """Put each piece in its place; one whose place nobody can make out is left out."""
        for piece in pieces:
            path = steps(text_in(piece.get("jsonPath")))
            if path:
                given = [piece[name] for name in VALUES if name in piece]
                put(self.value, path, given[0] if given else None)


def steps(path: str) -> list[str | int]:
    """`$.a[0]` → ["a", 0]; nothing if it is no such path, or leads to no member."""
    found: list[str | int] = []
    place = 1
    while path.startswith("$") and place < len(path):
        step = STEP.match(path, place)
        if step is None:
            return []
        found.append(int(step[2]) if step[2] else step[1] or step[3] or "")
        place = step.end()
    return found if found and isinstance(found[0], str) else []


def put(root: dict[str, Any], path: list[str | int], value: Any) -> None:
    """Set the value at the path, making what is missing on the way; a text is added to the one that is there."""
    node: Any = root
    for step, following in pairwise(path):
        node = entered(node, step, [] if isinstance(following, int) else {})
    last = path[-1]
    before = entered(node, last, None)
    if isinstance(before, str) and isinstance(value, str):
        value = before + value
    match node, last:
        case dict(), str():
            node[last] = value
        case list(), int():
            node[last] = value


def entered(node: Any, step: str | int, missing: Any) -> Any:
    """The member `step` of an object or a list, which becomes `missing` where there is none."""
    if isinstance(node, dict) and isinstance(step, str):
        if node.get(step) is None:
            node[step] = missing
        return node[step]
    if isinstance(node, list) and isinstance(step, int):
        node.extend([None] * (step + 1 - len(node)))
        if node[step] is None:
            node[step] = missing
        return node[step]
    return None
