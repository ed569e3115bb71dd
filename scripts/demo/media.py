"""What the simulated model makes that is no text, and what it makes of such: pictures, sound, vectors, verdicts.

As with its words, the same request gives the same result, which shows what arrived.
"""

import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from hashlib import sha256

from scripts.demo.brain import tokens

FORBIDDEN = "attack the simulation"
"""Words that filters and moderations find."""

PIXELS = 16
"""Sides of a picture: it is of one colour."""
SAMPLE_RATE = 8_000
"""Samples of sound in a second, 16 bits each, one channel."""
TOKEN_SECONDS = 0.1
DIMENSIONS = 64
MOST_DIMENSIONS = 4096


# --- pictures -----------------------------------------------------------------------------------------------


def picture(*seeds: bytes | str | int) -> bytes:
    """A PNG of one colour, which depends on the seeds: the prompt, the pictures that it changes, its number."""
    colour = digest(*seeds)[:3]
    head = struct.pack(">IIBBBBB", PIXELS, PIXELS, 8, 2, 0, 0, 0)
    rows = (b"\0" + colour * PIXELS) * PIXELS
    chunks = {b"IHDR": head, b"IDAT": zlib.compress(rows), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )


def digest(*seeds: bytes | str | int) -> bytes:
    """32 bytes that depend on the seeds."""
    return sha256(b"\0".join(seed if isinstance(seed, bytes) else str(seed).encode() for seed in seeds)).digest()


# --- sound --------------------------------------------------------------------------------------------------


def speech(text: str, kind: str) -> Iterator[bytes]:
    """Sound as wav, pcm or mp3, piece by piece: a tone for each token; mp3 is silent, since nothing here encodes it."""
    if kind == "wav":
        # The length is not known yet: as OpenAI does it, it is given as the greatest there is.
        form = struct.pack("<HHIIHH", 1, 1, SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16)
        yield b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + form + b"data\xff\xff\xff\xff"
    for token in tokens(text):
        yield silent_frames() if kind == "mp3" else tone(300 + digest(token)[0])


def tone(hertz: float) -> bytes:
    samples = range(int(SAMPLE_RATE * TOKEN_SECONDS))
    return b"".join(struct.pack("<h", int(8000 * math.sin(math.tau * hertz * n / SAMPLE_RATE))) for n in samples)


def silent_frames() -> bytes:
    """Four frames of MPEG-1, layer III, 128 kbit/s, 44.1 kHz: a tenth of a second (ISO 11172-3)."""
    return (b"\xff\xfb\x90\x00" + bytes(413)) * 4


def heard(filename: str, sound: bytes) -> str:
    """The transcript of a file: what arrived of it, to the last byte."""
    return f"I heard {len(sound)} bytes named {filename}, whose hash begins with {sha256(sound).hexdigest()[:16]}."


# --- vectors and verdicts -----------------------------------------------------------------------------------


def vector(text: str, dimensions: int | None = None) -> list[float]:
    """A vector of length 1 for a text. Raises ValueError if there are no vectors with so many dimensions."""
    if dimensions is not None and not 1 <= dimensions <= MOST_DIMENSIONS:
        raise ValueError(f"{dimensions} dimensions")
    numbers: list[float] = []
    for block in range(-(-(dimensions or DIMENSIONS) // 32)):
        numbers += [byte / 127.5 - 1 for byte in digest(text, block)]
    numbers = numbers[: dimensions or DIMENSIONS]
    length = math.sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers]


def verdict(text: str) -> Mapping[str, float]:
    """Scores of a few categories: high ones for the forbidden words."""
    found = FORBIDDEN in text.lower()
    return {"harassment": 0.01, "violence": 0.98 if found else 0.02, "sexual": 0.0}
