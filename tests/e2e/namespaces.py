"""Machines of a test's own: Linux network namespaces, joined by a cable (veth).

    with joined_machines() as (app, router):
        with app.entered():
            socket.create_connection(...)   # from that machine; processes begin there, too

They need root. `missing()` says why a machine cannot have them.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

ROUTER_ADDRESS = "10.77.0.1"
APP_ADDRESS = "10.77.0.2"
OUTSIDE = {"api.openai.com": "203.0.113.1", "other.example": "203.0.113.2"}
"""Hosts of the outside world (addresses of TEST-NET-3, RFC 5737). The router has them on its loopback interface."""


class Machine:
    """A network namespace, and the names that it knows (/etc/hosts)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._here = Path("/proc/self/ns/net")

    def run(self, *command: str, stdin: str | None = None) -> str:
        """Run a program on this machine; gives its output. Raises CalledProcessError."""
        return run("ip", "netns", "exec", self.name, *command, stdin=stdin)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let this thread open sockets and start processes there."""
        with open("/proc/thread-self/ns/net") as before, open(f"/run/netns/{self.name}") as there:
            os.setns(there.fileno(), os.CLONE_NEWNET)
            try:
                yield
            finally:
                os.setns(before.fileno(), os.CLONE_NEWNET)


def run(*command: str, stdin: str | None = None) -> str:
    return subprocess.run(command, input=stdin, check=True, capture_output=True, text=True, timeout=60).stdout


@cache
def missing() -> str | None:
    """What this machine lacks for machines of its own; None if nothing."""
    if not hasattr(os, "setns") or not shutil.which("ip") or not shutil.which("nft"):
        return "network namespaces need Linux with ip and nft"
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        with joined_machines():
            return None
    except subprocess.CalledProcessError as error:
        return f"no network namespaces here: {error.stderr.strip()}"


@contextmanager
def joined_machines() -> Iterator[tuple[Machine, Machine]]:
    """A machine for an app, and the router through which alone it reaches the world."""
    mark = secrets.token_hex(3)
    app, router = Machine(f"app-{mark}"), Machine(f"router-{mark}")
    with ExitStack() as stack:
        for machine in (app, router):
            run("ip", "netns", "add", machine.name)
            stack.callback(run, "ip", "netns", "delete", machine.name)
            machine.run("ip", "link", "set", "lo", "up")
        stack.enter_context(known_hosts(app))
        run(
            "ip", "link", "add", f"a{mark}", "netns", app.name, "type", "veth", "peer", f"r{mark}", "netns", router.name
        )
        for machine, interface, address in ((app, f"a{mark}", APP_ADDRESS), (router, f"r{mark}", ROUTER_ADDRESS)):
            machine.run("ip", "address", "add", f"{address}/24", "dev", interface)
            machine.run("ip", "link", "set", interface, "up")
        app.run("ip", "route", "add", "default", "via", ROUTER_ADDRESS)
        for address in OUTSIDE.values():
            router.run("ip", "address", "add", f"{address}/32", "dev", "lo")
        yield app, router


@contextmanager
def known_hosts(machine: Machine) -> Iterator[None]:
    """Let the machine know OUTSIDE's names: `ip netns exec` puts this file over /etc/hosts."""
    directory = Path("/etc/netns", machine.name)
    directory.mkdir(parents=True)
    (directory / "hosts").write_text(
        "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in OUTSIDE.items())
    )
    try:
        yield
    finally:
        shutil.rmtree(directory)


def lead_to(router: Machine, port: int) -> None:
    """Have the router hand all HTTPS connections that pass it to this port of its own, as for transparent mode."""
    redirect(router, "prerouting", f'iifname "r*" tcp dport 443 redirect to :{port}')


def lead_own_connections(machine: Machine, port: int, *, but_from: str) -> None:
    """Have a machine hand its own connections to 127.1.0.0/16 to this port, except those from one address."""
    redirect(machine, "output", f"ip daddr 127.1.0.0/16 ip saddr != {but_from} meta l4proto tcp redirect to :{port}")


def redirect(machine: Machine, hook: str, rule: str) -> None:
    """Have this rule alone."""
    machine.run(
        *("nft", "-f", "-"),
        stdin=f"""
            table ip uniapi
            delete table ip uniapi
            table ip uniapi {{
                chain redirecting {{
                    type nat hook {hook} priority -100;
                    {rule}
                }}
            }}
        """,
    )
