"""One request on its way: the attempts that are on, which of them the client is answered by, and what it gets.

No I/O: the transport (failover.py) tells each call what arrives, calls `advance`, and does what the Step says.

    begin ─▶ call: head ─▶ receive … ─▶ finish │ break_off
             advance(call) ─▶ WAIT   nothing to do yet
                              SEND   `call.take_output()` goes to the client; from now on this call is the only one
                              RETRY  the call failed before any output, and was the only one: `begin` again
                              DROP   the call failed before any output, and another one is still on
                              ANSWER `reply` is the whole answer, or the error that ends the request
                              DONE   the stream is complete
                              BROKEN the stream broke after output began; the last words are in the output
    Hedging: at `hedge_at` a second call is begun beside a silent one. The first to have real output wins; the other
    is cancelled, and that is nobody's fault.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Protocol

from balancing.call import Call, Progress
from balancing.echoes import hide_in_failure
from balancing.plan import Attempt, Plan
from balancing.preferences import preferred
from balancing.replies import AttemptRecord, Reply, error_reply, refusal
from config.schema import Provider
from translators.base import AnswerIdentity, ApiRequest, See, Service
from translators.errors import Kind, RequestError, UntranslatableError, UpstreamError
from translators.types import Note, Target

logger = logging.getLogger("uniapi")

TOKEN_ENGINES = ("vertex-gemini", "vertex-claude")
"""Engines whose keys are access tokens (balancing/tokens.py)."""
KEPT_ERROR_BYTES = 64 * 1024
"""How much of a failed attempt's answer is kept for inspection."""
DROPPED_SHOWN = 20
"""How many dropped fields the x-uniapi-dropped header names …"""
NAME_SHOWN = 64
"""… and how many characters of each."""


class Step(Enum):
    WAIT = auto()
    SEND = auto()
    RETRY = auto()
    DROP = auto()
    ANSWER = auto()
    DONE = auto()
    BROKEN = auto()


class Preparation(Protocol):
    """What has to be done to a request before a service builds from it, and who is to see the answer."""

    async def __call__(self, request: Any, target: Target, engine: str) -> tuple[ApiRequest, See | None]:
        """Raises RequestError if the request cannot be served as it stands."""
        ...


@dataclass(slots=True)
class Exchange:
    """See the module's docstring. `identity` is what the answer is called when the provider does not say."""

    request: ApiRequest
    services: Mapping[str, Service[Any]]
    """Engine → its service for the endpoint that was asked."""
    plan: Plan
    clock: Callable[[], float]
    identity: AnswerIdentity
    token_of: Callable[[Provider], Awaitable[str]]
    """An access token of a provider that has no keys. Raises UpstreamError."""
    prepared: Preparation
    hedge_after: float | None
    """The client's, in seconds; a provider may have one of its own."""
    calls: list[Call] = field(default_factory=list)
    """Those that are on."""
    winner: Call | None = None
    """Whose output the client gets."""
    reply: Reply | None = None
    client_left: bool = False
    records: list[AttemptRecord] = field(default_factory=list)
    started: float = field(init=False)
    _latest: Call | None = None
    _is_preparing: bool = False
    _can_hedge: bool = True

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def asked(self) -> str:
        """The model."""
        return self.request.model

    # --- one attempt after another, or two at a time ---

    async def begin(self) -> Call | None:
        """The next call, to be sent. None: there is none; if none is on either, `reply` says why.

        The exchange may be over when this returns.
        """
        self._is_preparing = True
        try:
            call = await self._begin()
        finally:
            self._is_preparing = False
        if call is None and not self.calls and not self.is_over:
            self.reply = refusal(self.records)
        return call

    async def _begin(self) -> Call | None:
        while not self.is_over and (attempt := self._next()) is not None:
            engine = attempt.channel.engine
            try:
                call = await self._built(attempt)
            except UntranslatableError as error:
                self._not_sent(attempt, unsuitable(error))
            except RequestError as error:
                self._can_hedge = False
                if not self.calls:
                    self.plan.cancelled(attempt)
                    self.reply = error_reply(error)
                return None
            except UpstreamError as error:
                self._not_sent(attempt, error)
            except Exception:
                logger.exception("uniapi: the %s engine failed to build a request", engine)
                self._not_sent(attempt, bug_of(engine))
            else:
                if self.is_over:
                    return None
                call.record.is_hedge = bool(self.calls)
                self.calls.append(call)
                self._latest = call
                self.records.append(call.record)
                return call
        return None

    def _next(self) -> Attempt | None:
        if not self.calls:
            return self.plan.next()
        attempt = self.plan.beside()
        self._can_hedge = attempt is not None
        return attempt

    async def _built(self, attempt: Attempt) -> Call:
        """Raises RequestError, or UpstreamError when there is no access token to be had."""
        engine = attempt.channel.engine
        service = self.services.get(engine)
        if service is None:
            raise UntranslatableError(
                f"{attempt.channel.provider.name} has no such endpoint: the {engine} engine lacks it.", param="model"
            )
        key = attempt.key.reveal() if attempt.key else ""
        if not key and engine in TOKEN_ENGINES:
            key = await self.token_of(attempt.channel.provider)
        target = target_of(attempt, key)
        request, see = await self.prepared(self.request, target, engine)
        model = attempt.channel.model
        return Call(
            attempt,
            service,
            preferred(service.build(request, target), attempt.channel),
            AnswerIdentity(
                self.identity.id, self.identity.created, model.alias, model.renamed, self.identity.include_usage
            ),
            stream=request.stream,
            see=see,
            clock=self.clock,
        )

    def _not_sent(self, attempt: Attempt, error: UpstreamError) -> None:
        now = self.clock()
        self.records.append(AttemptRecord(attempt, "", now, now, error=error))
        self.plan.failed(attempt, error)

    @property
    def hedge_at(self) -> float:
        """When a second call is to be begun beside the one that is on; infinite: not at all."""
        if len(self.calls) != 1 or self.winner or self._is_preparing or not self._can_hedge:
            return math.inf
        call = self.calls[0]
        seconds = self.hedge_after or call.attempt.channel.provider.preferences.hedge_after
        if seconds is None or call.record.first_output is not None:
            return math.inf
        return max(record.started for record in self.records) + seconds

    @property
    def is_over(self) -> bool:
        """Whether it is decided what the client gets: no other call is of use."""
        return self.winner is not None or self.reply is not None or self.client_left

    def leave(self) -> None:
        """The client does not wait any more."""
        self.client_left = True
        for call in self.calls:
            self.plan.cancelled(call.attempt)
        self._cancel_all_but(None)

    # --- what is to be done ---

    def advance(self, call: Call) -> Step:
        """Take in what has arrived for a call that is on. Never raises."""
        try:
            progress = call.advance()
        except UpstreamError as error:
            return self._failed(call, error)
        except Exception:
            logger.exception("uniapi: the answer could not be translated")
            return self._failed(call, bug_of(call.attempt.channel.engine))
        if progress is Progress.NONE:
            return Step.WAIT
        if self.winner is None:
            self.winner = call
            self._cancel_all_but(call)
        if progress is Progress.OUTPUT:
            return Step.SEND
        call.record.ended = self.clock()
        self.plan.succeeded(call.attempt)
        if call.whole is None:
            return Step.DONE
        headers = {"content-type": call.whole.content_type, **self.answer_headers()}
        self.reply = Reply(200, headers, call.whole.body)
        return Step.ANSWER

    def _failed(self, call: Call, error: UpstreamError) -> Step:
        record = call.record
        record.ended = self.clock()
        record.error = error
        record.answer = bytes(call.kept[:KEPT_ERROR_BYTES])
        hide_in_failure(call)
        if call is self.winner:
            assert call.stream
            self.plan.broken_after_commit(call.attempt, error)
            call.say(call.stream.last_words(error))
            return Step.BROKEN
        self.calls.remove(call)
        if not self.plan.failed(call.attempt, error):
            self.reply = refusal(self.records)
            self._cancel_all_but(None)
            return Step.ANSWER
        return Step.DROP if self.calls or self._is_preparing else Step.RETRY

    def _cancel_all_but(self, winner: Call | None) -> None:
        for call in self.calls:
            if call is not winner and not call.record.ended:
                call.record.cancelled = True
                call.record.ended = self.clock()
        self.calls = [winner] if winner else []

    # --- what the client is told ---

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was left out of the request for the winner; before there is one, of the request that went out last."""
        call = self.winner or self._latest
        return call.wire.notes if call else ()

    def answer_headers(self) -> dict[str, str]:
        """Headers of the winner's answer beyond its content type: what was dropped, the provider's request id."""
        assert self.winner
        headers = {}
        if self.notes:
            fields = list(dict.fromkeys(header_name(note.field) for note in self.notes))
            more = f", and {len(fields) - DROPPED_SHOWN} more" if len(fields) > DROPPED_SHOWN else ""
            headers["x-uniapi-dropped"] = ", ".join(fields[:DROPPED_SHOWN]) + more
        request_id = self.winner.headers.get("x-request-id") or self.winner.headers.get("request-id")
        if request_id:
            headers["x-uniapi-upstream-request-id"] = request_id
        return headers


def header_name(field: str) -> str:
    """A field's name, which is of the client's making, as a header can carry it among others."""
    return "".join(letter if "!" <= letter <= "~" and letter != "," else "?" for letter in field[:NAME_SHOWN])


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


def bug_of(engine: str) -> UpstreamError:
    return UpstreamError(
        Kind.INTERNAL,
        f"The gateway could not translate for the {engine} engine; its log says more.",
        status=500,
        code="internal_error",
    )
