"""One attempt's answer on its way to the client, whatever the two sides speak.

Four cases: the client asked for a stream or for a whole answer, and the provider sent the one or the other; hosts do
not always send what was asked for.
"""

from collections.abc import Mapping
from typing import Any

from translators.base import (
    AnswerIdentity,
    AnswerStream,
    AnswerWriter,
    Dialect,
    See,
    StreamTranslator,
    Translator,
    WholeAnswer,
)
from translators.errors import UpstreamError
from translators.sse import EVENT_STREAM
from translators.types import OUTPUT, Ended, Event, Failed, Usage, UsageReport, WireRequest

READ_ANSWER: Mapping[str, Any] = {"read_answer": True}
"""In a request's context: its answer differs from the client's wire, although the engine speaks it."""


class TranslatedStream:
    """A stream between two wires: provider's bytes → events → client's bytes."""

    content_type = EVENT_STREAM

    def __init__(self, reader: StreamTranslator, writer: AnswerWriter, see: See | None = None) -> None:
        self._reader = reader
        self._writer = writer
        self._see = see
        self.has_output = False
        self.ended = False
        self.failure: UpstreamError | None = None
        self.usage: Usage | None = None

    def feed(self, data: bytes) -> bytes:
        return self._write(self._reader.feed(data))

    def close(self) -> bytes:
        return self._write(self._reader.close())

    def last_words(self, error: UpstreamError) -> bytes:
        return self._writer.error(error)

    def _write(self, events: list[Event]) -> bytes:
        if self._see is not None:
            self._see(events)
        for event in events:
            if isinstance(event, OUTPUT):
                self.has_output = True
            elif isinstance(event, UsageReport):
                self.usage = event.usage
            elif isinstance(event, Ended):
                self.ended = True
            elif isinstance(event, Failed):
                self.failure = event.error
        return self._writer.write(events)


class WholeReader:
    """A whole answer read as if it were a stream, for a provider that does not stream."""

    def __init__(self, translator: Translator, wire: WireRequest) -> None:
        self._translator = translator
        self._wire = wire
        self._body = bytearray()

    def feed(self, data: bytes) -> list[Event]:
        self._body += data
        return []

    def close(self) -> list[Event]:
        return self._translator.parse(bytes(self._body), self._wire)


def passes_through(translator: Translator, dialect: Dialect, wire: WireRequest) -> bool:
    return translator.speaks == dialect.name and "read_answer" not in wire.context


def open_stream(
    translator: Translator,
    dialect: Dialect,
    wire: WireRequest,
    identity: AnswerIdentity,
    *,
    arrives_as_stream: bool,
    see: See | None = None,
) -> AnswerStream:
    """The answer for a client that asked for a stream. `see` is shown the events, where there are any."""
    if arrives_as_stream and passes_through(translator, dialect, wire):
        return dialect.through(identity)
    reader = translator.stream(wire) if arrives_as_stream else WholeReader(translator, wire)
    return TranslatedStream(reader, dialect.writer(identity), see)


def whole_answer(
    translator: Translator,
    dialect: Dialect,
    wire: WireRequest,
    identity: AnswerIdentity,
    body: bytes,
    *,
    arrives_as_stream: bool,
    see: See | None = None,
) -> WholeAnswer:
    """The answer for a client that asked for a whole one. `see` is shown the events of a good one, where there are any.

    Raises UpstreamError for a failure inside a 200.
    """
    if arrives_as_stream:
        reader = translator.stream(wire)
        events = reader.feed(body) + reader.close()
    elif passes_through(translator, dialect, wire):
        return dialect.through_whole(body, identity)
    else:
        events = translator.parse(body, wire)
    usage = next((event.usage for event in reversed(events) if isinstance(event, UsageReport)), None)
    answer = WholeAnswer(dialect.fold(events, identity), usage)
    if see is not None:
        see(events)
    return answer
