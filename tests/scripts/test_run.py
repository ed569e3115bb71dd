"""scripts/run: what it starts mitmproxy with, and the demo from start to end."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).resolve().parents[2]
MITMDUMP = Path(sys.executable).with_name("mitmdump")


class Checkout:
    """A copy of the script among programs that only print what they were called with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()
        (self.folder / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "run", self.folder / "scripts")
        self._program("scripts/setup", "exit 0")
        for name in ("mitmdump", "mitmweb"):
            self._program(f".venv/bin/{name}", f'echo {name}; for argument; do echo "$argument"; done')

    def _program(self, path: str, line: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)

    def run(self, *arguments: str, **environment: str) -> str:
        """The command line of what it starts, with the checkout's path as `.`."""
        run = subprocess.run(
            [self.folder / "scripts" / "run", *arguments],
            cwd=self.elsewhere,
            env={"PATH": "/usr/bin:/bin", **environment},
            stdout=subprocess.PIPE,
            check=True,
        )
        return " ".join(run.stdout.decode().replace(str(self.folder), ".").splitlines())


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


DEMO = "-s ./scripts/demo/addon.py --set uniapi_config=./scripts/demo/api.yaml"
GATEWAY = "--listen-host 127.0.0.1 -s ./uniapi_addon.py"


def test_without_a_configuration_it_is_the_demo(checkout: Checkout) -> None:
    """The demo's script comes before the gateway's, which needs the address it finds out."""
    assert checkout.run() == f"mitmdump {DEMO} {GATEWAY}"


def test_the_folders_own_configuration_is_the_gateways_business(checkout: Checkout) -> None:
    """./api.yaml is found by uniapi itself."""
    (checkout.elsewhere / "api.yaml").touch()
    assert checkout.run() == f"mitmdump {GATEWAY}"


def test_the_checkouts_configuration_serves_from_any_folder(checkout: Checkout) -> None:
    """An api.yaml in the checkout is named where the folder has none."""
    (checkout.folder / "api.yaml").touch()
    assert checkout.run() == f"mitmdump --set uniapi_config=./api.yaml {GATEWAY}"


def test_config_url_is_served(checkout: Checkout) -> None:
    """No demo when the environment names a configuration."""
    assert checkout.run(CONFIG_URL="https://example.com/api.yaml") == f"mitmdump {GATEWAY}"


@pytest.mark.parametrize("option", ["--set uniapi_config=x.yaml", "--set=uniapi_config=x.yaml"])
def test_a_named_configuration_is_served(checkout: Checkout, option: str) -> None:
    """Nothing else is named beside it: mitmproxy takes one value only."""
    (checkout.folder / "api.yaml").touch()
    assert checkout.run(*option.split()) == f"mitmdump {GATEWAY} {option}"


def test_options_are_passed_on_as_they_are(checkout: Checkout) -> None:
    """After ours, so that they win; blanks inside survive."""
    assert checkout.run("-p", "9000", "~u a b").endswith(f"{GATEWAY} -p 9000 ~u a b")


def test_web_is_mitmweb(checkout: Checkout) -> None:
    """The flag itself is not passed on, wherever it stands."""
    assert checkout.run("-p", "9000", "--web") == f"mitmweb {DEMO} {GATEWAY} -p 9000"


def test_a_host_that_was_set_is_kept(checkout: Checkout) -> None:
    """mitmproxy refuses the same option in two forms with two values."""
    assert "--listen-host" not in checkout.run("--set", "listen_host=0.0.0.0")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The demo's script in a real mitmdump, on a free port."""
    process = subprocess.Popen(
        [
            MITMDUMP,
            "-s",
            str(ROOT / "scripts" / "demo" / "addon.py"),
            "--listen-host",
            "127.0.0.1",
            "-p",
            "0",
        ],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate(timeout=10)


def read_until(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """The first match in the lines that the process prints."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"{pattern} was not printed")


def ps(*options: str) -> list[list[str]]:
    """The words of each line that ps prints."""
    run = subprocess.run(["ps", *options], stdout=subprocess.PIPE, check=False)
    return [line.split() for line in run.stdout.decode().splitlines()]


def simulator_of(process: subprocess.Popen[str]) -> str:
    """The id of the process that it started."""
    (child,) = [pid for pid, parent in ps("-A", "-o", "pid=,ppid=") if parent == str(process.pid)]
    return child


def is_alive(pid: str) -> bool:
    """Running, and not only waiting for somebody to ask how it ended."""
    return any("Z" not in state for (state,) in ps("-o", "stat=", "-p", pid))


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_demo_leaves_no_process_behind(demo: subprocess.Popen[str], ending: signal.Signals) -> None:
    """However mitmproxy ends, the simulator ends too."""
    read_until(demo, "Key: sk-demo")
    simulator = simulator_of(demo)
    demo.send_signal(ending)
    demo.wait(timeout=10)
    deadline = time.monotonic() + 10
    while is_alive(simulator) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(simulator)


def test_the_demo_names_the_port_that_mitmproxy_listens_on(demo: subprocess.Popen[str]) -> None:
    """The curl line is right whatever port was asked for; a request there is answered."""
    url = read_until(demo, r"curl (http://127\.0\.0\.1:\d+)/v1/chat/completions")[1]
    assert httpx2.get(url, trust_env=False).status_code > 0


def test_a_port_that_is_taken_is_said(demo: subprocess.Popen[str], tmp_path: Path) -> None:
    """The message names the port; nothing is promised that does not run."""
    port = read_until(demo, r"curl http://127\.0\.0\.1:(\d+)")[1]
    run = subprocess.run(
        [
            MITMDUMP,
            "-s",
            str(ROOT / "scripts" / "demo" / "addon.py"),
            "--listen-host",
            "127.0.0.1",
            "-p",
            port,
        ],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 1
    assert f"failed to listen on 127.0.0.1:{port}" in run.stdout + run.stderr
    assert "curl" not in run.stdout
