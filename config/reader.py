"""Typed reading of a YAML tree: every wrong value is reported with its place, and none is fatal.

A reading method returns None for what is wrong, after reporting it, so that the rest is read all
the same and one run finds every problem.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from config.document import Document
from config.nodes import Items, Node, Pairs, Scalar, word
from config.problems import listed
from config.secrets import Secret
from config.variables import BadReference, fill, has_references

MERGE_KEY = "<<"


@dataclass(slots=True)
class Value:
    """One value of a document and the place where it stands."""

    document: Document
    node: Node
    path: str

    def problem(self, message: str) -> None:
        """Report this value as wrong."""
        self.document.problem(self.node.line, self.path, message)

    def warning(self, message: str) -> None:
        """Report this value as odd."""
        self.document.warning(self.node.line, self.path, message)

    def must_be(self, allowed: str) -> None:
        """Report that the value is not what it must be, and what it is."""
        self.problem(f"must be {allowed}; got {self.shown()}")

    def shown(self) -> str:
        """The value for a message, as written: what comes from the environment stays out of it."""
        if isinstance(self.node, Scalar) and not self.absent():
            return f"'{self.node.text}'"
        return self._kind()

    def absent(self) -> bool:
        """Whether nothing is written here: `key:` alone, `~`, or an empty text."""
        if not isinstance(self.node, Scalar):
            return False
        filled = self._filled(self.node.text)
        return filled is not None and (not filled.strip() or (self.node.plain and word(filled) is None))

    def text(self) -> str | None:
        """A text that is not empty, without space around it. A plain number counts as it is written."""
        if self._is_boolean():
            self.problem(f"must be a text; got {self.shown()}, which is a boolean in YAML: quote it")
            return None
        return self._scalar("a text")

    def secret(self) -> Secret | None:
        """A key or token. No message shows any of it."""
        if self._kind() != "a text":
            self.problem(f"must be a text; got {self._kind()}")
            return None
        filled = self._scalar("a text")
        return self.document.secret(filled) if filled is not None else None

    def word(self, allowed: str) -> bool | int | float | str | None:
        """What a word stands for, quoted or not; `allowed` says for the message what it must be."""
        filled = self._scalar(allowed)
        if filled is None:
            return None
        if (meaning := word(filled)) is None:
            self.must_be(allowed)
        return meaning

    def boolean(self) -> bool | None:
        """`true` or `false`, also as `yes`, `no`, `on`, `off`."""
        meaning = self.word("true or false")
        if isinstance(meaning, bool):
            return meaning
        if meaning is not None:
            self.must_be("true or false")
        return None

    def seconds(self) -> float | None:
        """A duration; 0 is one."""
        return self._number("a number of seconds, 0 or more", lambda number: number >= 0)

    def seconds_above_zero(self) -> float | None:
        """A duration that takes time."""
        return self._number("a number of seconds above 0", lambda number: number > 0)

    def choice(self, allowed: Collection[str]) -> str | None:
        """One of some lower-case words, in whatever case it is written."""
        filled = self._scalar(listed(allowed))
        if filled is None or filled.lower() in allowed:
            return filled and filled.lower()
        near = difflib.get_close_matches(filled.lower(), allowed, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        self.problem(f"must be {listed(allowed)}{hint}; got {self.shown()}")
        return None

    def items(self) -> list[Value] | None:
        """The values of a list."""
        if not isinstance(self.node, Items):
            self.problem(f"must be a list (lines that begin with `- `); got {self._kind()}")
            return None
        return [Value(self.document, node, f"{self.path}[{index}]") for index, node in enumerate(self.node.items)]

    def one_or_more(self) -> list[Value]:
        """The values of a list, or the value itself when it is none."""
        return (self.items() or []) if isinstance(self.node, Items) else [self]

    def entries(self) -> list[tuple[str, Value]] | None:
        """The keys and values of a mapping, each key once; merge keys (`<<`) come behind its own."""
        if not isinstance(self.node, Pairs):
            self.problem(f"must be a mapping (lines of `key: value`); got {self._kind()}")
            return None
        found: dict[str, Value] = {}
        for key_node, value_node in self.node.pairs:
            if _is_merge(key_node):
                continue
            key = Value(self.document, key_node, joined(self.path, key_node.text))
            if (name := key._scalar("a word")) is None:
                continue
            if name in found:
                key.problem(f"stands twice, first in line {found[name].node.line}; one of them must go")
            else:
                found[name] = Value(self.document, value_node, key.path)
        for name, value in self._merged():
            found.setdefault(name, value)
        return list(found.items())

    def json(self) -> Any:
        """Any value as JSON data."""
        match self.node:
            case Scalar(text=text, plain=plain):
                filled = self._filled(text)
                return word(filled) if plain and filled is not None else filled
            case Items():
                return [value.json() for value in self.items() or []]
            case Pairs():
                return {name: value.json() for name, value in self.entries() or []}

    def _kind(self) -> str:
        match self.node:
            case Items():
                return "a list"
            case Pairs():
                return "a mapping"
            case Scalar() if self.absent():
                return "nothing"
            case Scalar():
                return "a boolean" if self._is_boolean() else "a text"

    def _is_boolean(self) -> bool:
        return isinstance(self.node, Scalar) and self.node.plain and isinstance(word(self.node.text), bool)

    def _scalar(self, allowed: str) -> str | None:
        """The text of a scalar that is there, stripped, references filled."""
        if not isinstance(self.node, Scalar) or self.absent():
            self.must_be(allowed)
            return None
        filled = self._filled(self.node.text)
        return filled.strip() if filled is not None else None

    def _number(self, allowed: str, fits: Callable[[float], bool]) -> float | None:
        meaning = self.word(allowed)
        if isinstance(meaning, int | float) and not isinstance(meaning, bool) and fits(meaning):
            return float(meaning)
        if meaning is not None:
            self.must_be(allowed)
        return None

    def _filled(self, text: str) -> str | None:
        if not has_references(text):
            return text
        try:
            return fill(text, self.document.environ)
        except BadReference as error:
            self.problem(str(error))
            return None

    def _merged(self) -> Iterator[tuple[str, Value]]:
        """What merge keys bring in, the mapping that goes before first."""
        assert isinstance(self.node, Pairs)
        for key_node, value_node in self.node.pairs:
            if _is_merge(key_node):
                merged = Value(self.document, value_node, joined(self.path, MERGE_KEY))
                for mapping in merged.one_or_more():
                    for name, value in mapping.entries() or []:
                        yield name, Value(self.document, value.node, joined(self.path, name))


def joined(path: str, key: str) -> str:
    """The path of a mapping's key."""
    return f"{path}.{key}" if path else key


def _is_merge(key: Scalar) -> bool:
    return key.plain and key.text == MERGE_KEY
