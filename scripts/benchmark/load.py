"""A load of chat requests over kept connections, as cheap as possible, so that it is not what is measured.

`python load.py URL MODEL STREAM CONCURRENCY REQUESTS` prints one JSON object: seconds, latencies in ms, failures.
"""

import asyncio
import json
import sys
import time
from urllib.parse import urlsplit


async def one_connection(host: str, port: int, request: bytes, turns: list[int], latencies: list[float]) -> int:
    """Ask again and again until no turns are left; gives the number of failures."""
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 22)
    failures = 0
    while turns:
        turns.pop()
        began = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b"transfer-encoding: chunked" in head:
            body = await reader.readuntil(b"\r\n0\r\n\r\n")
            complete = b"[DONE]" in body or b"message_stop" in body
        else:
            start = head.find(b"content-length:") + 15
            await reader.readexactly(int(head[start:].split(b"\r\n", 1)[0]))
            complete = True
        failures += not (complete and head.startswith(b"http/1.1 200"))
        latencies.append((time.perf_counter() - began) * 1000)
    writer.close()
    return failures


async def run(url: str, model: str, stream: bool, concurrency: int, requests: int) -> dict[str, object]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What does the fox do? " * 10},
    ]
    body = json.dumps({"model": model, "messages": messages, "max_tokens": 200, "stream": stream}).encode()
    head = (
        f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\nauthorization: Bearer sk-bench\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    turns = [0] * requests
    latencies: list[float] = []
    began = time.perf_counter()
    failures = await asyncio.gather(
        *(
            one_connection(parts.hostname, parts.port, head.encode() + body, turns, latencies)
            for _ in range(concurrency)
        )
    )
    return {"seconds": time.perf_counter() - began, "latencies": latencies, "failures": sum(failures)}


if __name__ == "__main__":
    url, model, stream, concurrency, requests = sys.argv[1:]
    print(json.dumps(asyncio.run(run(url, model, stream == "stream", int(concurrency), int(requests)))))
