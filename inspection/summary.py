"""One request in one line: for the log and for the flow's comment. Both are written from the account of the request
(plain data without secrets, see balancing/exchange.py)."""

from collections.abc import Mapping
from typing import Any


def log_line(account: Mapping[str, Any]) -> str:
    """`gpt-demo → claude/claude-x 200 in 1.24 s (dead: connect 2 ms, flaky: 500 12 ms)`."""
    status = account["status"]
    parts = [title(account)]
    parts.append(f"{status} in {account['total_ms'] / 1000:.2f} s" if status else "no answer")
    if account["outcome"] == "broken":
        parts.append("broke after output had begun")
    elif account["outcome"] == "cancelled":
        parts.append("stopped in mitmproxy" if account["stopped"] else "the client went away")
    failures = [failed_attempt(attempt) for attempt in account["attempts"] if attempt["error"]]
    if failures:
        parts.append(f"({', '.join(failures)})")
    return " ".join(parts)


def comment(account: Mapping[str, Any]) -> str:
    """`gpt-demo → claude/claude-x · 3 attempts · first output 320 ms · 12 + 34 tokens · dropped: seed`."""
    attempts = len(account["attempts"])
    parts = [title(account)]
    if attempts:
        parts.append(f"{attempts} attempt{'' if attempts == 1 else 's'}")
    if account["hedged"]:
        parts.append("hedged")
    if account["first_output_ms"] is not None:
        parts.append(f"first output {account['first_output_ms']} ms")
    if account["prompt_tokens"] is not None:
        parts.append(f"{account['prompt_tokens']} + {account['completion_tokens']} tokens")
    if account["outcome"] != "ok":
        parts.append(account["outcome"])
    if account["dropped"]:
        parts.append("dropped: " + ", ".join(note["field"] for note in account["dropped"]))
    return " · ".join(parts)


def title(account: Mapping[str, Any]) -> str:
    """Who asked for what, and who served it."""
    if account["refused"]:
        return f"{account['endpoint']} refused: {account['refused']}"
    return f"{account['asked']} → {served_by(account)}"


def served_by(account: Mapping[str, Any]) -> str:
    return f"{account['provider']}/{account['model']}" if account["provider"] else "nobody"


def failed_attempt(attempt: Mapping[str, Any]) -> str:
    what = attempt["status"] if attempt["status"] and attempt["status"] >= 400 else attempt["error"]
    return f"{attempt['provider']}: {what} {attempt['ms']} ms"
