"""Statistics as GET /v1/stats answers, of a gateway that had a plausible day: for the page's tests and its picture."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from math import pi, sin
from typing import Any

from config.secrets import mask

# provider, its model, alias, requests at noon, share of failures, median of the first output in ms
SERVERS = (
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet", 61, 0.004, 820),
    ("azure-west", "gpt-4o", "gpt-4o", 48, 0.011, 540),
    ("openai", "gpt-4o-mini", "gpt-4o-mini", 40, 0.002, 410),
    ("vertex", "gemini-2.5-flash", "gemini-flash", 31, 0.006, 380),
    ("cohere", "command-a-03-2025", "command-a", 12, 0.031, 690),
    ("openrouter", "deepseek/deepseek-r1", "deepseek-r1", 7, 0.058, 2600),
)
BUCKET_SECONDS = {1: 60, 24: 3600, 168: 14400, 720: 43200}
KEY = mask("sk-or-v1-made-up-for-this-7c1d")
ERRORS = (("rate_limit", 429), ("overloaded", 503), ("timeout", None), ("server", 500))


def demo_statistics(hours: int = 24, now: datetime = datetime(2026, 3, 12, 16, 40, tzinfo=UTC)) -> dict[str, Any]:
    """The same for the same arguments; sums and timeline agree."""
    chance = random.Random(hours)
    seconds = BUCKET_SECONDS[hours]
    start = now - timedelta(hours=hours)
    first = int(start.timestamp()) // seconds * seconds
    points = [
        _point(chance, datetime.fromtimestamp(time, UTC), seconds, server)
        for time in range(first, int(now.timestamp()), seconds)
        for server in SERVERS
    ]
    timeline = [point for point in points if point["requests"]]
    if hours == 24:
        timeline += _outage(first + 9 * seconds)
    by_server: dict[tuple[Any, Any], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for point in timeline:
        for field in ("requests", "succeeded", "tokens"):
            by_server[point["provider"], point["model"]][field] += point[field]
    rates = [
        {"provider": name, "model": model, **_rate(by_server[name, model]["requests"], failures)}
        for name, model, _, _, failures, _ in SERVERS
    ]
    tokens = [
        {"provider": name, "model": model, **_tokens(sums["tokens"])}
        for (name, model), sums in by_server.items()
        if name
    ]
    requests = sum(sums["requests"] for sums in by_server.values())
    aliases = {model: alias for _, model, alias, *_ in SERVERS}
    served = sorted(((sums["requests"], model) for (_, model), sums in by_server.items() if model), reverse=True)
    return {
        "time_range": {"hours": hours, "from": _iso(start), "to": _iso(now)},
        "channel_model_success_rates": rates,
        "channel_success_rates": [{key: rate[key] for key in rate if key != "model"} for rate in rates],
        "model_request_counts": [{"model": aliases[model], "count": count} for count, model in served],
        "endpoint_request_counts": [
            {"endpoint": "/v1/chat/completions", "count": requests * 23 // 25},
            {"endpoint": "/v1/embeddings", "count": requests - requests * 23 // 25},
        ],
        "ip_request_counts": [
            {"ip": f"10.4.0.{host}", "count": requests * share // 100}
            for host, share in ((17, 46), (23, 30), (8, 17), (41, 7))
        ],
        "totals": {
            "requests": requests,
            "succeeded": sum(sums["succeeded"] for sums in by_server.values()),
            "attempts": sum(rate["total_requests"] for rate in rates),
            "hedged": requests // 90,
            "flagged": requests // 400,
            **{f"{kind}_tokens": sum(entry[kind] for entry in tokens) for kind in _tokens(0)},
        },
        "latencies": [
            {
                "provider": name,
                "model": model,
                "first_output_p50_ms": first_output,
                "first_output_p95_ms": round(first_output * 2.3),
                "total_p50_ms": first_output * 5,
                "total_p95_ms": first_output * 14,
            }
            for name, model, _, _, _, first_output in SERVERS
        ],
        "tokens": tokens,
        "bucket_seconds": seconds,
        "timeline": timeline,
        "last_errors": [_error(chance, now, number) for number in range(14)],
        "cooldowns": [
            {
                "what": f"key {KEY}",
                "provider": "openrouter",
                "model": "",
                "key": KEY,
                "region": "",
                "seconds_left": 254.2,
                "why": "rate_limit",
            },
            {
                "what": "cohere/command-a-03-2025",
                "provider": "cohere",
                "model": "command-a-03-2025",
                "key": "",
                "region": "",
                "seconds_left": 41.7,
                "why": "overloaded",
            },
        ],
        "lost_rows": 0,
    }


def _point(chance: random.Random, time: datetime, seconds: int, server: tuple[str, str, str, int, float, int]) -> Any:
    provider, model, _, at_noon, failures, first_output = server
    daylight = 0.35 + 0.65 * max(sin((time.hour - 6) / 24 * 2 * pi), -0.3)
    requests = int(at_noon * seconds / 3600 * daylight * chance.uniform(0.8, 1.2) + chance.random())
    first = round(first_output * chance.uniform(0.85, 1.25))
    return {
        "time": _iso(time),
        "provider": provider,
        "model": model,
        "requests": requests,
        "succeeded": requests - sum(chance.random() < failures for _ in range(requests)),
        "first_output_p50_ms": first,
        "total_p95_ms": round(first * chance.uniform(11, 16)),
        "tokens": requests * chance.randint(1500, 2300),
    }


def _outage(time: int) -> list[dict[str, Any]]:
    """Requests that nobody served."""
    return [
        {
            "time": _iso(datetime.fromtimestamp(time, UTC)),
            "provider": None,
            "model": None,
            "requests": 9,
            "succeeded": 0,
            "first_output_p50_ms": None,
            "total_p95_ms": 30120,
            "tokens": 0,
        }
    ]


def _rate(served: int, failures: float) -> dict[str, Any]:
    attempts = served + round(served * failures * 2)
    return {"success_rate": served / attempts, "total_requests": attempts}


def _tokens(tokens: int) -> dict[str, int]:
    prompt = tokens * 3 // 4
    return {"prompt": prompt, "completion": tokens - prompt, "cached": prompt // 3, "reasoning": (tokens - prompt) // 5}


def _error(chance: random.Random, now: datetime, number: int) -> dict[str, Any]:
    kind, status = ERRORS[number % len(ERRORS)]
    provider, model, *_ = SERVERS[-1 - (number * number) % 4]
    time = now - timedelta(seconds=number * 700 + chance.randrange(600))
    return {
        "time": _iso(time),
        "provider": provider,
        "model": model,
        "status": status,
        "error": kind,
        "endpoint": "/v1/chat/completions",
    }


def _iso(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
