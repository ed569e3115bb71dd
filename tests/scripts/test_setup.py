"""scripts/setup: .venv is made once, and again only when it has to be."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Stands for `python -m venv`, `python -m pip` and the check that it runs; writes down what it was to do.
PYTHON = """#!/bin/sh
case "$2" in
venv) echo venv >>"$LOG"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
pip) for last; do :; done; echo "pip $(basename "$last")" >>"$LOG"; [ ! -e "$LOG.fail" ] ;;
esac
"""


class Checkout:
    """A copy of the script with small lock files and a pretended Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.log = folder / "log"
        scripts = self.folder / "scripts"
        scripts.mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "setup", scripts)
        python = folder / "python"
        python.write_text(PYTHON)
        python.chmod(0o755)
        (scripts / "find-python").write_text(f"#!/bin/sh\necho '{python}'\n")
        (scripts / "find-python").chmod(0o755)
        self.lock("requirements.txt", "one==1\n")
        self.lock("requirements-dev.txt", "two==2\n")

    def lock(self, name: str, content: str) -> None:
        """Writes a lock file."""
        (self.folder / name).write_text(content)

    def setup(self, *arguments: str) -> int:
        """Runs the script; its status."""
        command = [str(self.folder / "scripts" / "setup"), *arguments]
        environment = {"PATH": "/usr/bin:/bin", "LOG": str(self.log)}
        return subprocess.run(command, env=environment, capture_output=True, check=False).returncode

    def done(self) -> list[str]:
        """What was done since the last time this was asked."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_environment_is_made_once(checkout: Checkout) -> None:
    """The first run makes .venv, the second does nothing at all."""
    assert checkout.setup() == 0
    assert checkout.done() == ["venv", "pip requirements.txt"]
    assert checkout.setup() == 0
    assert checkout.done() == []


def test_tests_and_lint_add_their_packages(checkout: Checkout) -> None:
    """`dev` installs on top of what is there, once; running the gateway afterwards changes nothing."""
    checkout.setup()
    checkout.done()
    checkout.setup("dev")
    assert checkout.done() == ["pip requirements-dev.txt"]
    checkout.setup("dev")
    checkout.setup()
    assert checkout.done() == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_a_changed_lock_makes_it_again(checkout: Checkout, name: str) -> None:
    """From nothing, so that no package of the old lock stays behind."""
    checkout.setup("dev")
    checkout.done()
    checkout.lock(name, "three==3\n")
    checkout.setup("dev")
    assert checkout.done() == ["venv", "pip requirements.txt", "pip requirements-dev.txt"]


def test_a_python_that_is_gone_makes_it_again(checkout: Checkout) -> None:
    """The interpreter that .venv was made with was uninstalled."""
    checkout.setup()
    checkout.done()
    (checkout.folder / ".venv" / "bin" / "python").unlink()
    checkout.setup()
    assert checkout.done() == ["venv", "pip requirements.txt"]


def test_a_set_up_that_broke_off_is_not_taken_for_finished(checkout: Checkout) -> None:
    """The installation fails: status not 0, and the next run starts from nothing."""
    failing = checkout.log.with_name("log.fail")
    failing.touch()
    assert checkout.setup() != 0
    failing.unlink()
    checkout.done()
    assert checkout.setup() == 0
    assert checkout.done() == ["venv", "pip requirements.txt"]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_lock_files_hold_hashes_and_no_addresses(name: str) -> None:
    """Names, versions and hashes only: where packages come from is the user's business."""
    lock = (ROOT / name).read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock
    assert "--index" not in lock
    assert "--find-links" not in lock


def test_mitmproxy_is_of_the_version_that_failover_is_written_for() -> None:
    """12.2.x; 12.3.0 and 12.3.1 must not come in."""
    lock = (ROOT / "requirements.txt").read_text()
    assert "\nmitmproxy==12.2." in lock
