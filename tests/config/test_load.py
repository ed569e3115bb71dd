"""The file as a whole: its three keys, and how problems are told. Its parts have tests of their own."""

import pytest

from config.load import ConfigError, load_text
from config.schema import Preferences

GOOD = """
providers:
  - provider: openai
    base_url: https://api.openai.com/v1
    api: sk-fake-upstream-key
    model: [gpt-4o]
api_keys:
  - api: sk-fake-client-key
"""


def test_a_small_file_is_a_whole_configuration(load):
    """What is not said has its default."""
    loaded = load(GOOD)
    assert [provider.name for provider in loaded.config.providers] == ["openai"]
    assert [key.api.reveal() for key in loaded.config.client_keys] == ["sk-fake-client-key"]
    assert loaded.config.preferences == Preferences()
    assert loaded.config.preferences.cooldown_period == 300
    assert loaded.warnings == ()


def test_general_preferences_are_read(load):
    """Timeouts by model, and the cooldown."""
    config = load(
        GOOD
        + """
preferences:
  model_timeout: {gpt-4o: 10, o1: 0.5, default: 30}
  cooldown_period: 0
"""
    ).config
    assert config.preferences == Preferences({"gpt-4o": 10, "o1": 0.5, "default": 30}, 0)


def test_five_mistakes_are_five_lines_in_the_order_of_the_file(problems):
    """All at once, each with file, line, path, what is wrong and what is allowed."""
    assert problems(
        """\
        providers:
          - provider: openai
            base_url: api.openai.com/v1
            api: sk-fake-upstream-key
            model: [gpt-4o]
            engine: gtp
            tools: maybe
        api_keys:
          - api: sk-fake-client-key
            model:
              - gpt-4o: heavy
              - gpt-5
        """
    ) == [
        "api.yaml:3: providers[0].base_url: must be a URL that begins with http:// or https://",
        "api.yaml:6: providers[0].engine: must be gpt, claude, gemini, vertex-claude, vertex-gemini, openrouter, "
        "cohere, cloudflare or azure (did you mean gpt?); got 'gtp'",
        "api.yaml:7: providers[0].tools: must be true or false; got 'maybe'",
        "api.yaml:11: api_keys[0].model[0].gpt-4o: must be a weight, which is a whole number above 0; got 'heavy'",
        "api.yaml:12: api_keys[0].model[1]: matches no model of any provider; did you mean gpt-4o?; "
        "the rule is 'gpt-5'",
    ]


def test_an_unknown_key_is_a_warning_with_the_near_match(load):
    """A newer file must not stop an older gateway."""
    loaded = load(
        """\
        providers:
          - provider: openai
            base_url: https://api.openai.com/v1
            modle: [gpt-4o]
        api_keys:
          - api: sk-fake-client-key
            preferences: {SCHEDULNG_ALGORITHM: random}
        preferences:
          zzz: 1
        plugins: []
        """
    )
    assert [str(warning) for warning in loaded.warnings] == [
        "api.yaml:4: providers[0].modle: unknown key, ignored; did you mean model?",
        "api.yaml:7: api_keys[0].preferences.SCHEDULNG_ALGORITHM: unknown key, ignored; "
        "did you mean SCHEDULING_ALGORITHM?",
        "api.yaml:9: preferences.zzz: unknown key, ignored; known: model_timeout or cooldown_period",
        "api.yaml:10: plugins: unknown key, ignored; known: providers, api_keys or preferences",
    ]


def test_warnings_are_told_beside_the_errors():
    """A misspelt key is unknown, and the right one missing: both lines are needed."""
    with pytest.raises(ConfigError) as caught:
        load_text(GOOD.replace("base_url", "base_ulr"), "api.yaml", {})
    assert [problem.path for problem in caught.value.problems] == ["providers[0].base_url"]
    assert str(caught.value).splitlines() == [
        "api.yaml:3: providers[0].base_url: is missing; engine gpt has no address of its own",
        "api.yaml:4: providers[0].base_ulr: unknown key, ignored; did you mean base_url?",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "api.yaml:1: must be a mapping with the keys providers and api_keys"),
        ("- a\n- b", "api.yaml:1: must be a mapping with the keys providers and api_keys"),
        ("sk-fake-lonely-key", "api.yaml:1: must be a mapping with the keys providers and api_keys"),
        (GOOD + "\nx: [1,\n", "api.yaml:11: not valid YAML"),
    ],
)
def test_what_is_no_configuration_at_all_is_one_problem(problems, text, message):
    """With its line where there is one."""
    (line,) = problems(text)
    assert line.startswith(message)


def test_providers_and_client_keys_are_required(problems):
    """Without either nothing could be served."""
    assert problems("preferences:\n  cooldown_period: 1\n") == [
        "api.yaml:1: providers: is missing; it must be a list of at least one provider",
        "api.yaml:1: api_keys: is missing; it must be a list of at least one client key",
    ]
    assert problems("providers: []\napi_keys: {}\n") == [
        "api.yaml:1: providers: must have at least one entry; the list is empty",
        "api.yaml:2: api_keys: must be a list (lines that begin with `- `); got a mapping",
    ]
    assert problems("providers: [7]\napi_keys: [text]\n") == [
        "api.yaml:1: providers[0]: must be a mapping (lines of `key: value`); got a text",
        "api.yaml:2: api_keys[0]: must be a mapping (lines of `key: value`); got a text",
    ]


@pytest.mark.parametrize(
    ("preferences", "message"),
    [
        ("cooldown_period: -1", "cooldown_period: must be a number of seconds, 0 or more; got '-1'"),
        ("cooldown_period: long", "cooldown_period: must be a number of seconds, 0 or more; got 'long'"),
        ("cooldown_period: yes", "cooldown_period: must be a number of seconds, 0 or more; got 'yes'"),
        ("cooldown_period: [1]", "cooldown_period: must be a number of seconds, 0 or more; got a list"),
        ("model_timeout: 30", "model_timeout: must be a mapping (lines of `key: value`); got a text"),
        ("model_timeout: {o1: 0}", "model_timeout.o1: must be a number of seconds above 0; got '0'"),
        ("model_timeout: {o1: }", "model_timeout.o1: must be a number of seconds above 0; got nothing"),
        ("[a]", "must be a mapping (lines of `key: value`); got a list"),
    ],
)
def test_wrong_general_preferences_are_told(problems, preferences, message):
    """Type and range."""
    separator = ": " if preferences == "[a]" else "."
    assert problems(f"{GOOD}\npreferences:\n  {preferences}\n") == [f"api.yaml:11: preferences{separator}{message}"]


def test_a_key_that_stands_twice_is_told_with_both_lines(problems):
    """YAML parsers take the last and say nothing."""
    assert problems(GOOD + "api_keys:\n  - api: sk-fake-other\n") == [
        "api.yaml:9: api_keys: stands twice, first in line 8; one of them must go"
    ]


def test_a_key_without_value_counts_as_absent(load):
    """As does an empty text: that is what a reference with an empty default gives."""
    loaded = load(GOOD + "preferences:\n  model_timeout:\n  cooldown_period: ${COOLDOWN:-}\n")
    assert loaded.config.preferences == Preferences()


def test_anchors_and_merge_keys_work(load):
    """What a mapping has itself goes before what is merged into it, the first merged before the second."""
    config = load(
        """\
        providers:
          - &first
            provider: first
            base_url: http://localhost:1/v1
            model: &models [gpt-4o]
            tools: false
          - <<: *first
            provider: second
          - <<: [{provider: never, image: false}, *first]
            provider: third
            model: *models
        api_keys:
          - api: sk-fake-client-key
        """
    ).config
    assert [(one.name, one.base_url, one.tools, one.image, len(one.models or ())) for one in config.providers] == [
        ("first", "http://localhost:1/v1", False, True, 1),
        ("second", "http://localhost:1/v1", False, True, 1),
        ("third", "http://localhost:1/v1", False, False, 1),
    ]


def test_a_merge_key_with_no_mapping_is_told(problems):
    """At its place."""
    assert problems(GOOD + "preferences:\n  <<: 3\n") == [
        "api.yaml:10: preferences.<<: must be a mapping (lines of `key: value`); got a text"
    ]


def test_references_are_filled_everywhere(load):
    """In values and in the keys that are names; a number that comes in is a number."""
    config = load(
        """\
        providers:
          - provider: ${NAME}
            base_url: http://${HOST}/v1
            api: "${KEY}"
            model:
              - ${UPSTREAM}: ${ALIAS:-short}
            tools: ${TOOLS:-false}
        api_keys:
          - api: ${CLIENT}
            model:
              - ${NAME}/*: ${WEIGHT}
        preferences:
          cooldown_period: ${COOLDOWN}
        """,
        NAME="local",
        HOST="localhost:8000",
        KEY="sk-fake: [of #odd} letters",
        UPSTREAM="vendor/long-name",
        CLIENT="sk-fake-client",
        WEIGHT="3",
        COOLDOWN="12.5",
    ).config
    (provider,) = config.providers
    assert provider.models is not None
    (model,) = provider.models
    assert (provider.name, provider.base_url, provider.tools) == ("local", "http://localhost:8000/v1", False)
    assert provider.keys[0].reveal() == "sk-fake: [of #odd} letters"
    assert (model.upstream, model.alias) == ("vendor/long-name", "short")
    assert [(rule.text, rule.weight) for rule in config.client_keys[0].rules] == [("local/*", 3)]
    assert config.preferences.cooldown_period == 12.5


def test_an_unset_variable_is_told_once_with_its_line(problems):
    """And nothing else about the same value."""
    assert problems(GOOD.replace("https://api.openai.com/v1", "${BASE}").replace("[gpt-4o]", "['${M}']")) == [
        "api.yaml:4: providers[0].base_url: the environment variable BASE is not set; set it or write ${BASE:-default}",
        "api.yaml:6: providers[0].model[0]: the environment variable M is not set; set it or write ${M:-default}",
    ]


def test_what_an_environment_variable_holds_is_not_shown(problems):
    """It may be anything; the message has the reference as it is written."""
    (line,) = problems(GOOD + "preferences:\n  cooldown_period: ${COOLDOWN}\n", COOLDOWN="private")
    assert line.endswith("got '${COOLDOWN}'")


def test_a_secret_in_the_wrong_place_is_masked(problems):
    """What is a secret anywhere in the file, and what begins as keys do."""
    lines = problems(
        """\
        providers:
          - provider: openai
            base_url: https://api.openai.com/v1
            api: upstream-without-prefix-9876
            model: [gpt-4o]
            engine: upstream-without-prefix-9876
            upstream-without-prefix-9876: x
        api_keys:
          - api: client-without-prefix-5432
            model:
              - sk-of-nobody-in-this-file-123/*
              - client-without-prefix-5432/*
              - upstream-without-prefix-9876: 0
        """
    )
    text = "\n".join(lines)
    assert len(lines) == 5
    assert "without-prefix" not in text
    assert "nobody" not in text
    assert "ups…876" in text
    assert "sk-…123" in text


def test_a_message_stays_on_one_line_of_bearable_length(problems):
    """Also for a text of many lines that stands where a word should."""
    (line,) = problems(GOOD + "preferences:\n  cooldown_period: |\n" + "    many words\n" * 100)
    assert "\n" not in line
    assert len(line) < 400
    assert "must be a number of seconds, 0 or more; got 'many words" in line
