"""Flows as the gateway leaves them, for tests of the views."""

import json
from typing import Any

from mitmproxy import http
from mitmproxy.contentviews import Metadata
from mitmproxy.test import tflow

from inspection.views.view import FlowView
from translators.trace import build_of
from translators.types import Target

MODEL = "claude-sonnet-4-5"
CHAT = "/v1/chat/completions"
SERVED: dict[str, Any] = {
    "provider": "somebody",
    "model": MODEL,
    "key": "sk-…Q3f",
    "url": "https://api.anthropic.com/v1/messages",
    "status": 200,
    "ms": 900,
    "first_output_ms": 320,
    "error": None,
    "message": None,
    "answer": b"",
    "cancelled": False,
    "engine": "claude",
    "alias": "gpt-demo",
    "base_url": "",
}
FAILED: dict[str, Any] = SERVED | {
    "provider": "flaky",
    "url": "https://flaky.example/v1/chat/completions",
    "status": 500,
    "ms": 12,
    "first_output_ms": None,
    "error": "server",
    "message": "Oops.",
    "answer": b'{"error": {"message": "Oops."}}',
    "engine": "gpt",
    "base_url": "https://flaky.example",
}


ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 10**30, "", "x", "\ud83d", "\x1b[2J", b"", b"x\xff"),
    *([], [1], [None], [[1]], ["a"], [{}], [{"a": 1}], {}, {"a": 1}, {"field": None}),
)
"""Values of types that something else may have written into a file."""


def account(**changes: Any) -> dict[str, Any]:
    return {
        "time": 1_760_000_000.0,
        "endpoint": CHAT,
        "asked": "gpt-demo",
        "stream": False,
        "outcome": "ok",
        "provider": "somebody",
        "model": MODEL,
        "total_ms": 1240,
        "first_output_ms": 320,
        "prompt_tokens": 12,
        "completion_tokens": 34,
        "attempts": [SERVED],
        "dropped": [],
        **changes,
    }


def chat_request(**fields: Any) -> dict[str, Any]:
    return {"model": "gpt-demo", "messages": [{"role": "user", "content": "Hello"}], **fields}


def chat_answer(message: dict[str, Any] | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "message": message or {"role": "assistant", "content": "Hi!"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 12, "completion_tokens": 34, "prompt_tokens_details": {"cached_tokens": 3}}
    return json.dumps({"id": "x", "choices": [choice], "usage": usage, **fields}).encode()


def flow_of(
    request: Any,
    answer: bytes = b"",
    *,
    status: int = 200,
    content_type: str = "application/json",
    endpoint: str = CHAT,
    sent: bytes | None = None,
    **changes: Any,
) -> http.HTTPFlow:
    """A flow of ours: `request` is the client's JSON, or its body; `sent` what went to the provider, `answer` what
    the client got; `changes` are to the account."""
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    flow = tflow.tflow(resp=True)
    assert flow.response
    flow.request = http.Request.make("POST", SERVED["url"], "", http.Headers(content_type="application/json"))
    flow.request.content = sent if sent is not None else built(body) if endpoint == CHAT else body
    flow.response = http.Response.make(status, answer, {"content-type": content_type})
    flow.comment = "gpt-demo → somebody"
    flow.metadata["uniapi"] = {
        "client": {
            "method": "POST",
            "path": endpoint,
            "headers": [[b"authorization", "Bearer sk-…abc".encode()], [b"content-type", b"application/json"]],
            "body": body,
            "cut": 0,
        },
        "provider": {
            "status": 200,
            "headers": [[b"content-type", b"text/event-stream"]],
            "body": b'event: message_start\ndata: {"type": "message_start"}\n\n',
            "cut": 0,
        },
        "account": account(endpoint=endpoint, **changes),
    }
    return flow


def answered_by_the_gateway(path: str, answer: bytes, *, status: int = 200, method: str = "GET") -> http.HTTPFlow:
    """A flow of ours that no provider was asked for: its request is still the client's, and it has no account."""
    flow = tflow.tflow(resp=True)
    flow.live = False
    flow.request = http.Request.make(
        method, f"http://127.0.0.1:8080{path}", "", http.Headers(authorization="Bearer sk-…abc")
    )
    flow.response = http.Response.make(status, answer, {"content-type": "application/json"})
    headers = [list(field) for field in flow.request.headers.fields]
    flow.metadata["uniapi"] = {"client": {"method": method, "path": path, "headers": headers, "body": b"", "cut": 0}}
    return flow


def streaming() -> http.HTTPFlow:
    """A flow of ours while its answer is coming: of that it has nothing but the head."""
    flow = flow_of(chat_request(stream=True))
    flow.live = True
    flow.response = http.Response.make(200, b"", {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
    del flow.metadata["uniapi"]["account"], flow.metadata["uniapi"]["provider"]
    flow.comment = ""
    return flow


def built(body: bytes) -> bytes:
    """What the engine makes of a chat."""
    return build_of(CHAT, "claude")(body, Target("", MODEL, "gpt-demo")).body


def shown(view: FlowView, flow: http.HTTPFlow, side: str = "request") -> str:
    """What a view shows of one side."""
    data, metadata = asked(flow, side)
    return view.prettify(data, metadata)


def asked(flow: http.HTTPFlow, side: str = "request") -> tuple[bytes, Metadata]:
    """How mitmproxy asks a view about one side of a flow."""
    message = flow.request if side == "request" else flow.response
    assert message
    content_type = message.headers.get("content-type", "").partition(";")[0]
    return message.get_content(strict=False) or b"", Metadata(
        flow=flow, http_message=message, content_type=content_type
    )


def event_stream(*chunks: dict[str, Any] | str) -> bytes:
    """Chunks as server-sent events; a text stands for itself."""
    return b"".join(
        b"data: " + (chunk if isinstance(chunk, str) else json.dumps(chunk)).encode() + b"\n\n" for chunk in chunks
    )


def delta(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"id": "x", "choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}
