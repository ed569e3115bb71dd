"""A form with a sound in it."""

from translators.errors import RequestError
from translators.forms import FormRequest, read_form


def read(body: bytes, content_type: str) -> FormRequest:
    """Raises RequestError."""
    form = read_form(body, content_type)
    # Some hosts take the address of a file instead (Groq's `url`, Mistral's `file_url` and `file_id`).
    if not any(part.name in ("file", "file_id", "file_url", "url") for part in form.parts):
        raise RequestError("`file` is missing: the sound itself, as a file in the form.", param="file")
    return form
