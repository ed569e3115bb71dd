"""The stream of any engine whose answers come as server-sent events: bytes → events.

What all of them share: a bad line does not spoil an answer, nothing is read after its end, comments are signs of life.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from translators.sse import ServerEvent, SseDecoder
from translators.types import Event, KeepAlive


class EventStream(ABC):
    """A StreamTranslator; an engine says what its events mean."""

    def __init__(self) -> None:
        self._decoder = SseDecoder()
        self._comments = 0

    @property
    @abstractmethod
    def over(self) -> bool:
        """Whether the answer has ended or failed."""

    @abstractmethod
    def read(self, server_event: ServerEvent) -> Iterable[Event]:
        """What one event says; nothing for a line that is no JSON."""

    @abstractmethod
    def end(self) -> Iterable[Event]:
        """What is to be said when the bytes end; Failed where the answer is not over."""

    def feed(self, data: bytes) -> list[Event]:
        return self._events(self._decoder.feed(data))

    def close(self) -> list[Event]:
        events = self._events(self._decoder.close())
        events += self.end()
        return events

    def _events(self, server_events: list[ServerEvent]) -> list[Event]:
        events: list[Event] = []
        for server_event in server_events:
            if self.over:
                break
            events += self.read(server_event)
        if self._decoder.comments > self._comments and not self.over:
            self._comments = self._decoder.comments
            events.append(KeepAlive())
        return events
