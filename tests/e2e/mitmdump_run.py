"""A mitmdump that listens nowhere: reads flows from a file, does what a script says, and ends.

run = MitmdumpRun(directory, config, flows, "def response(flow): …", confdir=confdir)
run.flows      # those it has written: the ones that were read, and what came of them; no key is in the file
run.log
"""

import subprocess
from pathlib import Path

import yaml
from mitmproxy import http
from mitmproxy.io import FlowReader

from tests.e2e.conftest import CLIENT_KEY, PROVIDER_KEY
from tests.e2e.gateway_process import MITMDUMP, ROOT


def flows_in(path: Path) -> list[http.HTTPFlow]:
    """The flows of a file."""
    with path.open("rb") as file:
        return [flow for flow in FlowReader(file).stream() if isinstance(flow, http.HTTPFlow)]


class MitmdumpRun:
    """`script` is an addon's text; `flows` a file, which `source` is the option for."""

    def __init__(
        self, directory: Path, config: dict, flows: Path, script: str, *options: str, confdir: Path, source: str = "-nr"
    ) -> None:
        directory.mkdir()
        (directory / "api.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        (directory / "person.py").write_text(script)
        written = directory / "flows"
        command = [
            *(str(MITMDUMP), source, str(flows), "-w", str(written), "--set", f"confdir={confdir}"),
            *("-s", str(ROOT / "uniapi_addon.py"), "-s", str(directory / "person.py"), *options),
        ]
        ended = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60)
        self.log = ended.stdout + ended.stderr
        assert "Traceback" not in self.log, self.log
        for secret in (CLIENT_KEY, PROVIDER_KEY):
            assert secret not in self.log
            assert secret.encode() not in written.read_bytes()
        self.flows = flows_in(written)
