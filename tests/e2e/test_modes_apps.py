"""Apps with OpenAI built in (tests/e2e/apps), unmodified, each a process of its own, started as docs/interception.md
says: its commands are taken from there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.gateway_process import ROOT, GatewayProcess
from tests.e2e.modes import Setup, transparent_machines

GUIDE = (ROOT / "docs" / "interception.md").read_text()
APPS = Path(__file__).with_name("apps")
KEY = "sk-demo"
SAYS = "claude-sonnet-4-5-simulated"
"""What the demo's Claude channel says of itself."""
MODELS = '"owned_by":"uniapi"'
NODE_WITH_PROXY = ((22, 21), (24, 0))
"""Since when NODE_USE_ENV_PROXY exists, in each line of versions that has it (Node.js documentation, "CLI")."""


def commands(heading: str) -> list[str]:
    """The shell commands of one section of the guide, `$CA` set as its beginning says."""
    section = re.split(r"^#+ ", GUIDE.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [each if heading == "Trust" else commands("Trust")[0] + each for each in found]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path_factory.mktemp("apps"), None, confdir=confdir, demo=True) as gateway:
        yield gateway


@pytest.fixture
def environ(tmp_path: Path, confdir: Path) -> Mapping[str, str]:
    """A user's, who has mitmproxy's CA at home and nothing else set."""
    (tmp_path / ".mitmproxy").symlink_to(confdir)
    return {"HOME": str(tmp_path), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


@pytest.fixture
def follow(demo: GatewayProcess, tmp_path: Path, environ: Mapping[str, str]) -> Callable[..., str]:
    """Run a command of the guide on an app of this name; gives what it prints. Only the gateway's port differs."""

    def follow_one(command: str, **apps: str) -> str:
        for name, app in apps.items():
            shutil.copy(APPS / app, tmp_path / (name + Path(app).suffix))
        command = command.replace("8080", str(demo.port))
        ran = subprocess.run(
            ["sh", "-ec", command], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=100
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return follow_one


def needs(program: str) -> None:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


def test_curl(follow):
    """By its options, and by the environment."""
    needs("curl")
    chat, models = commands("curl")
    assert SAYS in follow(chat)
    assert MODELS in follow(models)


def test_the_openai_sdk_for_python(follow):
    """HTTPS_PROXY and SSL_CERT_FILE: no base URL, no line changed."""
    assert SAYS in follow(commands("Python")[0], your_program="ask.py")


def test_the_openai_package_for_node(follow, tmp_path):
    """HTTPS_PROXY and NODE_EXTRA_CA_CERTS: told to heed the proxy by a variable, or by a file loaded before the app."""
    node_modules(tmp_path)
    with_variable, with_file = commands("Node")
    version = re.match(r"v(\d+)\.(\d+)", subprocess.check_output(["node", "--version"], text=True))
    assert version
    major, minor = int(version[1]), int(version[2])
    if major > 24 or any(major == line and minor >= since for line, since in NODE_WITH_PROXY):
        assert SAYS in follow(with_variable, your_program="ask.mjs")
    preload = re.search(r"```js\n(.*?)```", GUIDE, re.DOTALL)
    assert preload
    (tmp_path / "proxy.mjs").write_text(preload[1])
    assert SAYS in follow(with_file, your_program="ask.mjs")


def test_java(follow):
    """A list of CAs of its own, and options."""
    needs("javac")
    needs("keytool")
    trust, run = commands("Java")
    assert SAYS in follow(trust + run.replace("YourProgram", "Ask"), Ask="Ask.java")


def test_go(follow):
    """The same variables as Python."""
    needs("go")
    assert SAYS in follow(commands("Go")[0], your_program="ask.go")


@pytest.mark.parametrize("language", ["Python", "Node"])
def test_transparent_mode(start, confdir, tmp_path, environ, language):
    """On another machine, in a network namespace: nothing is set but the CA and a key."""
    trusted, program, app = {
        "Python": ("SSL_CERT_FILE", sys.executable, "ask.py"),
        "Node": ("NODE_EXTRA_CA_CERTS", "node", "ask.mjs"),
    }[language]
    if language == "Node":
        node_modules(tmp_path)
    shutil.copy(APPS / app, tmp_path)
    with transparent_machines(Setup(start, confdir, tmp_path)) as (machine, real):
        variables = [f"{trusted}={confdir / 'mitmproxy-ca-cert.pem'}", f"OPENAI_API_KEY={KEY}"]
        plain = [f"{name}={value}" for name, value in environ.items()]
        assert SAYS in machine.run("env", "-i", *plain, *variables, program, str(tmp_path / app))
        assert real.seen == []


def node_modules(directory: Path) -> None:
    """Give apps in this directory what `npm ci` has installed. CI must have it; elsewhere the test is skipped."""
    installed = APPS / "node_modules"
    if shutil.which("node") and installed.exists():
        (directory / "node_modules").symlink_to(installed)
        return
    reason = "node, or the packages of tests/e2e/apps, are not installed: npm ci --prefix tests/e2e/apps"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
