"""GET /stats: a page that shows the numbers of GET /v1/stats.

It is sent as one HTML document with styles and scripts in it, and loads nothing else. The numbers it asks for itself,
with a key that a person types in: the page as such is the same for everybody, and nothing in it is secret.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Page:
    """What GET /stats answers with."""

    headers: Mapping[str, str]
    body: bytes


def load_page() -> Page:
    """Read the page's files. Its policy lets only these scripts and styles run, and only this gateway be asked."""
    document = (HERE / "page.html").read_text(encoding="utf-8")
    document = re.sub(r'<link rel="stylesheet" href="(\w+\.css)">', _inlined("style"), document)
    document = re.sub(r'<script src="(\w+\.js)"></script>', _inlined("script"), document)
    policy = {
        "default-src": "'none'",
        "script-src": _hashes("script", document),
        "style-src": _hashes("style", document),
        "img-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "; ".join(f"{what} {allowed}" for what, allowed in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
    }
    return Page(headers, document.encode())


def _inlined(element: str) -> Callable[[re.Match[str]], str]:
    return lambda found: f"<{element}>\n{(HERE / found[1]).read_text(encoding='utf-8')}</{element}>"


def _hashes(element: str, document: str) -> str:
    """The sources of a Content-Security-Policy that allow what is inline in the document (CSP Level 3, hash-source)."""
    contents = re.findall(f"<{element}>(.*?)</{element}>", document, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in contents]
    return " ".join(f"'sha256-{digest}'" for digest in digests)
