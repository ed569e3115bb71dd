"""What a moderation is to read of a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.user_text import new_user_text

CHAT = "/v1/chat/completions"


def message(role: str, content: object) -> dict:
    return {"role": role, "content": content}


def chat(*messages: object) -> list[str]:
    return new_user_text(CHAT, {"model": "m", "messages": list(messages)})


def test_all_that_the_user_says_in_the_first_turn():
    """The system's prompt is not the user's."""
    assert chat(
        message("system", "be kind"), message("developer", "be short"), message("user", "one"), message("user", "two")
    ) == ["one", "two"]


def test_only_what_comes_after_the_last_answer():
    """The rest has been read before."""
    assert chat(message("user", "old"), message("assistant", "answer"), message("user", "new")) == ["new"]


def test_text_parts_count_and_other_parts_do_not():
    """Whatever a part is called, its text is text; some clients send bare strings among the parts."""
    content = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "input_text", "text": "here"},
        "and here",
    ]
    assert chat(message("user", content)) == ["look", "here", "and here"]


def test_results_of_tools_are_not_the_users_words():
    """The user's question was read when the assistant was first asked."""
    called = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    result = {"role": "tool", "tool_call_id": "1", "content": "rain"}
    assert chat(message("user", "weather?"), called, result) == []
    assert chat(message("user", "weather?"), called, result, message("user", "and now?")) == ["and now?"]


def test_the_beginning_of_an_answer_hides_nothing():
    """Clients may give the assistant its first words: the question before them is still new."""
    asked = (message("user", "old"), message("assistant", "answer"), message("user", "new"))
    assert chat(*asked, message("assistant", "Sure, ")) == ["new"]
    assert chat(*asked, message("assistant", "Sure, "), message("assistant", "here")) == ["new"]
    assert chat(message("user", "only"), message("assistant", "Sure, ")) == ["only"]


@pytest.mark.parametrize("role", ["User", "human", None, 3, ["user"]])
def test_a_role_that_nobody_knows_is_taken_for_the_user(role):
    """Providers that let it pass would read the text."""
    assert chat({"role": role, "content": "hello"}) == ["hello"]


@pytest.mark.parametrize(
    ("endpoint", "fields", "texts"),
    [
        ("/v1/images/generations", {"prompt": "a cat"}, ["a cat"]),
        ("/v1/images/edits", {"prompt": "a hat", "model": "m"}, ["a hat"]),
        ("/v1/audio/speech", {"input": "read this", "voice": "alloy"}, ["read this"]),
        ("/v1/completions", {"prompt": "once"}, ["once"]),
        ("/v1/completions", {"prompt": ["once", "twice"]}, ["once", "twice"]),
        ("/v1/completions", {"prompt": [1, 2, 3]}, []),
        ("/v1/completions", {"prompt": [[1, 2], "upon"]}, ["upon"]),
        ("/v1/embeddings", {"input": "a text"}, []),
        ("/v1/moderations", {"input": "a text"}, []),
        ("/v1/audio/transcriptions", {"prompt": "a text"}, []),
    ],
)
def test_each_endpoint_has_its_own_place_for_it(endpoint, fields, texts):
    """And most have none."""
    assert new_user_text(endpoint, fields) == texts


def test_blank_text_is_nothing_to_read():
    """A moderation refuses it, or answers nonsense."""
    assert chat(message("user", " \n"), message("user", [{"type": "text", "text": ""}])) == []
    assert new_user_text("/v1/images/generations", {"prompt": ""}) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "text", "type"]), inner, max_size=4)
    ),
)


@given(st.sampled_from([CHAT, "/v1/completions", "/v1/audio/speech"]), JSON)
def test_nothing_that_a_client_sends_is_too_odd(endpoint, value):
    """What has the wrong type is refused elsewhere; what is found is text."""
    for fields in ({"messages": value}, {"messages": [value]}, {"prompt": value}, {"input": value}):
        assert all(text.strip() for text in new_user_text(endpoint, fields))


ROLES = st.sampled_from(["user", "assistant", "system", "tool"])


@given(st.lists(ROLES, max_size=8))
def test_no_word_of_the_user_goes_unread(roles):
    """A conversation that grows message by message is read whole, each time the assistant is asked."""
    messages = [message(role, f"{role} {number}") for number, role in enumerate(roles)]
    read: set[str] = set()
    for end in range(1, len(messages) + 1):
        if end == len(messages) or messages[end]["role"] == "assistant":
            read.update(chat(*messages[:end]))
    assert read == {each["content"] for each in messages if each["role"] == "user"}
