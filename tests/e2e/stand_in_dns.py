"""A mitmproxy script instead of DNS and the internet: whatever is not on this machine is the test's server.

UNIAPI_TEST_REAL_HOST is its port on 127.0.0.1.
"""

import os

from mitmproxy.proxy.server_hooks import ServerConnectionHookData

PORT = int(os.environ["UNIAPI_TEST_REAL_HOST"])


def server_connect(data: ServerConnectionHookData) -> None:
    """Lead the connection elsewhere."""
    if data.server.address and data.server.address[0] != "127.0.0.1":
        data.server.address = ("127.0.0.1", PORT)
