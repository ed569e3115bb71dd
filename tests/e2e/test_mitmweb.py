"""mitmweb, as a person uses it: one flow, translated, failed over and streamed, in the five views."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mitmproxy.io import FlowReader

from tests.browser import chromium, look
from tests.e2e.conftest import gateways
from tests.e2e.gateway_process import GatewayProcess
from tests.e2e.mitmweb_page import Mitmweb, MitmwebPage
from tests.e2e.umbrella_story import CLIENT_KEY, OVERLOAD, PROVIDER_KEYS, ask, story_config
from tests.e2e.upstream import Upstream

SECRETS = (CLIENT_KEY, *PROVIDER_KEYS.values())
MASKED = "sk-…t8n"
"""The key of the provider that served."""
SIDES = ("Request", "Response")
VIEWS = ("Chat", "Client side", "Provider side", "Attempts", "Translation")
ATTEMPTS = (
    "#  provider  model                key      status  first output  ",
    "1  groq      openai/gpt-oss-120b  gsk…m2c       -             -  ",
    "2  deepseek  deepseek-chat        sk-…7d1     500             -  ",
    "3  claude    claude-sonnet-4-5    sk-…t8n     200  ",
    "1. groq/openai/gpt-oss-120b: connect",
    "2. deepseek/deepseek-chat: server",
    "500 Internal Server Error",
    OVERLOAD,
)
TRANSLATION = (
    "gpt-oss → claude/claude-sonnet-4-5, engine claude",
    "max_completion_tokens 2000        → max_tokens 2000",
    "seed 42                           → dropped · Claude has no such parameter",
    "tools[0] get_weather(city, day)   → tools[0]",
)
SHOWN = {
    ("Request", "Chat"): (
        "gpt-oss, streamed",
        "── user ──",
        "I am off to Oslo today. Do I need an umbrella?",
        '→ get_weather({"city": "Oslo", "day": "today"}) · call_oslo',
        "── tool · get_weather · call_oslo ──",
    ),
    ("Response", "Chat"): (
        "── assistant · tool_calls ──",
        "(reasoning, 76 characters: Bergen is a new city, and another day.",
        "Bergen is known for its rain. Let me look at tomorrow’s forecast.",
        '→ get_weather({"city": "Bergen", "day": "tomorrow"}) · toolu_01Nf5cRt8Kq',
        "usage: 1167 prompt tokens (512 cached), 143 completion tokens",
    ),
    ("Request", "Client side"): ("POST /v1/chat/completions", "authorization: Bearer sk-…d04", '"seed": 42,'),
    ("Response", "Client side"): (
        "x-uniapi-dropped: temperature, seed",
        '"delta":{"content":"Bergen is known',
        "data: [DONE]",
    ),
    ("Request", "Provider side"): ("x-api-key: sk-…t8n", '"tool_use_id": "call_oslo"', '"budget_tokens": 1024'),
    ("Response", "Provider side"): (
        "200 OK",
        "event: message_start",
        '"delta": {"type": "thinking_delta", "thinking": "Bergen is a new city',
        "event: message_stop",
    ),
    ("Request", "Attempts"): ATTEMPTS,
    ("Response", "Attempts"): ATTEMPTS,
    ("Request", "Translation"): TRANSLATION,
    ("Response", "Translation"): TRANSLATION,
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, confdir: Path) -> Iterator[MitmwebPage]:
    """The page in a browser; the story has been played, and nobody has touched it yet."""
    upstream = Upstream()
    with gateways(tmp_path_factory.mktemp("mitmweb"), confdir) as start, chromium() as browser:
        mitmweb = Mitmweb(start, story_config(upstream))
        ask(mitmweb.gateway.base_url)
        look(browser, width=1400, height=900)
        yield MitmwebPage(browser, mitmweb)
    upstream.close()


@pytest.fixture
def opened(page: MitmwebPage) -> MitmwebPage:
    """The page with the flow opened."""
    page.open_flow()
    return page


def leaked(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


# --- what is seen ---------------------------------------------------------------------------------------------


def test_the_list_of_flows_tells_what_became_of_a_request(page: MitmwebPage):
    """By its comment, and by the yellow of one that was answered at a later attempt."""
    assert page.cell(".col-comment").startswith("gpt-oss → claude/")
    assert page.cell(".marker") == "🟡"
    assert page.cell(".col-path").endswith("/claude/v1/messages")
    assert page.cell(".col-status") == "200"


def test_chat_is_what_a_flow_opens_with(opened: MitmwebPage):
    """Nobody has to know of it."""
    for side in SIDES:
        opened.choose_side(side)
        opened.wait_for_text(*SHOWN[side, "Chat"])
        assert opened.view == ("Chat", "auto")


@pytest.mark.parametrize(("side", "view"), SHOWN, ids=[f"{view} of {side}" for side, view in SHOWN])
def test_each_view_shows_its_part(opened: MitmwebPage, side: str, view: str):
    """Chosen in the page's menu, on either side of the flow."""
    opened.choose_side(side)
    opened.choose_view(view)
    opened.wait_for_text(*SHOWN[side, view])
    assert opened.view == (view, view.lower())


def test_the_comment_is_one_line_of_everything(opened: MitmwebPage):
    """In the tab of that name it is not cut."""
    opened.choose_side("Comment")
    opened.wait_for_text("gpt-oss → claude/claude-sonnet-4-5 · 3 attempts · first output")
    opened.wait_for_text("1167 + 143 tokens · dropped: temperature, seed")


# --- what is not ----------------------------------------------------------------------------------------------


def test_no_secret_is_in_the_page(opened: MitmwebPage):
    """In none of its tabs and views; the masked key shows that it is the flow that was looked at."""
    sources = []
    for side in SIDES:
        opened.choose_side(side)
        for view in VIEWS:
            opened.choose_view(view)
            opened.wait_for_text(*SHOWN[side, view])
            sources.append(opened.source)
    for tab in ("Connection", "Timing", "Comment"):
        opened.choose_side(tab)
        sources.append(opened.source)
    assert MASKED in sources[0]
    assert leaked("\n".join(sources)) == []


def test_no_secret_is_in_what_the_page_is_made_of(page: MitmwebPage):
    """Its JSON, every view that mitmproxy has, the bodies, the events, the file to download."""
    mitmweb = page.mitmweb
    (flow,) = mitmweb.get("/flows").json()
    assert ["x-api-key", MASKED] in flow["request"]["headers"]
    paths = ["/flows", "/events", "/flows/dump", "/options", "/state"]
    for side in ("request", "response"):
        parts = ["content.data", *(f"content/{view}" for view in ("auto", "raw", *VIEWS))]
        paths.extend(f"/flows/{flow['id']}/{side}/{part}" for part in parts)
    for path in paths:
        answer = mitmweb.get(path).content.decode("utf-8", "replace")
        assert leaked(answer) == [], path
        assert leaked(json.dumps(answer)) == [], path


@pytest.mark.parametrize(
    "item", ["Copy as cURL", "Copy as HTTPie", "Copy raw request", "Copy raw request and response"]
)
def test_no_secret_is_copied(opened: MitmwebPage, item: str):
    """From the page's menu, into the clipboard."""
    copied = opened.copy(item)
    assert "/claude/v1/messages" in copied
    assert MASKED in copied
    assert leaked(copied) == []


def test_no_secret_is_in_files(start: Callable[..., GatewayProcess], upstream: Upstream, tmp_path: Path):
    """Of `-w`, of the option hardump and of the command save.har, which all have the flow in them."""
    at_the_end, on_demand = tmp_path / "end.har", tmp_path / "demand.har"
    mitmweb = Mitmweb(start, story_config(upstream), "--set", f"hardump={at_the_end}")
    ask(mitmweb.gateway.base_url)
    mitmweb.command("save.har", "@all", str(on_demand))
    mitmweb.gateway.stop()
    for har in (at_the_end, on_demand):
        (entry,) = json.loads(har.read_text())["log"]["entries"]
        assert {"name": "x-api-key", "value": MASKED} in entry["request"]["headers"]
        assert leaked(har.read_text()) == []
    with mitmweb.gateway.flow_path.open("rb") as file:
        (flow,) = FlowReader(file).stream()
    assert [attempt["provider"] for attempt in flow.metadata["uniapi"]["account"]["attempts"]] == list(PROVIDER_KEYS)
    assert leaked(mitmweb.gateway.flow_path.read_bytes().decode("utf-8", "replace")) == []
    assert leaked(mitmweb.gateway.log) == []


def test_a_secret_would_be_found(start: Callable[..., GatewayProcess], upstream: Upstream):
    """Where the masks are off, so that the tests above prove something."""
    mitmweb = Mitmweb(start, story_config(upstream), "--set", "uniapi_keep_secrets=true")
    ask(mitmweb.gateway.base_url)
    (flow,) = mitmweb.get("/flows").json()
    assert leaked(mitmweb.command("export", "curl", f"@{flow['id']}")) == [PROVIDER_KEYS["claude"]]
    assert leaked(mitmweb.get(f"/flows/{flow['id']}/request/content/Client%20side").text) == [CLIENT_KEY]
