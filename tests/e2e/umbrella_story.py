"""A conversation that passes through much: the first provider is not there, the second answers 500, the third speaks
Anthropic's wire and streams reasoning, text and a tool call; and a field has no place there.

    with Upstream() as … :
        config = story_config(upstream)
"""

import json
from typing import Any

import httpx2

from tests.e2e.upstream import Upstream, answer, dead_url, sse

CLIENT_KEY = "sk-team-weather-7Hq2vT9xLd04"
PROVIDER_KEYS = {
    "groq": "gsk_5fT1nRk8WyPq3Zb7Xm2c",
    "deepseek": "sk-9c41d7e0a6b84f23a7d1",
    "claude": "sk-ant-api03-Vw6yKp0sJe2uHt8n",
}
ALIAS = "gpt-oss"
UPSTREAM_MODELS = {"groq": "openai/gpt-oss-120b", "deepseek": "deepseek-chat", "claude": "claude-sonnet-4-5"}
OVERLOAD = "The server is overloaded. Please try again in a moment."


def story_config(upstream: Upstream) -> dict[str, Any]:
    addresses = {
        "groq": dead_url(),
        "deepseek": upstream.on("deepseek", answer(500, {"error": {"message": OVERLOAD, "type": "server_error"}})),
        "claude": upstream.on("claude", sse(claude_frames(), delay=0.01)),
    }
    providers = [
        {
            "provider": name,
            "base_url": address,
            "api": PROVIDER_KEYS[name],
            "engine": "claude" if name == "claude" else "gpt",
            "model": [{UPSTREAM_MODELS[name]: ALIAS}],
        }
        for name, address in addresses.items()
    ]
    return {"providers": providers, "api_keys": [{"api": CLIENT_KEY, "preferences": {"RATE_LIMIT": "none"}}]}


def claude_frames() -> list[str]:
    """As Anthropic's API streams them ("Streaming messages")."""
    usage = {"input_tokens": 655, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 512, "output_tokens": 4}
    message: dict[str, Any] = {
        "id": "msg_01Gk4vB2mJtQ7xYp9Zs3WcHd",
        "type": "message",
        "role": "assistant",
        "model": UPSTREAM_MODELS["claude"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
        (
            {"type": "thinking", "thinking": "", "signature": ""},
            [
                {"type": "thinking_delta", "thinking": "Bergen is a new city, and another day. "},
                {"type": "thinking_delta", "thinking": "I need the forecast before I can say."},
                {"type": "signature_delta", "signature": "EqQBCkYIBxgCKkDx7Zp4hXGv9sLk2Qw"},
            ],
        ),
        (
            {"type": "text", "text": ""},
            [
                {"type": "text_delta", "text": "Bergen is known for its rain. "},
                {"type": "text_delta", "text": "Let me look at tomorrow’s forecast."},
            ],
        ),
        (
            {"type": "tool_use", "id": "toolu_01Nf5cRt8Kq", "name": "get_weather", "input": {}},
            [
                {"type": "input_json_delta", "partial_json": '{"city": "Bergen", '},
                {"type": "input_json_delta", "partial_json": '"day": "tomorrow"}'},
            ],
        ),
    ]
    frames = [event("message_start", message=message)]
    for index, (block, deltas) in enumerate(blocks):
        frames.append(event("content_block_start", index=index, content_block=block))
        frames.extend(event("content_block_delta", index=index, delta=delta) for delta in deltas)
        frames.append(event("content_block_stop", index=index))
    delta = {"stop_reason": "tool_use", "stop_sequence": None}
    frames.append(event("message_delta", delta=delta, usage=usage | {"output_tokens": 143}))
    frames.append(event("message_stop"))
    return frames


def event(name: str, **fields: Any) -> str:
    return f"event: {name}\ndata: {json.dumps({'type': name, **fields}, ensure_ascii=False)}\n\n"


def request() -> dict[str, Any]:
    """What the client sends to /v1/chat/completions: a conversation that is already on."""
    weather = {
        "name": "get_weather",
        "description": "The forecast for a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "day": {"type": "string"}},
            "required": ["city"],
        },
    }
    call = {
        "id": "call_oslo",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city": "Oslo", "day": "today"}'},
    }
    return {
        "model": ALIAS,
        "stream": True,
        "stream_options": {"include_usage": True},
        "reasoning_effort": "low",
        "max_completion_tokens": 2000,
        "temperature": 0.4,
        "seed": 42,
        "messages": [
            {"role": "system", "content": "You are a packing assistant. Answer in one or two sentences."},
            {"role": "user", "content": "I am off to Oslo today. Do I need an umbrella?"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_oslo", "content": "9 °C, rain from 14:00"},
            {"role": "assistant", "content": "Yes: it starts to rain at two, and it is 9 °C. Take a warm layer, too."},
            {"role": "user", "content": "And tomorrow, in Bergen?"},
        ],
        "tools": [{"type": "function", "function": weather}],
    }


def ask(base_url: str) -> None:
    """Play the client, to the end of the stream."""
    headers = {"authorization": f"Bearer {CLIENT_KEY}"}
    answer = httpx2.post(f"{base_url}/chat/completions", json=request(), headers=headers, timeout=20)
    assert answer.text.endswith("data: [DONE]\n\n"), answer.text
