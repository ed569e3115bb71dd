"""What passes through the middle: one chat request in typed parts, one answer as a list of events.

A dialect (the client's side) makes the request and takes the events; an engine (the provider's side) takes the
request and makes the events. So n dialects and m engines cost n + m files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from translators.errors import UpstreamError

# --- request: what a message is made of ---------------------------------------------------------------------

Role = Literal["system", "developer", "user", "assistant", "tool"]
CacheMark = Mapping[str, Any]
"""Anthropic's `cache_control` object as the client wrote it, e.g. {"type": "ephemeral", "ttl": "1h"}."""


@dataclass(frozen=True, slots=True)
class TextPart:
    text: str
    cache: CacheMark | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image by URL: `https://…`, or `data:<mime>;base64,…` as the client wrote it (see media.py)."""

    url: str
    detail: str | None = None
    cache: CacheMark | None = None


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file: `data` is a data URL or bare base64, or it is named by `file_id`, or by `url`."""

    data: str | None = None
    filename: str | None = None
    file_id: str | None = None
    url: str | None = None
    cache: CacheMark | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AudioPart:
    """Sound in base64; `format` as OpenAI names it: wav, mp3, …"""

    data: str
    format: str


@dataclass(frozen=True, slots=True)
class RefusalPart:
    text: str


@dataclass(frozen=True, slots=True)
class NativePart:
    """A content part of a type that OpenAI does not know, as it came: an engine whose wire has it passes it on."""

    type: str
    raw: Mapping[str, Any]


Part = TextPart | ImagePart | FilePart | AudioPart | RefusalPart | NativePart


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call in an assistant message; `arguments` is the text as it came, normally a JSON object."""

    id: str
    name: str
    arguments: str
    cache: CacheMark | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `thinking` are opaque reasoning blocks to be replayed (`thinking_blocks`), `reasoning` is
    reasoning as plain text (`reasoning_content`); both only on assistant messages."""

    role: Role
    parts: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    reasoning: str | None = None
    thinking: tuple[Mapping[str, Any], ...] = ()
    cache: CacheMark | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))


# --- request: the rest of it --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call; `parameters` is its JSON schema, None when the client gave none."""

    name: str
    description: str | None = None
    parameters: Mapping[str, Any] | None = None
    strict: bool | None = None
    cache: CacheMark | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NativeTool:
    """A tool that is no function: a provider's own (web search, code execution), as it came."""

    type: str
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`mode` named: the model must call `name`; `allowed`: only these names may be called (OpenAI's allowed_tools)."""

    mode: Literal["auto", "none", "required", "named"]
    name: str | None = None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    kind: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    description: str | None = None
    schema: Mapping[str, Any] | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat request in typed parts. `extensions` holds every other top-level field as it came: an engine takes
    what its wire knows and notes the rest as dropped."""

    model: str
    messages: tuple[Message, ...]
    stream: bool = False
    tools: tuple[Tool | NativeTool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    n: int | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: Mapping[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    user: str | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)


# --- where an attempt goes, what is sent ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Target:
    """One attempt's destination: `base_url` without a trailing slash, empty for the engine's own host; `key` is
    the secret itself; `model` the provider's name of the model, `alias` the client's."""

    base_url: str
    model: str
    alias: str
    key: str = field(default="", repr=False)
    tools: bool = True
    image: bool = True
    project: str = ""
    region: str = ""
    account: str = ""

    @property
    def renamed(self) -> bool:
        return self.model != self.alias


@dataclass(frozen=True, slots=True)
class Note:
    """Something in the request that was not translated, and why. `field` is a path: `logit_bias`, `tools[2]`."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Splice:
    """Bytes that take the place of those from `start` to `end` of a body as it is sent, so that a large body does not
    have to be there twice."""

    start: int
    end: int
    written: bytes = field(repr=False)

    def pieces(self, body: bytes) -> tuple[bytes | memoryview, ...]:
        """What is sent, without a copy."""
        whole = memoryview(body)
        return whole[: self.start], self.written, whole[self.end :]


@dataclass(frozen=True, slots=True)
class WireRequest:
    """What goes to the provider. `credentials` are the headers that hold secrets, kept apart so that nobody prints
    them; `context` is whatever the engine needs to read the answer (renamed tools, …)."""

    method: str
    url: str
    headers: Mapping[str, str]
    credentials: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    notes: tuple[Note, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    splice: Splice | None = None
    """What is other in the body as it is sent."""

    @property
    def length(self) -> int:
        """How many bytes of body are sent."""
        splice = self.splice
        return len(self.body) + (len(splice.written) - splice.end + splice.start if splice else 0)


# --- answer: events -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens. `prompt` includes cached ones, `completion` includes reasoning."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    cache_written: int = 0
    reasoning: int = 0
    total: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Started:
    """The provider began to answer: its id and its own name of the model, as far as it says them."""

    id: str | None = None
    model: str | None = None
    created: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str
    choice: int = 0


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str
    choice: int = 0


@dataclass(frozen=True, slots=True)
class ThinkingBlock:
    """A finished opaque reasoning block that the client should send back unchanged (signature included)."""

    block: Mapping[str, Any]
    choice: int = 0


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    text: str
    choice: int = 0


@dataclass(frozen=True, slots=True)
class ToolCallStart:
    """Opens call number `index` (0, 1, 2 in order of appearance within the choice)."""

    index: int
    id: str
    name: str
    choice: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """More of the arguments' text of call number `index`."""

    index: int
    arguments: str
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Extension:
    """A field of the message beyond OpenAI's own, or one that OpenAI has and few providers fill (annotations,
    audio, images): lists are appended to, strings joined, anything else replaced."""

    name: str
    value: Any
    choice: int = 0


@dataclass(frozen=True, slots=True)
class LogProbs:
    """OpenAI's `logprobs` object of a choice: {"content": […], "refusal": […]}."""

    value: Mapping[str, Any]
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """A choice ended. `reason`: stop, length, tool_calls, content_filter; `native` the provider's own word."""

    reason: str
    choice: int = 0
    native: str | None = None


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Usage so far; a later report replaces an earlier one."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The provider said that it is still there (a ping, a comment): no output."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer is complete: the provider's own end marker was seen."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer broke off, or the provider sent an error inside it. Nothing follows."""

    error: UpstreamError


Event = (
    Started
    | TextDelta
    | ReasoningDelta
    | ThinkingBlock
    | RefusalDelta
    | ToolCallStart
    | ToolCallDelta
    | Extension
    | LogProbs
    | Finished
    | UsageReport
    | KeepAlive
    | Ended
    | Failed
)

OUTPUT = (TextDelta, ReasoningDelta, ThinkingBlock, RefusalDelta, ToolCallStart, ToolCallDelta, Extension)
"""Events that carry something of the answer itself; before the first, another provider may be tried."""
