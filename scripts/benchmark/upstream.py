"""A fake provider that costs as little as possible: fixed answers in two wires, whole or in 100 chunks.

`python upstream.py` prints its port and serves until its standard input ends.
"""

import asyncio
import json
import sys

import orjson

CHUNKS = 100
WORDS = "The quick brown fox jumps over the lazy dog and runs on. "


def whole(body: object) -> bytes:
    data = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
        len(data),
        data,
    )


def chunked(frame: str) -> bytes:
    data = frame.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


def openai_frames() -> list[str]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "bench"}

    def frame(choices: list[object], **extra: object) -> str:
        return f"data: {json.dumps({**head, 'choices': choices, **extra}, separators=(',', ':'))}\n\n"

    texts = [
        frame([{"index": 0, "delta": {"content": WORDS[i % 40 :][:12]}, "finish_reason": None}]) for i in range(CHUNKS)
    ]
    return [
        frame([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]),
        *texts,
        frame([{"index": 0, "delta": {}, "finish_reason": "stop"}]),
        frame([], usage={"prompt_tokens": 10, "completion_tokens": 100, "total_tokens": 110}),
        "data: [DONE]\n\n",
    ]


def claude_message(content: list[object], stop_reason: str | None) -> dict[str, object]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "bench",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 100},
    }


def claude_frames() -> list[str]:
    def frame(name: str, **fields: object) -> str:
        return f"event: {name}\ndata: {json.dumps({'type': name, **fields}, separators=(',', ':'))}\n\n"

    return [
        frame("message_start", message=claude_message([], None)),
        frame("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *(
            frame("content_block_delta", index=0, delta={"type": "text_delta", "text": WORDS[i % 40 :][:12]})
            for i in range(CHUNKS)
        ),
        frame("content_block_stop", index=0),
        frame(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": 100},
        ),
        frame("message_stop"),
    ]


OPENAI_WHOLE = whole(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "bench",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": WORDS * 5}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 100, "total_tokens": 110},
    }
)
CLAUDE_WHOLE = whole(claude_message([{"type": "text", "text": WORDS * 5}], "end_turn"))
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
OPENAI_STREAM = [chunked(frame) for frame in openai_frames()]
CLAUDE_STREAM = [chunked(frame) for frame in claude_frames()]


class Provider(asyncio.Protocol):
    """One connection. Each chunk of a stream is written on its own, after a turn of the loop, as real ones come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            start = head.find(b"content-length:") + 15
            length = int(head[start:].split(b"\r\n", 1)[0])
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            claude = b"/messages" in head.split(b"\r\n", 1)[0]
            if orjson.loads(body).get("stream"):
                self.transport.write(STREAM_HEAD)
                self.stream(CLAUDE_STREAM if claude else OPENAI_STREAM, 0)
            else:
                self.transport.write(CLAUDE_WHOLE if claude else OPENAI_WHOLE)

    def stream(self, frames: list[bytes], position: int) -> None:
        if self.transport.is_closing():
            return
        if position == len(frames):
            self.transport.write(b"0\r\n\r\n")
            return
        self.transport.write(frames[position])
        asyncio.get_running_loop().call_soon(self.stream, frames, position + 1)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Provider, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
