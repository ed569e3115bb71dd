"""Where two requests differ, as data: {"body": …, "headers": …, "url": …}."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from translators.jsontext import loads_object, object_in, text_in

Path = tuple[str | int, ...]
"""The way to a value; it begins with body, headers or url."""


@dataclass(frozen=True, slots=True)
class Place:
    """A value and where it stands. `role`: that of the message around it, if it is in one."""

    path: Path
    value: Any
    role: str

    @property
    def name(self) -> str:
        """`messages[0].content`, `header accept`, `URL`."""
        return path_text(self.path)


def changes(built: bytes, sent: bytes) -> tuple[str, ...]:
    """The paths at which one JSON body differs from another."""
    before, after = loads_object(built), loads_object(sent)
    if before is None or after is None:
        return ()
    return tuple(dict.fromkeys(path_text(("body", *path)) for path, _ in differences(before, after)))


def differences(before: Any, after: Any, path: Path = ()) -> Iterator[tuple[Path, bool]]:
    """The paths at which two JSON values differ, each with whether it is in the first one. Of lists of different
    lengths, what is equal at both ends is taken for the same."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            if name in after:
                yield from differences(value, after[name], (*path, name))
            else:
                yield (*path, name), True
        yield from (((*path, name), False) for name in after if name not in before)
    elif isinstance(before, list) and isinstance(after, list):
        yield from list_differences(before, after, path)
    else:
        yield path, True


def list_differences(before: list[Any], after: list[Any], path: Path) -> Iterator[tuple[Path, bool]]:
    start, end, shorter = 0, 0, min(len(before), len(after))
    if len(before) != len(after):
        while start < shorter and before[start] == after[start]:
            start += 1
        while end < shorter - start and before[-1 - end] == after[-1 - end]:
            end += 1
    for position in range(start, shorter - end):
        yield from differences(before[position], after[position], (*path, position))
    yield from (((*path, position), True) for position in range(shorter - end, len(before) - end))
    if len(after) > len(before):
        yield path, False


def path_text(path: Path) -> str:
    """`messages[0].content`, `header accept`, `URL`."""
    where, *inside = path
    if where == "url":
        return "URL"
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in inside).removeprefix(".")
    return f"header {text}" if where == "headers" else text or "body"


def to_last_item(path: Path) -> Path:
    """The innermost item of a list that a path leads into; the path itself if it leads into none."""
    last = max((position for position, step in enumerate(path) if isinstance(step, int)), default=len(path) - 1)
    return path[: last + 1]


def place_at(value: Any, path: Path) -> Place | None:
    """What stands there; None if nothing does."""
    role = ""
    for step in path:
        try:
            value = value[step]
        except LookupError:
            return None
        role = text_in(object_in(value).get("role")) or role
    return Place(path, value, role)
