"""A real mitmdump with the addon, on a port of its own; with `demo`, in front of the demo's simulated providers."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
MITMDUMP = Path(sys.executable).with_name("mitmdump")


class GatewayProcess:
    """`config` is api.yaml as data; `log` its output so far; `saves`: the flows go into a file. Use it as a context
    manager."""

    def __init__(
        self,
        directory: Path,
        config: dict | str | None,
        *options: str,
        confdir: Path,
        environ: dict[str, str] | None = None,
        program: Path = MITMDUMP,
        demo: bool = False,
        saves: bool = True,
        addon: Path = ROOT / "uniapi_addon.py",
        pattern: str = r"listening at (?:\S+ and )?127\.0\.0\.1:(\d+)",
    ) -> None:
        self.directory = directory
        self.config_path = directory / "api.yaml"
        if config is not None:
            self.write_config(config)
        self.log_path = directory / "gateway.log"
        self.flow_path = directory / "flows"
        self._log_file = self.log_path.open("wb")
        scripts = ["-s", str(addon)]
        if demo:
            scripts = ["-s", str(ROOT / "scripts/demo/addon.py"), *scripts]
            options = ("--set", f"uniapi_config={ROOT / 'scripts/demo/api.yaml'}", *options)
        command = [
            *(str(program), *scripts),
            *("--listen-host", "127.0.0.1", "--listen-port", "0", "--set", f"confdir={confdir}"),
            *("--set", "termlog_verbosity=debug", *(("-w", str(self.flow_path)) if saves else ()), *options),
        ]
        self.process = subprocess.Popen(
            command, cwd=directory, stdout=self._log_file, stderr=subprocess.STDOUT, env=environ
        )
        self._pattern = pattern
        self.port = 0

    def write_config(self, config: dict | str) -> None:
        text = config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False)
        self.config_path.write_text(text)

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def wait_for_log(self, pattern: str, seconds: float = 15) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = re.search(pattern, self.log)
            if found:
                return found
            if self.process.poll() is not None and not re.search(pattern, self.log):
                break
            time.sleep(0.03)
        raise AssertionError(f"{pattern!r} did not appear in the log:\n{self.log}")

    def __enter__(self) -> "GatewayProcess":
        self.port = int(self.wait_for_log(self._pattern)[1])
        return self

    def __exit__(self, *args: object) -> None:
        self.stop()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self._log_file.close()
        return self.process.returncode

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"
