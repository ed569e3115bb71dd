import pytest

from config.engines import ENGINES
from config.schema import Model, ProviderPreferences

LOCAL = "provider: local\nbase_url: http://localhost:1/v1\n"
PEM = "-----BEGIN PRIVATE KEY-----\nFAKE\n-----END PRIVATE KEY-----"
VERTEX = "provider: vertex\nproject_id: fake-project\n"


def test_defaults(provider):
    """What an entry of two lines means."""
    found = provider(LOCAL)
    assert found.name == "local"
    assert found.base_url == "http://localhost:1/v1"
    assert found.keys == ()
    assert found.models is None
    assert found.tools is True
    assert found.image is True
    assert found.engine == "gpt"
    assert (found.project_id, found.private_key, found.client_email) == (None, None, None)
    assert (found.credentials_file, found.token_uri, found.regions) == (None, None, ())
    assert found.cf_account_id is None
    assert found.notes == ""
    assert found.preferences == ProviderPreferences()
    assert found.line == 2


@pytest.mark.parametrize(
    ("written", "name"),
    [("openai", "openai"), ("1", "1"), ("1.0", "1.0"), ("'no'", "no"), ("2024-05-13", "2024-05-13")],
)
def test_the_name_is_a_text_or_a_number_as_written(provider, written, name):
    """Not what the number is worth."""
    assert provider(f"provider: {written}\nbase_url: http://localhost/v1").name == name


def test_a_name_with_a_slash_is_warned_about(load):
    """Rules end the provider's name at the first slash."""
    loaded = load("providers: [{provider: a/b, base_url: 'http://localhost/v1'}]\napi_keys: [{api: sk-fake-client}]")
    assert [str(warning) for warning in loaded.warnings] == [
        "api.yaml:1: providers[0].provider: has a slash: rules (`provider/model`) cannot name this provider"
    ]


def test_two_entries_of_one_name_stay_apart(load):
    """Each has its own models and keys."""
    first, second = load(
        """
        providers:
          - {provider: x, base_url: "http://localhost:1/v1", api: key-one, model: [a]}
          - {provider: x, base_url: "http://localhost:2/v1", api: key-two, model: [b]}
        api_keys: [{api: sk-fake-client}]
        """
    ).config.providers
    assert first.name == second.name
    assert [key.reveal() for key in first.keys] == ["key-one"]
    assert second.models == (Model("b", "b"),)


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("sk-fake", ["sk-fake"]),
        ("[sk-fake-1, sk-fake-2]", ["sk-fake-1", "sk-fake-2"]),
        ("12345", ["12345"]),
        ('" sk-fake\\n"', ["sk-fake"]),
        ("[]", []),
        ("", []),
    ],
)
def test_api_is_one_key_or_a_list(provider, written, keys):
    """In order; a number is taken as written, and space around a key is none of it."""
    assert [key.reveal() for key in provider(f"{LOCAL}api: {written}").keys] == keys


def test_a_key_counts_once(load):
    """Twice the same would be asked twice as often."""
    loaded = load(
        """
        providers:
          - {provider: x, base_url: "http://localhost:1/v1", api: [key-one, key-two, key-one]}
        api_keys: [{api: sk-fake-client}]
        """
    )
    assert [key.reveal() for key in loaded.config.providers[0].keys] == ["key-one", "key-two"]
    assert [warning.path for warning in loaded.warnings] == ["providers[0].api[2]"]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{a: b}", "providers[0].api: must be a text; got a mapping"),
        ("true", "providers[0].api: must be a text; got a boolean"),
        ("[sk-fake, [x]]", "providers[0].api[1]: must be a text; got a list"),
        ("[sk-fake, ]", None),
        ("[sk-fake, '']", "providers[0].api[1]: must be a text; got nothing"),
    ],
)
def test_wrong_keys_are_told_by_their_kind(provider, provider_problems, written, message):
    """And never by what they are."""
    if message is None:
        assert len(provider(f"{LOCAL}api: {written}").keys) == 1
    else:
        assert provider_problems(f"{LOCAL}api: {written}") == [message]


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("|\n  sk-fake-one-0123456789\n  sk-fake-two-0123456789", "api"),
        ("[sk-fake-ok, 'sk-fake-schlüssel']", "api[1]"),
        ('"sk-fake\\x01key"', "api"),
        ("${KEYS}", "api"),
    ],
    ids=["block", "letters", "control character", "environment"],
)
def test_a_key_that_no_header_can_carry_is_told(provider_problems, written, path):
    """Without any of it, and with what to do where it is several keys."""
    assert provider_problems(f"{LOCAL}api: {written}", KEYS="sk-fake-one\nsk-fake-two") == [
        f"providers[0].{path}: must be a text of printable ASCII characters on one line; "
        "several keys are a list, with `- ` before each"
    ]


def test_models_are_names_or_renamed(provider):
    """One upstream model may have several aliases, and several upstream models one alias."""
    models = provider(
        LOCAL
        + """
model:
  - gpt-4o
  - gpt-4o-2024-11-20: gpt-4o-november
  - gpt-4o-2024-11-20
  - one: short
    two: short
  - 4: 5
  - "@cf/meta/llama": llama
"""
    ).models
    assert [(model.upstream, model.alias, model.renamed) for model in models] == [
        ("gpt-4o", "gpt-4o", False),
        ("gpt-4o-2024-11-20", "gpt-4o-november", True),
        ("gpt-4o-2024-11-20", "gpt-4o-2024-11-20", False),
        ("one", "short", True),
        ("two", "short", True),
        ("4", "5", True),
        ("@cf/meta/llama", "llama", True),
    ]


@pytest.mark.parametrize("written", ["", "model:", "model: []", "model: ~"])
def test_without_models_they_are_to_be_discovered(provider, written):
    """Missing or empty."""
    assert provider(f"{LOCAL}{written}").models is None


def test_a_model_counts_once(load):
    """The same pair twice would be one channel twice."""
    loaded = load(
        "providers: [{provider: x, base_url: 'http://localhost/v1', model: [a, {b: a}, a, {b: a}]}]\n"
        "api_keys: [{api: sk-fake-client}]"
    )
    assert loaded.config.providers[0].models == (Model("a", "a"), Model("b", "a"))
    assert [warning.path for warning in loaded.warnings] == ["providers[0].model[2]", "providers[0].model[3]"]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("gpt-4o", "providers[0].model: must be a list (lines that begin with `- `); got a text"),
        ("{a: b}", "providers[0].model: must be a list (lines that begin with `- `); got a mapping"),
        ("[[a]]", "providers[0].model[0]: must be a text; got a list"),
        ("[{a: }]", "providers[0].model[0].a: must be a text; got nothing"),
        ("[{a: {b: c}}]", "providers[0].model[0].a: must be a text; got a mapping"),
        ("[yes]", "providers[0].model[0]: must be a text; got 'yes', which is a boolean in YAML: quote it"),
    ],
)
def test_wrong_models_are_told(provider_problems, written, message):
    """At the place in the list."""
    assert provider_problems(f"{LOCAL}model: {written}") == [message]


def test_a_rule_for_a_wrong_model_is_not_told_as_well(problems):
    """One mistake, one line."""
    assert problems(
        """\
        providers:
          - {provider: x, base_url: "http://localhost/v1", model: [{a: [b]}]}
        api_keys:
          - {api: sk-fake-client, model: [b]}
        """
    ) == ["api.yaml:2: providers[0].model[0].a: must be a text; got a list"]


@pytest.mark.parametrize(("written", "value"), [("false", False), ("'no'", False), ("on", True), ("'true'", True)])
def test_tools_and_image_are_switches(provider, written, value):
    """Quoted or not."""
    found = provider(f"{LOCAL}tools: {written}\nimage: {written}")
    assert (found.tools, found.image) == (value, value)


@pytest.mark.parametrize(
    "url",
    ["api.openai.com/v1", "localhost:8000", "//api.openai.com", "ftp://x/y", "/v1", "sk-fake-key"],
)
def test_an_address_without_scheme_is_told(provider_problems, url):
    """And not shown: it may be a key in the wrong line."""
    assert provider_problems(f"provider: x\nbase_url: {url}") == [
        "providers[0].base_url: must be a URL that begins with http:// or https://"
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "https:///v1",
        "'http://a b/c'",
        "'http://[::1/v1'",
        "http://x:99999/",
        "http://x:y",
        "http://a..b/v1",
        f"http://{'a' * 64}.example/v1",
    ],
)
def test_an_address_without_host_is_told(provider_problems, url):
    """Also one that is broken in other ways."""
    assert provider_problems(f"provider: x\nbase_url: {url}") == [
        "providers[0].base_url: must be a URL with a host, as http://host:port/path"
    ]


def test_credentials_do_not_belong_into_an_address(provider_problems):
    """Addresses are shown in logs and statistics."""
    (message,) = provider_problems("provider: x\nbase_url: https://user:fake-password@host/v1")
    assert message.startswith("providers[0].base_url: must hold no user and password")
    assert "fake-password" not in message


KEYS_ELSEWHERE = "keys belong to api, other credentials to preferences.headers"


@pytest.mark.parametrize(
    ("engine", "query", "advice"),
    [
        ("gpt", "key=fake-secret", KEYS_ELSEWHERE),
        ("claude", "fake-secret", KEYS_ELSEWHERE),
        ("gpt", "api-version=fake-secret", "engine azure sends api-version"),
        ("azure", "api-version=2024-10-21&key=fake-secret", KEYS_ELSEWHERE),
        ("azure", "api-version=2024-10-21", None),
        ("gpt", "", None),
    ],
)
def test_a_query_that_is_not_sent_is_warned_about(load, engine, query, advice):
    """And not shown: it may be a key."""
    loaded = load(
        f"""
        providers:
          - {{provider: a, engine: {engine}, api: key, base_url: "https://host.example/v1?{query}"}}
        api_keys: [{{api: sk-fake-client}}]
        """
    )
    told = f"providers[0].base_url: engine {engine} does not send its query (what stands behind the ?); {advice}"
    assert [str(warning) for warning in loaded.warnings] == ([f"api.yaml:3: {told}"] if advice else [])


def test_an_address_with_a_fragment_is_told(provider_problems):
    """Endpoints would be put behind it."""
    assert provider_problems("provider: x\nbase_url: https://host/v1#fake-secret") == [
        "providers[0].base_url: must end before the #: no server is sent what stands behind it"
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_can_be_forced(provider, engine):
    """Whatever the address says."""
    entry = f"{LOCAL}api: key\nproject_id: p\ncf_account_id: c\nengine: {engine}"
    assert provider(entry).engine == engine


def test_an_unknown_engine_is_told_alone(provider_problems):
    """What the right one would need is not known."""
    (message,) = provider_problems("provider: x\nengine: gemni")
    assert message.endswith("cloudflare or azure (did you mean gemini?); got 'gemni'")


@pytest.mark.parametrize(
    ("entry", "messages"),
    [
        ("engine: gpt", ["base_url: is missing; engine gpt has no address of its own"]),
        ("", ["base_url: is missing; engine gpt has no address of its own"]),
        ("engine: azure\napi: k", ["base_url: is missing; engine azure has no address of its own"]),
        ("engine: claude", ["api: is missing; engine claude needs one key or a list of them"]),
        ("engine: gemini", ["api: is missing; engine gemini needs one key or a list of them"]),
        ("engine: openrouter", ["api: is missing; engine openrouter needs one key or a list of them"]),
        ("engine: cohere", ["api: is missing; engine cohere needs one key or a list of them"]),
        ("engine: cohere\napi: ''", ["api: is missing; engine cohere needs one key or a list of them"]),
        (
            "engine: cloudflare",
            [
                "api: is missing; engine cloudflare needs one key or a list of them",
                "cf_account_id: is missing; engine cloudflare needs it for its addresses",
            ],
        ),
        ("engine: vertex-claude", ["project_id: is missing; engine vertex-claude needs the Google Cloud project"]),
        (
            "base_url: https://us-east5-aiplatform.googleapis.com",
            ["project_id: is missing; engine vertex needs the Google Cloud project"],
        ),
    ],
)
def test_what_an_engine_cannot_do_without(provider_problems, entry, messages):
    """Told with the engine that was forced or recognised."""
    assert provider_problems(f"provider: x\n{entry}") == [f"providers[0].{message}" for message in messages]


@pytest.mark.parametrize(
    "entry",
    [
        "engine: claude\napi: k",
        "engine: gemini\napi: k",
        "engine: openrouter\napi: k",
        "engine: cohere\napi: k",
        "cf_account_id: c\napi: k",
        "project_id: p",
        "engine: vertex-gemini\nproject_id: p",
    ],
)
def test_engines_with_a_host_of_their_own_need_no_address(provider, entry):
    """Vertex needs no key either."""
    assert provider(f"provider: x\n{entry}").base_url is None


@pytest.mark.parametrize(
    "written",
    [
        '"-----BEGIN PRIVATE KEY-----\\nFAKE\\n-----END PRIVATE KEY-----\\n"',
        r"'-----BEGIN PRIVATE KEY-----\nFAKE\n-----END PRIVATE KEY-----'",
        "|\n  -----BEGIN PRIVATE KEY-----\n  FAKE\n  -----END PRIVATE KEY-----",
        "${PEM}",
    ],
    ids=["escaped", "literal", "block", "environment"],
)
def test_a_private_key_has_real_line_ends_however_written(provider, written):
    """A JSON key file has `\\n` as two letters."""
    found = provider(f"{VERTEX}client_email: a@example.com\nprivate_key: {written}", PEM=PEM.replace("\n", "\\n"))
    assert found.engine == "vertex"
    assert found.client_email == "a@example.com"
    assert found.private_key is not None
    assert found.private_key.reveal() == PEM


@pytest.mark.parametrize(
    ("lines", "messages"),
    [
        (
            "client_email: a@example.com\nprivate_key: c2VjcmV0LWZha2Uta2V5",
            ["private_key: must be the PEM text of a key, from its line -----BEGIN to its line -----END"],
        ),
        ("client_email: a@example.com", ["private_key: is missing; client_email is of no use without it"]),
        (
            f"private_key: {PEM!r}",
            ["client_email: is missing; private_key is of no use without it"],
        ),
        (
            f"client_email: a@example.com\nprivate_key: {PEM!r}\ncredentials_file: /x.json",
            ["credentials_file: says the same as private_key; one of them must go"],
        ),
        ("token_uri: oauth2.googleapis.com", ["token_uri: must be a URL that begins with http:// or https://"]),
        ("region: Mars", ["region: must be a region, as us-east5 or global; got 'Mars'"]),
        ("region: [us-east5, us_east5]", ["region[1]: must be a region, as us-east5 or global; got 'us_east5'"]),
        (
            "region: us-east5\npreferences: {region: global}",
            ["region: stands here and in preferences; one of them must go"],
        ),
    ],
)
def test_wrong_vertex_credentials_and_regions_are_told(provider_problems, lines, messages):
    """What contradicts itself, and what is half of a pair."""
    assert provider_problems(VERTEX + lines) == [f"providers[0].{message}" for message in messages]


@pytest.mark.parametrize(
    ("lines", "regions"),
    [
        ("region: us-east5", ("us-east5",)),
        ("region: [us-east5, europe-west1, us-east5]", ("us-east5", "europe-west1")),
        ("preferences: {region: global}", ("global",)),
        ("preferences: {region: [us, eu]}", ("us", "eu")),
    ],
)
def test_regions_stand_in_either_place(provider, lines, regions):
    """One or a list, each once."""
    assert provider(VERTEX + lines).regions == regions


def test_the_other_vertex_keys(provider):
    """A key file, a token address, an endpoint of one's own."""
    found = provider(
        VERTEX + "credentials_file: /etc/key.json\ntoken_uri: http://localhost:1/token\nbase_url: http://localhost:2"
    )
    assert found.engine == "vertex"
    assert found.credentials_file == "/etc/key.json"
    assert found.token_uri == "http://localhost:1/token"
    assert found.base_url == "http://localhost:2"


def test_notes_are_free_text(provider):
    """For people."""
    assert provider(f"{LOCAL}notes: https://example.com/docs, ask Jo").notes == "https://example.com/docs, ask Jo"


def test_a_provider_shows_no_secret(provider):
    """Neither keys nor what may hold credentials."""
    found = provider(
        LOCAL
        + "api: sk-fake-secret-key-0123456789\n"
        + "preferences: {proxy: 'http://u:fake-secret@p:1', headers: {authorization: fake-secret},"
        + " post_body_parameter_overrides: {token: fake-secret}}"
    )
    assert "secret" not in repr(found)


def test_where_it_stands_does_not_make_it_another_provider(load):
    """A comment above it changes its line, and nothing that runs."""
    text = "providers: [{provider: x, base_url: 'http://localhost/v1'}]\napi_keys: [{api: sk-fake-client}]"
    before, after = load(text).config, load("# comment\n" + text).config
    assert before.providers[0].line + 1 == after.providers[0].line
    assert before == after
