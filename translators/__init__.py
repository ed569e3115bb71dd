"""Wires: each engine and each dialect has its entry here and a file of its own. Pure: no I/O, no clock, no chance."""

from translators.anthropic import Claude
from translators.base import Dialect, Translator
from translators.openai import Gpt, OpenAIChat

ENGINES: dict[str, Translator] = {
    "gpt": Gpt(),
    "claude": Claude(),
}

DIALECTS: dict[str, Dialect] = {
    "openai-chat": OpenAIChat(),
}
