"""OpenAI's wire: /v1/audio/transcriptions, /v1/audio/translations and /v1/audio/speech (OpenAI API reference, "Audio").

A transcript says which bytes arrived. Speech is sent while it is made: its first sound is there long before its last.
"""

from collections.abc import Iterator
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField

from scripts.demo.brain import tokens
from scripts.demo.media import heard, speech
from scripts.demo.wires.base import new_id, stream
from scripts.demo.wires.chat import FieldTypes, event
from scripts.demo.wires.openai_rules import READER, authorised, check, check_model, form_of

HEARING = "transcription-simulated"
SPEAKING = "speech-simulated"
MODELS = (HEARING, SPEAKING)
FIELD_TYPES: FieldTypes = dict.fromkeys(("model", "input", "voice", "response_format"), (str,))
FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
SOUNDS = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm"}
SECONDS = 0.5
"""How long a word takes."""


# --- hearing ------------------------------------------------------------------------------------------------


async def _transcribe(request: web.Request) -> web.StreamResponse:
    return await _written(request, "transcribe", "{}")


async def _translate(request: web.Request) -> web.StreamResponse:
    return await _written(request, "translate", "In English: {}")


async def _written(request: web.Request, task: str, words: str) -> web.StreamResponse:
    authorised(request)
    form = await form_of(request)
    check_model(form, [HEARING])
    file = form.get("file")
    if not isinstance(file, FileField):
        check(False, "Missing required parameter: 'file'.", "file")
    assert isinstance(file, FileField)
    kind = form.get("response_format", "json")
    check(kind in FORMATS, f"Input should be {', '.join(FORMATS)}.", "response_format")
    text = words.format(heard(file.filename, file.file.read()))
    if form.get("stream") == "true":
        return await stream(request, _events(text))
    headers = {"x-request-id": new_id("req_", 32)}
    if kind in ("json", "verbose_json"):
        return web.json_response(_usage(text) if kind == "json" else _verbose(text, task), headers=headers)
    written = {"text": f"{text}\n", "srt": _subtitles(text, ","), "vtt": f"WEBVTT\n\n{_subtitles(text, '.')}"}
    return web.Response(text=written[str(kind)], content_type="text/plain", headers=headers)


def _usage(text: str) -> dict[str, Any]:
    count = len(tokens(text))
    details = {"text_tokens": 0, "audio_tokens": 10}
    usage = {"type": "tokens", "input_tokens": 10, "output_tokens": count, "total_tokens": 10 + count}
    return {"text": text, "usage": usage | {"input_token_details": details}}


def _verbose(text: str, task: str) -> dict[str, Any]:
    words = text.split()
    end = len(words) * SECONDS
    segment = {"id": 0, "seek": 0, "start": 0.0, "end": end, "text": text, "tokens": [], "temperature": 0.0}
    segment |= {"avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.01}
    return {
        "task": task,
        "language": "english",
        "duration": end,
        "text": text,
        "segments": [segment],
        "usage": {"type": "duration", "seconds": round(end)},
    }


def _subtitles(text: str, mark: str) -> str:
    """One line, from the first word to the last; `mark` stands before the milliseconds."""
    seconds = len(text.split()) * SECONDS
    end = f"{int(seconds) // 60:02}:{int(seconds) % 60:02}{mark}{int(seconds * 1000) % 1000:03}"
    number = "1\n" if mark == "," else ""
    return f"{number}00:00:00{mark}000 --> 00:{end}\n{text}\n\n"


def _events(text: str) -> Iterator[bytes]:
    for piece in tokens(text):
        yield event({"type": "transcript.text.delta", "delta": piece})
    yield event({"type": "transcript.text.done", **_usage(text)})
    yield b"data: [DONE]\n\n"


# --- speaking -----------------------------------------------------------------------------------------------


async def _speak(request: web.Request) -> web.StreamResponse:
    authorised(request)
    body = await READER.body(request, FIELD_TYPES)
    check_model(body, [SPEAKING])
    for name in ("input", "voice"):
        check(body.get(name), f"Missing required parameter: '{name}'.", name)
    kind = body.get("response_format") or "mp3"
    check(kind in SOUNDS, f"The simulator speaks {', '.join(SOUNDS)} only.", "response_format")
    return await stream(request, speech(body["input"], kind), SOUNDS[kind])


ROUTES = {
    "POST /v1/audio/transcriptions": _transcribe,
    "POST /v1/audio/translations": _translate,
    "POST /v1/audio/speech": _speak,
}
