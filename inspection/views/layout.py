"""Lines that people read: mitmweb breaks none, however long it is, and gives an empty one no height."""

import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

LINE = 80
"""Columns: about what mitmweb's pane shows in a window of ordinary width, and a terminal."""
NARROWEST = 20
"""Columns that text gets beside whatever leads it."""
GAP = " "
"""Stands for an empty line between paragraphs."""
FENCE = "```"

WIDE = (
    r"\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\U0001f300-\U0003fffd"
)
"""Characters two columns wide, which lines may be broken between (Unicode Standard Annexes 11 and 14)."""
CLOSING = r"\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff01\uff1f\uff09\u300b\u300d\u300f\u3011"
"""Punctuation among them that never begins a line."""
WORD = re.compile(rf"\s*(?:[{WIDE}][{CLOSING}]*|[^\s{WIDE}]+)")
WIDE_CHARACTER = re.compile(f"[{WIDE}]")
LEAD = re.compile(r"\s*(?:(?:[-*•→>]|\d{1,3}[.)]) +)?")
"""Indentation and the mark of a list's item: what follows is kept to the right of it."""


def prose(texts: Iterable[str]) -> Iterator[str]:
    """Texts of any length, each of one or more paragraphs, line by line; code between fences stays as it is."""
    for text in texts:
        in_code = False
        for line in StringIO(text or GAP):
            line = line.rstrip("\r\n")
            is_fence = line.lstrip().startswith(FENCE)
            in_code ^= is_fence
            if not line:
                yield GAP
            elif in_code or is_fence:
                yield line
            else:
                said = LEAD.sub("", line, count=1)
                yield from beside(line[: len(line) - len(said)], said)


def beside(lead: str, text: str) -> Iterator[str]:
    """The text to the right of what leads it, in as many lines as it takes."""
    width = columns(lead)
    for line in broken(text, max(LINE - width, NARROWEST)):
        yield lead + line
        lead = " " * width


def broken(text: str, width: int) -> Iterator[str]:
    """The text in lines of at most `width` columns, broken between words; a longer word stays whole."""
    line, taken = "", 0
    for found in WORD.finditer(text):
        word = found[0]
        needed = columns(word)
        if line and taken + needed > width:
            yield line
            word = word.lstrip()
            line, taken = word, columns(word)
        else:
            line += word
            taken += needed
    yield line


def columns(text: str) -> int:
    """How wide a text is in a terminal or in a monospaced font."""
    return len(text) if text.isascii() else len(text) + len(WIDE_CHARACTER.findall(text))


def table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]], numbers: frozenset[str]) -> Iterator[str]:
    """Columns as wide as what is in them, those of `numbers` to the right; the last column as long as it is."""
    widths = [max(map(columns, cells)) for cells in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        cells = zip(headings, widths, row, strict=True)
        yield "  ".join(padded(cell, width, right=name in numbers) for name, width, cell in cells).rstrip()


def padded(cell: str, width: int, *, right: bool = False) -> str:
    """The cell as wide as its column."""
    space = " " * (width - columns(cell))
    return space + cell if right else cell + space
