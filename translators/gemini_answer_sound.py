"""Sound in Gemini's answers → OpenAI's `message.audio` (OpenAI API reference, "The chat completion object").

Gemini sends samples without a header, `audio/L16;codec=pcm;rate=24000`: 16 bits, one channel, the least byte first,
which is what OpenAI calls pcm16. A `wav` gets the header that tells so.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import sha256
from struct import pack

from translators.types import Event, Extension

RATE = re.compile(r"rate=(\d{1,6})")
USUAL_RATE = 24_000


class Sound:
    """The sound of one candidate, which a stream brings in pieces. `form`: wav, or else what came is handed on."""

    def __init__(self, choice: int, form: str) -> None:
        self._choice = choice
        self._form = form
        self._mime = ""
        self._samples = bytearray()

    def __bool__(self) -> bool:
        return bool(self._samples)

    def add(self, mime: str, data: str) -> None:
        """One piece, in base64; a broken one is left out."""
        self._mime = mime
        try:
            self._samples += b64decode(data)
        except Base64Error:
            return

    def end(self) -> list[Event]:
        if not self._samples:
            return []
        samples = bytes(self._samples)
        if self._form == "wav" and self._mime.lower().startswith(("audio/l16", "audio/pcm")):
            rate = RATE.search(self._mime)
            samples = wav_header(len(samples), int(rate[1]) if rate else USUAL_RATE) + samples
        name = "audio_" + sha256(samples).hexdigest()[:24]
        value = {"id": name, "data": b64encode(samples).decode("ascii"), "expires_at": 0, "transcript": ""}
        return [Extension("audio", value, self._choice)]


def wav_header(length: int, rate: int) -> bytes:
    """RIFF/WAVE header for `length` bytes of 16-bit samples, one channel (Microsoft, "Multimedia Programming
    Interface", RIFF WAVE)."""
    described = pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    return pack("<4sI4s", b"RIFF", 36 + length, b"WAVE") + described + pack("<4sI", b"data", length)
