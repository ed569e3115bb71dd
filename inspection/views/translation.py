"""The view of the translation: what became of each of the client's fields, made when somebody looks at it.

The provider's request is built again from what the client sent, which needs no configuration: so it works for flows
from a file too (see translators/trace.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inspection.views.conversation import tool_name
from inspection.views.layout import GAP, beside, columns, padded
from inspection.views.progress import nothing_yet
from inspection.views.record import Kept, account_of, attempts_of, client_message, endpoint_of
from inspection.views.text import MOST_PARSED, compact, one_line, size
from inspection.views.view import FlowView, Side
from translators.differences import Place, changes
from translators.errors import RequestError
from translators.jsontext import loads_object, object_in, objects_in, text_in
from translators.trace import FieldTrace, Trace, build_of, trace
from translators.types import Target

DIFFERS = "What was sent differs: the provider's own parameters, fetched pictures, restored reasoning, or an edit:"
PLACES_SHOWN = 12
VALUE_SHOWN = 60
WIDEST = 32
"""Characters of the left column."""
ADDED = "(added)"

Row = tuple[str, str]
"""A field of the client's, and what became of it."""


class Translation(FlowView):
    """The same on both sides."""

    title = "Translation"

    def lines(self, side: Side) -> Iterator[str]:
        attempt = shown_attempt(side.record)
        sent = client_message(side.flow, side.record)
        if attempt is None:
            yield nothing_yet(side.flow, side.record)
            return
        yield heading(attempt)
        yield GAP
        if sent is None:
            yield "What the client sent is not kept with this flow."
        elif sent.cut or len(sent.body) > MOST_PARSED:
            yield f"The client's request is too large to be followed: {size(len(sent.body) + sent.cut)}."
        else:
            yield from traced_lines(side, sent, attempt)


def shown_attempt(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The attempt that served, or else the last one that was sent; None if nothing was."""
    attempts = [attempt for attempt in attempts_of(record) if attempt.get("url")]
    served = [attempt for attempt in attempts if not (attempt.get("error") or attempt.get("cancelled"))]
    return next(reversed(served or attempts), None)


def heading(attempt: Mapping[str, Any]) -> str:
    """`gpt-demo → somebody/claude-x, engine claude`."""
    alias, provider, model, engine = (text_in(attempt.get(name)) for name in ("alias", "provider", "model", "engine"))
    return one_line(f"{alias} → {provider}/{model}, engine {engine}")


def target_of(attempt: Mapping[str, Any]) -> Target:
    """Where the attempt went, as far as the body depends on it."""
    return Target(
        base_url=text_in(attempt.get("base_url")),
        model=text_in(attempt.get("model")),
        alias=text_in(attempt.get("alias")),
        tools=attempt.get("tools") is not False,
        image=attempt.get("image") is not False,
    )


# --- traced ---------------------------------------------------------------------------------------------------


def traced_lines(side: Side, sent: Kept, attempt: Mapping[str, Any]) -> Iterator[str]:
    try:
        build = build_of(endpoint_of(side.record), text_in(attempt.get("engine")))
        found = trace(sent.body, target_of(attempt), build)
    except (LookupError, RequestError):  # A form, or a flow of another version.
        yield from compared_lines(side, sent)
        return
    added = [(ADDED, place_text(place, value=True)) for place in found.added]
    yield from two_columns([*map(field_row, found.fields), *added])
    yield from rest_lines(found)
    changed = changes(found.built.body, side.flow.request.raw_content or b"")
    if changed:
        yield GAP
        yield from beside("", DIFFERS)
        yield from changed


def field_row(field: FieldTrace) -> Row:
    """`temperature 1.5`, `temperature 1 · Claude's highest is 1`."""
    is_item = field.field.endswith("]")
    left = f"{field.field} {item_text(field.value) if is_item else compact(field.value, VALUE_SHOWN)}"
    places = [place_text(place, value=not is_item) for place in field.places[:PLACES_SHOWN]]
    if len(field.places) > PLACES_SHOWN:
        places.append(f"and {len(field.places) - PLACES_SHOWN} more")
    if field.kept_out:
        places.append(f"keeps out {', '.join(field.kept_out[:PLACES_SHOWN])}")
    if field.needed:
        places.append(f"cannot be followed: there is no request without it ({field.needed})")
    became = ", ".join(places) or ("dropped" if field.reasons else "changes nothing")
    return left, " · ".join((became, *field.reasons))


def two_columns(rows: Sequence[Row]) -> Iterator[str]:
    """`temperature 1.5  → temperature 1 · Claude's highest is 1`."""
    lefts = [one_line(left, WIDEST) for left, _ in rows]
    width = max(map(columns, lefts), default=0)
    for left, (_, right) in zip(lefts, rows, strict=True):
        yield from beside(f"{padded(left, width)} → ", right)


def item_text(item: Any) -> str:
    """A message by its role, a tool by its name."""
    return text_in(object_in(item).get("role")) or tool_name(object_in(item))


def place_text(place: Place, *, value: bool) -> str:
    role = f" ({place.role})" if place.role else ""
    short = value and place.path != ("url",)
    return f"{place.name}{role}" + (f" {compact(place.value, VALUE_SHOWN)}" if short else "")


def rest_lines(found: Trace) -> Iterator[str]:
    if found.notes:
        yield GAP
    for note in found.notes:
        yield from beside("", f"{note.field}: {note.reason}")
    if found.untraced:
        yield GAP
        yield f"{found.untraced} fields were not followed: the request is too large."


# --- anything else, side by side ------------------------------------------------------------------------------


def compared_lines(side: Side, sent: Kept) -> Iterator[str]:
    """The top-level fields of both requests, and the notes of the translation."""
    reasons = {text_in(note.get("field")): text_in(note.get("reason")) for note in notes_of(side.record)}
    client = loads_object(sent.body)
    provider = loads_object(side.flow.request.raw_content or b"")
    if client is None or provider is None:
        yield "The request is no JSON object: its fields are in the views of both sides."
    else:
        rows = [compared_row(name, value, provider, reasons.pop(name, "")) for name, value in client.items()]
        rows += [
            (ADDED, f"{one_line(name)} {compact(value, VALUE_SHOWN)}")
            for name, value in provider.items()
            if name not in client
        ]
        yield from two_columns(rows)
    for field, reason in reasons.items():
        yield from beside("", f"{field}: {reason}")


def compared_row(name: str, value: Any, provider: Mapping[str, Any], reason: str) -> Row:
    if name not in provider:
        right = "not under this name"
    else:
        right = "the same" if provider[name] == value else f"{one_line(name)} {compact(provider[name], VALUE_SHOWN)}"
    return f"{name} {compact(value, VALUE_SHOWN)}", right + (f" · {reason}" if reason else "")


def notes_of(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    dropped = account_of(record).get("dropped")
    return objects_in(list(dropped) if isinstance(dropped, list | tuple) else None)
