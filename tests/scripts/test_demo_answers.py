"""`scripts/run` as a newcomer runs it: the lines that the demo prints are tried as printed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The two commands that the demo prints, while it runs: in a checkout that is set up already."""
    checkout = tmp_path_factory.mktemp("checkout")
    (checkout / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "run", checkout / "scripts")
    shutil.copy(shutil.which("true") or "/bin/true", checkout / "scripts" / "setup")
    (checkout / "scripts" / "demo").symlink_to(ROOT / "scripts" / "demo")
    (checkout / "uniapi_addon.py").symlink_to(ROOT / "uniapi_addon.py")
    (checkout / ".venv").symlink_to(sys.prefix)
    process = subprocess.Popen(
        [checkout / "scripts" / "run", "-p", "0"],
        cwd=checkout,
        env={**os.environ, "HOME": str(checkout), "UNIAPI_DEMO_DELAY": "0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    printed = ""
    while "Key: " not in printed and process.poll() is None:
        printed += process.stdout.readline()
    yield re.findall(r"^  (curl .*?)\n\n", printed, re.DOTALL | re.MULTILINE)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)


def sh(line: str) -> str:
    """What the line prints when it is pasted into a shell."""
    run = subprocess.run(["sh", "-c", f"{line} --silent"], stdout=subprocess.PIPE, check=True)
    return run.stdout.decode()


def test_the_first_line_is_answered_whole(lines: list[str]) -> None:
    """Claude's wire, in OpenAI's form."""
    answer = json.loads(sh(lines[0]))
    assert answer["object"] == "chat.completion"
    assert "You said: “Hello!”" in answer["choices"][0]["message"]["content"]


def test_the_second_line_is_answered_as_a_stream(lines: list[str]) -> None:
    """Chunks in OpenAI's form, to the end."""
    streamed = sh(lines[1])
    chunks = [json.loads(text) for text in re.findall(r"^data: (\{.*)$", streamed, re.MULTILINE)]
    deltas = [choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]]
    assert "".join(deltas) == "1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert streamed.endswith("data: [DONE]\n\n")


def test_failover_can_be_watched(lines: list[str]) -> None:
    """resilient-demo answers every time, by the reliable provider four times and once by the flaky one."""
    line = lines[0].replace("claude-demo", "resilient-demo")
    texts = [json.loads(sh(line))["choices"][0]["message"]["content"] for _ in range(5)]
    assert ["claude" in text for text in texts] == [True, True, True, True, False]
