"""What became of each field of a client's request, found by trying.

An engine's `build` is pure. So the provider's request is built once as it was, and once more without each of the
fields: where the two requests differ is where the field went. Messages and tools get a mark into what they say instead,
a mark of its own each, so that everything around them stays where it is; and the marks are looked for. Nothing here
knows any wire.
"""

from collections.abc import Callable, Collection, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from translators.differences import Path, Place, differences, path_text, place_at, to_last_item
from translators.errors import RequestError
from translators.jsontext import dumps, loads, loads_object, object_in
from translators.services import OFFERS
from translators.trace_marks import ITEMS, Marks, reworded
from translators.types import Note, Target, WireRequest

Build = Callable[[bytes, Target], WireRequest]
"""A client's body → the provider's request. Raises RequestError."""

MOST_WORK = 96 * 1024 * 1024
ITEM_WORK = 1250
"""How much is built for one trace, in bytes, a message or a tool counting as so many more: about a second."""
LEAST_BUILDS = 4
MOST_BUILDS = 400


@dataclass(frozen=True, slots=True)
class FieldTrace:
    """One field of the client's. `places`: what it became; `kept_out`: what would be in the request without it;
    `reasons`: what the translator says about it; `needed`: why there is no request without it, where it could not be
    followed for that."""

    field: str
    value: Any
    places: tuple[Place, ...]
    kept_out: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    needed: str = ""


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole request. `added`: top-level members of the provider's body that no field became; `notes`: those about
    no field in particular; `untraced`: how many fields there were too many."""

    built: WireRequest
    fields: tuple[FieldTrace, ...]
    added: tuple[Place, ...]
    notes: tuple[Note, ...]
    untraced: int


def build_of(endpoint: str, engine: str) -> Build:
    """How an engine builds a request for an endpoint that takes JSON. Raises LookupError if it offers none such."""
    read, services = OFFERS[endpoint]
    service = services[engine]
    return lambda body, target: service.build(read(body, "application/json"), target)


def trace(body: bytes, target: Target, build: Build) -> Trace:
    """Raises RequestError if the request itself cannot be built."""
    raw = loads_object(body)
    if raw is None:
        raise RequestError("The body is no JSON object.")
    return Tracer(raw, target, build).trace()


class Tracer:
    """One request, and how much work is left."""

    def __init__(self, raw: dict[str, Any], target: Target, build: Build) -> None:
        self._raw = raw
        self._target = target
        self._build = build
        text = dumps(raw)  # As the variants are written, so that nothing but the field differs.
        self._built = build(text, target)
        self._base = document(self._built)
        self._marks = Marks(text)
        self._lists = [name for name in ITEMS if isinstance(raw.get(name), list)]
        work = len(text) + ITEM_WORK * sum(len(raw[name]) for name in self._lists)
        self._builds = min(MOST_BUILDS, max(LEAST_BUILDS, MOST_WORK // work))

    def trace(self) -> Trace:
        found: dict[str, FieldTrace] = {}
        missed: list[tuple[str, int]] = []
        for name in self._lists:
            places = self._marked(name, range(len(self._raw[name])))
            for position, value in enumerate(self._raw[name]):
                if position in places:
                    found[f"{name}[{position}]"] = FieldTrace(f"{name}[{position}]", value, places[position])
                else:
                    missed.append((name, position))
        for name in self._raw:
            if name not in self._lists and self._builds > 0:
                found[name] = self._model() if name == "model" else self._parameter(name)
        for name, position in missed:
            if self._builds > 0:
                found[f"{name}[{position}]"] = self._item(name, position)
        others = with_reasons(found, self._built.notes)
        names = self._names()
        traced = tuple(found[name] for name in names if name in found)
        untraced = len(names) - len(traced)
        return Trace(self._built, traced, () if untraced else self._added(traced), others, untraced)

    def _names(self) -> list[str]:
        """Every field, in its order."""
        names: list[str] = []
        for name, value in self._raw.items():
            names += [f"{name}[{position}]" for position in range(len(value))] if name in self._lists else [name]
        return names

    def _marked(self, name: str, positions: Collection[int]) -> dict[int, tuple[Place, ...]]:
        """Where these items of a list are, by position, as far as their marks are found. None of them is, where one
        cannot be translated with its mark."""
        items = list(self._raw[name])
        for position in positions:
            items[position] = ITEMS[name](items[position], self._marks.of(position))
        try:
            after = self._variant({**self._raw, name: items})
        except RequestError:
            return {}
        paths: dict[int, list[Path]] = {}
        for path, _ in differences(self._base, after):
            for position in self._marks.found(path, place_at(after, path)):
                paths.setdefault(position, []).append(to_last_item(path))
        return {position: self._places(found) for position, found in paths.items()}

    def _model(self) -> FieldTrace:
        """The channel says what the model is called: whatever has that name in it, and changes with it."""
        name = self._target.model
        after = self._variant(self._raw, replace(self._target, model=name + self._marks.of(0)))
        places = self._places(path for path, _ in differences(self._base, after))
        named = [place for place in places if name in unquote(str(place.value))]
        return FieldTrace("model", self._raw["model"], tuple(named))

    def _parameter(self, name: str) -> FieldTrace:
        """Left out, or, where there is no request without it, with something else in it."""
        value = self._raw[name]
        left_out = self._left_out(name, value, {key: other for key, other in self._raw.items() if key != name})
        changed = reworded([value], self._marks.of(0))
        if not left_out.needed or changed == [value]:
            return left_out
        try:
            after = self._variant({**self._raw, name: changed[0]})
        except RequestError:
            return left_out
        return FieldTrace(name, value, self._places(path for path, _ in differences(self._base, after)))

    def _item(self, name: str, position: int) -> FieldTrace:
        """One item of a list by itself: marked, or else left out."""
        items: list[Any] = self._raw[name]
        field, value = f"{name}[{position}]", items[position]
        places = self._marked(name, [position])
        if places:
            return FieldTrace(field, value, places[position])
        return self._left_out(field, value, {**self._raw, name: [*items[:position], *items[position + 1 :]]})

    def _left_out(self, field: str, value: Any, others: Mapping[str, Any]) -> FieldTrace:
        try:
            paths = list(differences(self._base, self._variant(others)))
        except RequestError as error:
            return FieldTrace(field, value, (), needed=error.message)
        absent = dict.fromkeys(path_text(path) for path, there in paths if not there)
        return FieldTrace(field, value, self._places(path for path, there in paths if there), tuple(absent))

    def _variant(self, raw: Mapping[str, Any], target: Target | None = None) -> dict[str, Any]:
        """The provider's request for another request of the client's. Raises RequestError."""
        self._builds -= 1
        return document(self._build(dumps(raw), target or self._target))

    def _places(self, paths: Iterable[Path]) -> tuple[Place, ...]:
        places = (place_at(self._base, path) for path in dict.fromkeys(paths))
        return tuple(place for place in places if place is not None)

    def _added(self, traced: Iterable[FieldTrace]) -> tuple[Place, ...]:
        reached = {place.path[:2] for field in traced for place in field.places}
        paths: list[Path] = [("body", name) for name in object_in(self._base["body"])]
        return self._places(path for path in paths if path not in reached)


def document(wire: WireRequest) -> dict[str, Any]:
    """A provider's request as data."""
    try:
        body = loads(wire.body)
    except ValueError:
        body = wire.body
    return {"body": body, "headers": dict(wire.headers), "url": wire.url}


# --- notes ----------------------------------------------------------------------------------------------------


def with_reasons(found: dict[str, FieldTrace], notes: Iterable[Note]) -> tuple[Note, ...]:
    """Give each field the notes about it; those about none of them are left."""
    others = []
    for note in notes:
        name = owner(note, found)
        if name:
            reasons = (*found[name].reasons, reason_of(note, name))
            found[name] = replace(found[name], reasons=tuple(dict.fromkeys(reasons)))
        else:
            others.append(note)
    return tuple(others)


def owner(note: Note, fields: Container[str]) -> str:
    """The field that a note is about: itself, or what it is inside of; empty if it is none of them."""
    name = note.field
    while name and name not in fields:
        name = name[: max(name.rfind("."), name.rfind("["), 0)]
    return name


def reason_of(note: Note, field: str) -> str:
    """The reason, with the part of the field that it is about."""
    inside = note.field.removeprefix(field).removeprefix(".")
    return f"{inside}: {note.reason}" if inside else note.reason
