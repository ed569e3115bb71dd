"""Whose flow it is."""

import pytest
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.test import tflow

from inspection.ownership import Ownership


@pytest.mark.parametrize("host", ["api.openai.com", "API.OpenAI.com", "api.openai.com."])
@pytest.mark.parametrize("pattern", ["api.openai.com", "API.openai.COM", "*.openai.com"])
def test_names_of_hosts_are_the_same_in_any_case(host, pattern):
    """Else the gateway's key would go to the real host."""
    ownership = Ownership()
    ownership.intercept([pattern])
    assert ownership.is_intercepted(host)


def test_other_hosts_are_none_of_its_business():
    """Also those with a name that only begins alike."""
    ownership = Ownership()
    ownership.intercept(["api.openai.com"])
    assert not ownership.is_intercepted("api.openai.com.example")


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "localhost.", "127.0.0.1"])
def test_the_proxys_own_address_is_meant_by_any_of_its_names(host):
    """As a proxy's client asks for it."""
    flow = tflow.tflow()
    flow.client_conn.proxy_mode = ProxyMode.parse("regular")
    flow.client_conn.sockname = ("127.0.0.1", 8080)
    flow.request.host, flow.request.port = host, 8080
    assert Ownership().is_addressed_here(flow)
