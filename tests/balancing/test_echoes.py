"""Secrets that a provider repeats are masked wherever the answer is kept or passed on."""

import json
from typing import Any

import pytest

from balancing.account import account_of
from balancing.echoes import REPEATED, hidden_bytes, hidden_headers, secrets_of
from config.schema import Provider
from tests.balancing.test_exchange import JSON, OUTPUT, SSE, Trial
from tests.balancing.world import VISIT, provider

TENANT = "a-tenants-secret-0007"


def secretive() -> Provider:
    return provider("a", headers={"X-Tenant": TENANT, "X-Short": "no"})


def failed(error: dict[str, Any], body: bytes | None = None) -> Trial:
    trial = Trial(secretive())
    trial.begin()
    trial.answer(400, JSON, json.dumps({"error": error}).encode() if body is None else body)
    return trial


@pytest.mark.parametrize("member", ["message", "code", "param", "type"])
@pytest.mark.parametrize("which", ["key", "header"])
def test_no_member_of_an_error_repeats_a_secret(member, which):
    """To the client, in the account and in the kept answer."""
    trial = Trial(secretive())
    trial.begin()
    attempt = trial.call.attempt
    assert attempt.key
    secret = attempt.key.reveal() if which == "key" else TENANT
    trial.answer(400, JSON, json.dumps({"error": {"message": "no", member: f"you sent {secret}"}}).encode())
    assert trial.exchange.reply
    assert secret.encode() not in trial.exchange.reply.body
    assert secret not in str(account_of(trial.exchange, VISIT))


def test_a_kept_answer_that_spells_a_secret_otherwise_is_left_out():
    """JSON can write each character as an escape."""
    escaped = TENANT.replace("-", "\\u002d")
    trial = failed({}, b'{"error": {"message": "your tenant %s"}}' % escaped.encode())
    assert TENANT not in trial.error()["message"]
    assert trial.call.record.answer == REPEATED


def test_short_values_are_words_like_others():
    """`X-Short: no` is no reason to take every `no` out of an answer."""
    assert failed({"message": "no, not now"}).error()["message"] == "no, not now"


def test_what_providers_name_for_people_to_read_is_no_secret():
    """Betas, the app's name, a team's: the reason of an error would be gone."""
    headers = {"anthropic-beta": "context-1m-2025-08-07", "X-Title": "My App Name is long", "X-Team": "research"}
    said = "research: My App Name is long may not use context-1m-2025-08-07"
    trial = Trial(provider("a", headers=headers))
    trial.begin()
    trial.answer(400, JSON, json.dumps({"error": {"message": said}}).encode())
    assert trial.error()["message"] == said


def test_an_error_behind_output_repeats_none_either():
    """Its last words to the client; what is kept is masked when it is noted."""
    trial = Trial(secretive(), stream=True)
    trial.begin()
    trial.call.head(200, SSE | {"x-echo": TENANT})
    trial.call.receive(OUTPUT)
    trial.advance()
    trial.call.take_output()
    trial.call.receive(b'data: {"error": {"message": "bad %s"}}\n\n' % TENANT.encode())
    trial.advance()
    assert TENANT.encode() not in trial.call.take_output()
    secrets = secrets_of(trial.call)
    assert TENANT.encode() not in hidden_bytes(bytes(trial.call.kept), secrets)
    assert TENANT not in str(hidden_headers(trial.call.headers, secrets))
