"""Which models a rule of a client key means.

In order of priority: `all`; `<a/b>`, the whole text in brackets an alias; `provider/alias` and
`provider/*` where a provider has the name before the first slash; else an alias of any provider,
slashes and all. An alias that ends in `*` means all that begin so.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from config.schema import Model, Provider

EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A rule, taken apart."""

    provider: str | None
    """None = any."""
    alias: str
    is_prefix: bool


def pattern(rule_text: str, provider_names: Container[str]) -> Pattern:
    """Take a rule apart. Names matter: `a/b` is the provider's only where a provider is called `a`."""
    if rule_text == EVERYTHING:
        return Pattern(None, "", is_prefix=True)
    provider, slash, rest = rule_text.partition("/")
    if rule_text.startswith("<") and rule_text.endswith(">"):
        name, alias = None, rule_text[1:-1]
    elif slash and provider in provider_names:
        name, alias = provider, rest
    else:
        name, alias = None, rule_text
    return Pattern(name, alias.removesuffix("*"), is_prefix=alias.endswith("*"))


class ModelIndex:
    """The models that providers offer, so arranged that many rules are matched quickly."""

    def __init__(self, providers: Sequence[Provider]) -> None:
        self._all: list[tuple[int, Model]] = []
        self._by_provider: dict[str, list[tuple[int, Model]]] = {}
        self._by_alias: dict[str, list[tuple[int, Model]]] = {}
        self._discovering: set[str] = set()
        for index, provider in enumerate(providers):
            of_name = self._by_provider.setdefault(provider.name, [])
            if provider.models is None:
                self._discovering.add(provider.name)
            for model in provider.models or ():
                self._all.append((index, model))
                of_name.append((index, model))
                self._by_alias.setdefault(model.alias, []).append((index, model))

    def matches(self, rule_text: str) -> list[tuple[int, Model]]:
        """See `matches` below."""
        rule = pattern(rule_text, self._by_provider)
        if rule.provider is None and not rule.is_prefix:
            return list(self._by_alias.get(rule.alias, ()))
        offered = self._all if rule.provider is None else self._by_provider[rule.provider]
        if rule.is_prefix:
            return [(index, model) for index, model in offered if model.alias.startswith(rule.alias)]
        return [(index, model) for index, model in offered if model.alias == rule.alias]

    def undecided(self, rule_text: str) -> bool:
        """Whether models that are still to be discovered might match."""
        rule = pattern(rule_text, self._by_provider)
        return bool(self._discovering) if rule.provider is None else rule.provider in self._discovering

    def aliases(self) -> list[str]:
        """What clients may ask for, each once."""
        return list(self._by_alias)


def matches(rule_text: str, providers: Sequence[Provider]) -> list[tuple[int, Model]]:
    """The models a rule means, in file order, each with its provider's index.

    Providers whose models are not known (None) give nothing.
    """
    return ModelIndex(providers).matches(rule_text)
