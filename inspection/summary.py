"""One request in one line: for the log and for the flow's comment. Both are written from the account of the request
(plain data without secrets, see balancing/account.py)."""

from collections.abc import Mapping
from typing import Any

from translators.jsontext import objects_in, text_in


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
    return printable(" ".join(parts))


def comment(account: Mapping[str, Any]) -> str:
    """`gpt-demo → claude/claude-x · 3 attempts · first output 320 ms · 12 + 34 tokens · dropped: seed`.

    The account may come from a file, so nothing is sure to be in it."""
    attempts = len(objects_in(account.get("attempts")))
    outcome = text_in(account.get("outcome"))
    dropped = ", ".join(text_in(note.get("field")) for note in objects_in(account.get("dropped")))
    parts = [title(account)]
    if attempts:
        parts.append(f"{attempts} attempt{'' if attempts == 1 else 's'}")
    if account.get("hedged"):
        parts.append("hedged")
    if account.get("first_output_ms") is not None:
        parts.append(f"first output {account['first_output_ms']} ms")
    if account.get("prompt_tokens") is not None:
        parts.append(f"{account['prompt_tokens']} + {account.get('completion_tokens')} tokens")
    if outcome != "ok":
        parts.append(outcome or "?")
    if dropped:
        parts.append(f"dropped: {dropped}")
    return printable(" · ".join(parts))


def title(account: Mapping[str, Any]) -> str:
    """Who asked for what, and who served it."""
    if account.get("refused"):
        return f"{account.get('endpoint')} refused: {account['refused']}"
    return f"{account.get('asked') or account.get('endpoint')} → {served_by(account)}"


def served_by(account: Mapping[str, Any]) -> str:
    return f"{account['provider']}/{account.get('model')}" if account.get("provider") else "nobody"


def failed_attempt(attempt: Mapping[str, Any]) -> str:
    what = attempt["status"] if attempt["status"] and attempt["status"] >= 400 else attempt["error"]
    return f"{attempt['provider']}: {what} {attempt['ms']} ms"


def printable(line: str) -> str:
    """One line, whatever a client has put into the names in it."""
    return line if line.isprintable() else "".join(each if each.isprintable() else "?" for each in line)
