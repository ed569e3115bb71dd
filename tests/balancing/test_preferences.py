"""What a provider's preferences change in every request to it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balancing.channels import Catalogue, Channel
from balancing.preferences import deep_merged, preferred
from config.schema import Model
from tests.balancing.world import ANYBODY, World, provider
from translators.types import WireRequest

WIRE = WireRequest(
    "POST",
    "https://a.example/v1/chat/completions",
    {"content-type": "application/json", "accept": "application/json"},
    {"authorization": "Bearer sk-1"},
    json.dumps({"model": "up", "temperature": 1, "options": {"a": 1, "b": 2}, "stop": ["x"]}).encode(),
)


def channel(**preferences: Any) -> Channel:
    catalogue: Catalogue = World(provider("a", "up:m", "other", **preferences), asked="m").catalogue
    return catalogue.candidates(ANYBODY, "m")[0].channel


def body_with(overrides: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(preferred(WIRE, channel(post_body_parameter_overrides=overrides)).body)
    return body


def test_without_preferences_nothing_is_touched():
    """Not even parsed."""
    assert preferred(WIRE, channel()) is WIRE


def test_headers_are_added_and_replace_the_engines_own():
    """Whatever their case; they are kept where nobody prints them."""
    wire = preferred(WIRE, channel(headers={"Authorization": "Bearer other", "X-Team": "blue"}))
    assert wire.credentials == {"authorization": "Bearer other", "x-team": "blue"}
    assert wire.headers == WIRE.headers
    assert preferred(WIRE, channel(headers={"Accept": "*/*"})).headers == {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("own", "wanted", "sent"),
    [
        ({"anthropic-beta": "a-1,b-2"}, {"anthropic-beta": "b-2, c-3"}, "a-1,b-2,c-3"),
        ({"Anthropic-Beta": "a-1"}, {"ANTHROPIC-BETA": "c-3", "anthropic-beta": "d-4,"}, "a-1,c-3,d-4"),
        ({}, {"anthropic-beta": "c-3"}, "c-3"),
    ],
)
def test_pitfall_050_betas_of_a_provider_join_those_of_the_request(own, wanted, sent):
    """However the header is spelt, each beta once. (LL PR#19343, PR#19542)"""
    wire = preferred(replace(WIRE, headers={**WIRE.headers, **own}), channel(headers=wanted))
    assert wire.credentials == {**WIRE.credentials, "anthropic-beta": sent}
    assert wire.headers == WIRE.headers


def test_parameters_are_set_merged_and_removed():
    """Objects deeply, lists as a whole."""
    body = body_with(
        {"temperature": 0.2, "options": {"b": 3, "__remove__": ["a"]}, "stop": [], "__remove__": ["model"]}
    )
    assert body == {"temperature": 0.2, "options": {"b": 3}, "stop": []}


def test_a_models_own_parameters_go_over_the_general_ones():
    """Under its alias or its upstream name; other models' sections are no parameters."""
    overrides = {"temperature": 0.5, "m": {"temperature": 0.1}, "up": {"seed": 7}, "other": {"seed": 8}}
    body = body_with(overrides)
    assert (body["temperature"], body["seed"]) == (0.1, 7)
    assert not {"m", "up", "other"} & set(body)


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


@given(objects, objects)
def test_merging_changes_neither_side_and_merging_again_changes_nothing(below, above):
    """What is above wins, wherever the two differ."""
    before = json.dumps([below, above])
    once = deep_merged(below, above)
    assert deep_merged(once, above) == once
    assert set(once) == set(below) | set(above)
    assert json.dumps([below, above]) == before


def test_which_overrides_are_a_channels_is_found_once():
    """The list of models may be long: no request goes through it again."""
    looks = []

    class Models(tuple[Model, ...]):
        __slots__ = ()

        def __iter__(self) -> Iterator[Model]:
            looks.append(self)
            return super().__iter__()

    found = channel(post_body_parameter_overrides={"temperature": 0})
    found = replace(found, provider=replace(found.provider, models=Models(found.provider.models or ())))
    assert [json.loads(preferred(WIRE, found).body)["temperature"] for _ in range(3)] == [0, 0, 0]
    assert len(looks) == 1


def test_a_form_goes_out_as_it_is():
    """Body parameters are JSON's; headers count all the same."""
    form = replace(WIRE, headers={"content-type": "multipart/form-data; boundary=x"}, body=b"--x--")
    preferences = channel(post_body_parameter_overrides={"temperature": 0}, headers={"X-Team": "blue"})
    wire = preferred(form, preferences)
    assert wire.body == b"--x--"
    assert wire.credentials["x-team"] == "blue"
