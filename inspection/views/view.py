"""What all of the gateway's content views share (mitmproxy documentation, "Custom contentviews").

mitmproxy asks every view about every message of every flow, so a view that has nothing to do with a flow says so at
once; and it shows the request and the response of a flow by themselves, so a view is told which of the two it is.
"""

import logging
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mitmproxy import http
from mitmproxy.contentviews import Contentview, Metadata, SyntaxHighlight

from inspection.views.record import record_of
from inspection.views.text import MOST_CHARACTERS, page

logger = logging.getLogger("uniapi")

NOT_OURS = "The gateway did not answer this flow."


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a flow of ours: the request or the response, its body without content-encoding, and what is kept."""

    flow: http.HTTPFlow
    message: http.Message
    body: bytes
    record: dict[str, Any]

    @property
    def is_request(self) -> bool:
        return isinstance(self.message, http.Request)

    @property
    def content_type(self) -> str:
        return str(self.message.headers.get("content-type", ""))


def side_of(data: bytes, metadata: Metadata) -> Side | None:
    """None for what is not a message of a flow of ours."""
    record = record_of(metadata.flow)
    if record is None or not isinstance(metadata.flow, http.HTTPFlow) or metadata.http_message is None:
        return None
    return Side(metadata.flow, metadata.http_message, data, record)


class FlowView(Contentview):
    """A view of flows of ours. `title` is its name in mitmproxy; `most` how many characters it gets."""

    title = ""
    most = MOST_CHARACTERS
    highlight: SyntaxHighlight = "none"

    @property
    def name(self) -> str:
        return self.title

    @property
    def syntax_highlight(self) -> SyntaxHighlight:
        return self.highlight

    @abstractmethod
    def lines(self, side: Side) -> Iterator[str]:
        """What is to be seen, a line or a few at a time."""

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        side = side_of(data, metadata)
        return NOT_OURS if side is None else page(self._all_lines(side), self.most)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return -1 if side_of(data, metadata) is None else 0

    def _all_lines(self, side: Side) -> Iterator[str]:
        """The lines; where they cannot be made, so far as they can: a flow is opened to find a mistake, not another."""
        try:
            yield from self.lines(side)
        except Exception:
            logger.debug("uniapi: the view %r failed", self.title, exc_info=True)
            yield "… (the rest cannot be shown: what is kept with this flow is not what this version writes)"
