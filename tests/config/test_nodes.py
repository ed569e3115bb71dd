import pytest

from config.nodes import DEEPEST, BadYaml, Items, Pairs, Scalar, parse, word


def test_the_tree_has_the_order_and_the_lines_of_the_text():
    """Lines count from 1, comments and empty ones included."""
    root = parse("# comment\n\na: 1\nb:\n  - x\n  - 'y'\na: 2\n")
    assert isinstance(root, Pairs)
    assert [(key.text, key.line) for key, _ in root.pairs] == [("a", 3), ("b", 4), ("a", 7)]
    items = root.pairs[1][1]
    assert isinstance(items, Items)
    assert [(item.text, item.plain, item.line) for item in items.items if isinstance(item, Scalar)] == [
        ("x", True, 5),
        ("y", False, 6),
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "---\n"])
def test_an_empty_text_has_no_mapping(text: str):
    """None, or the nothing that a document mark announces."""
    root = parse(text)
    assert root is None or (isinstance(root, Scalar) and word(root.text) is None)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("true", True),
        ("Yes", True),
        ("on", True),
        ("False", False),
        ("no", False),
        ("OFF", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("12", 12),
        ("-3", -3),
        ("007", 7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),
        ("18446744073709551615", 18446744073709551615),
        ("9" * 41, "9" * 41),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("12:30", "12:30"),
        ("2024-05-13", "2024-05-13"),
        (".inf", ".inf"),
        ("gpt-4o", "gpt-4o"),
    ],
)
def test_an_unquoted_word_means_what_it_looks_like(text: str, meaning: object):
    """Numbers are decimal and finite; dates and sixtieths are texts, as in YAML 1.2."""
    found = word(text)
    assert found == meaning
    assert type(found) is type(meaning)


def test_an_alias_stands_for_its_anchor():
    """The same tree at both places."""
    root = parse("a: &x [1, 2]\nb: *x\n")
    assert isinstance(root, Pairs)
    assert root.pairs[0][1] is root.pairs[1][1]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: [1, 2\nc: 3", 3, "not valid YAML"),
        ("a: 1\n\tb: 2", 2, "not valid YAML: while scanning"),
        ("a: b: c", 1, "mapping values are not allowed"),
        ("a: 'open", 1, "not valid YAML: while scanning a quoted scalar"),
        ("a: 1\nb: \x00", 2, "a control character"),
        ("ä: 1\n\nb: \x01", 3, "a control character"),
        ("a: 1\nb: \ud800", 2, "half of a character"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("a: 1\nb: *x", 2, "an alias"),
        ("a: 1\nb: &x [1, *x]", 2, "an alias"),
        ("a: 1\nb: !python/object x", 2, "a YAML tag"),
        ("a: 1\nb: !!set {x}", 2, "a YAML tag"),
        ("? [a, b]\n: 1", 1, "as the key of a mapping"),
    ],
)
def test_a_text_that_is_no_usable_yaml_is_refused_with_its_line(text: str, line: int, message: str):
    """One finding only: behind it nothing is sure."""
    with pytest.raises(BadYaml, match=message) as caught:
        parse(text)
    assert caught.value.line == line


@pytest.mark.parametrize("opening", ["[", "- ", "{a: "])
@pytest.mark.parametrize("levels", [DEEPEST + 1, 300_000])
def test_a_text_of_many_levels_is_refused(opening: str, levels: int):
    """PyYAML's own composer dies of such a text, and the process with it."""
    with pytest.raises(BadYaml, match=f"more than {DEEPEST} levels"):
        parse(opening * levels)


def test_levels_that_aliases_add_count():
    """Each line wraps the one before, ten levels more."""
    lines = ["a0: &a0 x"]
    lines += [f"a{number}: &a{number} {'[' * 10}*a{number - 1}{']' * 10}" for number in range(1, 9)]
    with pytest.raises(BadYaml, match=f"more than {DEEPEST} levels"):
        parse("\n".join(lines))


def test_a_text_that_unfolds_to_billions_is_refused():
    """The `billion laughs`: ten aliases of ten aliases of ten …"""
    lines = ["a0: &a0 x"]
    lines += [f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]" for number in range(1, 12)]
    with pytest.raises(BadYaml, match="more than 1000000 values"):
        parse("\n".join(lines))


def test_a_message_holds_nothing_of_the_text():
    """Whatever it is that cannot be read, it may be a key."""
    with pytest.raises(BadYaml) as caught:
        parse("api: *sk-fake-secret")
    assert "fake" not in str(caught.value)
