"""Entries of `providers`."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from config.engines import API_VERSION, ENGINES, NEEDS_BASE_URL, NEEDS_KEY, VERTEX_ENGINES, recognise
from config.fields import read_header_value, read_url
from config.nodes import Pairs
from config.provider_preferences import KEYS as PREFERENCE_KEYS
from config.provider_preferences import read_provider_preferences
from config.reader import Value
from config.schema import Model, Provider
from config.secrets import Secret
from config.sections import Section

KEYS = (
    "provider",
    "base_url",
    "api",
    "model",
    "tools",
    "image",
    "engine",
    "project_id",
    "private_key",
    "client_email",
    "credentials_file",
    "token_uri",
    "region",
    "cf_account_id",
    "notes",
    "preferences",
)
WEB_SCHEMES = ("http", "https")
REGION = re.compile(r"[a-z]+(?:-[a-z]+[0-9]+)?")
"""`us-east5`, `europe-west4`, and the `global`, `us` and `eu` that are none."""


def read_provider(place: Value) -> Provider | None:
    """One entry. None when it is no mapping; what is wrong inside is reported and left out."""
    section = Section.read(place, KEYS)
    if section is None:
        return None
    name = section.required("provider", Value.text, "a name of your choice") or ""
    if "/" in name:
        section.warning("provider", "has a slash: rules (`provider/model`) cannot name this provider")
    base_url = section.given("base_url", _base_url, None)
    project_id = section.given("project_id", Value.text, None)
    cf_account_id = section.given("cf_account_id", Value.text, None)
    forced = section.given("engine", lambda value: value.choice(ENGINES), None)
    engine = forced or recognise(base_url, project_id, cf_account_id)
    if forced or not section.holds("engine"):
        _check_needs(section, engine)
        _check_query(section, engine, base_url)
    preferences = section.subsection("preferences", PREFERENCE_KEYS)
    if section.holds("region") and preferences.holds("region"):
        section.problem("region", "stands here and in preferences; one of them must go")
    models = section.given("model", _models, None)
    names = None if models is None else {name for model in models for name in (model.upstream, model.alias)}
    return Provider(
        name=name,
        base_url=base_url,
        keys=section.given("api", _keys, ()),
        models=models,
        tools=section.given("tools", Value.boolean, True),
        image=section.given("image", Value.boolean, True),
        engine=engine,
        project_id=project_id,
        private_key=section.given("private_key", _private_key, None),
        client_email=section.given("client_email", Value.text, None),
        credentials_file=section.given("credentials_file", Value.text, None),
        token_uri=section.given("token_uri", lambda value: read_url(value, WEB_SCHEMES), None),
        regions=section.given("region", _regions, ()) or preferences.given("region", _regions, ()),
        cf_account_id=cf_account_id,
        notes=section.given("notes", Value.text, ""),
        preferences=read_provider_preferences(preferences, names),
        line=place.node.line,
    )


def _check_needs(section: Section, engine: str) -> None:
    """What an engine cannot do without, and what does not go together."""
    if engine in NEEDS_BASE_URL and not section.holds("base_url"):
        section.problem("base_url", f"is missing; engine {engine} has no address of its own")
    if engine in NEEDS_KEY and not section.holds("api"):
        section.problem("api", f"is missing; engine {engine} needs one key or a list of them")
    if engine == "cloudflare" and not section.holds("cf_account_id"):
        section.problem("cf_account_id", "is missing; engine cloudflare needs it for its addresses")
    if engine in VERTEX_ENGINES and not section.holds("project_id"):
        section.problem("project_id", f"is missing; engine {engine} needs the Google Cloud project")
    for one, other in (("private_key", "client_email"), ("client_email", "private_key")):
        if section.holds(one) and not section.holds(other):
            section.problem(other, f"is missing; {one} is of no use without it")
    if section.holds("private_key") and section.holds("credentials_file"):
        section.problem("credentials_file", "says the same as private_key; one of them must go")


def _check_query(section: Section, engine: str, base_url: str | None) -> None:
    """What is not sent of an address: it may be a key, so no message shows it."""
    names = set(parse_qs(urlsplit(base_url or "").query, keep_blank_values=True))
    if engine == "azure":
        names.discard(API_VERSION)
    advice = "keys belong to api, other credentials to preferences.headers"
    if API_VERSION in names:
        advice = f"engine azure sends {API_VERSION}"
    if names:
        section.warning("base_url", f"engine {engine} does not send its query (what stands behind the ?); {advice}")


def _base_url(value: Value) -> str | None:
    url = read_url(value, WEB_SCHEMES)
    if url is not None and "@" in urlsplit(url).netloc:
        value.problem("must hold no user and password; keys belong to api, other credentials to headers")
        return None
    if url is not None and urlsplit(url).fragment:
        value.problem("must end before the #: no server is sent what stands behind it")
        return None
    return url


def _keys(value: Value) -> tuple[Secret, ...]:
    """Each key once, in order."""
    keys: dict[Secret, None] = {}
    for entry in value.one_or_more():
        key = read_header_value(entry, "; several keys are a list, with `- ` before each")
        if key in keys:
            entry.warning("is there already; a key counts once")
        elif key is not None:
            keys[key] = None
    return tuple(keys)


def _models(value: Value) -> tuple[Model, ...] | None:
    """None for an empty list, too: nothing listed means all that the provider has.

    None also when an entry is wrong, so that a rule which means that entry is not reported as well.
    """
    entries = [
        (entry, upstream, alias)
        for entry in value.items() or []
        for upstream, alias in (_renamed(entry) if isinstance(entry.node, Pairs) else _named(entry))
    ]
    models: dict[Model, None] = {}
    for entry, upstream, alias in entries:
        if upstream is None or alias is None:
            return None
        model = Model(upstream, alias)
        if model in models:
            entry.warning("is listed already; a model counts once")
        models[model] = None
    return tuple(models) or None


def _named(entry: Value) -> list[tuple[str | None, str | None]]:
    name = entry.text()
    return [(name, name)]


def _renamed(entry: Value) -> list[tuple[str | None, str | None]]:
    return [(upstream, alias.text()) for upstream, alias in entry.entries() or []]


def _private_key(value: Value) -> Secret | None:
    """PEM text; the `\\n` that a JSON key file has for its line ends become real ones."""
    written = value.secret()
    if written is None:
        return None
    text = written.reveal().replace("\\n", "\n")
    if not text.startswith("-----BEGIN ") or "-----END" not in text:
        value.problem("must be the PEM text of a key, from its line -----BEGIN to its line -----END")
        return None
    return Secret(text)


def _regions(value: Value) -> tuple[str, ...]:
    regions: dict[str, None] = {}
    for entry in value.one_or_more():
        region = entry.text()
        if region is not None and not REGION.fullmatch(region):
            entry.must_be("a region, as us-east5 or global")
        elif region is not None:
            regions[region] = None
    return tuple(regions)
