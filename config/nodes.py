"""A YAML text as a tree that knows its line numbers.

PyYAML's C parser gives the events; the tree is built here, and not by PyYAML's composer, because
that one recurses in C and takes the process down on a text of many brackets. Plain words are read
as YAML 1.2's core schema does, and `yes`, `no`, `on`, `off` are booleans as well.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

import yaml

DEEPEST = 50
LARGEST = 1_000_000
"""Values in one text, aliases counted as often as they stand: a small text can unfold to billions."""

TEXT_TAG = "tag:yaml.org,2002:str"
WORD_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float")}
COLLECTION_TAGS = {None, "!", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"}

BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
NULLS = {"", "~", "null", "Null", "NULL"}
INTEGER = re.compile(r"[-+]?[0-9]+")
DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
LONGEST_NUMBER = 40


@dataclass(slots=True)
class Scalar:
    """A word or text; `plain` when unquoted, so that `5` and `true` are not texts."""

    line: int
    text: str
    plain: bool
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class Items:
    """A list."""

    line: int
    items: list[Node] = field(default_factory=list)
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class Pairs:
    """A mapping, as written: in order, with duplicates and merge keys."""

    line: int
    pairs: list[tuple[Scalar, Node]] = field(default_factory=list)
    size: int = 1
    height: int = 0


type Node = Scalar | Items | Pairs


class BadYaml(ValueError):
    """The text is no YAML, or uses what a configuration has no need of. Holds nothing of the text."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def parse(text: str) -> Node | None:
    """The tree of a text; None for an empty one. Raises BadYaml."""
    encoded = _encoded(text)
    builder = _Builder()
    try:
        for event in yaml.parse(encoded, Loader=yaml.CSafeLoader):
            builder.add(event)
    except yaml.reader.ReaderError as error:
        line = encoded.count(b"\n", 0, error.position) + 1
        raise BadYaml(line, "a control character, which YAML does not allow") from None
    except yaml.MarkedYAMLError as error:
        problem = " ".join(part for part in (error.context, error.problem) if part)
        mark = error.problem_mark
        raise BadYaml(mark.line + 1 if mark else 1, f"not valid YAML: {problem}") from None
    return builder.root


def word(text: str) -> bool | int | float | str | None:
    """What an unquoted text stands for. Numbers are decimal and finite, anything else is text."""
    if text in NULLS:
        return None
    if text.lower() in BOOLEANS:
        return BOOLEANS[text.lower()]
    if len(text) > LONGEST_NUMBER:
        return text
    if INTEGER.fullmatch(text):
        return int(text)
    if DECIMAL.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise BadYaml(line, "half of a character (a lone surrogate), which is no text") from None


class _Builder:
    """Puts the parser's events together. Collections that are still open lie on a stack."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Items | Pairs] = []
        self._keys: list[Scalar | None] = []
        """For each open mapping the key whose value comes next."""
        self._anchors: dict[str, Node] = {}
        self._line = 1

    def add(self, event: yaml.Event) -> None:
        if event.start_mark is not None:
            self._line = event.start_mark.line + 1
        match event:
            case yaml.ScalarEvent():
                self._place(self._anchored(event, self._scalar(event)))
            case yaml.SequenceStartEvent():
                self._begin(event, Items(self._line))
            case yaml.MappingStartEvent():
                self._begin(event, Pairs(self._line))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._keys.pop()
                self._place(self._open.pop())
            case yaml.AliasEvent():
                self._place(self._alias(event))
            case yaml.DocumentStartEvent() if self.root is not None:
                raise BadYaml(self._line, "a second document (`---`); a configuration is one document")

    def _begin(self, event: yaml.CollectionStartEvent, node: Items | Pairs) -> None:
        if event.tag not in COLLECTION_TAGS:
            raise BadYaml(self._line, "a YAML tag (`!…`), which has no meaning here")
        if len(self._open) >= DEEPEST:
            raise BadYaml(self._line, f"nested more than {DEEPEST} levels deep")
        self._anchored(event, node)
        self._open.append(node)
        self._keys.append(None)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        if event.tag in (None, "!", TEXT_TAG):
            return Scalar(self._line, event.value, plain=event.tag is None and event.implicit[0])
        if event.tag in WORD_TAGS:
            return Scalar(self._line, event.value, plain=True)
        raise BadYaml(self._line, "a YAML tag (`!…`), which has no meaning here")

    def _anchored[AnyNode: Node](self, event: yaml.NodeEvent, node: AnyNode) -> AnyNode:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        node = self._anchors.get(event.anchor or "")
        if node is None:
            raise BadYaml(self._line, "an alias (`*…`) whose anchor (`&…`) does not come before it")
        if any(node is collection for collection in self._open):
            raise BadYaml(self._line, "an alias (`*…`) inside of what it stands for")
        return node

    def _place(self, node: Node) -> None:
        """Put a finished node where it belongs."""
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.size += node.size
        parent.height = max(parent.height, node.height + 1)
        if parent.size > LARGEST:
            raise BadYaml(self._line, f"more than {LARGEST} values once all aliases are unfolded")
        if len(self._open) + node.height > DEEPEST:
            raise BadYaml(self._line, f"nested more than {DEEPEST} levels deep")
        if isinstance(parent, Items):
            parent.items.append(node)
        elif (key := self._keys[-1]) is not None:
            parent.pairs.append((key, node))
            self._keys[-1] = None
        elif isinstance(node, Scalar):
            self._keys[-1] = node
        else:
            raise BadYaml(self._line, "a list or mapping as the key of a mapping; keys are words")
