"""One chat request on its way: the attempt that is on, what is held back, what the client gets.

No I/O: the transport (failover.py) tells what arrives, calls `advance`, and does what the Step says.

    begin ─▶ head ─▶ receive … ─▶ finish │ break_off
                 advance ─▶ WAIT   nothing to do yet
                            SEND   `take_output()` goes to the client; from now on no other attempt
                            RETRY  the attempt failed before any output: `begin` again
                            ANSWER `reply` is the whole answer, or the error that ends the request
                            DONE   the stream is complete
                            BROKEN the stream broke after output began; the last words are in the output
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from balancing.plan import Attempt, Plan
from balancing.preferences import preferred
from balancing.replies import AttemptRecord, Reply, error_reply, refusal
from balancing.signatures import ReasoningStore
from config.schema import Provider
from translators import ENGINES
from translators.base import AnswerIdentity, AnswerStream, ClientRequest, Dialect, Translator
from translators.encoding import decoder
from translators.errors import Kind, RequestError, UntranslatableError, UpstreamError
from translators.relay import See, open_stream, whole_answer
from translators.types import Note, Target, Usage, WireRequest

logger = logging.getLogger("uniapi")

TOKEN_ENGINES = ("vertex-gemini", "vertex-claude")
"""Engines whose keys are access tokens (balancing/tokens.py)."""
REASONING_ENGINES = ("claude", "vertex-claude", "gemini", "vertex-gemini")
"""Engines that want their own reasoning back, which many clients lose (balancing/signatures.py)."""
HELD_FRAMES = 64
HELD_BYTES = 256 * 1024
"""How much of a stream without any output is held back before it is let through all the same."""
ERROR_BODY_BYTES = 64 * 1024
KEPT_ANSWER_BYTES = 64 * 1024
"""How much of a failed attempt's answer is kept for inspection."""
PINGS_LIMIT = 5
"""A provider that only sends signs of life is given this many times the timeout for its first output."""
DROPPED_SHOWN = 20
"""How many dropped fields the x-uniapi-dropped header names."""
SECONDS_TO_CLOSE = 1.0
"""How long a provider may keep its connection busy after its end marker."""


class Step(Enum):
    WAIT = auto()
    SEND = auto()
    RETRY = auto()
    ANSWER = auto()
    DONE = auto()
    BROKEN = auto()


@dataclass(slots=True)
class Exchange:
    """See the module's docstring. `identity` is what the answer is called when the provider does not say."""

    request: ClientRequest
    dialect: Dialect
    plan: Plan
    clock: Callable[[], float]
    identity: AnswerIdentity
    asked: str
    token_of: Callable[[Provider], Awaitable[str]]
    """An access token of a provider that has no keys. Raises UpstreamError."""
    reasoning: ReasoningStore
    client: str
    """Whose request it is: something that tells clients apart, and is no secret."""
    reply: Reply | None = None
    committed: bool = False
    usage: Usage | None = None
    notes: tuple[Note, ...] = ()
    records: list[AttemptRecord] = field(default_factory=list)
    started: float = 0.0
    # The attempt that is on:
    _attempt: Attempt | None = None
    _translator: Translator | None = None
    _wire: WireRequest | None = None
    _stream: AnswerStream | None = None
    _see: See | None = None
    _answer_identity: AnswerIdentity | None = None
    _status: int = 0
    _headers: Mapping[str, str] = field(default_factory=dict)
    _arrives_as_stream: bool = False
    _decode: Callable[[bytes], bytes] | None = None
    _pending: list[bytes] = field(default_factory=list)
    _body: bytearray = field(default_factory=bytearray)
    _held: bytearray = field(default_factory=bytearray)
    _output: list[bytes] = field(default_factory=list)
    _finished: bool = False
    _broken: UpstreamError | None = None
    _last_bytes: float = 0.0
    _last_output: float = 0.0

    # --- one attempt after another ---

    async def begin(self) -> WireRequest | None:
        """The next attempt's request; None when nothing is left to try: `reply` then says why."""
        while (attempt := self.plan.next()) is not None:
            translator = ENGINES[attempt.channel.engine]
            try:
                wire = await self._built(attempt, translator)
            except UntranslatableError as error:
                self._not_sent(attempt, unsuitable(error))
            except RequestError as error:
                self.plan.cancelled(attempt)
                self.reply = error_reply(error)
                return None
            except UpstreamError as error:
                self._not_sent(attempt, error)
            except Exception:
                logger.exception("uniapi: the %s engine failed to build a request", translator.name)
                self._not_sent(attempt, bug_of(translator))
            else:
                self._open(attempt, translator, wire)
                return wire
        self.reply = refusal(self.records)
        return None

    async def _built(self, attempt: Attempt, translator: Translator) -> WireRequest:
        """Raises RequestError, or UpstreamError when there is no access token to be had."""
        key = attempt.key.reveal() if attempt.key else ""
        if not key and attempt.channel.engine in TOKEN_ENGINES:
            key = await self.token_of(attempt.channel.provider)
        request = self.request
        engine = attempt.channel.engine
        self._see = None
        if engine in REASONING_ENGINES:
            request = self.reasoning.restore(request, client=self.client, engine=engine)
            self._see = self.reasoning.watch(self.client, engine).see
        return preferred(translator.build(request, target_of(attempt, key)), attempt.channel)

    def _not_sent(self, attempt: Attempt, error: UpstreamError) -> None:
        now = self.clock()
        self.records.append(AttemptRecord(attempt, "", now, now, error=error))
        self.plan.failed(attempt, error)

    def _open(self, attempt: Attempt, translator: Translator, wire: WireRequest) -> None:
        now = self.clock()
        model = attempt.channel.model
        self._attempt, self._translator, self._wire = attempt, translator, wire
        self._answer_identity = AnswerIdentity(
            self.identity.id,
            self.identity.created,
            model.alias,
            model.renamed,
            self.identity.include_usage,
        )
        self._stream = None
        self._status = 0
        self._finished = False
        self._broken = None
        self._pending.clear()
        self._body.clear()
        self._held.clear()
        self._last_bytes = self._last_output = now
        self.notes = wire.notes
        self.records.append(AttemptRecord(attempt, wire.url, now))

    def start_clock(self) -> None:
        """The attempt goes out now: whatever a person at a breakpoint took for it does not count."""
        self.record.started = self._last_bytes = self._last_output = self.clock()

    @property
    def record(self) -> AttemptRecord:
        """The attempt that is on, or was the last."""
        return self.records[-1]

    # --- what the transport tells ---

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """The provider's status and headers; `headers` finds names in lower case."""
        assert self._translator
        assert self._wire
        assert self._answer_identity
        self._status = self.record.status = status
        self._headers = headers
        self._last_bytes = self.clock()
        try:
            self._decode = decoder(headers.get("content-encoding", ""))
        except UpstreamError as error:
            self._broken = error
        content_type = headers.get("content-type", "")
        self._arrives_as_stream = "event-stream" in content_type or (self.request.stream and "json" not in content_type)
        if self.request.stream and 200 <= status < 300:
            self._stream = open_stream(
                self._translator,
                self.dialect,
                self._wire,
                self._answer_identity,
                arrives_as_stream=self._arrives_as_stream,
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

    def client_gone(self) -> None:
        """The client does not wait any more."""
        if self._attempt is not None and self.reply is None and not self.record.ended:
            self.record.cancelled = True
            self.record.ended = self.clock()
            self.plan.cancelled(self._attempt)

    @property
    def answering(self) -> bool:
        """Whether the provider has begun to answer the attempt that is on."""
        return self._status != 0

    @property
    def deadline(self) -> float:
        """When the silence has lasted too long, on the clock's scale."""
        assert self._attempt
        if self._stream is not None and self._stream.ended:
            return self._last_bytes + SECONDS_TO_CLOSE
        attempt = self._attempt
        if self.record.first_output is None and attempt.patience < attempt.timeout:
            return self.record.started + attempt.patience
        return min(self._last_bytes + attempt.timeout, self._last_output + PINGS_LIMIT * attempt.timeout)

    def time_out(self) -> None:
        """The deadline has passed."""
        assert self._attempt
        if self._stream is not None and self._stream.ended:
            self._finished = True
            return
        what = "no more output" if self.committed else "no output"
        self.break_off(Kind.TIMEOUT, f"The provider gave {what} for {self.clock() - self._last_output:.1f} seconds.")

    # --- what is to be done ---

    def advance(self) -> Step:
        """Take in what has arrived since the last call. Never raises."""
        data = b"".join(self._pending)
        self._pending.clear()
        try:
            if data:
                self._last_bytes = self.clock()
                if self._decode is not None:
                    data = self._decode(data)
            if not 200 <= self._status < 300:
                return self._advance_failure(data)
            if self._stream is None:
                return self._advance_whole(data)
            return self._advance_stream(self._stream, data)
        except UpstreamError as error:
            return self._failed(error)
        except Exception:
            logger.exception("uniapi: the answer could not be translated")
            assert self._translator
            return self._failed(bug_of(self._translator))

    def take_output(self) -> bytes:
        """The bytes for the client since the last call."""
        output = b"".join(self._output)
        self._output.clear()
        return output

    def _advance_failure(self, data: bytes) -> Step:
        assert self._translator
        self._body += data
        if self._status and (self._finished or self._broken or len(self._body) > ERROR_BODY_BYTES):
            raise self._translator.failure(self._status, self._headers, bytes(self._body[:ERROR_BODY_BYTES]))
        if self._broken:
            raise self._broken
        return Step.WAIT

    def _advance_whole(self, data: bytes) -> Step:
        assert self._translator
        assert self._wire
        assert self._answer_identity
        self._body += data
        if data.strip():
            self._output_came()
        if self._broken:
            raise self._broken
        if not self._finished:
            return Step.WAIT
        answer = whole_answer(
            self._translator,
            self.dialect,
            self._wire,
            self._answer_identity,
            bytes(self._body),
            arrives_as_stream=self._arrives_as_stream,
            see=self._see,
        )
        self.usage = answer.usage
        self._succeeded()
        self.reply = Reply(200, {"content-type": "application/json", **self.answer_headers()}, answer.body)
        return Step.ANSWER

    def _advance_stream(self, stream: AnswerStream, data: bytes) -> Step:
        if not self.committed and len(self._body) < KEPT_ANSWER_BYTES:
            self._body += data  # For inspection, should the attempt fail.
        output = stream.feed(data) if data else b""
        # A broken connection is no end, also where a wire has no end marker and closing would complete the answer.
        if self._finished and not stream.ended:
            output += stream.close()
        if stream.has_output and output and not output.startswith(b":"):
            self._output_came()
        self._hold_or_send(stream, output)
        if stream.failure:
            raise stream.failure
        if self._broken and not stream.ended:
            raise self._broken
        if stream.ended and (self._finished or self._broken):
            self.usage = stream.usage
            self._succeeded()
            return Step.DONE
        return Step.SEND if self._output else Step.WAIT

    def _hold_or_send(self, stream: AnswerStream, output: bytes) -> None:
        if self.committed:
            if output:
                self._output.append(output)
            return
        self._held += output
        too_much = len(self._held) > HELD_BYTES or self._held.count(b"\n\n") > HELD_FRAMES
        if (stream.has_output or stream.ended or too_much) and not stream.failure:
            self.committed = True
            self._output.append(bytes(self._held))
            self._held.clear()

    def _output_came(self) -> None:
        self._last_output = self._last_bytes
        if self.record.first_output is None:
            self.record.first_output = self._last_bytes

    def _succeeded(self) -> None:
        assert self._attempt
        self.record.ended = self.clock()
        self.plan.succeeded(self._attempt)

    def _failed(self, error: UpstreamError) -> Step:
        assert self._attempt
        self.record.ended = self.clock()
        self.record.error = error
        self.record.answer = bytes(self._body[:KEPT_ANSWER_BYTES])
        self._mask_echoed_key(error)
        if self.committed:
            assert self._stream
            self.usage = self._stream.usage
            self.plan.broken_after_commit(self._attempt, error)
            self._output.append(self._stream.last_words(error))
            return Step.BROKEN
        if self.plan.failed(self._attempt, error):
            return Step.RETRY
        self.reply = refusal(self.records)
        return Step.ANSWER

    def _mask_echoed_key(self, error: UpstreamError) -> None:
        """Some providers repeat the key that they refuse."""
        assert self._attempt
        key = self._attempt.key
        if key is not None and key.reveal():
            error.message = error.message.replace(key.reveal(), key.masked)
            self.record.answer = self.record.answer.replace(key.reveal().encode(), key.masked.encode())

    # --- what the client is told ---

    def answer_headers(self) -> dict[str, str]:
        """Headers of an answer beyond its content type: what was dropped, the provider's request id."""
        headers = {}
        if self.notes:
            fields = list(dict.fromkeys(note.field for note in self.notes))
            more = f", and {len(fields) - DROPPED_SHOWN} more" if len(fields) > DROPPED_SHOWN else ""
            headers["x-uniapi-dropped"] = ", ".join(fields[:DROPPED_SHOWN]) + more
        request_id = self._headers.get("x-request-id") or self._headers.get("request-id")
        if request_id:
            headers["x-uniapi-upstream-request-id"] = request_id
        return headers


def target_of(attempt: Attempt, key: str) -> Target:
    provider, model = attempt.channel.provider, attempt.channel.model
    return Target(
        base_url=provider.base_url or "",
        model=model.upstream,
        alias=model.alias,
        key=key,
        tools=provider.tools,
        image=provider.image,
        project=provider.project_id or "",
        region=attempt.region,
        account=provider.cf_account_id or "",
    )


def unsuitable(error: UntranslatableError) -> UpstreamError:
    """What one engine cannot say, another may: to the plan it is an attempt that failed."""
    return UpstreamError(
        Kind.UNSUITABLE, error.message, status=error.status, type=error.type, code=error.code, param=error.param
    )


def bug_of(translator: Translator) -> UpstreamError:
    return UpstreamError(
        Kind.INTERNAL,
        f"The gateway could not translate for the {translator.name} engine; its log says more.",
        status=500,
        code="internal_error",
    )
