"""Lines of a length that people read."""

from hypothesis import given
from hypothesis import strategies as st

from inspection.views.layout import GAP, LINE, beside, broken, columns, prose, table


def test_paragraphs_are_broken_between_words():
    """mitmweb would put each on one line, however long."""
    lines = list(prose(["word " * 40 + "\n\nend"]))
    assert [len(line) for line in lines] == [79, 79, 39, 1, 3]
    assert lines[3] == GAP


def test_what_stands_under_an_items_mark_is_indented():
    """Lists, quotes and the lines of calls."""
    for mark in ("- ", "  * ", "12. ", "→ ", "    "):
        first, second = prose([mark + "word " * 20])
        assert first.startswith(mark + "word")
        assert second == " " * len(mark) + "word " * (second.count("word") - 1) + "word"


def test_code_stays_as_it_is():
    """Between fences; after them text is broken again, and an open fence ends with its text."""
    code = "x" * 50 + " = " + "y" * 50
    assert list(prose([f"```python\n{code}\n```\n" + "word " * 20, "```\n" + code, "word " * 20])) == [
        *("```python", code, "```", "word " * 15 + "word", "word word word word"),
        *("```", code),
        *("word " * 15 + "word", "word word word word"),
    ]


def test_an_address_stays_whole():
    """So that it can be copied."""
    address = "https://example.com/" + "a" * 100
    assert list(prose([f"See {address} for more"])) == ["See", address, "for more"]


def test_writing_without_spaces_is_broken_too():
    """Each character takes two columns; a full stop does not begin a line."""
    lines = list(prose(["天" * 80]))
    assert [len(line) for line in lines] == [40, 40]
    assert [columns(line) for line in lines] == [80, 80]
    assert list(broken("天天天。天", 6)) == ["天天", "天。天"]


def test_line_ends_of_windows_are_line_ends():
    """And an empty text is an empty line."""
    assert list(prose(["a\r\nb", ""])) == ["a", "b", GAP]


def test_text_beside_something_keeps_to_its_column():
    """Also beside something that is wider than a line."""
    assert list(beside("left → ", "word " * 20))[1] == "       " + "word " * 5 + "word"
    assert list(beside("x" * 90, "a " * 15))[1] == " " * 90 + "a a a a a"[: len("a a a a a")]


def test_numbers_stand_under_each_other():
    """As wide as the widest; nothing trails."""
    rows = [("1", "天", "7 ms", "served"), ("12", "ab", "-", "")]
    assert list(table(("#", "who", "total", "why"), rows, frozenset({"#", "total"}))) == [
        " #  who  total  why",
        " 1  天    7 ms  served",
        "12  ab       -",
    ]


@given(st.text(alphabet="ab 天。\t-\u3000", max_size=300))
def test_nothing_is_lost(text: str):
    """But spaces; and lines are short where words allow it."""
    lines = list(prose([text]))
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(columns(line) <= LINE or len(line.split()) == 1 for line in lines)
