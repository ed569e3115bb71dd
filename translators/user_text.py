"""The text in a request that its user wrote and nobody has answered yet: what a moderation is to read."""

from collections.abc import Callable, Mapping
from typing import Any

from translators.jsontext import objects_in, text_in

OTHERS = ("assistant", "system", "developer", "tool", "function")
"""Roles of messages that are not the user's. Any other is: some providers take words that OpenAI does not know."""


def new_user_text(endpoint: str, fields: Mapping[str, Any]) -> list[str]:
    """The texts in the order of the request, none of them blank; empty if there is nothing to read.

    `endpoint` is the path, "/v1/chat/completions"; `fields` the request's JSON object, or its form's fields as text.
    Never raises: what has the wrong type is for others to refuse.
    """
    find = FINDERS.get(endpoint)
    return [text for text in find(fields) if text.strip()] if find else []


def chat_text(fields: Mapping[str, Any]) -> list[str]:
    """Everything after the last assistant turn.

    Messages of the assistant at the very end are the beginning of an answer, to be gone on with: no turn yet.
    """
    messages = objects_in(fields.get("messages"))
    while messages and messages[-1].get("role") == "assistant":
        messages.pop()
    turns = [number for number, message in enumerate(messages, 1) if message.get("role") == "assistant"]
    new = messages[turns[-1] if turns else 0 :]
    return [text for message in new if message.get("role") not in OTHERS for text in content_text(message)]


def content_text(message: Mapping[str, Any]) -> list[str]:
    """A message's text, and the text parts of its content."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    return [
        part if isinstance(part, str) else text_in(part.get("text")) for part in parts if isinstance(part, str | dict)
    ]


def prompt_text(fields: Mapping[str, Any]) -> list[str]:
    """A text or a list of them; tokens are no text."""
    prompt = fields.get("prompt")
    return [text_in(text) for text in (prompt if isinstance(prompt, list) else [prompt])]


def speech_text(fields: Mapping[str, Any]) -> list[str]:
    return [text_in(fields.get("input"))]


FINDERS: Mapping[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "/v1/chat/completions": chat_text,
    "/v1/completions": prompt_text,
    "/v1/images/generations": prompt_text,
    "/v1/images/edits": prompt_text,
    "/v1/audio/speech": speech_text,
}
