"""What Prometheus gets to see."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from stats.metrics import CONTENT_TYPE, SERIES_LIMIT, Metrics

CHAT = "/v1/chat/completions"


def metrics_of(
    cooldowns: Callable[[], list[dict[str, Any]]] = lambda: [], lost_rows: Callable[[], int] = lambda: 0
) -> Metrics:
    return Metrics(endpoints=[CHAT, "/v1/embeddings"], cooldowns=cooldowns, lost_rows=lost_rows)


def attempt(provider: str = "one", model: str = "up", **fields: Any) -> dict[str, Any]:
    return {"provider": provider, "model": model, "error": None, "cancelled": False, **fields}


def account(**fields: Any) -> dict[str, Any]:
    """A request that went well at its first attempt, up to `fields`."""
    return {
        "time": 0.0,
        "endpoint": CHAT,
        "asked": "alias",
        "stream": False,
        "outcome": "ok",
        "status": 200,
        "flagged": False,
        "hedged": False,
        "provider": "one",
        "model": "up",
        "total_ms": 900,
        "first_output_ms": 300,
        "prompt_tokens": 11,
        "completion_tokens": 7,
        "cached_tokens": 5,
        "reasoning_tokens": None,
        "attempts": [attempt()],
        **fields,
    }


def refused(asked: str = "", status: int = 404, **fields: Any) -> dict[str, Any]:
    """A request that no provider was asked for."""
    unknown = dict.fromkeys(
        ("provider", "model", "first_output_ms", "prompt_tokens", "completion_tokens", "cached_tokens")
    )
    return account(asked=asked, outcome="error", status=status, attempts=[], **unknown, **fields)


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """None: there is no such series."""
    return samples(metrics).get((name, frozenset(labels.items())))


def series(metrics: Metrics, name: str) -> list[dict[str, str]]:
    return [dict(labels) for sample, labels in samples(metrics) if sample == name]


def test_served_request_is_counted_under_its_names() -> None:
    """One request: its endpoint, alias, outcome and status; its provider's model for the attempt."""
    metrics = metrics_of()
    metrics.observe(account())
    metrics.observe(account())
    assert value(metrics, "uniapi_requests_total", endpoint=CHAT, model="alias", outcome="ok", status="200") == 2
    assert value(metrics, "uniapi_attempts_total", provider="one", model="up", result="ok") == 2


def test_every_attempt_is_counted_by_its_result() -> None:
    """A failed, a cancelled and a good attempt of one request."""
    metrics = metrics_of()
    lost = attempt("two", error="rate_limit")
    slower = attempt("three", error=None, cancelled=True)
    metrics.observe(account(attempts=[lost, slower, attempt()], hedged=True))
    assert value(metrics, "uniapi_attempts_total", provider="two", model="up", result="rate_limit") == 1
    assert value(metrics, "uniapi_attempts_total", provider="three", model="up", result="cancelled") == 1
    assert value(metrics, "uniapi_attempts_total", provider="one", model="up", result="ok") == 1
    assert value(metrics, "uniapi_hedged_total") == 1


def test_times_are_in_seconds() -> None:
    """Milliseconds of the account become Prometheus's base unit, in the bucket they belong to."""
    metrics = metrics_of()
    metrics.observe(account(first_output_ms=250, total_ms=2500))
    names = {"provider": "one", "model": "up"}
    assert value(metrics, "uniapi_first_output_seconds_sum", **names) == 0.25
    assert value(metrics, "uniapi_first_output_seconds_bucket", **names, le="0.1") == 0
    assert value(metrics, "uniapi_first_output_seconds_bucket", **names, le="0.25") == 1
    assert value(metrics, "uniapi_request_seconds_sum", **names) == 2.5
    assert value(metrics, "uniapi_request_seconds_bucket", **names, le="2.0") == 0
    assert value(metrics, "uniapi_request_seconds_bucket", **names, le="3.0") == 1


def test_time_of_an_answer_cut_short_is_not_a_total() -> None:
    """A broken answer had a first output, but no end that a duration could be compared with."""
    metrics = metrics_of()
    metrics.observe(account(outcome="broken"))
    assert value(metrics, "uniapi_first_output_seconds_count", provider="one", model="up") == 1
    assert value(metrics, "uniapi_request_seconds_count", provider="one", model="up") is None


def test_tokens_are_counted_by_kind() -> None:
    """Kinds that the provider did not tell make no series."""
    metrics = metrics_of()
    metrics.observe(account())
    metrics.observe(account(prompt_tokens=100))
    names = {"provider": "one", "model": "up"}
    assert value(metrics, "uniapi_tokens_total", **names, kind="prompt") == 111
    assert value(metrics, "uniapi_tokens_total", **names, kind="completion") == 14
    assert value(metrics, "uniapi_tokens_total", **names, kind="cached") == 10
    assert value(metrics, "uniapi_tokens_total", **names, kind="reasoning") is None


def test_request_without_a_provider_was_refused() -> None:
    """Refused by a rate limit or moderation; a request that failed at a provider was not."""
    metrics = metrics_of()
    metrics.observe(refused(status=429))
    metrics.observe(refused(status=400, flagged=True))
    failed = attempt(error="server")
    metrics.observe(account(outcome="error", status=502, provider=None, model=None, attempts=[failed]))
    assert value(metrics, "uniapi_refused_total", status="429") == 1
    assert value(metrics, "uniapi_refused_total", status="400") == 1
    assert value(metrics, "uniapi_refused_total", status="502") is None
    assert value(metrics, "uniapi_flagged_total") == 1


def test_client_that_went_away_got_no_status() -> None:
    """An empty label is none to Prometheus."""
    metrics = metrics_of()
    metrics.observe(account(outcome="cancelled", status=None))
    assert value(metrics, "uniapi_requests_total", endpoint=CHAT, model="alias", outcome="cancelled", status="") == 1


def test_model_that_failed_everywhere_keeps_its_name() -> None:
    """It went to a provider, so the configuration has it: an alert may name it."""
    metrics = metrics_of()
    failed = attempt(error="server")
    metrics.observe(account(outcome="error", status=502, provider=None, model=None, attempts=[failed]))
    assert value(metrics, "uniapi_requests_total", endpoint=CHAT, model="alias", outcome="error", status="502") == 1


@pytest.mark.parametrize(
    ("request_of_it", "label"),
    [(refused("no-such-model"), "other"), (refused(""), ""), (account(asked="al*"), "other")],
    ids=["unknown", "none", "prefix"],
)
def test_model_is_named_only_if_the_configuration_has_it(request_of_it: dict[str, Any], label: str) -> None:
    """A name that nobody offers and a prefix are the client's words; no model asked for has no name."""
    metrics = metrics_of()
    metrics.observe(request_of_it)
    assert [found["model"] for found in series(metrics, "uniapi_requests_total")] == [label]


def test_garbage_from_clients_makes_no_series() -> None:
    """10,000 invented models and endpoints: one series."""
    metrics = metrics_of()
    for number in range(10_000):
        metrics.observe(refused(f"garbage-{number}", endpoint=f"/v1/{number}"))
    labels = {"endpoint": "other", "model": "other", "outcome": "error", "status": "404"}
    assert series(metrics, "uniapi_requests_total") == [labels]
    assert value(metrics, "uniapi_requests_total", **labels) == 10_000


def test_series_are_limited_and_nothing_is_lost() -> None:
    """10,000 names that a provider's discovery might bring: the first are named, the others counted together."""
    metrics = metrics_of()
    for number in range(10_000):
        name = f"model-{number}"
        metrics.observe(account(asked=name, model=name, attempts=[attempt(model=name)]))
    for name in ("uniapi_requests_total", "uniapi_attempts_total", "uniapi_request_seconds_count"):
        found = {key: count for key, count in samples(metrics).items() if key[0] == name}
        assert len(found) == SERIES_LIMIT + 1
        assert sum(found.values()) == 10_000
    labels = {"provider": "other", "model": "other"}
    assert value(metrics, "uniapi_request_seconds_count", **labels) == 10_000 - SERIES_LIMIT
    metrics.observe(account(asked="model-0", model="model-0", attempts=[attempt(model="model-0")]))
    assert value(metrics, "uniapi_request_seconds_count", provider="one", model="model-0") == 2


@example("\ud800\r\u2028")
@given(st.text(st.characters(codec=None), min_size=1))
def test_any_name_can_be_a_label(name: str) -> None:
    """Quotes, backslashes, line ends, lone surrogates: the text stays readable and the name is whole."""
    metrics = metrics_of()
    metrics.observe(account(provider=name, attempts=[attempt(provider=name)]))
    sendable = name.encode("utf-8", "replace").decode()
    # The parser takes a label apart by \n alone but strips what Python holds for white space.
    line = metrics.render().decode().split("uniapi_attempts_total{", 1)[1].split("\n", 1)[0]
    escaped = sendable.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    assert line == f'model="up",provider="{escaped}",result="ok"}} 1.0'


def test_hostile_label_adds_no_sample() -> None:
    """A name that looks like the end of its own line and another metric."""
    metrics = metrics_of()
    hostile = 'x"} 1\nuniapi_evil_total 1\n# TYPE \\'
    metrics.observe(account(provider=hostile, attempts=[attempt(provider=hostile)]))
    assert value(metrics, "uniapi_attempts_total", provider=hostile, model="up", result="ok") == 1
    assert value(metrics, "uniapi_evil_total") is None


def test_cooldowns_and_lost_rows_are_those_of_the_scrape() -> None:
    """Asked for each time, and gone when they are over."""
    cooling = [{"provider": "one"}, {"provider": "one"}, {"provider": "two"}]
    lost = [3]
    metrics = metrics_of(lambda: cooling, lambda: lost[0])
    assert value(metrics, "uniapi_cooldowns", provider="one") == 2
    assert value(metrics, "uniapi_cooldowns", provider="two") == 1
    assert value(metrics, "uniapi_lost_rows_total") == 3
    cooling.clear()
    lost[0] = 5
    assert series(metrics, "uniapi_cooldowns") == []
    assert value(metrics, "uniapi_lost_rows_total") == 5


def test_requests_in_flight_go_up_and_down() -> None:
    """Streams apart from the others."""
    metrics = metrics_of()
    metrics.began(stream=True)
    metrics.began(stream=True)
    metrics.began(stream=False)
    metrics.ended(stream=True)
    assert value(metrics, "uniapi_in_flight_requests", stream="true") == 1
    assert value(metrics, "uniapi_in_flight_requests", stream="false") == 1


def test_two_gateways_share_nothing() -> None:
    """As after a reload of the script: metrics belong to their instance."""
    first, second = metrics_of(), metrics_of()
    first.observe(account())
    assert series(second, "uniapi_requests_total") == []


def test_output_is_the_plain_text_format() -> None:
    """Typed families, no series of creation times, and the media type that goes with it."""
    metrics = metrics_of()
    metrics.observe(account())
    families = {family.name: family.type for family in text_string_to_metric_families(metrics.render().decode())}
    assert families["uniapi_requests"] == "counter"
    assert families["uniapi_first_output_seconds"] == "histogram"
    assert families["uniapi_in_flight_requests"] == "gauge"
    assert not [name for name in families if name.endswith("_created")]
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")


def test_docs_describe_every_metric() -> None:
    """docs/metrics.md has a row for each metric, with its type, and no row too many."""
    metrics = metrics_of(lambda: [{"provider": "one"}])
    metrics.observe(account(flagged=True, hedged=True))
    metrics.observe(refused())
    exported = {
        family.name + "_total" * (family.type == "counter"): family.type
        for family in text_string_to_metric_families(metrics.render().decode())
        if family.name.startswith("uniapi_")
    }
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    assert dict(re.findall(r"^\| `(uniapi_\w+)` \| (\w+) \|", page, re.MULTILINE)) == exported
