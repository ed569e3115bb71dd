"""What Prometheus scrapes: counters and histograms of finished requests. docs/metrics.md describes each of them.

Labels are bounded. Names come from the configuration, never from what a client sent alone: a model is named once a
request for it has gone to a provider, and a metric has at most SERIES_LIMIT series of its own. What goes beyond that is
counted under "other".
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""Of what `Metrics.render` gives."""

OTHER = "other"
SERIES_LIMIT = 1000
"""Per metric."""
NAMES = frozenset({"provider", "model"})
"""Labels that have as many values as the configuration has names; all others have a fixed few."""
SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 60, 120, 300)
"""Upper bounds of the histograms' buckets: a first token takes 0.2 to 5 s, reasoning and long answers minutes."""
TOKEN_KINDS = ("prompt", "completion", "cached", "reasoning")


class Metrics:
    """One per gateway: two of them share nothing."""

    def __init__(
        self,
        *,
        endpoints: Iterable[str],
        cooldowns: Callable[[], Iterable[Mapping[str, Any]]],
        lost_rows: Callable[[], int],
    ) -> None:
        """`endpoints`: the paths that may be named. `cooldowns`: those in force, as GET /v1/stats lists them.
        `lost_rows`: how many rows of statistics could not be written. The last two are asked at every scrape."""
        self._endpoints = frozenset(endpoints)
        self._registry = registry = CollectorRegistry()
        histogram = partial(Histogram, buckets=SECONDS)
        self._requests = _Series(
            Counter,
            "uniapi_requests",
            "Finished requests, by the model asked for and the status the client got.",
            ("endpoint", "model", "outcome", "status"),
            registry,
        )
        self._attempts = _Series(
            Counter,
            "uniapi_attempts",
            "Requests sent to providers, by the provider's model; result is ok, cancelled or the kind of error.",
            ("provider", "model", "result"),
            registry,
        )
        self._first_output = _Series(
            histogram,
            "uniapi_first_output_seconds",
            "Seconds from a request's beginning to the first output, by who served it.",
            ("provider", "model"),
            registry,
        )
        self._total = _Series(
            histogram,
            "uniapi_request_seconds",
            "Seconds from a request's beginning to its end, of those answered whole, by who served it.",
            ("provider", "model"),
            registry,
        )
        self._tokens = _Series(
            Counter,
            "uniapi_tokens",
            "Tokens as providers count them; cached are among prompt, reasoning among completion.",
            ("provider", "model", "kind"),
            registry,
        )
        self._refused = _Series(
            Counter, "uniapi_refused", "Requests refused before any provider was asked.", ("status",), registry
        )
        self._hedged = Counter("uniapi_hedged", "Requests with a second attempt beside the first.", registry=registry)
        self._flagged = Counter("uniapi_flagged", "Requests that moderation refused.", registry=registry)
        in_flight = Gauge("uniapi_in_flight_requests", "Requests being answered now.", ("stream",), registry=registry)
        self._in_flight = {True: in_flight.labels("true"), False: in_flight.labels("false")}
        registry.register(_AtScrape(cooldowns, lost_rows))
        ProcessCollector(registry=registry)

    def began(self, *, stream: bool) -> None:
        """A request is being answered; every call is followed by one of `ended`."""
        self._in_flight[stream].inc()

    def ended(self, *, stream: bool) -> None:
        """It is answered no longer, whatever became of it."""
        self._in_flight[stream].dec()

    def observe(self, account: Mapping[str, Any]) -> None:
        """Count a finished request: the account of it that the statistics are kept from."""
        endpoint = account["endpoint"] if account["endpoint"] in self._endpoints else OTHER
        self._requests.of(endpoint, _asked(account), account["outcome"], account["status"]).inc()
        for attempt in account["attempts"]:
            result = "cancelled" if attempt["cancelled"] else attempt["error"] or "ok"
            self._attempts.of(attempt["provider"], attempt["model"], result).inc()
        if account["provider"] is not None:
            self._observe_served(account)
        if account["outcome"] == "error" and not account["attempts"]:
            self._refused.of(account["status"]).inc()
        if account["hedged"]:
            self._hedged.inc()
        if account["flagged"]:
            self._flagged.inc()

    def _observe_served(self, account: Mapping[str, Any]) -> None:
        provider, model = account["provider"], account["model"]
        if account["first_output_ms"] is not None:
            self._first_output.of(provider, model).observe(account["first_output_ms"] / 1000)
        if account["outcome"] == "ok":
            self._total.of(provider, model).observe(account["total_ms"] / 1000)
        for kind in TOKEN_KINDS:
            tokens = account[f"{kind}_tokens"]
            if tokens:
                self._tokens.of(provider, model, kind).inc(tokens)

    def render(self) -> bytes:
        """Everything in Prometheus's text format, see CONTENT_TYPE."""
        return generate_latest(_WithoutCreated(self._registry))


class _Series[Kind: MetricWrapperBase]:
    """A metric's series by their label values. Each is looked up in the library once: it costs more than counting."""

    def __init__(
        self, make: Callable[..., Kind], name: str, meaning: str, labels: tuple[str, ...], registry: CollectorRegistry
    ) -> None:
        self._metric = make(name, meaning, labels, registry=registry)
        self._folded = [label in NAMES for label in labels]
        self._own: dict[tuple[object, ...], Kind] = {}

    def of(self, *values: object) -> Kind:
        own = self._own.get(values)
        return own if own is not None else self._new(values)

    def _new(self, values: tuple[object, ...]) -> Kind:
        labels = [_label(value) for value in values]
        if len(self._own) >= SERIES_LIMIT:
            folded = [OTHER if fold else label for fold, label in zip(self._folded, labels, strict=True)]
            return self._metric.labels(*folded)
        own = self._own[values] = self._metric.labels(*labels)
        return own


class _AtScrape(Collector):
    """What is known elsewhere, and asked for when it is wanted."""

    def __init__(self, cooldowns: Callable[[], Iterable[Mapping[str, Any]]], lost_rows: Callable[[], int]) -> None:
        self._cooldowns = cooldowns
        self._lost_rows = lost_rows

    def collect(self) -> Iterator[Metric]:
        cooling = GaugeMetricFamily("uniapi_cooldowns", "Cooldowns in force.", labels=("provider",))
        for provider, count in Tally(cooldown["provider"] for cooldown in self._cooldowns()).items():
            cooling.add_metric([_label(provider)], count)
        yield cooling
        yield CounterMetricFamily(
            "uniapi_lost_rows", "Rows of statistics that could not be written.", value=self._lost_rows()
        )


class _WithoutCreated(Collector):
    """Leaves out the time at which each series began: it doubles the output, and the text format has no use for it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


def _asked(account: Mapping[str, Any]) -> str:
    """The model asked for. A name that led to no provider may be anything, and so may the prefix in `gpt-4o*`."""
    asked: str = account["asked"]
    return asked if not asked or (account["attempts"] and not asked.endswith("*")) else OTHER


def _label(value: object) -> str:
    """None is the empty label, that is none at all. A lone surrogate cannot be sent."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode()
