"""Whatever the text: a configuration or a ConfigError, and no secret in what is said."""

import json
import string
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.clients import KEYS as CLIENT_KEYS
from config.clients import PREFERENCE_KEYS as CLIENT_PREFERENCE_KEYS
from config.load import KEYS, PREFERENCE_KEYS, ConfigError, Loaded, load_text
from config.provider_preferences import KEYS as PROVIDER_PREFERENCE_KEYS
from config.providers import KEYS as PROVIDER_KEYS

EXAMPLE = (Path(__file__).parents[2] / "api.example.yaml").read_text()
EVERY_KEY = sorted(
    {*KEYS, *PREFERENCE_KEYS, *PROVIDER_KEYS, *PROVIDER_PREFERENCE_KEYS, *CLIENT_KEYS, *CLIENT_PREFERENCE_KEYS}
)
unhurried = settings(deadline=None)
"""The time of one example depends on what else the machine does."""

ENVIRON = {"SET": "value", "EMPTY": "", "ODD": "\udcff\n: ["}


def outcome(text: str) -> Loaded | ConfigError:
    """What becomes of a text; any other exception fails the test."""
    try:
        return load_text(text, "api.yaml", ENVIRON)
    except ConfigError as error:
        refusal = error
    assert refusal.problems
    assert all(problem.line is not None and problem.line >= 1 for problem in refusal.problems)
    assert len(str(refusal).split("\n")) == len(refusal.problems) + len(refusal.warnings)
    return refusal


words = st.one_of(
    st.sampled_from(
        [*EVERY_KEY, "all", "gpt", "http://localhost/v1", "5", "0", "-1", "true", "no", "~", "", "<<", "*"]
    ),
    st.sampled_from(["${SET}", "${EMPTY}", "${UNSET}", "${UNSET:-x}", "${ODD}", "${", "$${SET}", "a/b", "<a/b>", "a*"]),
    st.text(max_size=20),
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(words, st.none(), st.booleans(), st.integers(), st.floats()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)


@unhurried
@given(st.text())
@example("\ud800")
@example("%YAML 1.1\n---\na: &a {<<: *a}")
def test_any_text_loads_or_is_refused(text: str):
    """Letters, control characters, halves of characters."""
    outcome(text)


@unhurried
@given(st.text(alphabet="-:{}[]&*!|>'\"#%@`$,?~ \n\tab0", max_size=60))
def test_any_text_of_yaml_signs_loads_or_is_refused(text: str):
    """Most of what YAML's grammar can go wrong with."""
    outcome(text)


@unhurried
@given(values)
def test_any_data_loads_or_is_refused(data: Any):
    """The file's own keys in the wrong places, with wrong values; JSON is YAML."""
    outcome(json.dumps(data, default=str))


@unhurried
@given(st.data())
def test_any_damage_to_the_example_loads_or_is_refused(data: st.DataObject):
    """Lines that are lost, moved or changed, as in a careless edit."""
    lines = EXAMPLE.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        number = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(["lose", "indent", "outdent", "twice", "cut"]))
        line = lines[number]
        lines[number : number + 1] = {
            "lose": [],
            "indent": ["  " + line],
            "outdent": [line[2:]],
            "twice": [line, line],
            "cut": [line[: len(line) // 2]],
        }[change]
    outcome("\n".join(lines))


secrets = st.text(
    alphabet=string.ascii_letters + string.digits + "-_./+=:@ '\"\\\n\täß", min_size=12, max_size=200
).map(lambda text: f"Zq{text}qZ")


@unhurried
@given(st.data(), st.lists(secrets, min_size=4, max_size=4, unique=True))
def test_no_secret_is_in_any_message(data: st.DataObject, texts: list[str]):
    """Neither where it belongs, nor where somebody has put it besides."""
    upstream, client, pem, header = texts
    anything = st.one_of(st.sampled_from([*texts, [upstream], {client: header}]), values)
    document: dict[str, Any] = {
        "providers": [
            {
                "provider": "x",
                "api": data.draw(st.sampled_from([upstream, [upstream, upstream]])),
                "private_key": pem,
                "preferences": {
                    "headers": {"x-key": header, upstream: "x"},
                    "proxy": f"ftp://u:{client}@host",
                    **data.draw(st.dictionaries(st.sampled_from(PROVIDER_PREFERENCE_KEYS[2:]), anything, max_size=3)),
                },
                **data.draw(
                    st.dictionaries(
                        st.sampled_from(
                            [key for key in PROVIDER_KEYS if key not in ("api", "private_key", "preferences")]
                        ),
                        anything,
                        max_size=4,
                    )
                ),
            }
        ],
        "api_keys": [
            {"api": client, "model": data.draw(anything), "role": data.draw(anything)},
            {"api": client, "model": [f"{upstream}/*", {client: 0}], "preferences": data.draw(anything)},
        ],
        "preferences": data.draw(anything),
        client: 1,
    }
    found = outcome(json.dumps(document, default=str))
    assert isinstance(found, ConfigError)
    said = str(found)
    for text in texts:
        assert text.strip() not in said
        assert "".join(letter if letter.isprintable() else "\ufffd" for letter in text.strip()) not in said


def test_a_large_file_keeps_every_model():
    """Fifty providers of two hundred models."""
    lines = ["providers:"]
    for provider in range(50):
        lines += [f"  - provider: p{provider}", f"    base_url: http://host{provider}/v1", "    model:"]
        lines += [f"      - upstream-{model}: alias-{model}" for model in range(200)]
    lines += ["api_keys:", "  - api: sk-fake-client-key", "    model: [alias-7, p3/*]"]
    found = outcome("\n".join(lines))
    assert isinstance(found, Loaded)
    assert [len(provider.models or ()) for provider in found.config.providers] == [200] * 50
