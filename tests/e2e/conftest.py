"""End-to-end tests drive a real mitmdump; providers are fakes on loopback."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.upstream import Upstream

CLIENT_KEY = "sk-test-client-key-0001"
PROVIDER_KEY = "sk-test-provider-secret-0002"


@pytest.fixture(scope="session")
def confdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mitmproxy's CA, made once."""
    return tmp_path_factory.mktemp("confdir")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def start(tmp_path: Path, confdir: Path) -> Iterator[Callable[..., GatewayProcess]]:
    """Start gateways that end with the test, see `gateways`."""
    with gateways(tmp_path, confdir) as start_one:
        yield start_one


@contextmanager
def gateways(parent: Path, confdir: Path) -> Iterator[Callable[..., GatewayProcess]]:
    """Start gateways that end with the context; afterwards nothing may have crashed and no key may have leaked."""
    with ExitStack() as stack:
        started: list[GatewayProcess] = []

        def start_one(config: dict | str | None, *options: str, **keywords: Any) -> GatewayProcess:
            directory = parent / f"gateway-{len(started)}"
            directory.mkdir()
            environ = {**os.environ, **keywords.pop("environ", {})}
            gateway = GatewayProcess(directory, config, *options, confdir=confdir, environ=environ, **keywords)
            started.append(gateway)
            return stack.enter_context(gateway)

        yield start_one
    for gateway in started:
        assert "crashed" not in gateway.log, gateway.log
        assert "Traceback" not in gateway.log, gateway.log
        flows = gateway.flow_path.read_bytes() if gateway.flow_path.exists() else b""
        for secret in (CLIENT_KEY, PROVIDER_KEY):
            assert secret not in gateway.log
            assert secret.encode() not in flows


def config_of(
    *providers: dict, timeout: float = 20, preferences: dict[str, object] | None = None, **client: object
) -> dict:
    """A config with these providers and one client key, which has no rate limit unless its preferences say so."""
    preferences = {"RATE_LIMIT": "none", **(preferences or {})}
    return {
        "providers": [{"api": PROVIDER_KEY, **provider} for provider in providers],
        "api_keys": [{"api": CLIENT_KEY, "preferences": preferences, **client}],
        "preferences": {"model_timeout": {"default": timeout}},
    }


def provider(name: str, base_url: str, *, model: str = "test-model", **fields: object) -> dict:
    return {"provider": name, "base_url": base_url, "model": [model], **fields}


@pytest.fixture
def sdk() -> Iterator[Callable[[GatewayProcess], openai.OpenAI]]:
    """The openai SDK without its own retries, pointed at a gateway."""
    with ExitStack() as stack:
        yield lambda gateway: stack.enter_context(
            openai.OpenAI(base_url=gateway.base_url, api_key=CLIENT_KEY, max_retries=0, timeout=30)
        )
