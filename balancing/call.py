"""One attempt on the wire: what has arrived of its answer, and what can be made of that.

No I/O, and no knowledge of other attempts: `head`, `receive …`, then `finish` or `break_off`; `advance` in between says
how far it has come, and raises UpstreamError when it has failed. What a provider sends before its first real output
is held back.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any

from balancing.plan import Attempt
from balancing.replies import AttemptRecord
from translators.base import AnswerIdentity, AnswerStream, See, Service, WholeAnswer
from translators.encoding import decoder
from translators.errors import Kind, UpstreamError
from translators.types import Usage, WireRequest

HELD_FRAMES = 64
HELD_BYTES = 256 * 1024
"""How much of a stream without any output is held back before it is let through all the same."""
ERROR_BODY_BYTES = 64 * 1024
KEPT_BYTES = 1024 * 1024
"""How much of an answer, as the provider sent it, is kept for inspection."""
PINGS_LIMIT = 5
"""A provider that only sends signs of life is given this many times the timeout for its first output."""
SECONDS_TO_CLOSE = 1.0
"""How long a provider may keep its connection busy after its end marker."""


class Progress(Enum):
    NONE = auto()
    """Nothing for the client yet."""
    OUTPUT = auto()
    """`take_output` has some of a stream."""
    STREAMED = auto()
    """The stream is complete."""
    WHOLE = auto()
    """`whole` is the answer."""


class Call:
    """See the module's docstring. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        attempt: Attempt,
        service: Service[Any],
        wire: WireRequest,
        identity: AnswerIdentity,
        *,
        stream: bool,
        see: See | None,
        clock: Callable[[], float],
    ) -> None:
        now = clock()
        self.attempt = attempt
        self.wire = wire
        self.record = AttemptRecord(attempt, wire.url, now)
        self.status = 0
        self.headers: Mapping[str, str] = {}
        """The provider's."""
        self.stream: AnswerStream | None = None
        self.whole: WholeAnswer | None = None
        self.kept = bytearray()
        self.cut = 0
        """How many bytes of the provider's answer are not among those kept."""
        self._service = service
        self._identity = identity
        self._wants_stream = stream
        self._see = see
        self._clock = clock
        self._content_type = ""
        self._decode: Callable[[bytes], bytes] | None = None
        self._pending: list[bytes] = []
        self._body: list[bytes] = []
        self._held = bytearray()
        self._output: list[bytes] = []
        self._is_released = False
        self._finished = False
        self._broken: UpstreamError | None = None
        self._last_bytes = self._last_output = now

    def start_clock(self) -> None:
        """The attempt goes out now: whatever a person at a breakpoint took for it does not count."""
        self.record.started = self._last_bytes = self._last_output = self._clock()

    # --- what the transport tells ---

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """The provider's status and headers; `headers` finds names in lower case."""
        self.status = self.record.status = status
        self.headers = headers
        self._last_bytes = self._clock()
        try:
            self._decode = decoder(headers.get("content-encoding", ""))
        except UpstreamError as error:
            self._broken = error
        self._content_type = headers.get("content-type", "")
        if 200 <= status < 300:
            self.stream = self._service.open(
                self.wire,
                self._identity,
                stream=self._wants_stream,
                content_type=self._content_type,
                see=self._see,
            )

    def receive(self, data: bytes) -> None:
        """More of the provider's body."""
        self._pending.append(data)

    def finish(self) -> None:
        """The provider's message is complete."""
        self._finished = True

    def break_off(self, kind: Kind, message: str) -> None:
        """The connection failed, or time ran out."""
        status = 504 if kind is Kind.TIMEOUT else 502
        self._broken = UpstreamError(kind, message, status=status, code=f"upstream_{kind.value}")

    @property
    def answering(self) -> bool:
        """Whether the provider has begun to answer."""
        return self.status != 0

    @property
    def usage(self) -> Usage | None:
        answer = self.stream or self.whole
        return answer.usage if answer else None

    @property
    def deadline(self) -> float:
        """When the silence has lasted too long, on the clock's scale."""
        if self.stream is not None and self.stream.ended:
            return self._last_bytes + SECONDS_TO_CLOSE
        attempt = self.attempt
        if self.record.first_output is None and attempt.patience < attempt.timeout:
            return self.record.started + attempt.patience
        return min(self._last_bytes + attempt.timeout, self._last_output + PINGS_LIMIT * attempt.timeout)

    def time_out(self) -> None:
        """The deadline has passed."""
        if self.stream is not None and self.stream.ended:
            self._finished = True
            return
        what = "no more output" if self._is_released else "no output"
        self.break_off(Kind.TIMEOUT, f"The provider gave {what} for {self._clock() - self._last_output:.1f} seconds.")

    # --- what can be made of it ---

    def advance(self) -> Progress:
        """Take in what has arrived since the last call. Raises UpstreamError: the attempt has failed."""
        data = b"".join(self._pending)
        self._pending.clear()
        if data:
            self._last_bytes = self._clock()
            if self._decode is not None:
                data = self._decode(data)
            self._keep(data)
        if not 200 <= self.status < 300:
            return self._advance_failure(data)
        if self.stream is None:
            return self._advance_whole(data)
        return self._advance_stream(self.stream, data)

    def say(self, words: bytes) -> None:
        """Words of the gateway's own for the client, behind what the provider said."""
        self._output.append(words)

    def take_output(self) -> bytes:
        """The bytes for the client since the last call."""
        output = b"".join(self._output)
        self._output.clear()
        return output

    def _keep(self, data: bytes) -> None:
        room = KEPT_BYTES - len(self.kept)
        self.kept += data if len(data) <= room else data[:room]
        self.cut += max(0, len(data) - room)

    def _advance_failure(self, data: bytes) -> Progress:
        over = self.cut or len(self.kept) > ERROR_BODY_BYTES
        if self.status and (self._finished or self._broken or over):
            raise self._service.failure(self.status, self.headers, bytes(self.kept[:ERROR_BODY_BYTES]))
        if self._broken:
            raise self._broken
        return Progress.NONE

    def _advance_whole(self, data: bytes) -> Progress:
        self._body.append(data)
        if data.strip():
            self._output_came()
        if self._broken:
            raise self._broken
        if not self._finished:
            return Progress.NONE
        body = b"".join(self._body)
        self._body.clear()
        self.whole = self._service.whole(
            self.wire, self._identity, body, content_type=self._content_type, see=self._see
        )
        return Progress.WHOLE

    def _advance_stream(self, stream: AnswerStream, data: bytes) -> Progress:
        output = stream.feed(data) if data else b""
        # A broken connection is no end, also where a wire has no end marker and closing would complete the answer.
        if self._finished and not stream.ended:
            output += stream.close()
        if stream.has_output and output and (not output.startswith(b":") or b"\ndata:" in output):
            self._output_came()
        self._hold_or_release(stream, output)
        if stream.failure:
            raise stream.failure
        if self._broken and not stream.ended:
            raise self._broken
        if stream.ended and (self._finished or self._broken):
            return Progress.STREAMED
        return Progress.OUTPUT if self._output else Progress.NONE

    def _hold_or_release(self, stream: AnswerStream, output: bytes) -> None:
        if self._is_released:
            if output:
                self._output.append(output)
            return
        self._held += output
        frames = self._held.count(b"\n\n") + self._held.count(b"\r\n\r\n")
        too_much = len(self._held) > HELD_BYTES or frames > HELD_FRAMES
        if (stream.has_output or stream.ended or too_much) and not stream.failure:
            self._is_released = True
            self._output.append(bytes(self._held))
            self._held.clear()

    def _output_came(self) -> None:
        self._last_output = self._last_bytes
        if self.record.first_output is None:
            self.record.first_output = self._last_bytes
