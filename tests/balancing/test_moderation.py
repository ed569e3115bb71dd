"""ENABLE_MODERATION and MODERATION_ON_ERROR."""

import asyncio
import json
import logging

import pytest

from balancing.moderation import Moderation
from balancing.replies import Reply
from tests.balancing.world import ANYBODY, Clock, client
from tests.recordings import Recording, for_recordings
from tests.translators.endpoint_exchange import FORM_TYPE, form
from translators.base import ApiRequest, JsonRequest
from translators.errors import WireError
from translators.forms import read_form

MODERATED = client(enable_moderation=True)
CHAT = "/v1/chat/completions"
OMNI, TEXT = "omni-moderation-latest", "text-moderation-latest"
SECRET_TEXT = "what nobody else should read"
ASK = {"messages": [{"role": "user", "content": SECRET_TEXT}]}


def verdict(flagged: object = False, **categories: bool) -> dict:
    return {"flagged": flagged, "categories": categories, "category_scores": dict.fromkeys(categories, 0.5)}


def answer(*results: object) -> Reply:
    return Reply(200, {}, json.dumps({"id": "modr-1", "model": OMNI, "results": results}).encode())


class Asked:
    """A moderation that gives this answer, and what it was asked."""

    def __init__(self, given: Reply | WireError, offered: tuple[str, ...] = (OMNI, TEXT), *, allow: bool = False):
        self.given = given
        self.bodies: list[dict] = []
        self.clock = Clock()
        self.moderation = Moderation(self.ask, lambda client, model: model in offered, self.clock, allow_on_error=allow)

    async def ask(self, client, body):
        assert client is MODERATED
        self.bodies.append(json.loads(body))
        if isinstance(self.given, WireError):
            raise self.given
        return self.given

    def check(self, fields=ASK, *, who=MODERATED, endpoint=CHAT):
        self.check_request(JsonRequest(b"", {"model": "m", **fields}), who=who, endpoint=endpoint)

    def check_request(self, request: ApiRequest, *, who=MODERATED, endpoint=CHAT):
        asyncio.run(self.moderation.check(who, endpoint, request))

    def refusal(self, fields=ASK) -> WireError:
        with pytest.raises(WireError) as caught:
            self.check(fields)
        assert SECRET_TEXT not in caught.value.message
        return caught.value


def test_text_that_is_not_flagged_passes():
    """Only the new text of the user is sent, to the first of the models."""
    asked = Asked(answer(verdict(), verdict()))
    messages = [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": "old"},
        {"role": "assistant", "content": "answer"},
        {"role": "user", "content": "one"},
        {"role": "user", "content": [{"type": "text", "text": "two"}]},
    ]
    asked.check({"messages": messages, "temperature": 1})
    assert asked.bodies == [{"model": OMNI, "input": ["one", "two"]}]


def test_the_older_model_is_asked_where_the_newer_is_not_offered():
    """To this key."""
    asked = Asked(answer(verdict()), offered=(TEXT,))
    asked.check()
    assert asked.bodies[0]["model"] == TEXT


@pytest.mark.parametrize(
    ("who", "endpoint", "fields"),
    [
        (ANYBODY, CHAT, ASK),
        (MODERATED, CHAT, {"messages": [{"role": "tool", "content": "found", "tool_call_id": "1"}]}),
        (MODERATED, "/v1/embeddings", {"input": "text"}),
    ],
)
def test_nobody_is_asked_without_need(who, endpoint, fields):
    """Neither for clients without ENABLE_MODERATION nor for requests without new text."""
    asked = Asked(answer(verdict(True)))
    asked.check(fields, who=who, endpoint=endpoint)
    assert asked.bodies == []


@pytest.mark.parametrize("allow", [False, True])
def test_flagged_text_is_refused_with_its_categories(allow):
    """Whichever of the texts it is, and also where requests pass when the moderation fails."""
    categories = {"violence": True, "hate/threatening": True, "sexual": False}
    asked = Asked(answer(verdict(violence=False), verdict(True, **categories)), allow=allow)
    error = asked.refusal({"messages": [*ASK["messages"], *ASK["messages"]]})
    assert (error.status, error.code) == (400, "content_policy_violation")
    assert error.message == (
        "The moderation flagged the new text of this request (violence, hate/threatening). It was not sent on."
    )


ODD = form(("model", None, b"m"), ("image", "a", b"1"), ("prompt", None, b"a cat"), ("odd", None, b"\xff"))


def test_of_a_form_the_prompt_is_read_and_nothing_else():
    """The other fields need not be text."""
    asked = Asked(answer(verdict()))
    asked.check_request(read_form(ODD, FORM_TYPE), endpoint="/v1/images/edits")
    assert asked.bodies == [{"model": OMNI, "input": ["a cat"]}]


@pytest.mark.parametrize(("who", "endpoint"), [(ANYBODY, "/v1/images/edits"), (MODERATED, "/v1/audio/transcriptions")])
def test_nothing_of_a_form_is_read_without_need(who, endpoint):
    """Not even its prompt."""
    asked = Asked(answer(verdict(True)))
    asked.check_request(read_form(ODD.replace(b"a cat", b"\xff\xfe"), FORM_TYPE), who=who, endpoint=endpoint)
    assert asked.bodies == []


def test_flagged_without_a_category_is_flagged_all_the_same():
    """The verdict decides."""
    asked = Asked(answer({"flagged": True}))
    assert asked.refusal().message == "The moderation flagged the new text of this request. It was not sent on."


def test_categories_alone_are_a_verdict():
    """Mistral's answers have no `flagged`."""
    Asked(answer({"categories": {"jailbreaking": False}})).check()
    error = Asked(answer({"categories": {"jailbreaking": True, "law": False}})).refusal()
    assert error.code == "content_policy_violation"
    assert "(jailbreaking)" in error.message


def test_without_a_model_the_operator_is_told_what_to_do():
    """It counts as unreachable."""
    asked = Asked(answer(verdict()), offered=())
    error = asked.refusal()
    assert (error.status, error.code) == (503, "moderation_unavailable")
    for word in ("operator", OMNI, TEXT, "api.yaml", "ENABLE_MODERATION"):
        assert word in error.message
    assert asked.bodies == []


UNREACHABLE = {
    "status": Reply(502, {}, json.dumps({"error": {"message": SECRET_TEXT}}).encode()),
    "raised": WireError(404, SECRET_TEXT, type="invalid_request_error"),
    "not JSON": Reply(200, {}, b"<html>"),
    "a list": Reply(200, {}, b"[]"),
    "no results": answer(),
    "too few results": answer(verdict()),
    "no verdict": answer(verdict(), {"id": SECRET_TEXT}),
    "a verdict that is none": answer(verdict(), {"flagged": "no"}),
}
TWO_TEXTS = {"messages": [*ASK["messages"], {"role": "user", "content": "more"}]}


@pytest.mark.parametrize("given", UNREACHABLE.values(), ids=UNREACHABLE)
def test_without_a_verdict_the_request_is_refused(given):
    """503 with a reason, of which nothing comes from the other side."""
    error = Asked(given).refusal(TWO_TEXTS)
    assert (error.status, error.code, error.type) == (503, "moderation_unavailable", "server_error")
    assert OMNI in error.message


@pytest.mark.parametrize("given", UNREACHABLE.values(), ids=UNREACHABLE)
def test_or_passes_where_that_is_allowed(given, caplog):
    """With a warning a minute at most, and no word of the text in it."""
    asked = Asked(given, allow=True)

    def warnings() -> int:
        asked.check(TWO_TEXTS)
        asked.check(TWO_TEXTS)
        return len(caplog.records)

    with caplog.at_level(logging.WARNING, "uniapi"):
        assert warnings() == 1
        asked.clock.now += 59
        assert warnings() == 1
        asked.clock.now += 1
        assert warnings() == 2
    assert "MODERATION_ON_ERROR=allow" in caplog.text
    assert OMNI in caplog.text
    assert SECRET_TEXT not in caplog.text


@for_recordings(("openai", "mistral"), endpoint="moderation", status=200)
def test_real_answers_are_understood(recording: Recording):
    """None of the recorded texts is flagged; the same answer with one category set is."""
    asked = Asked(Reply(200, {}, recording.response_bytes))
    asked.check()
    answered = json.loads(recording.response_bytes)
    (result,) = answered["results"]
    name = next(iter(result["categories"]))
    result["categories"][name] = True
    if "flagged" in result:
        result["flagged"] = True
    asked.given = answer(result)
    assert f"({name})" in asked.refusal().message
