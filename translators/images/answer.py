"""Pictures → OpenAI's answer: whole, or as the events of a stream (OpenAI API reference, "The image response")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from translators.base import AnswerIdentity, WholeAnswer
from translators.jsontext import dumps
from translators.sse import data_event
from translators.types import Usage


@dataclass(frozen=True, slots=True)
class Picture:
    """`data` in base64; `revised_prompt` is what the maker made of the prompt, if it says so."""

    mime: str
    data: str
    revised_prompt: str = ""

    @property
    def url(self) -> str:
        """A data URL: who has no place for pictures can give no other."""
        return f"data:{self.mime};base64,{self.data}"

    @property
    def format(self) -> str:
        return self.mime.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Drawn:
    """An answer. `usage` is None where the maker does not count tokens; `prompt_details` are those of the prompt by
    kind: {"text_tokens": 5, "image_tokens": 258}."""

    pictures: Sequence[Picture]
    usage: Usage | None
    prompt_details: Mapping[str, int]


def whole_answer(drawn: Drawn, identity: AnswerIdentity, *, as_url: bool) -> WholeAnswer:
    data: list[dict[str, str]] = []
    for picture in drawn.pictures:
        image = {"url": picture.url} if as_url else {"b64_json": picture.data}
        data.append(image | ({"revised_prompt": picture.revised_prompt} if picture.revised_prompt else {}))
    body: dict[str, Any] = {
        "created": identity.created,
        "data": data,
        "output_format": drawn.pictures[0].format,
    }
    return WholeAnswer(dumps(body | usage_field(drawn)), drawn.usage)


def event_stream(drawn: Drawn, identity: AnswerIdentity, kind: str, size: tuple[int, int] | None) -> bytes:
    """One event a picture, of type `kind`: image_generation.completed. `size` is what was asked for, in pixels."""
    events: list[bytes] = []
    for picture in drawn.pictures:
        event: dict[str, Any] = {
            "type": kind,
            "b64_json": picture.data,
            "created_at": identity.created,
            "size": f"{size[0]}x{size[1]}" if size else "auto",
            "quality": "auto",
            "background": "auto",
            "output_format": picture.format,
        }
        events.append(f"event: {kind}\n".encode() + data_event(dumps(event | usage_field(drawn))))
    return b"".join(events)


def usage_field(drawn: Drawn) -> dict[str, Any]:
    """`usage` as this endpoint has it."""
    usage = drawn.usage
    if usage is None:
        return {}
    counted = {
        "input_tokens": usage.prompt,
        "output_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion if usage.total is None else usage.total,
        "input_tokens_details": {"text_tokens": 0, "image_tokens": 0, **drawn.prompt_details},
    }
    return {"usage": counted}
