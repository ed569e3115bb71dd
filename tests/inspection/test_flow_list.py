"""Which flows leave the list, and that a killed one is let go."""

import asyncio
from collections.abc import Iterator

import pytest
from mitmproxy import ctx, http
from mitmproxy.addons.view import View
from mitmproxy.test import taddons, tflow

from inspection.flow_list import FlowList


@pytest.fixture
def view() -> View:
    return View()


@pytest.fixture
def flow_list(view) -> Iterator[FlowList]:
    """Beside the view, for three flows."""
    flow_list = FlowList()
    with taddons.context(view, flow_list) as context:
        context.options.add_option("uniapi_keep_flows", int, 0, "")
        flow_list.running()
        context.configure(flow_list, uniapi_keep_flows=3)
        yield flow_list


def set_most(number: int) -> None:
    ctx.options.update(uniapi_keep_flows=number)


def come(view: View, flow_list: FlowList, **changes: object) -> http.HTTPFlow:
    """One more flow, over at once."""
    flow = tflow.tflow(resp=True)
    flow.live = False
    for name, value in changes.items():
        setattr(flow, name, value)
    view.add([flow])
    flow_list.response(flow)
    return flow


def test_the_oldest_leave(view, flow_list):
    """As many as there are too many."""
    flows = [come(view, flow_list) for _ in range(5)]
    assert list(view) == flows[2:]


@pytest.mark.parametrize("staying", [{"live": True}, {"intercepted": True}, {"marked": ":grapes:"}])
def test_what_is_on_and_what_a_person_has_marked_stays(view, flow_list, staying):
    """The next one leaves in its place; it counts all the same."""
    first = come(view, flow_list, **staying)
    flows = [come(view, flow_list) for _ in range(5)]
    assert list(view) == [first, *flows[3:]]


def test_the_gateways_own_marks_keep_nothing(view, flow_list):
    """Every flow of its has one."""
    for marker in (":green_circle:", ":yellow_circle:", ":red_circle:", ":white_circle:"):
        come(view, flow_list, marked=marker)
    assert [flow.marked for flow in view] == [":yellow_circle:", ":red_circle:", ":white_circle:"]


def test_what_a_filter_hides_leaves_too(view, flow_list):
    """It takes as much memory as what is seen."""
    view.set_filter_cmd("~c 999")
    for _ in range(5):
        come(view, flow_list)
    assert len(view._store) == 3


def test_a_smaller_number_counts_at_once(view, flow_list):
    """And with 0 all stay."""
    flows = [come(view, flow_list) for _ in range(3)]
    set_most(1)
    assert list(view) == flows[2:]
    set_most(0)
    more = [come(view, flow_list) for _ in range(5)]
    assert list(view) == flows[2:] + more


@pytest.mark.parametrize("ours", [True, False])
def test_a_flow_killed_at_a_breakpoint_is_let_go(view, flow_list, ours):
    """If it is the gateway's; with others' it is as it is with mitmproxy."""
    flow = tflow.tflow()
    flow.live = True
    if ours:
        flow.metadata["uniapi"] = {}
    view.add([flow])

    async def wait_and_kill() -> bool:
        flow.intercept()
        waiting = asyncio.create_task(flow.wait_for_resume())
        await asyncio.sleep(0)
        flow.kill()
        view.update([flow])
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        waiting.cancel()
        return bool(done)

    assert asyncio.run(wait_and_kill()) is ours
