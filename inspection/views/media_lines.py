"""Pictures, sound and files as a line: what it is, how large it is or where."""

from inspection.views.text import one_line, size
from translators.media import read_base64, read_data_url

HEAD = 600
"""Characters of a data URL or of base64 that tell its type."""


def media_line(kind: str, source: str, mime: str = "", name: str = "") -> str:
    """`[image: image/png, 12.3k]` for a data URL or base64, `[image: https://…]` for an address.

    `mime` is what is claimed; the bytes know better.
    """
    facts = [one_line(name)] if name else []
    if "://" in source[:HEAD]:
        facts.append(one_line(source))
    else:
        facts += [found_type(source, mime) or "of an unknown type", size(decoded_length(source.rpartition(",")[2]))]
    return f"[{kind}: {', '.join(facts)}]"


def found_type(source: str, mime: str) -> str:
    """The type of a data URL or of base64, as its beginning tells it."""
    is_url = source[:5].lower() == "data:"
    try:
        return read_data_url(source[:HEAD]).mime if is_url else read_base64(source[:HEAD], mime).mime
    except ValueError:
        return mime


def decoded_length(data: str) -> int:
    """How many bytes base64 stands for."""
    return len(data.rstrip("=")) * 3 // 4
