"""OpenAI's defaults, and what says nothing: leaving these out changes nothing, and nobody has to be told."""

from collections.abc import Mapping
from typing import Any

DEFAULTS: Mapping[str, Any] = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": False,
    "store": False,
    "parallel_tool_calls": True,
}


def changes_nothing(name: str, value: Any) -> bool:
    """Whether a field of a request may be left out without anybody noticing."""
    return value is None or value in ([], {}) or (name in DEFAULTS and value == DEFAULTS[name])
