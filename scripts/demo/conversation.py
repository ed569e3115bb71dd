"""What the simulated model is asked and what it answers, whatever wire it came over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from scripts.demo.example import example

Choice = Literal["auto", "required", "none"]
Schema = Mapping[str, Any]
"""A JSON schema."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Raises TypeError, or what `example` raises, if it cannot be called: its types are promised by nobody."""

    name: str
    schema: Schema

    def __post_init__(self) -> None:
        name: Any = self.name
        if not isinstance(name, str) or not isinstance(example(self.schema, iter(())), Mapping):
            raise TypeError("a tool has a name and takes an object")


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the client's tool `name` returned, as text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `attachments` counts its images, files and sounds."""

    role: Literal["user", "assistant"]
    text: str = ""
    attachments: int = 0
    results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """A whole request. `choice` says whether tools may (auto), must (required) or must not (none) be called;
    `forced` names the one that must be. `schema`: the answer is JSON of this form.

    Raises TypeError, or what `example` raises, if it cannot be answered: its types are promised by nobody.
    """

    model: str
    turns: tuple[Turn, ...]
    system: str = ""
    tools: tuple[Tool, ...] = ()
    choice: Choice = "auto"
    forced: str | None = None
    parallel: bool = True
    schema: Schema | None = None
    reasoning: bool = False
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.choice not in get_args(Choice) or not all(isinstance(word, str) for word in self.stop):
            raise TypeError("a choice of tools and stop texts are words")
        if self.max_tokens is not None and (type(self.max_tokens) is not int or self.max_tokens < 0):
            raise TypeError("a limit on tokens is a whole number")
        if self.schema is not None:
            example(self.schema, iter(()))


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens. `completion` includes `reasoning`."""

    prompt: int
    completion: int
    reasoning: int


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `stopped_by` is the stop text that ended it; `finish` "length": the tokens ran out."""

    usage: Usage
    finish: Literal["stop", "length", "tool_calls"]
    reasoning: str = ""
    text: str = ""
    calls: tuple[Call, ...] = ()
    stopped_by: str | None = None
