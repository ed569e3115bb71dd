"""The HTTP layer of one client's connection: what its streams with attempts on it wait for, and until when.

What one socket read brings for several attempts is told to their streams at its end, together; one timer serves the
deadlines of all of them. These classes are mitmproxy's inside, see failover.py.
"""

import time
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mitmproxy import http
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http import HttpStream
from mitmproxy.proxy.layers.http._base import HttpEvent

from balancing.call import Call
from balancing.connections import ConnectingHttpLayer
from balancing.exchange import Exchange
from balancing.leg import Leg
from balancing.replies import Reply


class Gatekeeper(Protocol):
    """What the layer asks the addon."""

    def owns(self, flow: http.HTTPFlow) -> bool:
        """Whether the gateway answers this flow."""
        ...

    def exchange(self, flow: http.HTTPFlow) -> Exchange | None:
        """The flow's exchange; None for flows without attempts."""
        ...

    def attempt(self, flow: http.HTTPFlow) -> tuple[Call, http.Request] | None:
        """The attempt that has been prepared in `flow.request`, once, and the request as it goes out, with the secrets
        that the flow itself never holds; None if there is none."""
        ...

    def reply(self, flow: http.HTTPFlow, reply: Reply) -> http.Response:
        """A whole answer as the flow's response."""
        ...

    def stream_head(self, flow: http.HTTPFlow) -> http.Response:
        """The head of a streamed answer."""
        ...


@dataclass
class Flush(HttpEvent):
    """What has arrived for this attempt is to be dealt with now."""


@dataclass
class Hedge(HttpEvent):
    """This attempt has been silent for so long that a second one is to begin beside it."""


class AttemptsStream(HttpStream):
    """A stream of this layer; receiving.py and failover.py have the rest of it."""

    @property
    @abstractmethod
    def deadline(self) -> float:
        """When the time has to be looked at, on the monotonic clock."""

    @abstractmethod
    def time_passed(self, now: float) -> None:
        """The deadline has passed."""


class AttemptsLayer(ConnectingHttpLayer):
    """See the module's docstring."""

    gatekeeper: Gatekeeper
    attempt_ids: Iterator[int]
    touched: list[tuple[AttemptsStream, Leg]]
    """Attempts that something has arrived for since the last flush."""
    hedging: list[tuple[AttemptsStream, Leg]]
    """Attempts that have been silent for long enough to begin another one beside them."""
    waiting: set[AttemptsStream]
    """Streams with an attempt on, whose deadlines count."""
    alarm_at: float | None
    alarm_wanted: bool

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, events.Wakeup) and event.command not in self.command_sources:
            self.look_at_the_time()
        else:
            yield from super()._handle_event(event)
        while self.touched:
            stream, leg = self.touched.pop()
            yield from self.event_to_child(stream, Flush(leg.id))
        while self.hedging:
            stream, leg = self.hedging.pop()
            yield from self.event_to_child(stream, Hedge(leg.id))
        if self.alarm_wanted:
            self.alarm_wanted = False
            assert self.alarm_at is not None
            yield commands.RequestWakeup(max(0.0, self.alarm_at - time.monotonic()))

    def watch(self, stream: AttemptsStream, deadline: float) -> None:
        """See to it that the stream is looked at when its deadline passes. A deadline may move later on its own."""
        self.waiting.add(stream)
        if self.alarm_at is None or deadline < self.alarm_at:
            self.alarm_at = deadline
            self.alarm_wanted = True

    def look_at_the_time(self) -> None:
        """A timer went off: see to what is due, and set the alarm for the rest."""
        now = time.monotonic()
        if self.alarm_at is None or now < self.alarm_at - 0.001:
            return  # An alarm that has been replaced by an earlier one.
        self.alarm_at = None
        for stream in list(self.waiting):
            if stream.deadline <= now + 0.001:
                stream.time_passed(now + 0.001)
            else:
                self.watch(stream, stream.deadline)
