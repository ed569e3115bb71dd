"""The helper that reads the recordings."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.recordings import Recording, for_recordings, needs_recordings, recordings

ROOT = Path(__file__).resolve().parents[1]
PROBE = """
from tests.recordings import Recording, for_recordings
@for_recordings("anthropic")
def test_reads(recording: Recording): assert recording.id
"""


@for_recordings("anthropic", endpoint="chat", stream=True, status=200, features=["parallel_tools"])
def test_filters_hold(recording: Recording) -> None:
    """Every recording handed out fits all the filters."""
    assert (recording.provider, recording.endpoint, recording.status) == ("anthropic", "chat", 200)
    assert recording.stream
    assert "parallel_tools" in recording.features
    assert recording.response_bytes.startswith(b"event: message_start")


@needs_recordings
def test_a_filter_that_fits_nothing_is_an_error() -> None:
    """A test parametrised over nothing would pass for ever."""
    with pytest.raises(LookupError, match="no recording of anthropic"):
        recordings("anthropic", status=299)


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("true", "1 error")])
def test_a_plain_clone_skips_and_ci_fails(tmp_path: Path, ci: str, outcome: str) -> None:
    """Without the folder the tests are skipped with the reason; in CI the run is an error."""
    tests = tmp_path / "clone" / "tests"
    tests.mkdir(parents=True)
    (tests / "recordings.py").write_text((ROOT / "tests" / "recordings.py").read_text())
    (tests.parent / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (tests / "test_probe.py").write_text(PROBE)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    environment = {"PATH": "/usr/bin:/bin", "CI": ci}
    run = subprocess.run(command, cwd=tests.parent, env=environment, stdout=subprocess.PIPE, check=False)
    assert outcome in run.stdout.decode()
    assert "../shared/recordings" in run.stdout.decode()
