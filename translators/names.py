"""Names of tools on the wire: one that a provider would refuse gets another, and the answer its own back; of several
tools with one name the first counts."""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

from translators.jsontext import text_in
from translators.types import NativeTool, Note, Tool


class ToolNames:
    """The names in one request. `allowed`: what the provider takes; `longest`: how long a made name may be."""

    def __init__(self, allowed: re.Pattern[str], longest: int) -> None:
        self._allowed = allowed
        self._longest = longest
        self._own: dict[str, str] = {}

    def wire(self, own: str) -> str:
        """The name on the wire; the same name gives the same one, in any request."""
        if self._allowed.fullmatch(own):
            return own
        digest = sha256(own.encode("utf-8", "replace")).hexdigest()[:8]
        readable = re.sub(r"^[^a-zA-Z_]|[^a-zA-Z0-9_]", "_", own)[: self._longest - 9]
        wire = f"{readable}_{digest}"
        self._own[wire] = own
        return wire

    @property
    def renamed(self) -> Mapping[str, str]:
        """Wire's name → client's name, of those that differ."""
        return self._own


def distinct_tools(tools: Iterable[Tool | NativeTool], notes: list[Note]) -> list[tuple[str, Tool | NativeTool]]:
    """The tools, each with its path, and a note in place of those whose name another one has already."""
    found: list[tuple[str, Tool | NativeTool]] = []
    names: set[str] = set()
    for position, tool in enumerate(tools):
        path = f"tools[{position}]"
        name = tool.name if isinstance(tool, Tool) else text_in(tool.raw.get("name"))
        if name in names:
            notes.append(Note(path, f"there is another tool called {name!r} before it"))
            continue
        if name:
            names.add(name)
        found.append((path, tool))
    return found
