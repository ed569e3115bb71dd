"""translators/forms.py: forms with files in them, read in place."""

import tracemalloc
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from translators.audio.transcriptions import SERVICES
from translators.errors import RequestError
from translators.forms import MOST_PARTS, FormRequest, read_form
from translators.types import Target

BOUNDARY = "form-boundary-1"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
MODEL = b'--form-boundary-1\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n'
END = b"--form-boundary-1--\r\n"


def part(disposition: str, content: bytes, *headers: str, boundary: str = BOUNDARY) -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"Content-Disposition: form-data; {disposition}", *headers))
    return f"--{boundary}\r\n{head}\r\n".encode() + content + b"\r\n"


def refused(body: bytes, content_type: str = TYPE) -> RequestError:
    with pytest.raises(RequestError) as caught:
        read_form(body, content_type)
    return caught.value


# --- forms that are good ----------------------------------------------------------------------------------------

names = st.text(st.characters(codec="utf-8", exclude_characters='"\\\r\n', exclude_categories=["Cs", "Cc"]), min_size=1)
boundaries = st.text("abcXYZ019'()+_,-./:=?", min_size=1, max_size=70)
contents = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from([b"\r\n", b"--", b"a", b"model"])).map(b"".join))
items = st.tuples(names, st.none() | names, contents)


@st.composite
def forms(draw: st.DrawFn) -> tuple[str, list[tuple[str, str | None, bytes]], int, bytes]:
    """A boundary, parts, the place of the model among them, and what stands around the form."""
    boundary = draw(boundaries)
    parts = draw(st.lists(items, max_size=5))
    assume(not any(name in ("model", "prompt", "stream") for name, _, _ in parts))
    line = f"\r\n--{boundary}".encode()
    assume(not any(line in b"\r\n" + content + b"\r\n" for _, _, content in parts))
    around = draw(st.binary(max_size=20))
    assume(line not in b"\r\n" + around + b"\r\n")
    return boundary, parts, draw(st.integers(0, len(parts))), around


@given(forms(), st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_a_form_is_what_its_parts_were(
    made: tuple[str, list[tuple[str, str | None, bytes]], int, bytes], model: str, other: str
) -> None:
    """Every part with its name, file name and content; another model changes the model and nothing else."""
    boundary, parts, place, around = made
    assume(f"\r\n--{boundary}" not in f"\r\n{model}\r\n{other}\r\n")

    def body_with(name: str) -> bytes:
        wanted: list[Any] = [*parts[:place], ("model", None, name.encode()), *parts[place:]]
        pieces = [
            part(f'name="{field}"' + (f'; filename="{file}"' if file is not None else ""), content, boundary=boundary)
            for field, file, content in wanted
        ]
        opening = around + b"\r\n" if around else b""
        return opening + b"".join(pieces) + f"--{boundary}--\r\n".encode() + around

    form = read_form(body_with(model), f'multipart/form-data; boundary="{boundary}"')
    assert form.model == model
    found = [(p.name, p.filename, form.content(p)) for p in form.parts if p.name != "model"]
    assert found == parts
    assert form.with_model(other) == (body_with(other), None)
    assert form.with_model(model) == (form.body, None)


@pytest.mark.parametrize("boundary", ["plain", "-----------RubyMultipartPost-28c34b89bb95", "0c8d059d-1636d5"])
def test_a_form_as_clients_write_it(boundary: str) -> None:
    """A file first, the model behind it, several files, text beside them: as the HTTP library of the SDK does."""
    request = httpx2.Request(
        "POST",
        "http://gateway.example/v1/images/edits",
        data={"prompt": "a “cat”", "model": "gpt-image-1", "n": "2", "stream": "true"},
        files=[("image[]", ("ä.png", b"\x89PNG\r\n", "image/png")), ("image[]", ("b.png", b"\r\n--", "image/png"))],
        headers={"content-type": f"multipart/form-data; boundary={boundary}"},
    )
    form = read_form(request.read(), request.headers["content-type"])
    assert form.model == "gpt-image-1"
    assert form.stream
    assert form.fields == {"prompt": "a “cat”", "model": "gpt-image-1", "n": "2", "stream": "true"}
    files = form.files("image", "image[]")
    assert [(file.filename, file.content_type, form.content(file)) for file in files] == [
        ("ä.png", "image/png", b"\x89PNG\r\n"),
        ("b.png", "image/png", b"\r\n--"),
    ]


@pytest.mark.parametrize(
    "content_type",
    [
        f'Multipart/Form-Data; charset=utf-8; BOUNDARY="{BOUNDARY}"',
        f"multipart/form-data;boundary={BOUNDARY};charset=UTF-8",
        f"multipart/form-data ; boundary = {BOUNDARY}",
    ],
)
def test_the_boundary_may_be_quoted_and_stand_anywhere(content_type: str) -> None:
    """RFC 9110, §5.6.6."""
    assert read_form(MODEL + END, content_type).model == "whisper"


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('name="file"; filename="a.wav"', "a.wav"),
        ("name=file; filename=a.wav", "a.wav"),
        ('filename="a;b=c.wav" ; name="file"', "a;b=c.wav"),
        (r'name="file"; filename="a \"b\".wav"', 'a "b".wav'),
        ('name="file"; filename="fallback"; filename*=UTF-8\'\'na%C3%AFve%20%E2%82%AC.wav', "naïve €.wav"),
        ("name=\"file\"; filename*=iso-8859-1'en'%A3.wav; filename=x", "£.wav"),
        ('name="file"; filename=""', ""),
    ],
)
def test_file_names_in_every_spelling(disposition: str, filename: str) -> None:
    """RFC 7578, §4.2, and RFC 8187, which clients use all the same."""
    form = read_form(MODEL + part(disposition, b"RIFF", "Content-Type: audio/wav") + END, TYPE)
    (file,) = form.files("file")
    assert (file.filename, file.content_type, form.content(file)) == (filename, "audio/wav", b"RIFF")


def test_text_may_be_in_another_charset() -> None:
    """It is read, and the model written, in the charset that the part names."""
    model = part('name="model"', "modèle".encode("latin-1"), "Content-Type: text/plain; charset=ISO-8859-1")
    form = read_form(model + END, TYPE)
    assert form.model == "modèle"
    assert "señal".encode("latin-1") in form.with_model("señal")[0]
    with pytest.raises(RequestError, match="UTF-8"):
        form.with_model("модель")


def test_a_boundary_that_begins_another_is_not_one() -> None:
    """Only a whole delimiter ends a part, and white space behind it is allowed (RFC 2046, §5.1.1)."""
    content = b"\r\n--form-boundary-12\r\n--form-boundary-1x--\r\n"
    body = MODEL + part('name="file"; filename="f"', content).replace(b"1\r\nContent", b"1 \t\r\nContent", 1) + END
    form = read_form(body, TYPE)
    assert form.content(form.files("file")[0]) == content


def test_the_last_line_end_may_be_missing() -> None:
    """Some clients stop behind the last boundary."""
    assert read_form(MODEL + END.rstrip(), TYPE).model == "whisper"


# --- forms that are not -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "words"),
    [
        ("application/json", "multipart/form-data, not application/json"),
        ("", "its type is not named"),
        ("multipart/mixed; boundary=x", "not multipart/mixed"),
        ("multipart/form-data", "names no boundary"),
        ("multipart/form-data; boundary=", "names no boundary"),
        ("multipart/form-data; boundary=another", "not the one that the content-type names"),
    ],
)
def test_a_body_that_is_no_form_is_refused_with_what_to_send(content_type: str, words: str) -> None:
    """400, in words that help."""
    error = refused(MODEL + END, content_type)
    assert error.status == 400
    assert words in error.message


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        (b"", None, "cut off"),
        (END, "model", "`model` is missing"),
        (part('name="file"; filename="f"', b"x") + END, "model", "`model` is missing"),
        (part('name="model"', b"") + END, "model", "`model` is missing"),
        (MODEL + MODEL + END, "model", "more than once"),
        (MODEL + part('name="stream"', b"true") + part('name="stream"', b"false") + END, "stream", "more than once"),
        (MODEL + part('name="prompt"', b"a") + part('name="prompt"', b"b") + END, "prompt", "more than once"),
        (part('name="model"', b"\xff") + END, "model", "no text in 'utf-8'"),
        (part('name="model"', b"x", "Content-Type: text/plain; charset=none-such") + END, "model", "'none-such'"),
        (MODEL + part('filename="f"', b"x") + END, None, "without a name"),
        (MODEL + b"--form-boundary-1\r\n\r\nno headers\r\n" + END, None, "without a name"),
        (MODEL + b"--form-boundary-1\r\nContent-Disposition: form-data; name=x\r\n" + END, None, "without a name"),
        (part('name="x"', b"") * (MOST_PARTS + 1) + MODEL + END, None, "more than 1000 parts"),
    ],
)
def test_a_broken_form_is_refused(body: bytes, param: str | None, words: str) -> None:
    """400, with the field where one is to blame."""
    error = refused(body)
    assert (error.status, error.param) == (400, param)
    assert words in error.message


@given(st.integers(0, len(MODEL + END) - 5))
def test_a_form_that_is_cut_is_refused(length: int) -> None:
    """Wherever it was cut before its last boundary."""
    assert refused((MODEL + END)[:length]).status == 400


@given(st.binary(max_size=200))
def test_anything_else_is_refused_too(data: bytes) -> None:
    """Never another error than RequestError."""
    for body in (data, MODEL + data, MODEL + part("name=x", data) + data + END):
        with suppress(RequestError):
            assert isinstance(read_form(body, TYPE), FormRequest)


# --- large ones -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "another-name-of-the-model", "whisper"])
def test_a_large_form_is_never_copied(name: str) -> None:
    """Neither to read it nor for another model, which is put into its place as the form is sent."""
    size = 20 << 20
    body = part('name="file"; filename="f.wav"', b"\r\n--form-boundary" * (size // 17)) + MODEL + END
    target = Target(base_url="https://api.example/v1", model=name, alias="whisper", key="")
    tracemalloc.start()
    try:
        form = read_form(body, TYPE)
        wire = SERVICES["gpt"].build(form, target)
        pieces = wire.splice.pieces(wire.body) if wire.splice else (wire.body,)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert wire.body is body
    assert wire.length == sum(map(len, pieces))
    assert b"".join(pieces) == body.replace(b"\r\n\r\nwhisper\r\n", f"\r\n\r\n{name}\r\n".encode())


def test_a_form_shows_nothing_of_its_content() -> None:
    """In logs it is its model and the names of its fields."""
    form = read_form(MODEL + part('name="prompt"', b"secret words") + END, TYPE)
    assert repr(form) == "FormRequest(model='whisper', parts=['model', 'prompt'])"
