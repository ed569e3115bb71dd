"""From the text of an api.yaml to a Config, or to every problem in it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.clients import read_client_keys
from config.document import Document
from config.fields import read_model_timeouts
from config.nodes import BadYaml, Pairs, parse
from config.problems import ConfigError, Problem
from config.providers import read_provider
from config.reader import Value
from config.rules import ModelIndex
from config.schema import Config, Preferences
from config.sections import Section

__all__ = ["ConfigError", "Loaded", "Problem", "load_text"]

KEYS = ("providers", "api_keys", "preferences")
PREFERENCE_KEYS = ("model_timeout", "cooldown_period")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used, and what is odd about it."""

    config: Config
    warnings: tuple[Problem, ...]


def load_text(text: str, source: str, environ: Mapping[str, str]) -> Loaded:
    """Read, check and type a configuration.

    `source` names the text in messages; `${NAME}` in it is filled from `environ`.
    Raises ConfigError with all that is wrong, and nothing else whatever the text.
    """
    try:
        root = parse(text)
    except BadYaml as error:
        raise ConfigError([Problem(source, error.line, "", str(error))]) from None
    if not isinstance(root, Pairs):
        message = "must be a mapping with the keys providers and api_keys"
        raise ConfigError([Problem(source, 1, "", message)])
    document = Document(source, environ)
    section = Section.read(Value(document, root, ""), KEYS)
    config = _config(section) if section else None
    problems, warnings = document.problems(), document.warnings()
    if config is None or problems:
        raise ConfigError(problems, warnings)
    return Loaded(config, warnings)


def _config(section: Section) -> Config:
    """All of it as far as it is right; not to be used when problems were reported."""
    entries = section.required("providers", _entries, "a list of at least one provider") or []
    providers = [provider for entry in entries if (provider := read_provider(entry)) is not None]
    all_are_known = len(providers) == len(entries) > 0 and all(provider.name for provider in providers)
    return Config(
        providers=tuple(providers),
        client_keys=read_client_keys(
            section.required("api_keys", _entries, "a list of at least one client key") or [],
            ModelIndex(providers) if all_are_known else None,
        ),
        preferences=_preferences(section.subsection("preferences", PREFERENCE_KEYS)),
    )


def _entries(value: Value) -> list[Value] | None:
    entries = value.items()
    if entries == []:
        value.problem("must have at least one entry; the list is empty")
    return entries


def _preferences(section: Section) -> Preferences:
    usual = Preferences()
    return Preferences(
        model_timeout=section.given("model_timeout", read_model_timeouts, usual.model_timeout),
        cooldown_period=section.given("cooldown_period", Value.seconds, usual.cooldown_period),
    )
