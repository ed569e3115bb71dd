"""A provider's `base_url` → the prefix of its endpoints."""

import re

ENDPOINT = re.compile(
    r"/(chat/completions|messages|completions|responses|embeddings|images/(generations|edits)|moderations|rerank"
    r"|audio/(transcriptions|translations|speech)|models)/?$"
)
VERSION = re.compile(r"/v\d[\w.]*(/|$)")


def prefix(base_url: str) -> str:
    """What stands before `/chat/completions`, `/models`, …; no trailing slash.

    An endpoint at the end is cut off; a path with a version in it stays as it is; else `/v1` is added.
    """
    base_url = base_url.split("?", 1)[0].rstrip("/")
    cut = ENDPOINT.sub("", base_url)
    if cut != base_url or VERSION.search(cut.split("://", 1)[-1]):
        return cut
    return cut + "/v1"
