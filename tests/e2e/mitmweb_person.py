"""What a person does in mitmweb, by the requests that its page makes.

web = MitmwebPerson(start, config, "--set", "intercept=~q")
flow = web.waiting_flow()                                        # stopped at a breakpoint
web.edit(flow["id"], request={"content": "…"})
web.resume(flow["id"])
web.command("uniapi.explain", "@" + flow["id"])
"""

import time
from collections.abc import Callable
from typing import Any

from tests.e2e.mitmweb_page import XSRF_TOKEN, Mitmweb


class MitmwebPerson(Mitmweb):
    """Its flows are those of mitmweb's list, as mitmweb tells them."""

    def flows(self) -> list[dict[str, Any]]:
        return self.get("/flows").json()

    def content(self, flow_id: str, message: str) -> str:
        """The body of a flow's request or response."""
        return self.get(f"/flows/{flow_id}/{message}/content.data").text

    def waiting_flow(self, *, with_response: bool = False, path: str = "") -> dict[str, Any]:
        """The flow that is stopped at a breakpoint, before or after its response is there; with this in its path."""
        return self.wait_for(
            lambda flow: (
                flow["intercepted"] and ("response" in flow) is with_response and path in flow["request"]["path"]
            )
        )

    def wait_for(self, is_it: Callable[[dict[str, Any]], bool], seconds: float = 15) -> dict[str, Any]:
        """The first flow that is as wanted."""
        deadline = time.monotonic() + seconds
        while not (found := [flow for flow in self.flows() if is_it(flow)]):
            assert time.monotonic() < deadline, (self.flows(), self.gateway.log)
            time.sleep(0.05)
        return found[0]

    def edit(self, flow_id: str, **changes: dict[str, Any]) -> None:
        """Change the flow's `request` or `response`."""
        self._change("PUT", f"/flows/{flow_id}", changes)

    def resume(self, flow_id: str) -> None:
        self._change("POST", f"/flows/{flow_id}/resume")

    def kill(self, flow_id: str) -> None:
        self._change("POST", f"/flows/{flow_id}/kill")

    def remove(self, flow_id: str) -> None:
        self._change("DELETE", f"/flows/{flow_id}")

    def replay(self, flow_id: str) -> dict[str, Any]:
        """The flow with its new answer."""
        self._change("POST", f"/flows/{flow_id}/replay")
        return self.wait_for(lambda flow: flow["id"] == flow_id and "response" in flow and bool(flow["comment"]))

    def set_option(self, name: str, value: object) -> None:
        self._change("PUT", "/options", {name: value})

    def refusal(self, name: str, *arguments: str) -> str:
        """What a command says that fails."""
        return self._change("POST", f"/commands/{name}", {"arguments": arguments})["error"]

    def _change(self, method: str, path: str, body: object = None) -> Any:
        headers = {"x-xsrftoken": XSRF_TOKEN, "cookie": f"_mitmproxy_xsrf={XSRF_TOKEN}"}
        answer = self._client.request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, (path, answer.text)
        return answer.json() if answer.text else None
