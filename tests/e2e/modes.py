"""The ways to the gateway: each of mitmproxy's modes, with the demo's providers and no internet.

`MODES` has a context manager for each; it starts the gateway and gives the way in. A mode that this machine cannot have
skips the test and says why.
"""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e import namespaces
from tests.e2e.certificates import host_certificate
from tests.e2e.gateway_process import MITMDUMP, GatewayProcess
from tests.e2e.namespaces import OUTSIDE, ROUTER_ADDRESS, joined_machines, lead_to
from tests.e2e.real_host import RealHost
from tests.e2e.wire_recorder import end_of_message

STAND_IN_DNS = Path(__file__).with_name("stand_in_dns.py")
HTTPS = 443
WIREGUARD_PORT = 51820


@dataclass(frozen=True, slots=True)
class Setup:
    """`start`: the fixture that starts gateways. `options`: mitmdump's, beside the mode's own."""

    start: Callable[..., GatewayProcess]
    confdir: Path
    directory: Path
    options: tuple[str, ...] = ()

    def real_host(self, address: tuple[str, int] = ("127.0.0.1", 0)) -> RealHost:
        return RealHost(host_certificate(self.confdir, *OUTSIDE), address)

    def gateway(self, *options: str, **keywords: object) -> GatewayProcess:
        """The demo, which trusts the real host."""
        trusting = ("--set", f"ssl_verify_upstream_trusted_ca={self.confdir / 'mitmproxy-ca-cert.pem'}")
        return self.start(None, *trusting, *options, *self.options, demo=True, **keywords)

    def gateway_without_internet(self, real: RealHost, *options: str, **keywords: object) -> GatewayProcess:
        environ = {"UNIAPI_TEST_REAL_HOST": str(real.port)}
        return self.gateway("-s", str(STAND_IN_DNS), *options, environ=environ, **keywords)


@dataclass(frozen=True, slots=True)
class Way:
    """`connect` opens a connection to port 443 of a host of OUTSIDE, as an app does on that way."""

    connect: Callable[[str], socket.socket]
    real: RealHost
    confdir: Path

    def ask(self, host: str, request: bytes) -> bytes:
        """Speak TLS with this host, send these bytes, and give the answer's."""
        context = ssl.create_default_context(cafile=str(self.confdir / "mitmproxy-ca-cert.pem"))
        with self.connect(host) as plain, context.wrap_socket(plain, server_hostname=host) as secured:
            secured.settimeout(30)
            secured.sendall(request)
            received = b""
            while end_of_message(received, 0) is None and (data := secured.recv(65536)):
                received += data
        return received


Mode = Callable[[Setup], AbstractContextManager[Way]]


# --- the app knows a proxy --------------------------------------------------------------------------------------


@contextmanager
def regular(setup: Setup) -> Iterator[Way]:
    """HTTPS_PROXY."""
    with setup.real_host() as real:
        gateway = setup.gateway_without_internet(real)
        yield Way(lambda host: http_tunnel(gateway.port, host), real, setup.confdir)


@contextmanager
def upstream(setup: Setup) -> Iterator[Way]:
    """The gateway's own way out is another proxy: a mitmdump that decrypts nothing."""
    with setup.real_host() as real:
        environ = {"UNIAPI_TEST_REAL_HOST": str(real.port)}
        outer = setup.start(None, "--ignore-hosts", ".*", addon=STAND_IN_DNS, environ=environ)
        gateway = setup.gateway("--mode", f"upstream:{outer.url}")
        yield Way(lambda host: http_tunnel(gateway.port, host), real, setup.confdir)


@contextmanager
def socks5(setup: Setup) -> Iterator[Way]:
    with setup.real_host() as real:
        gateway = setup.gateway_without_internet(real, "--mode", "socks5")
        yield Way(lambda host: socks5_tunnel(gateway.port, host), real, setup.confdir)


def http_tunnel(port: int, host: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(f"CONNECT {host}:{HTTPS} HTTP/1.1\r\nHost: {host}:{HTTPS}\r\n\r\n".encode())
    assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    return connection


def socks5_tunnel(port: int, host: str) -> socket.socket:
    """RFC 1928, without a password, by the host's name."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(b"\x05\x01\x00")
    assert connection.recv(2) == b"\x05\x00"
    connection.sendall(b"\x05\x01\x00\x03" + bytes([len(host)]) + host.encode() + HTTPS.to_bytes(2))
    assert connection.recv(65536).startswith(b"\x05\x00")
    return connection


# --- the app knows nothing --------------------------------------------------------------------------------------


@contextmanager
def transparent(setup: Setup) -> Iterator[Way]:
    """The gateway is on the router, which hands it all HTTPS connections."""
    with transparent_machines(setup) as (app, real):
        yield Way(lambda host: connect_from(app, host), real, setup.confdir)


@contextmanager
def transparent_machines(setup: Setup) -> Iterator[tuple[namespaces.Machine, RealHost]]:
    """The app's machine, and the real host behind the router."""
    skip_unless_machines()
    with joined_machines() as (app, router):
        with router.entered():
            real = setup.real_host(("0.0.0.0", HTTPS))
            everywhere = ("--mode", "transparent", "--listen-host", "0.0.0.0")
            gateway = setup.gateway(*everywhere, pattern=r"Transparent Proxy listening at \*:(\d+)")
        lead_to(router, gateway.port)
        with real:
            yield app, real


@contextmanager
def wireguard(setup: Setup) -> Iterator[Way]:
    """The app's machine has all its traffic in a WireGuard tunnel, with the configuration that mitmproxy prints."""
    skip_unless_machines()
    for program in ("wireguard-go", "wg"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("there is no /dev/net/tun")
    with joined_machines() as (app, router), ExitStack() as stack:
        with router.entered():
            real = stack.enter_context(setup.real_host(("0.0.0.0", HTTPS)))
            mode = ("--mode", f"wireguard@{WIREGUARD_PORT}", "--listen-host", "0.0.0.0")
            gateway = setup.gateway(*mode, pattern=r"WireGuard server listening at \*:(\d+)")
        configuration = gateway.wait_for_log(r"(?s)\[Interface\].*?Endpoint = [^\n]*")[0]
        stack.enter_context(tunnel_of(app, configuration))
        yield Way(lambda host: connect_from(app, host), real, setup.confdir)


@contextmanager
def tunnel_of(app: namespaces.Machine, configuration: str) -> Iterator[None]:
    """What `wg-quick up` does, but for the machine's DNS."""
    kept = [line for line in configuration.splitlines() if not line.startswith(("Address", "DNS", "Endpoint"))]
    endpoint = f"Endpoint = {ROUTER_ADDRESS}:{WIREGUARD_PORT}"
    with app.entered():
        daemon = subprocess.Popen(["wireguard-go", "-f", "wg0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        app.run("sh", "-c", "until ip link show wg0; do sleep 0.05; done")
        app.run("wg", "setconf", "wg0", "/dev/stdin", stdin="\n".join([*kept, endpoint, ""]))
        app.run("ip", "address", "add", "10.0.0.1/32", "dev", "wg0")
        app.run("ip", "link", "set", "wg0", "up")
        app.run("ip", "route", "replace", "default", "dev", "wg0")
        yield
    finally:
        daemon.terminate()
        daemon.wait(10)


def skip_unless_machines() -> None:
    if reason := namespaces.missing():
        pytest.skip(reason)


def connect_from(app: namespaces.Machine, host: str) -> socket.socket:
    with app.entered():
        return socket.create_connection((OUTSIDE[host], HTTPS), timeout=30)


# --- the app is known by its name -------------------------------------------------------------------------------

APP_NAME = "uniapi-test-app"
CONNECT_AND_HAND_OVER = """
import socket, sys
connection = socket.create_connection((sys.argv[1], 443), timeout=5)
socket.send_fds(socket.socket(fileno=0), [b"."], [connection.fileno()])
"""


@contextmanager
def local(setup: Setup) -> Iterator[Way]:
    """mitmproxy takes the connections of a program out of the kernel."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("local capture is tested on Linux, as root")
    tried = subprocess.run([with_cgroups(setup.directory), "--version"], capture_output=True, text=True, timeout=60)
    if tried.returncode:
        pytest.skip(f"local capture needs cgroups version 2: {tried.stderr.strip()}")
    app = setup.directory / APP_NAME
    app.symlink_to(sys._base_executable)  # type: ignore[attr-defined]
    with setup.real_host() as real:
        environ = {"UNIAPI_TEST_REAL_HOST": str(real.port), "PATH": f"{setup.directory}:{os.environ['PATH']}"}
        stand_in_sudo(setup.directory)
        gateway = setup.gateway(
            *("-s", str(STAND_IN_DNS), "--mode", f"regular@{free_port()}", "--mode", f"local:{APP_NAME}"),
            environ=environ,
            program=with_cgroups(setup.directory),
        )
        gateway.wait_for_log("Local redirector started")
        wait_for_capture(app, setup.directory, real)
        yield Way(lambda host: connect_as(app, OUTSIDE[host]), real, setup.confdir)


def connect_as(app: Path, address: str) -> socket.socket:
    """A connection that the program `app` has opened, and handed over."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [str(app), "-IS", "-c", CONNECT_AND_HAND_OVER, address]
        subprocess.run(command, stdin=theirs.fileno(), check=True, timeout=60, capture_output=True)
        _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
    return socket.socket(fileno=descriptors[0])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def stand_in_sudo(directory: Path) -> None:
    """We are root, but mitmproxy asks for sudo all the same. It also ends when its redirector complains at the start,
    which that does in containers (about a limit that no kernel since 5.11 has), so the complaints go to a file."""
    path = directory / "sudo"
    path.write_text(
        f'#!/bin/sh\nwhile [ "${{1#-}}" != "$1" ]; do shift; done\nexec "$@" 2>{directory}/redirector.log\n'
    )
    path.chmod(0o755)


def with_cgroups(directory: Path) -> Path:
    """mitmdump where /sys/fs/cgroup is version 2, as on today's desktops and as the redirector expects."""
    path = directory / "mitmdump-with-cgroups"
    prepare = f'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec {MITMDUMP} "$@"'
    path.write_text(f"#!/bin/sh\nexec unshare --mount sh -c '{prepare}' sh \"$@\"\n")
    path.chmod(0o755)
    return path


def wait_for_capture(app: Path, directory: Path, real: RealHost) -> None:
    """Until the kernel leads the app's connections to mitmproxy, and that leads them on; skips the test if they will
    not."""
    captured = False
    for _ in range(40):
        complaint = (directory / "redirector.log").read_text()
        if "Error:" in complaint:
            reason = complaint.partition("Caused by:")[2].partition("Stack")[0].strip()
            pytest.skip(f"no local capture on this machine: {reason}")
        if real.connections:
            return
        if not captured:
            try:
                connect_as(app, OUTSIDE["other.example"]).close()
                captured = True
            except subprocess.CalledProcessError:
                pass  # Nobody has that address: not captured yet.
        time.sleep(0.1)
    pytest.fail("the app's connections are not captured")


MODES: dict[str, Mode] = {
    "regular": regular,
    "upstream": upstream,
    "socks5": socks5,
    "transparent": transparent,
    "wireguard": wireguard,
    "local": local,
}
