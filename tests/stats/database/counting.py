"""The report, counted from the accounts in plain Python: what the database's answers must equal."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")


def counted_report(accounts: Iterable[Json], now: float, hours: float, bucket_seconds: int) -> Json:
    """All lists in any order; compare them with `in_any_order`."""
    requests = [account for account in accounts if now - hours * 3600 <= account["time"] < now]
    attempts = [(account, attempt) for account in requests for attempt in account["attempts"]]
    by_server = grouped(requests, lambda one: (one["provider"], one["model"]))
    by_time = grouped(requests, lambda one: (one["time"] // bucket_seconds * bucket_seconds, *server(one)))
    return {
        "channel_model_success_rates": success_rates(attempts, "provider", "model"),
        "channel_success_rates": success_rates(attempts, "provider"),
        "model_request_counts": counts(requests, "asked", "model"),
        "endpoint_request_counts": counts(requests, "endpoint", "endpoint"),
        "ip_request_counts": counts(requests, "ip", "ip"),
        "totals": {
            "requests": len(requests),
            "succeeded": succeeded(requests),
            "attempts": len(attempts),
            "hedged": sum(one["hedged"] for one in requests),
            "flagged": sum(one["flagged"] for one in requests),
            **{name: total(requests, name) for name in TOKENS},
        },
        "latencies": [
            {
                "provider": provider,
                "model": model,
                "first_output_p50_ms": percentile(50, ones, "first_output_ms"),
                "first_output_p95_ms": percentile(95, ones, "first_output_ms"),
                "total_p50_ms": percentile(50, ones, "total_ms"),
                "total_p95_ms": percentile(95, ones, "total_ms"),
            }
            for (provider, model), ones in by_server.items()
        ],
        "tokens": [
            {"provider": provider, "model": model}
            | {name.removesuffix("_tokens"): total(ones, name) for name in TOKENS}
            for (provider, model), ones in by_server.items()
        ],
        "bucket_seconds": bucket_seconds,
        "timeline": [
            {
                "time": iso(bucket),
                "provider": provider,
                "model": model,
                "requests": len(ones),
                "succeeded": succeeded(ones),
                "first_output_p50_ms": percentile(50, ones, "first_output_ms"),
                "total_p95_ms": percentile(95, ones, "total_ms"),
                "tokens": total(ones, "prompt_tokens") + total(ones, "completion_tokens"),
            }
            for (bucket, provider, model), ones in by_time.items()
        ],
        "last_errors": [
            {"time": iso(one["time"]), "endpoint": one["endpoint"]}
            | {name: attempt[name] for name in ("provider", "model", "status", "error")}
            for one, attempt in sorted(attempts, key=lambda pair: -pair[0]["time"])
            if attempt["error"] and not attempt["cancelled"]
        ],
    }


def in_any_order(report: Json) -> Json:
    """With every list sorted by its text."""
    return {
        name: sorted(value, key=_sorted_text) if isinstance(value, list) else value for name, value in report.items()
    }


def _sorted_text(row: Json) -> str:
    return json.dumps(row, sort_keys=True)


def server(account: Json) -> tuple[str | None, str | None]:
    return account["provider"], account["model"]


def grouped(ones: Iterable[Json], key: Callable[[Json], Any]) -> dict[Any, list[Json]]:
    groups = defaultdict(list)
    for one in ones:
        groups[key(one)].append(one)
    return groups


def success_rates(attempts: Iterable[tuple[Json, Json]], *names: str) -> list[Json]:
    finished = [attempt for _, attempt in attempts if not attempt["cancelled"]]
    groups = grouped(finished, lambda attempt: tuple(attempt[name] for name in names))
    return [
        dict(zip(names, group, strict=True))
        | {"success_rate": sum(one["error"] is None for one in ones) / len(ones), "total_requests": len(ones)}
        for group, ones in groups.items()
    ]


def counts(requests: Iterable[Json], name: str, shown: str) -> list[Json]:
    found = Counter(one[name] for one in requests if one[name])
    return [{shown: value, "count": number} for value, number in found.items()]


def succeeded(requests: Iterable[Json]) -> int:
    return sum(one["outcome"] == "ok" for one in requests)


def total(requests: Iterable[Json], name: str) -> int:
    return sum(one[name] or 0 for one in requests)


def percentile(percent: int, requests: Iterable[Json], name: str) -> int | None:
    """By the nearest rank."""
    values = sorted(one[name] for one in requests if one[name] is not None)
    return values[math.ceil(len(values) * percent / 100) - 1] if values else None


def iso(time: float) -> str:
    return datetime.fromtimestamp(int(time), UTC).isoformat().replace("+00:00", "Z")
