import pytest

LOCAL = "provider: local\nbase_url: http://localhost:1/v1\npreferences:\n"


def test_all_of_them_are_read(provider):
    """Each as its own type."""
    preferences = provider(
        LOCAL
        + """
  headers: {X-Team: research, x-count: 3}
  proxy: socks5://user:fake@proxy.example:1080
  api_key_rate_limit: 15/min,1500/Day
  api_key_cooldown_period: 60
  api_key_schedule_algorithm: random
  cooldown_period: 0
  model_timeout: {gpt-4o: 10, default: 2.5}
  post_body_parameter_overrides:
    temperature: 0.5
    seed: 7
    stop: [a, null, true, "5"]
    metadata: {user: "${NAME}", nested: {deep: [~, {}]}}
  hedge_after: 1.5
""",
        NAME="someone",
    ).preferences
    assert preferences.headers == {"X-Team": "research", "x-count": "3"}
    assert preferences.proxy == "socks5://user:fake@proxy.example:1080"
    assert preferences.api_key_rate_limit == {"default": "15/min,1500/day"}
    assert preferences.api_key_cooldown_period == 60
    assert preferences.api_key_schedule_algorithm == "random"
    assert preferences.cooldown_period == 0
    assert preferences.model_timeout == {"gpt-4o": 10, "default": 2.5}
    assert preferences.post_body_parameter_overrides == {
        "temperature": 0.5,
        "seed": 7,
        "stop": ["a", None, True, "5"],
        "metadata": {"user": "someone", "nested": {"deep": [None, {}]}},
    }
    assert preferences.hedge_after == 1.5


def test_limits_by_model(provider):
    """`default` is for the models that are not named."""
    preferences = provider(
        LOCAL + "  api_key_rate_limit: {big: '2/min,50/day', default: 4/min, free: none}"
    ).preferences
    assert preferences.api_key_rate_limit == {"big": "2/min,50/day", "default": "4/min", "free": "none"}


def test_what_is_to_be_removed_is_one_name_or_a_list(provider):
    """At every depth; an empty list removes nothing."""
    overrides = provider(
        LOCAL
        + """
  post_body_parameter_overrides:
    __remove__: temperature
    m: {__remove__: [a, "b"], options: {__remove__: c}}
    other: {__remove__: []}
    nothing: {__remove__: }
"""
    ).preferences.post_body_parameter_overrides
    assert overrides == {
        "__remove__": ["temperature"],
        "m": {"__remove__": ["a", "b"], "options": {"__remove__": ["c"]}},
        "other": {"__remove__": []},
        "nothing": {"__remove__": []},
    }


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("gpt-4", "; did you mean gpt-4o?"),
        ("vendor/model", ""),
        ("qwen2.5", ""),
        ("gpt-4o", None),
        ("their-gpt", None),
        ("thinking", None),
        ("generationConfig", None),
    ],
)
def test_overrides_for_a_model_that_is_not_listed_are_warned_about(load, name, warning):
    """A mapping under what is called as only models are; others are parameters."""
    text = f"""
providers:
  - provider: a
    base_url: http://localhost:1/v1
    model: [their-gpt: gpt-4o]
    preferences:
      post_body_parameter_overrides:
        {name}: {{temperature: 0}}
api_keys: [{{api: sk-fake-client}}]
"""
    path = f"api.yaml:8: providers[0].preferences.post_body_parameter_overrides.{name}"
    told = "is no model in this provider's list, so it goes into every body as a parameter"
    assert [str(found) for found in load(text).warnings] == ([] if warning is None else [f"{path}: {told}{warning}"])
    assert load(text.replace("model:", "notes: a #")).warnings == ()


def test_a_models_overrides_that_are_no_mapping_are_warned_about(load):
    """Nothing of them is sent: the name is no parameter's."""
    loaded = load(
        """\
        providers:
          - provider: a
            base_url: http://localhost:1/v1
            model: [gpt-4o]
            preferences: {post_body_parameter_overrides: {gpt-4o: low}}
        api_keys: [{api: sk-fake-client}]
        """
    )
    assert [str(warning) for warning in loaded.warnings] == [
        "api.yaml:5: providers[0].preferences.post_body_parameter_overrides.gpt-4o: is a model, whose parameters "
        "are a mapping (lines of `key: value`); this is ignored"
    ]


def test_mappings_cannot_be_changed(provider):
    """A running request keeps the configuration it began with."""
    preferences = provider(LOCAL + "  headers: {a: b}").preferences
    with pytest.raises(TypeError):
        preferences.headers["a"] = "c"


@pytest.mark.parametrize("proxy", ["http://proxy:8080", "https://proxy", "socks5://127.0.0.1:1080"])
def test_proxies(provider, proxy):
    """The three kinds there are."""
    assert provider(f"{LOCAL}  proxy: {proxy}").preferences.proxy == proxy


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("headers: [a]", "headers: must be a mapping (lines of `key: value`); got a list"),
        ("headers: {a: [b]}", "headers.a: must be a text; got a list"),
        ('headers: {a: "x\\r\\nb: c"}', "headers.a: must be a text of printable ASCII characters on one line"),
        ("headers: {a: ü}", "headers.a: must be a text of printable ASCII characters on one line"),
        ("headers: {a b: c}", "headers.a b: is no name of a header; letters, digits and `-` make one"),
        ("proxy: proxy:8080", "proxy: must be a URL that begins with http://, https:// or socks5://"),
        ("proxy: socks4://x:1", "proxy: must be a URL that begins with http://, https:// or socks5://"),
        ("proxy: 'socks5://:1'", "proxy: must be a URL with a host, as http://host:port/path"),
        (
            "api_key_rate_limit: often",
            "api_key_rate_limit: must be N/unit, as 60/min or 2/s,100/hour "
            "(units s, min, hour, day, month, year), or none; got 'often'",
        ),
        (
            "api_key_rate_limit: {m: 0/min}",
            "api_key_rate_limit.m: must be N/unit, as 60/min or 2/s,100/hour "
            "(units s, min, hour, day, month, year), or none; got '0/min'",
        ),
        ("api_key_rate_limit: [1/min]", "api_key_rate_limit: must be a text; got a list"),
        (
            "api_key_cooldown_period: -1",
            "api_key_cooldown_period: must be a number of seconds, 0 or more; got '-1'",
        ),
        (
            "api_key_schedule_algorithm: lottery",
            "api_key_schedule_algorithm: must be round_robin, fixed_priority or random; got 'lottery'",
        ),
        ("cooldown_period: soon", "cooldown_period: must be a number of seconds, 0 or more; got 'soon'"),
        ("model_timeout: {m: x}", "model_timeout.m: must be a number of seconds above 0; got 'x'"),
        (
            "post_body_parameter_overrides: [a]",
            "post_body_parameter_overrides: must be a mapping (lines of `key: value`); got a list",
        ),
        (
            "post_body_parameter_overrides: {a: {b: '${NOT_SET}'}}",
            "post_body_parameter_overrides.a.b: the environment variable NOT_SET is not set; "
            "set it or write ${NOT_SET:-default}",
        ),
        (
            "post_body_parameter_overrides: {a: {b: 1, b: 2}}",
            "post_body_parameter_overrides.a.b: stands twice, first in line 5; one of them must go",
        ),
        (
            "post_body_parameter_overrides: {__remove__: 5}",
            "post_body_parameter_overrides.__remove__: must be the name of a parameter, or a list of names; got '5'",
        ),
        (
            "post_body_parameter_overrides: {__remove__: [a, [b]]}",
            "post_body_parameter_overrides.__remove__[1]: must be the name of a parameter, or a list of names; "
            "got a list",
        ),
        (
            "post_body_parameter_overrides: {__remove__: {a: b}}",
            "post_body_parameter_overrides.__remove__: must be the name of a parameter, or a list of names; "
            "got a mapping",
        ),
        ("hedge_after: 0", "hedge_after: must be a number of seconds above 0; got '0'"),
    ],
)
def test_wrong_ones_are_told(provider_problems, line, message):
    """Each at its place."""
    assert provider_problems(f"{LOCAL}  {line}") == [f"providers[0].preferences.{message}"]


@pytest.mark.parametrize("written", [".nan", "nan", ".inf", "-.inf", "1e999", "true"])
@pytest.mark.parametrize("key", ["api_key_cooldown_period", "cooldown_period", "hedge_after"])
def test_a_duration_is_finite_and_no_boolean(provider_problems, key, written):
    """YAML's own words for what is no number are none here."""
    (message,) = provider_problems(f"{LOCAL}  {key}: {written}")
    assert message.startswith(f"providers[0].preferences.{key}: must be a number of seconds")


def test_what_may_be_a_credential_is_not_shown(provider_problems):
    """A header's value, a proxy's password."""
    text = "\n".join(
        provider_problems(
            LOCAL + '  headers: {authorization: "fake-credential\\n"}\n  proxy: "ftp://u:fake-credential@p"\n'
            '  cooldown_period: fake-credential\n  hedge_after: "x fake-credential y"'
        )
    )
    assert "fake-credential" not in text
