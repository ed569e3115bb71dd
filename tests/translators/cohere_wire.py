"""An answer in Cohere's wire, read a second time by simple means, to compare with what the engine makes of it.

Nothing of the code under test is used to read: lines are split by hand, JSON by the standard library.
"""

import json
from typing import Any

from tests.recordings import Recording, recordings
from tests.translators.openai_wire import Answer, Call, Said, data_of, json_or_text

FINISH = {"COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls"}


def speaks_v2(recording: Recording) -> bool:
    """Version 1 of Cohere's API, which the engine never asks, has another wire (pitfall 99)."""
    return "/v2/" in recording.request["url"]


def answers(*, stream: bool) -> list[Recording]:
    """Every recorded answer of version 2."""
    return recordings("cohere", endpoint="chat", stream=stream, status=200, where=speaks_v2)


def answer_of(recording: Recording) -> Answer:
    """What the recorded answer says; `citations` stand in `told_citations`."""
    if "sse" in recording.response:
        return told_by(streamed(recording.response["sse"]))
    return told_by(recording.response["body"])


def streamed(sse: str) -> Any:
    """A stream as the whole answer that it adds up to."""
    answer: Any = {"message": {"content": [], "tool_plan": "", "tool_calls": [], "citations": []}}
    message = answer["message"]
    for data in data_of(sse):
        if data == "[DONE]":
            break
        event = json.loads(data)
        said = event.get("delta", {}).get("message", {})
        match event["type"]:
            case "message-start":
                answer["id"] = event["id"]
            case "content-start":
                message["content"].append(said["content"])
            case "content-delta":
                for name, piece in said["content"].items():
                    message["content"][-1][name] += piece
            case "tool-plan-delta":
                message["tool_plan"] += said["tool_plan"]
            case "tool-call-start":
                message["tool_calls"].append(said["tool_calls"])
            case "tool-call-delta":
                message["tool_calls"][-1]["function"]["arguments"] += said["tool_calls"]["function"]["arguments"]
            case "citation-start":
                message["citations"].append(said["citations"])
            case "message-end":
                answer |= event["delta"]
    return answer


def told_by(answer: Any) -> Answer:
    message = answer["message"]
    said = Said(reasoning=message.get("tool_plan") or "")
    for part in message.get("content") or []:
        said.text += part.get("text", "")
        said.reasoning += part.get("thinking", "")
    for call in message.get("tool_calls") or []:
        arguments = json_or_text(call["function"]["arguments"])
        said.calls.append(Call(call["id"], call["function"]["name"], {} if arguments is None else arguments))
    failed = answer["finish_reason"] == "ERROR"
    said.finish = None if failed else FINISH[answer["finish_reason"]]
    tokens = answer["usage"].get("tokens")
    usage = tokens and {
        "prompt": tokens["input_tokens"],
        "completion": tokens["output_tokens"],
        "cached": answer["usage"].get("cached_tokens", 0),
        "reasoning": tokens.get("reasoning_tokens", 0),
        "total": tokens["input_tokens"] + tokens["output_tokens"],
    }
    return Answer(answer["id"], None, {0: said}, usage, ended=not failed, failed=failed)


def citations_of(recording: Recording) -> list[Any]:
    """The citations in a recorded answer."""
    response = recording.response
    answer = streamed(response["sse"]) if "sse" in response else response["body"]
    return answer["message"].get("citations") or []
