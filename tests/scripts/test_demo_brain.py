"""scripts/demo/brain.py: what the simulated model answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.demo.brain import answer, tokens
from scripts.demo.conversation import Call, Prompt, Reply, Tool, ToolResult, Turn

WEATHER = Tool(
    "get_weather",
    {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
)
TIME = Tool(
    "get_time",
    {
        "type": "object",
        "properties": {"zone": {"type": "string"}, "hours": {"enum": [12, 24]}},
        "required": ["zone", "hours"],
    },
)


def ask(text: str, **options: object) -> Reply:
    """One user message."""
    return answer(Prompt("sim", (Turn("user", text),), **options))  # type: ignore[arg-type]


@given(st.text())
def test_tokens_joined_are_the_text(text: str) -> None:
    """Nothing is lost between a text and its pieces."""
    assert "".join(tokens(text)) == text


def test_the_answer_shows_what_arrived() -> None:
    """Text, earlier text, system prompt and attachments all come back."""
    turns = (
        Turn("user", "My dog is Rex."),
        Turn("assistant", "Nice."),
        Turn("user", "Hello!", attachments=2),
    )
    text = answer(Prompt("sim", turns, system="Be kind.")).text
    for part in ("“Hello!”", "“My dog is Rex.”", "“Be kind.”", "2 files"):
        assert part in text


def test_the_same_request_has_the_same_answer() -> None:
    """No clock, no chance."""
    assert ask("Hello!", reasoning=True) == ask("Hello!", reasoning=True)


def test_it_counts() -> None:
    """For streams as long as wanted."""
    assert ask("Please count to 5").text == "1, 2, 3, 4, 5"


def test_the_tools_that_are_mentioned_are_called_in_parallel() -> None:
    """By their name or by its words, with arguments that fit the schema."""
    reply = ask("What is the weather in Paris, and the time?", tools=(WEATHER, TIME))
    assert [call.name for call in reply.calls] == ["get_weather", "get_time"]
    assert reply.calls[0].arguments == {"location": "Paris"}
    assert reply.calls[1].arguments["hours"] == 12
    assert (reply.finish, reply.text) == ("tool_calls", "")


def test_one_tool_is_called_once_for_each_name() -> None:
    """The weather in two places is two calls."""
    reply = ask("And the weather in Paris and in Rome?", tools=(WEATHER, TIME))
    places = [{"location": "Paris"}, {"location": "Rome"}]
    assert reply.calls == tuple(Call("get_weather", place) for place in places)


@pytest.mark.parametrize(
    ("options", "called"),
    [
        ({"parallel": False}, ["get_weather"]),
        ({"choice": "none"}, []),
        ({"choice": "required", "forced": "get_time"}, ["get_time"]),
    ],
)
def test_the_choice_of_tools_is_obeyed(options: dict[str, object], called: list[str]) -> None:
    """None, one at a time, a certain one."""
    reply = ask("The weather and the time in Rome?", tools=(WEATHER, TIME), **options)
    assert [call.name for call in reply.calls] == called


def test_a_tool_is_called_when_one_must_be() -> None:
    """Although nothing mentions it."""
    assert [call.name for call in ask("Hello", tools=(WEATHER,), choice="required").calls] == ["get_weather"]


def test_tool_results_are_put_into_words() -> None:
    """The turn after the calls ends the loop."""
    results = (ToolResult("get_weather", "21 °C"), ToolResult("get_time", "noon"))
    turns = (Turn("user", "The weather and the time?"), Turn("assistant"), Turn("user", results=results))
    reply = answer(Prompt("sim", turns, tools=(WEATHER, TIME)))
    assert (reply.finish, reply.calls) == ("stop", ())
    assert reply.text == "get_weather answered: 21 °C\nget_time answered: noon"


def test_a_stop_text_ends_the_answer() -> None:
    """It is not part of the answer, and is named."""
    reply = ask("Count to 9", stop=("7", "4"))
    assert (reply.text, reply.finish, reply.stopped_by) == ("1, 2, 3, ", "stop", "4")


def test_the_limit_on_tokens_cuts_the_answer() -> None:
    """Reasoning comes out of the same purse."""
    reply = ask("Count to 9", max_tokens=4)
    assert (reply.text, reply.finish, reply.usage.completion) == ("1, 2,", "length", 4)
    thinking = ask("Count to 9", max_tokens=4, reasoning=True)
    assert (thinking.text, thinking.finish) == ("", "length")
    assert (thinking.usage.completion, thinking.usage.reasoning) == (4, 4)


def test_calls_that_do_not_fit_are_left_out_whole() -> None:
    """Half of a call's JSON would be of no use."""
    reply = ask("Weather in Paris and in Rome?", tools=(WEATHER,), max_tokens=3)
    assert (reply.calls, reply.finish) == ((), "length")


def test_an_answer_schema_is_kept_to() -> None:
    """The text is JSON of that form."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    assert ask("I live in Oslo.", schema=schema).text == '{"city":"Oslo"}'
