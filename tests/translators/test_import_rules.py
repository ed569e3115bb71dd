"""Who may import whom: docs and reviewers rely on it, so it is checked in the syntax tree of every file."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "config": set(),
    "translators": set(),
    "balancing": {"config", "translators"},
    "inspection": {"config", "translators"},
    "stats": {"config", "translators"},
}
"""Package → what else of ours it may import."""
OPTIONAL = {"inspection", "stats"}
"""Packages that may be absent; of the translators they take `types`, and what that stands on, and little else."""
SHOWN = tuple(
    f"translators.{name}"
    for name in ("base", "differences", "forms", "media", "openai_answer", "openai_events", "sse", "trace")
)
"""What views show of requests and answers: the client's own wire, forms, media, and what became of each field. A second
copy of that knowledge would be worse than the dependency."""
IMPURE = {"asyncio", "time", "random", "secrets", "socket", "threading", "aiohttp", "mitmproxy"}
"""No clock, no chance, no I/O in the translators."""
MAY_IMPORT_MITMPROXY = (
    "uniapi_addon.py",
    "balancing/failover.py",
    "balancing/receiving.py",  # how a request comes in
    "balancing/attempts_layer.py",  # what its streams wait for, and until when
    "balancing/leaving_connections.py",  # those of them whose server says goodbye
    "balancing/leg.py",  # one of its attempts
    "balancing/large_bodies.py",  # how bodies of many megabytes pass through its layers
    "balancing/connections.py",  # how failover's connections are opened, kept and given up
    "balancing/tunnels.py",  # layers for connections through a provider's proxy, to be among mitmproxy's own
    "balancing/dispatch.py",
    "inspection/",
)


def imports(path: Path) -> Iterator[str]:
    """The full names of all modules that a file imports, wherever in it; relative ones are refused outright."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def top(name: str) -> str:
    return name.partition(".")[0]


@pytest.fixture(params=sorted(PACKAGES))
def package(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if not files(name):
        assert name in OPTIONAL, f"the package {name} is missing"
        pytest.skip(f"there is no package {name}")
    return name


def test_packages_import_only_what_they_may(package: str) -> None:
    """`config` and `translators` stand alone; nobody imports the addon."""
    allowed = PACKAGES[package] | {package}
    ours = set(PACKAGES) | {"uniapi_addon"}
    for path in files(package):
        for name in imports(path):
            assert top(name) not in ours - allowed, f"{path.relative_to(ROOT)} imports {name}"


def test_inspection_and_stats_take_only_types() -> None:
    """How answers are translated is not theirs to know; only views read the client's own wire to show it."""
    for path in [path for package in OPTIONAL for path in files(package)]:
        for name in imports(path):
            if top(name) == "translators":
                shown = SHOWN if path.is_relative_to(ROOT / "inspection" / "views") else ()
                allowed = ("translators.types", "translators.errors", "translators.jsontext", *shown)
                assert name.startswith(allowed), f"{path.relative_to(ROOT)}: {name}"


def test_mitmproxy_is_imported_in_its_places_only() -> None:
    """Its inside is used in few files, so that a new version of it concerns no more of them."""
    found = [ROOT / "uniapi_addon.py", *(path for package in PACKAGES for path in files(package))]
    for path in filter(Path.exists, found):
        place = path.relative_to(ROOT).as_posix()
        if not place.startswith(MAY_IMPORT_MITMPROXY):
            assert "mitmproxy" not in map(top, imports(path)), f"{place} imports mitmproxy"


def test_the_translators_are_pure() -> None:
    """What they do is a function of their input: repeatable, and testable without a loop."""
    for path in files("translators"):
        found = IMPURE.intersection(map(top, imports(path)))
        assert not found, f"{path.relative_to(ROOT)} imports {found}"


def test_modules_import_each_other_in_one_direction(package: str) -> None:
    """No cycles, neither between files nor hidden in functions."""
    modules = {module_name(path): path for path in files(package)}
    needs = {name: {known(found, modules) for found in imports(path)} - {None, name} for name, path in modules.items()}
    while needs:
        free = {name for name, wanted in needs.items() if not wanted & set(needs)}
        assert free, f"a cycle among {sorted(needs)}"
        needs = {name: wanted for name, wanted in needs.items() if name not in free}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def known(name: str, modules: dict[str, Path]) -> str | None:
    """The module of ours that an imported name stands for or lives in."""
    return name if name in modules else next((m for m in (name.rpartition(".")[0],) if m in modules), None)


def test_the_translators_can_be_imported_without_the_host() -> None:
    """Neither mitmproxy nor an event loop comes along with them."""
    code = "import sys, translators; print(sorted({'mitmproxy', 'asyncio', 'aiohttp'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
