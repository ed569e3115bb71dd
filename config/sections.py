"""Mappings with known keys: an entry of `providers`, its `preferences`, the whole file."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from config.problems import listed
from config.reader import Value, joined

NO_OTHERS: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Section:
    """A mapping whose keys are known. A key that is written without a value counts as absent."""

    place: Value
    values: Mapping[str, Value]

    @classmethod
    def read(
        cls, place: Value, known: Collection[str], other_spellings: Mapping[str, str] = NO_OTHERS
    ) -> Section | None:
        """None when the value is no mapping. `other_spellings` lead to known keys; an unknown key warns."""
        entries = place.entries()
        if entries is None:
            return None
        spellings = {key: key for key in known} | dict(other_spellings)
        values: dict[str, Value] = {}
        for written, value in entries:
            if (key := spellings.get(written)) is None:
                near = difflib.get_close_matches(written, spellings, n=1)
                value.warning(
                    "unknown key, ignored; " + (f"did you mean {near[0]}?" if near else f"known: {listed(known)}")
                )
            elif key in values:
                value.problem(f"means the same as {values[key].path}; one of them must go")
            elif not value.absent():
                values[key] = value
        return cls(place, values)

    def given[T](self, key: str, read: Callable[[Value], T | None], default: T) -> T:
        """What `read` makes of a key's value; the default when the key is absent or its value wrong."""
        if key not in self.values:
            return default
        result = read(self.values[key])
        return default if result is None else result

    def required[T](self, key: str, read: Callable[[Value], T | None], what: str) -> T | None:
        """As `given`; that the key is absent is a problem, which says what the value must be."""
        if key not in self.values:
            self.problem(key, f"is missing; it must be {what}")
        return self.given(key, read, None)

    def subsection(self, key: str, known: Collection[str], other_spellings: Mapping[str, str] = NO_OTHERS) -> Section:
        """The mapping under a key; one without keys when absent or wrong."""
        nothing = Section(self.place, {})
        return self.given(key, lambda value: Section.read(value, known, other_spellings), nothing)

    def holds(self, key: str) -> bool:
        """Whether a key is there, be its value right or wrong."""
        return key in self.values

    def problem(self, key: str, message: str) -> None:
        """Report a key as wrong: at its line or, when absent, at the section's."""
        place = self.values.get(key, self.place)
        place.document.problem(place.node.line, joined(self.place.path, key), message)

    def warning(self, key: str, message: str) -> None:
        """Report a key that is there as odd."""
        self.values[key].warning(message)
