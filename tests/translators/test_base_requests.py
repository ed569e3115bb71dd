"""translators/base.py: what a client's JSON says of the fields that the gateway acts on, it says once."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.base import ONLY_ONCE, ClientRequest, JsonRequest
from translators.errors import RequestError
from translators.jsontext import loads
from translators.openai_request import read_request
from translators.services import OFFERS

CHAT = b'{"model":"m1","messages":[{"role":"user","content":"hi"}]}'
FORMS = {"/v1/audio/transcriptions", "/v1/audio/translations"}
"""Endpoints that take no JSON."""


def request(body: bytes) -> JsonRequest:
    return JsonRequest(body, loads(body))


def refused(body: bytes) -> RequestError:
    with pytest.raises(RequestError) as caught:
        request(body)
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize("name", ONLY_ONCE)
def test_a_field_that_stands_there_twice_is_refused(name: str) -> None:
    """A provider might take the first where the gateway takes the last: another model than the client may use, or
    words that no moderation has read."""
    error = refused(b'{"model":"m1","%(name)s":"x","x":[],"%(name)s" :"m1"}' % {b"name": name.encode()})
    assert (error.param, error.message) == (name, f"`{name}` stands in the body more than once.")


@pytest.mark.parametrize("other", [rb"mod\u0065l", rb"\u006Dodel", rb"\u006d\u006f\u0064\u0065\u006c"])
@pytest.mark.parametrize("body", [b'{"%s":"m2","model":"m1"}', b'{"model":"m2","%s":"m1"}', b'{"%s":"m2","%s":"m1"}'])
def test_a_name_in_disguise_is_the_same_name(body: bytes, other: bytes) -> None:
    """Letters may be written as numbers (RFC 8259, §7)."""
    assert refused(body.replace(b"%s", other)).param == "model"


@pytest.mark.parametrize("other", ["Model", "MODEL", "Messages", "STREAM", "\u017ftream"])
def test_a_name_in_other_letters_is_refused(other: str) -> None:
    """Some readers do not tell them apart (Go, package encoding/json, "Unmarshal"); the name to write is told."""
    error = refused(json.dumps({"model": "m1", other: "m2"}).encode())
    assert error.param == other
    assert error.message == f"`{other}` must be written `{other.casefold()}`."


@pytest.mark.parametrize(
    "body",
    [
        b'{"tools":[{"parameters":{"properties":{"model":{},"Model":{},"input":{}}}}],"model":"m1"}',
        b'{"model":"m1","metadata":{"model":"m2"},"messages":[{"model":"m3","messages":[],"stream":1}]}',
        b'{"user":"model","model":"m1","stop":["model","\\"model\\":","\\u006d"]}',
        b'{"model":"model","input":"{\\"model\\": \\"m2\\"}","other":1,"other":2}',
    ],
)
def test_other_objects_may_have_members_of_these_names(body: bytes) -> None:
    """The body goes on as it came, to the last byte; so do words that look like the names."""
    assert request(body).body is body


@given(st.data())
def test_what_is_refused_is_what_is_said_twice(data: st.DataObject) -> None:
    """Whatever stands between, and however the names are written."""

    def written(name: str) -> str:
        letters = [letter if data.draw(st.booleans()) else f"\\u{ord(letter):04x}" for letter in name]
        return "".join(letters) if data.draw(st.booleans()) else name

    fields: list[tuple[str, Any]] = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from([*ONLY_ONCE, "a", "n"]), st.sampled_from([1, "model", {"model": {"input": ["model"]}}])
            )
        )
    )
    members = ['"model": "m"', *(f'"{written(name)}": {json.dumps(value)}' for name, value in fields)]
    body = ("{" + ", ".join(members) + "}").encode()
    counts = Counter(["model", *(name for name, _ in fields)])
    if any(counts[name] > 1 for name in ONLY_ONCE):
        refused(body)
    else:
        assert request(body).body is body


@pytest.mark.parametrize("path", sorted(OFFERS.keys() - FORMS))
def test_every_endpoint_with_json_refuses_it(path: str) -> None:
    """The same words everywhere; forms have their own (see test_forms.py)."""
    fields = {"model": "m1", "messages": [{"role": "user"}], "prompt": "p", "input": "i", "images": ["i"], "voice": "v"}
    body = json.dumps(fields).encode().replace(b'"m1"', b'"m2", "model": "m1"')
    with pytest.raises(RequestError, match="`model` stands in the body more than once"):
        OFFERS[path].read(body, "application/json")


def test_a_byte_order_mark_is_left_out() -> None:
    """Some write one before UTF-8; providers refuse it (RFC 8259, §8.1: it must not be added)."""
    read = read_request(b"\xef\xbb\xbf" + CHAT)
    assert isinstance(read, ClientRequest)
    assert (read.model, read.body) == ("m1", CHAT)
    assert read.with_model("m2") == (CHAT.replace(b"m1", b"m2"), None)
