"""A request of a client while it comes in: whose it is, how large it may be, and what a refusal looks like.

These classes are mitmproxy's inside, see failover.py.
"""

from typing import Any

from mitmproxy import flow as mitmproxy_flow
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http import HTTPMode, SendHttp
from mitmproxy.proxy.layers.http import _hooks as http_hooks
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)

from balancing.attempts_layer import AttemptsLayer, AttemptsStream
from balancing.large_bodies import LARGE_BYTES
from balancing.replies import error_reply
from balancing.request_body import BODY_LIMIT, too_large
from translators.errors import RequestError, WireError


class ReceivingStream(AttemptsStream):
    """Everybody else's flows take the parent's code paths."""

    layer: AttemptsLayer
    was_ours = False
    is_large = False
    """Whether the request has a large body."""

    def is_ours(self) -> bool:
        """Whether the gateway answers this flow; known from its `requestheaders` hook on, and for good."""
        if not self.was_ours:
            # A request that the proxy itself was sent, with no destination in it, can only be meant for the gateway.
            is_lost = self.mode is HTTPMode.regular and not self.flow.request.host
            self.was_ours = is_lost or self.layer.gatekeeper.owns(self.flow)
        return self.was_ours

    def with_openai_errors(self, generator: CommandGenerator[None]) -> CommandGenerator[None]:
        """What mitmproxy would answer with a page of HTML becomes OpenAI's error body."""
        result: Any = None
        while True:
            try:
                command = generator.send(result)
            except StopIteration:
                return
            if (
                isinstance(command, SendHttp)
                and isinstance(command.event, ResponseProtocolError)
                and command.connection == self.context.client
                and (status := command.event.code.http_status_code())
                and self.is_ours()
            ):
                yield from self.refuse(status, command.event.message)
                if self.flow.request.is_http2:
                    continue  # The answer is complete; a reset would take it back.
            result = yield command

    def refuse(self, status: int, message: str) -> CommandGenerator[None]:
        error: WireError = RequestError(message, status=status, code="request_too_large" if status == 413 else None)
        if status >= 500:
            error = WireError(status, message, type="server_error", code="server_error")
        response = self.layer.gatekeeper.reply(self.flow, error_reply(error))
        response.headers["connection"] = "close"
        self.flow.response = response
        yield SendHttp(ResponseHeaders(self.stream_id, response), self.context.client)
        yield SendHttp(ResponseData(self.stream_id, response.raw_content or b""), self.context.client)
        yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)

    def check_body_size(self, request: bool) -> CommandGenerator[bool]:
        """Requests of ours are never streamed through, and have a limit of their own."""
        if not request or not self.is_ours():
            return (yield from super().check_body_size(request))
        self.is_large = len(self.request_body_buf) > LARGE_BYTES
        if len(self.request_body_buf) <= BODY_LIMIT:
            return False
        message = too_large()
        self.flow.error = mitmproxy_flow.Error(message)
        yield http_hooks.HttpErrorHook(self.flow)
        yield SendHttp(ResponseProtocolError(self.stream_id, message, ErrorCode.REQUEST_TOO_LARGE), self.context.client)
        self.client_state = self.server_state = self.state_errored
        self.request_body_buf.clear()
        self.flow.live = False
        return True
