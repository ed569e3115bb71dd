"""Entries of `api_keys`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace

from config.fields import read_header_value, read_rate_limit
from config.nodes import Pairs
from config.reader import Value
from config.rules import EVERYTHING, ModelIndex
from config.schema import ClientKey, ClientPreferences, Rule
from config.secrets import Secret
from config.sections import Section

KEYS = ("api", "model", "role", "preferences")
PREFERENCE_KEYS = ("scheduling_algorithm", "auto_retry", "rate_limit", "enable_moderation", "hedge_after")
UPPER_CASE = {key.upper(): key for key in PREFERENCE_KEYS}
"""How most of them are documented; either case will do."""

SCHEDULING_ALGORITHMS = ("fixed_priority", "round_robin", "random", "weighted_round_robin", "lottery")
ADMIN = "admin"
USER = "user"

MOST_ALIASES_TO_COMPARE = 1000
"""With more of them a search for a similar name takes longer than it helps."""


def read_client_keys(places: Iterable[Value], models: ModelIndex | None) -> tuple[ClientKey, ...]:
    """All entries. `models` is what rules must match; None when that is not known.

    Where no entry has the role admin, the first one gets it: somebody must be able to.
    """
    seen: dict[Secret, str] = {}
    keys = [key for place in places if (key := _client_key(place, models, seen)) is not None]
    if keys and all(key.role != ADMIN for key in keys):
        keys[0] = replace(keys[0], role=ADMIN)
    return tuple(keys)


def _client_key(place: Value, models: ModelIndex | None, seen: dict[Secret, str]) -> ClientKey | None:
    """One entry. `seen` tells which keys were there before, and where."""
    section = Section.read(place, KEYS)
    if section is None:
        return None
    api = section.required("api", read_header_value, "the key that the client sends")
    if api in seen:
        section.problem("api", f"is the same key as that of {seen[api]}; one of them must go")
    elif api is not None:
        seen[api] = f"{place.path} in line {place.node.line}"
    everything: tuple[Rule, ...] = (Rule(EVERYTHING, None),)
    rules = section.given("model", lambda value: _rules(value, models), everything)
    role = section.given("role", Value.text, USER)
    preferences = _preferences(section.subsection("preferences", PREFERENCE_KEYS, UPPER_CASE))
    if api is None:
        return None
    return ClientKey(
        api=api,
        rules=rules,
        role=ADMIN if role.lower() == ADMIN else role,
        preferences=preferences,
    )


def _rules(value: Value, models: ModelIndex | None) -> tuple[Rule, ...] | None:
    """None for an empty list: it means the same as no list."""
    rules: list[Rule] = []
    for entry in value.items() or []:
        if isinstance(entry.node, Pairs):
            for weighted, weight in entry.entries() or []:
                _check_match(weight, weighted, models)
                rules.append(Rule(weighted, _weight(weight)))
        elif (text := entry.text()) is not None:
            _check_match(entry, text, models)
            rules.append(Rule(text, None))
    return tuple(rules) or None


def _weight(value: Value) -> int | None:
    allowed = "a weight, which is a whole number above 0"
    weight = value.word(allowed)
    if isinstance(weight, int) and not isinstance(weight, bool) and weight > 0:
        return weight
    if weight is not None:
        value.must_be(allowed)
    return None


def _check_match(place: Value, rule_text: str, models: ModelIndex | None) -> None:
    """A rule that means nothing is a mistake, unless models still to be discovered may change that."""
    if models is None or models.matches(rule_text) or models.undecided(rule_text):
        return
    hint = ""
    if models.matches(f"<{rule_text}>"):
        hint = "; a model whose own name has the slash is written in angle brackets, as <a/b>"
    elif len(aliases := models.aliases()) <= MOST_ALIASES_TO_COMPARE:
        near = difflib.get_close_matches(rule_text, aliases, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
    place.problem(f"matches no model of any provider{hint}; the rule is '{rule_text}'")


def _preferences(section: Section) -> ClientPreferences:
    usual = ClientPreferences()
    return ClientPreferences(
        scheduling_algorithm=section.given(
            "scheduling_algorithm",
            lambda value: value.choice(SCHEDULING_ALGORITHMS),
            usual.scheduling_algorithm,
        ),
        auto_retry=section.given("auto_retry", _auto_retry, usual.auto_retry),
        rate_limit=section.given("rate_limit", read_rate_limit, usual.rate_limit),
        enable_moderation=section.given("enable_moderation", Value.boolean, usual.enable_moderation),
        hedge_after=section.given("hedge_after", Value.seconds_above_zero, usual.hedge_after),
    )


def _auto_retry(value: Value) -> bool | int | None:
    allowed = "true, false, or the number of attempts at most, from 1"
    meaning = value.word(allowed)
    if isinstance(meaning, bool) or (isinstance(meaning, int) and meaning > 0):
        return meaning
    if meaning is not None:
        value.must_be(allowed)
    return None
