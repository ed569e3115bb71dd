"""Where Gemini's answers come from, and how sure it was: grounding and citations → OpenAI's annotations; logprobs.

Shapes: Gemini API reference, "GroundingMetadata", "CitationMetadata", "LogprobsResult"; OpenAI API reference, "The
chat completion object" (annotations, logprobs).
"""

from collections.abc import Mapping
from typing import Any

from translators.jsontext import count_in, object_in, objects_in, text_in
from translators.types import Event, Extension

JsonObject = dict[str, Any]

RAW = {"groundingMetadata": "grounding_metadata", "urlContextMetadata": "url_context_metadata"}
"""Members of a candidate that clients get as they came, too: Google asks for its search suggestions to be shown."""
KINDS_OF_CHUNKS = ("web", "maps", "retrievedContext", "image")


class Sources:
    """What one candidate says of its sources. A stream tells it in any chunk, mostly the last."""

    def __init__(self, choice: int) -> None:
        self._choice = choice
        self._text: list[str] = []
        self._raw: dict[str, JsonObject] = {}
        self._citations: list[JsonObject] = []

    def text(self, text: str) -> None:
        """More of the answer's text, to which places refer."""
        self._text.append(text)

    def read(self, candidate: JsonObject) -> None:
        for name in RAW:
            found = object_in(candidate.get(name))
            if found:
                self._raw[name] = joined(self._raw.get(name, {}), found)
        cited = object_in(candidate.get("citationMetadata"))
        self._citations += objects_in(cited.get("citationSources")) + objects_in(cited.get("citations"))

    def end(self) -> list[Event]:
        text = "".join(self._text)
        annotations = grounded(self._raw.get("groundingMetadata", {}), text)
        annotations += [
            url_citation(source, *citation_place(source, text)) for source in self._citations if source.get("uri")
        ]
        events: list[Event] = []
        if annotations:
            events.append(Extension("annotations", annotations, self._choice))
        without_address = [source for source in self._citations if not source.get("uri")]
        if without_address:
            events.append(Extension("citations", without_address, self._choice))
        events += [Extension(RAW[name], value, self._choice) for name, value in self._raw.items()]
        return events


def joined(before: JsonObject, after: JsonObject) -> JsonObject:
    """Two chunks' metadata: lists grow, unless the later holds the earlier, as cumulative ones do."""
    result = dict(before)
    for name, value in after.items():
        earlier = result.get(name)
        if isinstance(earlier, list) and isinstance(value, list) and value[: len(earlier)] != earlier:
            value = [*earlier, *value]
        result[name] = value
    return result


def grounded(metadata: JsonObject, text: str) -> list[JsonObject]:
    """One annotation for each source of each segment."""
    chunks = metadata.get("groundingChunks")
    sources = [chunk_source(chunk) for chunk in chunks] if isinstance(chunks, list) else []
    annotations = []
    for support in objects_in(metadata.get("groundingSupports")):
        place = segment_place(object_in(support.get("segment")), text)
        indices = support.get("groundingChunkIndices")
        for index in indices if isinstance(indices, list) else ():
            if isinstance(index, int) and 0 <= index < len(sources) and sources[index].get("uri"):
                annotations.append(url_citation(sources[index], *place))
    return annotations


def chunk_source(chunk: Any) -> JsonObject:
    found = object_in(chunk)
    return next((object_in(found[kind]) for kind in KINDS_OF_CHUNKS if kind in found), {})


def url_citation(source: Mapping[str, Any], start: int, end: int) -> JsonObject:
    citation = {
        "url": text_in(source.get("uri")),
        "title": text_in(source.get("title")),
        "start_index": start,
        "end_index": end,
    }
    return {"type": "url_citation", "url_citation": citation}


def segment_place(segment: JsonObject, text: str) -> tuple[int, int]:
    """Where a segment stands, in characters. Gemini counts bytes, within a part; its text settles what is meant."""
    words = text_in(segment.get("text"))
    start = character(text, count_in(segment.get("startIndex")))
    if words and not text.startswith(words, start):
        start = max(0, text.find(words))
    end = start + len(words) if words else character(text, count_in(segment.get("endIndex")))
    return start, end


def citation_place(source: JsonObject, text: str) -> tuple[int, int]:
    return character(text, count_in(source.get("startIndex"))), character(text, count_in(source.get("endIndex")))


def character(text: str, byte: int) -> int:
    """How many characters the first bytes of the UTF-8 text are."""
    return len(text.encode("utf-8", "replace")[:byte].decode("utf-8", "ignore"))


# --- logprobs -------------------------------------------------------------------------------------------------


def openai_logprobs(result: JsonObject) -> JsonObject:
    """LogprobsResult → OpenAI's `logprobs`; empty if it holds none."""
    tops = objects_in(result.get("topCandidates"))
    content = []
    for position, chosen in enumerate(objects_in(result.get("chosenCandidates"))):
        top = objects_in(tops[position].get("candidates")) if position < len(tops) else []
        content.append(token_object(chosen) | {"top_logprobs": [token_object(other) for other in top]})
    return {"content": content, "refusal": None} if content else {}


def token_object(candidate: JsonObject) -> JsonObject:
    token = text_in(candidate.get("token"))
    probability = candidate.get("logProbability")
    return {
        "token": token,
        "logprob": probability if isinstance(probability, int | float) else 0.0,
        "bytes": list(token.encode("utf-8", "replace")),
    }
