"""Entries of `api_keys`, beside two providers: `first` (gpt-4o, gpt-4o-mini), `second` (gpt-4o, vendor/model-x)."""

import pytest

from config.schema import ClientPreferences, Rule

KEY = "api: sk-fake-client-key\n"
EVERYTHING = (Rule("all", None),)


@pytest.mark.parametrize("written", ["", "model:", "model: []", "model: [all]"])
def test_without_rules_a_key_may_ask_for_everything(client, written):
    """Missing or empty means `all`."""
    found = client(KEY + written)
    assert found.api.reveal() == "sk-fake-client-key"
    assert found.rules == EVERYTHING
    assert found.preferences == ClientPreferences()


def test_rules_keep_their_order_and_weights(client):
    """A rule alone, or `rule: weight`; several in one mapping count as several lines."""
    found = client(
        KEY
        + """
model:
  - gpt-4o
  - first/*: 5
  - second/gpt-4o: "3"
    <vendor/model-x>: 2
  - gpt-4o-*
"""
    )
    assert found.rules == (
        Rule("gpt-4o", None),
        Rule("first/*", 5),
        Rule("second/gpt-4o", 3),
        Rule("<vendor/model-x>", 2),
        Rule("gpt-4o-*", None),
    )


@pytest.mark.parametrize("written", ['"sk-fake-one\\nsk-fake-two"', "sk-fake-schlüssel", '"sk-fake\\tkey"'])
def test_a_key_that_no_header_can_carry_is_told(client_problems, written):
    """No client could send it. Without any of it."""
    assert client_problems(f"api: {written}") == [
        "api_keys[0].api: must be a text of printable ASCII characters on one line"
    ]


@pytest.mark.parametrize("weight", ["0", "-1", "1.5", "many", "true", "[1]", ""])
def test_a_weight_is_a_positive_whole_number(client_problems, weight):
    """Nothing else, not even none."""
    (message,) = client_problems(f"{KEY}model: [gpt-4o: {weight}]")
    assert message.startswith("api_keys[0].model[0].gpt-4o: must be a weight, which is a whole number above 0; got ")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("gpt-5", "matches no model of any provider; did you mean gpt-4o?; the rule is 'gpt-5'"),
        ("third/*", "matches no model of any provider; the rule is 'third/*'"),
        (
            "first/model-x",
            "matches no model of any provider; did you mean vendor/model-x?; the rule is 'first/model-x'",
        ),
        ("claude*", "matches no model of any provider; the rule is 'claude*'"),
        ("zzz: 3", "matches no model of any provider; the rule is 'zzz'"),
    ],
)
def test_a_rule_that_matches_nothing_is_told(client_problems, rule, message):
    """A key that cannot ask for what its owner was promised is a mistake."""
    place = "api_keys[0].model[0]" + (".zzz" if rule == "zzz: 3" else "")
    assert client_problems(f"{KEY}model:\n  - {rule}") == [f"{place}: {message}"]


def test_brackets_are_proposed_where_they_are_what_is_missing(problems):
    """The provider of that name lacks the model, another has one that is called so."""
    assert problems(
        """\
        providers:
          - {provider: vendor, base_url: "http://localhost:1/v1", model: [a]}
          - {provider: router, base_url: "http://localhost:2/v1", model: [vendor/b]}
        api_keys:
          - {api: sk-fake-client, model: [vendor/b]}
        """
    ) == [
        "api.yaml:5: api_keys[0].model[0]: matches no model of any provider; a model whose own name has the slash "
        "is written in angle brackets, as <a/b>; the rule is 'vendor/b'"
    ]


@pytest.mark.parametrize("rule", ["open/anything", "anything", "open/*", "any*", "nobody/anything", "<x/y>"])
def test_a_rule_for_models_to_be_discovered_is_accepted(load, rule):
    """It cannot be judged yet."""
    loaded = load(
        f"""
        providers:
          - {{provider: open, base_url: "http://localhost:1/v1"}}
        api_keys:
          - {{api: sk-fake-client, model: ['{rule}']}}
        """
    )
    assert loaded.config.client_keys[0].rules == (Rule(rule, None),)


def test_a_rule_for_a_provider_whose_models_are_known_is_judged_all_the_same(problems):
    """What another provider will have does not matter to it."""
    (line,) = problems(
        """\
        providers:
          - {provider: open, base_url: "http://localhost:1/v1"}
          - {provider: known, base_url: "http://localhost:2/v1", model: [a]}
        api_keys:
          - {api: sk-fake-client, model: [known/b]}
        """
    )
    assert line.startswith("api.yaml:5: api_keys[0].model[0]: matches no model")


def test_rules_are_not_judged_by_providers_that_are_not_known(problems):
    """A provider without a name: what rules say of it may be right."""
    assert problems(
        """\
        providers:
          - {base_url: "http://localhost:1/v1", model: [a]}
        api_keys:
          - {api: sk-fake-client, model: [missing/a, missing/*]}
        """
    ) == ["api.yaml:2: providers[0].provider: is missing; it must be a name of your choice"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("role: admin", "api: is missing; it must be the key that the client sends"),
        ("api: [sk-fake]", "api: must be a text; got a list"),
        (KEY + "model: all", "model: must be a list (lines that begin with `- `); got a text"),
        (KEY + "model: [[gpt-4o]]", "model[0]: must be a text; got a list"),
        (KEY + "model: ['']", "model[0]: must be a text; got nothing"),
        (KEY + "role: [admin]", "role: must be a text; got a list"),
        (KEY + "preferences: fast", "preferences: must be a mapping (lines of `key: value`); got a text"),
    ],
)
def test_wrong_entries_are_told(client_problems, entry, message):
    """At their places."""
    assert client_problems(entry) == [f"api_keys[0].{message}"]


def test_two_entries_with_one_key_are_told_without_showing_it(problems):
    """Which of them a request would be served as is anybody's guess."""
    assert problems(
        """\
        providers:
          - {provider: x, base_url: "http://localhost:1/v1"}
        api_keys:
          - api: sk-fake-client-key
          - role: friend
            api: " sk-fake-client-key"
          - api: sk-fake-other-key
        """
    ) == ["api.yaml:6: api_keys[1].api: is the same key as that of api_keys[0] in line 4; one of them must go"]


def test_the_role_is_a_name_and_admin_in_any_case_is_admin(load):
    """Other names are for people."""
    keys = load(
        """
        providers: [{provider: x, base_url: "http://localhost:1/v1"}]
        api_keys:
          - {api: sk-fake-1}
          - {api: sk-fake-2, role: Jo}
          - {api: sk-fake-3, role: Admin}
          - {api: sk-fake-4, role: admin}
        """
    ).config.client_keys
    assert [key.role for key in keys] == ["user", "Jo", "admin", "admin"]


def test_with_no_admin_the_first_key_is_one(load):
    """Somebody must be able to see the statistics."""
    keys = load(
        """
        providers: [{provider: x, base_url: "http://localhost:1/v1"}]
        api_keys:
          - {api: sk-fake-1, role: Jo}
          - {api: sk-fake-2}
        """
    ).config.client_keys
    assert [key.role for key in keys] == ["admin", "user"]


def test_preferences_have_defaults(client):
    """Those of the documentation."""
    preferences = client(KEY).preferences
    assert preferences.scheduling_algorithm == "fixed_priority"
    assert preferences.auto_retry is True
    assert preferences.rate_limit == "60/min"
    assert preferences.enable_moderation is False
    assert preferences.hedge_after is None


@pytest.mark.parametrize("case", [str.upper, str.lower], ids=["upper", "lower"])
def test_preferences_are_read_in_either_case(client, case):
    """The documentation's, and the rest of the file's."""
    lines = {
        "scheduling_algorithm": "Round_Robin",
        "auto_retry": "3",
        "rate_limit": "2/Min",
        "enable_moderation": "true",
        "hedge_after": "1.5",
    }
    entry = KEY + "preferences:\n" + "".join(f"  {case(key)}: {value}\n" for key, value in lines.items())
    assert client(entry).preferences == ClientPreferences("round_robin", 3, "2/min", True, 1.5)


@pytest.mark.parametrize("algorithm", ["fixed_priority", "round_robin", "random", "weighted_round_robin", "lottery"])
def test_the_five_algorithms(client, algorithm):
    """By their names."""
    entry = f"{KEY}preferences: {{SCHEDULING_ALGORITHM: {algorithm}}}"
    assert client(entry).preferences.scheduling_algorithm == algorithm


@pytest.mark.parametrize(("written", "value"), [("false", False), ("true", True), ("no", False), ("1", 1), ("'7'", 7)])
def test_auto_retry_is_a_switch_or_a_number(client, written, value):
    """One attempt is not the same as true."""
    found = client(f"{KEY}preferences: {{AUTO_RETRY: {written}}}").preferences.auto_retry
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "SCHEDULING_ALGORITHM: roundrobin",
            "SCHEDULING_ALGORITHM: must be fixed_priority, round_robin, random, weighted_round_robin or lottery "
            "(did you mean round_robin?); got 'roundrobin'",
        ),
        (
            "AUTO_RETRY: 0",
            "AUTO_RETRY: must be true, false, or the number of attempts at most, from 1; got '0'",
        ),
        (
            "AUTO_RETRY: often",
            "AUTO_RETRY: must be true, false, or the number of attempts at most, from 1; got 'often'",
        ),
        (
            "RATE_LIMIT: 5",
            "RATE_LIMIT: must be N/unit, as 60/min or 2/s,100/hour "
            "(units s, min, hour, day, month, year), or none; got '5'",
        ),
        ("ENABLE_MODERATION: 2", "ENABLE_MODERATION: must be true or false; got '2'"),
        ("hedge_after: -1", "hedge_after: must be a number of seconds above 0; got '-1'"),
        (
            "{RATE_LIMIT: 1/s, rate_limit: 2/s}",
            "rate_limit: means the same as api_keys[0].preferences.RATE_LIMIT; one of them must go",
        ),
    ],
)
def test_wrong_preferences_are_told(client_problems, line, message):
    """With what is allowed."""
    assert client_problems(f"{KEY}preferences:\n  {line}") == [f"api_keys[0].preferences.{message}"]


def test_a_client_key_shows_no_secret(client):
    """In its repr."""
    assert "client-key" not in repr(client(KEY))
