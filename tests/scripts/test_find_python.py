"""scripts/find-python: which Python uniapi is set up with."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GOOD, OLD, BROKEN = "exit 0", "exit 1", "echo 'pyenv: python: command not found' >&2; exit 127"
TOOLS = ("sh", "dirname", "tr", "ls", "sort")


class Machine:
    """A made-up machine: a PATH of two folders, a home, and pretended Pythons."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.first, self.second, self.home = folder / "first", folder / "second", folder / "home"
        self.script = folder / "checkout" / "scripts" / "find-python"
        for made in (self.first, self.second, self.home, self.script.parent):
            made.mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "find-python", self.script)
        for tool in TOOLS:
            (self.second / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")

    def has(self, path: Path, behaviour: str) -> Path:
        """A program at `path` that does what `behaviour`, a line of shell, says."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{behaviour}\n")
        path.chmod(0o755)
        return path

    def find(self, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs the script there."""
        variables = {"PATH": f"{self.first}:{self.second}", "HOME": str(self.home)} | environment
        return subprocess.run([self.script], env=variables, capture_output=True, text=True, check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_named_python_comes_first(machine: Machine) -> None:
    """$PYTHON wins over everything on the PATH."""
    machine.has(machine.first / "python3.14", GOOD)
    named = machine.has(machine.folder / "my python", GOOD)
    assert machine.find(PYTHON=str(named)).stdout == f"{named}\n"


def test_a_named_python_that_is_too_old_is_said_and_passed_over(machine: Machine) -> None:
    """A $PYTHON that cannot be used is not silently replaced."""
    good = machine.has(machine.first / "python3.13", GOOD)
    run = machine.find(PYTHON=str(machine.has(machine.folder / "old", OLD)))
    assert run.stdout == f"{good}\n"
    assert "is not a Python 3.12 or newer" in run.stderr


def test_the_newest_on_the_path_is_taken(machine: Machine) -> None:
    """Names are tried from the newest, wherever on the PATH they are."""
    machine.has(machine.first / "python3.12", GOOD)
    newest = machine.has(machine.second / "python3.14", GOOD)
    assert machine.find().stdout == f"{newest}\n"


def test_a_shim_that_fails_does_not_hide_a_good_python(machine: Machine) -> None:
    """pyenv puts a python3.13 on the PATH that runs nothing; the one behind it is found."""
    machine.has(machine.first / "python3.13", BROKEN)
    good = machine.has(machine.second / "python3.13", GOOD)
    assert machine.find().stdout == f"{good}\n"


def test_an_old_python3_leads_to_pyenv(machine: Machine) -> None:
    """python3 is 3.11, the shims fail: pyenv's own folder has a 3.13, and the newest good one is taken."""
    machine.has(machine.first / "python3.13", BROKEN)
    machine.has(machine.second / "python3", OLD)
    versions = machine.home / ".pyenv" / "versions"
    machine.has(versions / "3.9.18" / "bin" / "python", OLD)
    machine.has(versions / "3.12.1" / "bin" / "python", GOOD)
    newest = machine.has(versions / "3.13.0" / "bin" / "python", GOOD)
    assert machine.find().stdout == f"{newest}\n"


def test_pyenv_may_live_elsewhere(machine: Machine) -> None:
    """$PYENV_ROOT replaces ~/.pyenv."""
    python = machine.has(machine.folder / "pyenv" / "versions" / "3.12.1" / "bin" / "python", GOOD)
    assert machine.find(PYENV_ROOT=str(machine.folder / "pyenv")).stdout == f"{python}\n"


def test_uv_is_asked_last(machine: Machine) -> None:
    """A Python that only uv knows is used."""
    python = machine.has(machine.folder / "managed" / "python3.13", GOOD)
    machine.has(machine.first / "uv", f"echo '{python}'")
    assert machine.find().stdout == f"{python}\n"


def test_the_checkouts_own_environment_is_passed_over(machine: Machine) -> None:
    """With .venv activated its python is on the PATH, but cannot make itself again."""
    own = machine.has(machine.folder / "checkout" / ".venv" / "bin" / "python3.14", GOOD)
    good = machine.has(machine.second / "python3.12", GOOD)
    assert machine.find(PATH=f"{own.parent}:{machine.second}").stdout == f"{good}\n"


def test_none_is_one_sentence_that_says_what_to_install(machine: Machine) -> None:
    """Nothing usable: status 1, nothing on stdout, one line on stderr."""
    machine.has(machine.first / "python3", OLD)
    run = machine.find()
    assert (run.returncode, run.stdout) == (1, "")
    assert len(run.stderr.splitlines()) == 1
    assert "3.12 or newer" in run.stderr
    assert "uv python install" in run.stderr


def test_the_question_is_answered_by_a_real_python() -> None:
    """What the script asks a Python is valid: a real interpreter passes."""
    run = subprocess.run(
        [ROOT / "scripts" / "find-python"], env=os.environ.copy(), capture_output=True, text=True, check=True
    )
    version = subprocess.run(
        [run.stdout.strip(), "-c", "import sys; print(sys.version_info >= (3, 12))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.stdout == "True\n"
