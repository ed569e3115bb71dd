"""A fake provider on loopback: raw sockets, so that it can misbehave in every way.

upstream = Upstream()
upstream.on("good", sse(frames))          # serves http://…/good/…
upstream.requests("good")                 # what it was sent
"""

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field


@dataclass
class Seen:
    """One request as it arrived; `gone_at` is when the sender went away (time.monotonic), None while it stays."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter
    at: float = field(default_factory=time.monotonic)
    gone_at: float | None = None

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    def wait_until_gone(self) -> float:
        """Seconds until the sender had gone away, counted from now; it has five."""
        began = time.monotonic()
        while self.gone_at is None:
            assert time.monotonic() < began + 5
            time.sleep(0.01)
        return self.gone_at - began


Behaviour = Callable[[Seen], Awaitable[bool | None]]
"""Answers one request; returns False when the connection is to be closed afterwards."""


class Upstream:
    def __init__(self, port: int = 0, context: ssl.SSLContext | None = None) -> None:
        self._behaviours: dict[str, list[Behaviour]] = {}
        self._seen: list[Seen] = []
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.port = port
        self._context = context
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def on(self, name: str, *behaviours: Behaviour) -> str:
        """Serve `/{name}/…` by these behaviours in turn, the last one for ever. Gives the base URL."""
        self._behaviours[name] = list(behaviours)
        return self.url(name)

    def url(self, name: str) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}/{name}/v1"

    def requests(self, name: str) -> list[Seen]:
        return [seen for seen in self._seen if seen.path.startswith(f"/{name}/")]

    def forget(self) -> None:
        """Let go of what was sent so far."""
        self._seen.clear()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        starting = asyncio.start_server(self._connection, "127.0.0.1", self.port, limit=1 << 30, ssl=self._context)
        self._server = self._loop.run_until_complete(starting)
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        seen = Seen(method, path, headers, body, writer)
        self._seen.append(seen)
        behaviours = self._behaviours[path.split("/")[1]]
        behaviour = behaviours.pop(0) if len(behaviours) > 1 else behaviours[0]
        watch = asyncio.create_task(self._watch(seen, reader))
        try:
            keep = await behaviour(seen)
        finally:
            watch.cancel()
        return keep is not False

    async def _watch(self, seen: Seen, reader: asyncio.StreamReader) -> None:
        """Notice when the other side goes away while the answer is being written."""
        while not reader.at_eof():
            await asyncio.sleep(0.01)
        seen.gone_at = time.monotonic()


def dead_url() -> str:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{found.getsockname()[1]}/v1"


# --- behaviours -----------------------------------------------------------------------------------------------


def head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> Behaviour:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def behave(seen: Seen) -> None:
        fields = {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}
        seen.writer.write(head(status, fields) + data)
        await seen.writer.drain()

    return behave


def closes() -> Behaviour:
    async def behave(seen: Seen) -> bool:
        return False

    return behave


def hangs(seconds: float = 60) -> Behaviour:
    async def behave(seen: Seen) -> bool:
        for _ in range(int(seconds / 0.05)):
            await asyncio.sleep(0.05)
            if seen.gone_at:
                break
        return False

    return behave


def sse(
    frames: Sequence[str], *, delay: float = 0.0, ends: bool = True, then_hangs: float = 0.0, repeat: int = 1
) -> Behaviour:
    """Streams the frames; `ends` False cuts the connection in the middle of the body."""

    async def behave(seen: Seen) -> bool:
        seen.writer.write(head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"}))
        for _ in range(repeat):
            for frame in frames:
                data = frame.encode()
                seen.writer.write(b"%x\r\n%s\r\n" % (len(data), data))
                await seen.writer.drain()
                if delay:
                    await asyncio.sleep(delay)
                if seen.gone_at:
                    return False
        if then_hangs:
            await hangs(then_hangs)(seen)
        if ends:
            seen.writer.write(b"0\r\n\r\n")
            await seen.writer.drain()
        return ends

    return behave


# --- answers in OpenAI's and Anthropic's wire -------------------------------------------------------------------


def chunk(delta: dict, finish: str | None = None, model: str = "up-model", **extra: object) -> str:
    body = {
        "id": "chatcmpl-up",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **extra,
    }
    return f"data: {json.dumps(body)}\n\n"


DONE = "data: [DONE]\n\n"
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def openai_stream(*texts: str) -> list[str]:
    usage = {"id": "chatcmpl-up", "object": "chat.completion.chunk", "model": "up-model", "choices": [], "usage": USAGE}
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": text}) for text in texts),
        chunk({}, "stop"),
        f"data: {json.dumps(usage)}\n\n",
        DONE,
    ]


def openai_answer(text: str, model: str = "up-model") -> dict:
    return {
        "id": "chatcmpl-up",
        "object": "chat.completion",
        "created": 1700000000,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": USAGE,
    }


def claude_stream(*texts: str) -> list[str]:
    def event(name: str, **fields: object) -> str:
        return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n"

    message: dict = {
        "id": "msg_up",
        "type": "message",
        "role": "assistant",
        "model": "claude-up",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 1},
    }
    return [
        event("message_start", message=message),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *(event("content_block_delta", index=0, delta={"type": "text_delta", "text": text}) for text in texts),
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 7}),
        event("message_stop"),
    ]


def claude_answer(text: str) -> dict:
    return {
        "id": "msg_up",
        "type": "message",
        "role": "assistant",
        "model": "claude-up",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 7},
    }
