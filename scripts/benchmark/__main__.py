"""Three ways to the same answers, measured in turns within one run: the upstream directly, plain mitmdump in front of
it (`--mode reverse:…`), and this gateway. Figures of different runs are not comparable, the ratios of one run are."""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MITMDUMP = Path(sys.executable).with_name("mitmdump")
OPTIONS = ("--listen-host", "127.0.0.1", "--listen-port", "0")
"""The same for plain mitmdump and for the gateway."""

CONFIG = """
providers:
  - {{provider: bench-openai, base_url: "{url}/v1", api: sk-none, model: [bench]}}
  - {{provider: bench-claude, base_url: "{url}/v1", api: sk-none, model: [bench-claude], engine: claude}}
api_keys:
  - api: sk-bench
    preferences: {{RATE_LIMIT: none}}
"""


@dataclass
class Program:
    """A running process that listens."""

    name: str
    process: subprocess.Popen[str]
    port: int

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_megabytes(self) -> float:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found
        return int(found[1]) / 1024


@dataclass
class Figures:
    """What one way achieved in one scenario, a value a round."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


SCENARIOS = [
    (f"{engine} {kind} c={concurrency}", engine, kind, concurrency)
    for engine in ("gpt", "claude")
    for kind in ("whole", "stream")
    for concurrency in (1, 16)
]


def start_upstream() -> Program:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "upstream.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return Program("upstream", process, int(process.stdout.readline()))


def start_mitmdump(name: str, directory: Path, *options: str) -> Program:
    log = directory / f"{name}.log"
    process = subprocess.Popen(
        [str(MITMDUMP), *OPTIONS, "--set", f"confdir={directory}", *options],
        cwd=directory,
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
        text=True,
    )
    for _ in range(300):
        found = re.search(r"listening at (?:\S+ and )?127\.0\.0\.1:(\d+)", log.read_text())
        if found:
            return Program(name, process, int(found[1]))
        time.sleep(0.1)
    raise SystemExit(f"{name} did not start:\n{log.read_text()}")


def load(program: Program, engine: str, kind: str, concurrency: int, requests: int) -> dict[str, object]:
    translated = program.name == "gateway" and engine == "claude"
    endpoint = "messages" if engine == "claude" and not translated else "chat/completions"
    command = [
        sys.executable, str(HERE / "load.py"), f"http://127.0.0.1:{program.port}/v1/{endpoint}",
        "bench-claude" if translated else "bench", kind, str(concurrency), str(requests),
    ]  # fmt: skip
    result: dict[str, object] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if result["failures"]:
        raise SystemExit(f"{program.name}: {result['failures']} answers were not as they should be")
    return result


def measure(programs: list[Program], rounds: int, seconds: float) -> dict[str, dict[str, Figures]]:
    """Scenario → way → figures. The number of requests is chosen so that a turn takes about `seconds`."""
    figures = {name: {program.name: Figures() for program in programs} for name, *_ in SCENARIOS}
    for round_number in range(rounds + 1):
        for name, engine, kind, concurrency in SCENARIOS:
            for program in programs:
                rate = figures[name][program.name].rates[-1] if round_number else 100.0
                requests = max(concurrency * 4, int(rate * (seconds if round_number else 0.5)))
                cpu = program.cpu_seconds()
                result = load(program, engine, kind, concurrency, requests)
                taken, latencies = result["seconds"], result["latencies"]
                assert isinstance(taken, float)
                assert isinstance(latencies, list)
                found = figures[name][program.name]
                if round_number == 1:  # The round before was for warming up.
                    found.rates.clear()
                found.rates.append(requests / taken)
                if round_number:
                    found.cpu.append((program.cpu_seconds() - cpu) / requests * 1000)
                    found.latencies.extend(latencies)
        print(f"round {round_number} of {rounds} done", file=sys.stderr)
    return figures


def report(figures: dict[str, dict[str, Figures]], programs: list[Program]) -> None:
    print(f"{'':22}{'':10}{'per second':>11}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'to plain':>10}{'to direct':>11}")
    for name, ways in figures.items():
        for way, found in ways.items():
            percentiles = statistics.quantiles(found.latencies, n=100)
            print(
                f"{name if way == 'upstream' else '':22}{way:10}{found.rate:11.0f}{percentiles[49]:9.2f}"
                f"{percentiles[98]:9.2f}{statistics.median(found.cpu):9.2f}"
                f"{found.rate / ways['mitmdump'].rate:10.2f}{found.rate / ways['upstream'].rate:11.2f}"
            )
    print("Resident memory at the end: ", end="")
    print(", ".join(f"{program.name} {program.resident_megabytes():.0f} MB" for program in programs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each way in each scenario (5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a turn (2)")
    arguments = parser.parse_args()
    programs: list[Program] = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        try:
            programs.append(start_upstream())
            url = f"http://127.0.0.1:{programs[0].port}"
            (directory / "api.yaml").write_text(CONFIG.format(url=url))
            programs.append(start_mitmdump("mitmdump", directory, "--mode", f"reverse:{url}"))
            programs.append(start_mitmdump("gateway", directory, "-s", str(ROOT / "uniapi_addon.py")))
            report(measure(programs, arguments.rounds, arguments.seconds), programs)
        finally:
            for program in programs:
                program.process.terminate()
            for program in programs:
                program.process.wait(10)


if __name__ == "__main__":
    main()
