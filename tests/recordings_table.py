"""The table at the end of a test run: which recorded exchanges were tested, by provider and feature.

A recording counts where it was used; it has passed when every test that used it has.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from tests.recordings import FOLDER, Recording, all_recordings

LATER = {
    "responses": "comes with the endpoint /v1/responses",
    "rerank": "comes with the endpoint /v1/rerank",
    "models": "lists of models, which discovery reads",
    "count_tokens": "no endpoint of OpenAI's asks for it",
}
"""Why recordings of an endpoint may be untested."""

OTHERWISE = {
    "v1_api": "Cohere's retired API, which the engine does not speak",
    "no_candidates": "no answers: the making of a cache, the counting of tokens",
}
"""The same by feature."""


class RecordingsTable:
    """Collects outcomes while the tests run."""

    def __init__(self) -> None:
        self._outcomes: dict[str, bool] = {}
        self._used: dict[str, Recording] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Iterator[None]:
        report: pytest.TestReport = yield  # type: ignore[assignment]
        callspec = getattr(item, "callspec", None)
        for value in callspec.params.values() if callspec else ():
            if isinstance(value, Recording) and (report.when == "call" or report.failed):
                self._used[value.id] = value
                self._outcomes[value.id] = self._outcomes.get(value.id, True) and report.passed
        return report  # type: ignore[return-value]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._used or not FOLDER.is_dir():
            return
        terminalreporter.section("recorded exchanges: passed / used, by provider and feature")
        for line in self.lines():
            terminalreporter.write_line(line)

    def lines(self) -> list[str]:
        everything = all_recordings()
        providers = sorted({recording.provider for recording in everything})
        cells: dict[tuple[str, str], list[bool]] = defaultdict(list)
        for id_, recording in self._used.items():
            for feature in ("all", *recording.features):
                cells[feature, recording.provider].append(self._outcomes[id_])
        features = ["all", *sorted({feature for feature, _ in cells} - {"all"})]
        lines = [f"{'':24}" + "".join(f"{provider[:10]:>11}" for provider in providers)]
        for feature in features:
            row = [cells.get((feature, provider), []) for provider in providers]
            lines.append(f"{feature[:24]:24}" + "".join(f"{cell(outcomes):>11}" for outcomes in row))
        return lines + self.unused(everything)

    def unused(self, everything: list[Recording]) -> list[str]:
        counts = Counter(why_unused(recording) for recording in everything if recording.id not in self._used)
        return [f"not used: {count} of endpoint {endpoint}: {why}" for (endpoint, why), count in sorted(counts.items())]


def why_unused(recording: Recording) -> tuple[str, str]:
    """The endpoint, and why a recording may be untested."""
    reasons = [reason for feature, reason in OTHERWISE.items() if feature in recording.features]
    return recording.endpoint, (reasons or [LATER.get(recording.endpoint, "not selected by this run")])[0]


def cell(outcomes: list[bool]) -> str:
    """`12/12`, or nothing."""
    return f"{sum(outcomes)}/{len(outcomes)}" if outcomes else ""
