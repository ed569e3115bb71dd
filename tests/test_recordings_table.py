"""The table of recorded exchanges at the end of a run."""

from tests.recordings import Recording
from tests.recordings_table import RecordingsTable, cell


def recording(name: str, *features: str) -> Recording:
    return Recording(name, "anthropic", "chat", "chat", False, 200, frozenset(features), "x", True, False, {}, {})


def test_a_recording_has_passed_when_every_test_of_it_has(monkeypatch):
    """One failure is enough; what was not used is counted with a reason."""
    one, two = recording("one", "tools"), recording("two", "tools")
    other = recording("three")
    monkeypatch.setattr("tests.recordings_table.all_recordings", lambda: [one, two, other])
    table = RecordingsTable()
    table._used = {"one": one, "two": two}
    table._outcomes = {"one": True, "two": False}
    lines = table.lines()
    assert lines[1].split() == ["all", "1/2"]
    assert lines[2].split() == ["tools", "1/2"]
    assert lines[-1] == "not used: 1 of endpoint chat: not selected by this run"


def test_an_empty_cell_is_empty():
    """A feature that a provider's recordings do not have."""
    assert cell([]) == ""
    assert cell([True, False]) == "1/2"
