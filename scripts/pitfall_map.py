"""docs/pitfalls.md: 118 known mistakes of gateways, each with the tests that are named after it, or why it has none."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs/pitfalls.md"
COUNT = 118
NAMED = re.compile(r"^\s*(?:async )?def test_pitfall_(\d{3})_(\w+)", re.MULTILINE)

WITHOUT_TEST = {
    3: "concerns a bridge from OpenAI's Responses API, which comes with that endpoint",
    8: "cannot occur: nothing here filters answers, and chunks are never rebuilt from some of their fields",
    116: "cannot occur: limits count requests, not tokens, and are kept in one process",
}

INTRODUCTION = """# Pitfalls

Users of gateways have reported these mistakes again and again. Each has a number; a test that keeps one of them away
is called `test_pitfall_<number>_…`, with the reports in its docstring. `scripts/pitfalls` writes this page.

| number | tests |
|---|---|
"""


def named_tests() -> dict[int, list[str]]:
    """Number → tests, each as `path` name without its prefix, in the order of paths."""
    found: dict[int, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for number, name in NAMED.findall(path.read_text()):
            found.setdefault(int(number), []).append(f"{name.replace('_', ' ')} (`{path.relative_to(ROOT)}`)")
    return found


def document() -> str:
    """The whole page. Raises KeyError for a number that has neither a test nor a reason."""
    tests = named_tests()
    rows = [
        f"| {number} | {'<br>'.join(tests[number]) if number in tests else 'no test: ' + WITHOUT_TEST[number]} |"
        for number in range(1, COUNT + 1)
    ]
    return INTRODUCTION + "\n".join(rows) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
