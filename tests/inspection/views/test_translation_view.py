"""What became of each of the client's fields."""

import io
import json

from mitmproxy import http
from mitmproxy.io import FlowReader, FlowWriter

from inspection.views.translation import Translation
from tests.inspection.views.flows import (
    FAILED,
    SERVED,
    answered_by_the_gateway,
    built,
    chat_request,
    flow_of,
    shown,
    streaming,
)

VIEW = Translation()
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
REQUEST = chat_request(seed=3, temperature=1.5, n=1, tools=[WEATHER])


def fields(text: str) -> dict[str, str]:
    """The lines of the table: left of the arrow → right of it."""
    rows = [line.split(" → ", 1) for line in text.split("\n")[1:] if " → " in line]
    return {left.strip(): right for left, right in rows}


def test_every_field_has_its_line():
    """Where it went, with what value; dropped and why; or nothing at all."""
    text = shown(VIEW, flow_of(REQUEST))
    assert text.split("\n")[0] == "gpt-demo → somebody/claude-sonnet-4-5, engine claude"
    assert fields(text) == {
        'model "gpt-demo"': 'model "claude-sonnet-4-5"',
        "messages[0] user": "messages[0].content[0] (user)",
        "seed 3": "dropped · Claude has no such parameter",
        "temperature 1.5": "temperature 1 · Claude's highest is 1",
        "n 1": "changes nothing",
        "tools[0] weather()": "tools[0]",
        "(added)": "max_tokens 64000",
    }
    assert shown(VIEW, flow_of(REQUEST), "response") == text


def test_the_right_column_is_as_wide_as_a_page_allows():
    """What is longer goes on below itself; a long value on the left is cut."""
    schema = {"type": "json_schema", "json_schema": {"name": "city", "schema": {"type": "object"}}}
    lines = shown(VIEW, flow_of(chat_request(reasoning_effort="low", temperature=0.5, response_format=schema))).split(
        "\n"
    )
    arrow = lines[2].index("→")
    assert {line.index("→") for line in lines[2:] if "→" in line} == {arrow}
    assert max(map(len, lines)) <= 80
    below = lines.index(next(line for line in lines if line.startswith("reasoning_effort"))) + 1
    assert lines[below].startswith(" " * (arrow + 2))
    assert any(line.startswith('response_format {"type": "json_s… →') for line in lines)


def test_it_is_the_same_for_a_flow_from_a_file():
    """Nothing but the flow is needed, no configuration."""
    file = io.BytesIO()
    flow = flow_of(REQUEST)
    FlowWriter(file).add(flow)
    file.seek(0)
    (loaded,) = FlowReader(file).stream()
    assert isinstance(loaded, http.HTTPFlow)
    assert shown(VIEW, loaded) == shown(VIEW, flow)


def test_what_was_sent_otherwise_is_told():
    """The provider's own parameters, for example."""
    sent = json.loads(built(json.dumps(REQUEST).encode())) | {"top_k": 5, "max_tokens": 100}
    text = shown(VIEW, flow_of(REQUEST, sent=json.dumps(sent).encode()))
    assert text.split("\n")[-4:] == [
        "What was sent differs: the provider's own parameters, fetched pictures, restored",
        "reasoning, or an edit:",
        "max_tokens",
        "top_k",
    ]


def test_a_provider_without_tools_is_built_without_tools():
    """As the attempt says."""
    attempt = SERVED | {"tools": False}
    sent = {name: value for name, value in json.loads(built(json.dumps(REQUEST).encode())).items() if name != "tools"}
    text = shown(VIEW, flow_of(REQUEST, sent=json.dumps(sent).encode(), attempts=[attempt]))
    assert fields(text)["tools[0] weather()"] == "changes nothing"
    assert "tools: this provider is configured without tools" in text
    assert "differs" not in text


def test_the_attempt_that_served_is_shown():
    """Or, if none did, the last that was sent."""
    lost = SERVED | {"provider": "slow", "cancelled": True}
    unsent = FAILED | {"provider": "unsent", "url": ""}
    assert "somebody/" in shown(VIEW, flow_of(REQUEST, attempts=[FAILED, SERVED, lost])).split("\n")[0]
    assert "flaky/" in shown(VIEW, flow_of(REQUEST, attempts=[FAILED, unsent])).split("\n")[0]


def test_an_endpoint_of_its_own_wire_is_followed_too():
    """Embeddings at a host with OpenAI's wire."""
    attempt = SERVED | {"engine": "gpt", "model": "up", "base_url": "https://host.example/v1"}
    flow = flow_of(
        {"model": "gpt-demo", "input": "one"},
        endpoint="/v1/embeddings",
        sent=b'{"model": "up", "input": "one"}',
        attempts=[attempt],
    )
    assert fields(shown(VIEW, flow)) == {'model "gpt-demo"': 'model "up"', 'input "one"': 'input "one"'}


def test_without_an_engine_the_two_requests_are_compared():
    """A flow of an older version; the notes of its translation are there."""
    flow = flow_of(REQUEST, attempts=[SERVED | {"engine": None}], dropped=[{"field": "seed", "reason": "no such"}])
    found = fields(shown(VIEW, flow))
    assert found["seed 3"] == "not under this name · no such"
    assert found["temperature 1.5"] == "temperature 1"
    assert found["(added)"] == "max_tokens 64000"


def test_a_form_has_no_fields_to_follow():
    """They are in the other views."""
    flow = flow_of(b"--b--", endpoint="/v1/audio/transcriptions", attempts=[SERVED | {"engine": "gpt"}])
    assert "The request is no JSON object: its fields are in the views of both sides." in shown(VIEW, flow)


def test_a_request_that_is_not_kept_whole_is_not_followed():
    """Half of it would be translated otherwise."""
    flow = flow_of(REQUEST)
    flow.metadata["uniapi"]["client"]["cut"] = 1_000_000
    assert shown(VIEW, flow).endswith("The client's request is too large to be followed: 977k.")
    del flow.metadata["uniapi"]["client"]
    assert shown(VIEW, flow).endswith("What the client sent is not kept with this flow.")


def test_without_an_attempt_there_is_a_sentence():
    """As in the other views."""
    for flow in (flow_of(REQUEST, attempts=[]), answered_by_the_gateway("/v1/models", b"{}")):
        assert shown(VIEW, flow) == "No provider was asked: the gateway answered by itself."
    assert shown(VIEW, streaming()) == "The answer is still coming: look again at its end."
