"""The list of flows that mitmproxy and mitmweb show: no longer than wanted, and without the dead.

mitmproxy keeps all flows for ever. With uniapi_keep_flows the oldest ones leave the list. Those stay that are still on,
and those that a person has marked.

A flow that is killed at a breakpoint is let go, or its client would wait for ever (mitmproxy's issue 8045).
"""

from collections.abc import Iterable
from itertools import islice

from mitmproxy import ctx
from mitmproxy.addons.view import View
from mitmproxy.flow import Error, Flow

from inspection.flow_notes import MARKERS, MENDED
from inspection.views.record import KEY

OWN_MARKERS = {"", MENDED, *MARKERS.values()}


class FlowList:
    """An addon beside mitmproxy's `view`; where there is none, in mitmdump, there is nothing to do."""

    name = "uniapi_flow_list"

    def __init__(self) -> None:
        self.view: View | None = None
        self.most = 0

    def running(self) -> None:
        self.view = ctx.master.addons.get("view")
        if self.view is not None:
            self.view.sig_view_update.connect(self.flow_changed)
            self.view.sig_store_remove.connect(self.flow_changed)

    def done(self) -> None:
        if self.view is not None:
            self.view.sig_view_update.disconnect(self.flow_changed)
            self.view.sig_store_remove.disconnect(self.flow_changed)

    def configure(self, updated: set[str]) -> None:
        if "uniapi_keep_flows" in updated:
            self.most = ctx.options.uniapi_keep_flows
            self.shorten()

    def flow_ended(self, flow: Flow) -> None:
        self.shorten()

    response = error = websocket_end = flow_ended
    tcp_end = tcp_error = udp_end = udp_error = dns_response = dns_error = flow_ended

    def shorten(self) -> None:
        """Take the oldest flows out of the list, as many as there are too many."""
        if self.view is None or self.most == 0:
            return
        flows = self.view._store
        surplus = len(flows) - self.most
        if surplus > 0:
            for flow in list(islice(removable(flows.values()), surplus)):
                self.view.remove([flow])

    def flow_changed(self, flow: Flow) -> None:
        """Let go of one that has been killed."""
        is_killed = flow.error is not None and flow.error.msg == Error.KILLED_MESSAGE
        if is_killed and KEY in flow.metadata and flow._resume_event is not None:
            flow._resume_event.set()


def removable(flows: Iterable[Flow]) -> Iterable[Flow]:
    return (flow for flow in flows if not flow.live and not flow.intercepted and flow.marked in OWN_MARKERS)
