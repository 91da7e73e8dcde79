"""A form is parsed byte for byte, wherever the reads of its body end."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadapp.codes import Code
from leadapp.errors import LeadappError
from leadapp.http.request import Request
from tests.multipart import BOUNDARIES, Parts, body

PARTS: Parts = {"first_name": "Zoë".encode(), "form_id": b"", "resume": b"%PDF-1.4\r\n%%EOF\r"}


class Reads:
    """A body that returns at most one of these pieces per read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def read(self, size: int = -1) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if 0 <= size < len(piece):
            self._pieces.insert(0, piece[size:])
            piece = piece[:size]
        return piece


def parse(pieces: Iterable[bytes], boundary: bytes) -> Parts:
    """Return the fields and files that a request parses from these reads."""
    reads = list(pieces)
    request = Request(
        {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": f"multipart/form-data; boundary={boundary.decode()}",
            "CONTENT_LENGTH": str(sum(map(len, reads))),
            "wsgi.input": Reads(reads),
            "wsgi.input_terminated": True,
        }
    )
    with request:
        found = {name: file.read() for name, file in request.files.items()}
        for name, text in request.form.items():
            found[name] = text.encode()
    return found


def chopped(text: bytes, size: int) -> Iterator[bytes]:
    return (text[start : start + size] for start in range(0, len(text), size))


def starts(boundary: bytes) -> Iterator[bytes]:
    """Yield every proper prefix of a delimiter."""
    delimiter = b"\r\n--" + boundary
    return (delimiter[:length] for length in range(1, len(delimiter)))


def contents(boundary: bytes) -> dict[str, bytes]:
    return {
        "CRs": b"\r" * 90,
        "LFs": b"\n" * 90,
        "CRLFs": b"\r\n" * 50,
        "dashes": b"\r\n" + b"-" * 90,
        "beginnings": b"".join(starts(boundary))[-700:],
        "empty": b"",
    }


@st.composite
def files(draw: st.DrawFn, boundary: bytes) -> bytes:
    """Arbitrary bytes with many parts of a delimiter."""
    marks = [b"\r", b"\n", b"\r\n", b"-", b"--", b"\r\n--", boundary[:-1]]
    bits = st.one_of(
        st.sampled_from(marks),
        st.sampled_from(list(starts(boundary))),
        st.binary(max_size=80),
        st.integers(1, 20_000).map(lambda size: b"x" * size),
    )
    content = b"".join(draw(st.lists(bits, max_size=12)))
    # A client chooses a boundary that is not in the file.
    return content.replace(b"--" + boundary, b"")


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Parts, bytes, list[bytes]]:
    """Fields in any order, a boundary, and the body split at any points."""
    boundary = draw(st.sampled_from(list(BOUNDARIES.values())))
    resume = draw(files(boundary))
    named = [("first_name", "Zoë".encode()), ("last_name", b""), ("resume", resume)]
    parts = dict(draw(st.permutations(named)))
    whole = body(parts, boundary)
    places = st.integers(0, len(whole))
    ends = sorted(draw(st.lists(places, max_size=8)))
    ends.append(len(whole))
    pieces = []
    start = 0
    for end in ends:
        pieces.append(whole[start:end])
        start = end
    return parts, boundary, pieces


@settings(max_examples=300)
@given(bodies())
def test_the_bytes_out_are_the_bytes_in(sent: tuple[Parts, bytes, list[bytes]]) -> None:
    parts, boundary, pieces = sent
    assert parse(pieces, boundary) == parts


@pytest.mark.parametrize("client", BOUNDARIES)
def test_a_read_may_end_at_any_byte(client: str) -> None:
    boundary = BOUNDARIES[client]
    for content in contents(boundary).values():
        parts = {"email": b"ana@example.com", "resume": content, "form_id": b"x"}
        whole = body(parts, boundary)
        for cut in range(len(whole)):
            pieces = [whole[:cut], whole[cut:]]
            assert parse(pieces, boundary) == parts, (content, cut)


@pytest.mark.parametrize("client", BOUNDARIES)
def test_every_read_may_be_as_short(client: str) -> None:
    boundary = BOUNDARIES[client]
    for content in contents(boundary).values():
        parts = {"email": b"ana@example.com", "resume": content}
        whole = body(parts, boundary)
        for size in range(1, len(boundary) + 12):
            assert parse(chopped(whole, size), boundary) == parts, (content, size)


@pytest.mark.parametrize("client", BOUNDARIES)
def test_a_cut_body_is_not_read_as_a_whole_one(client: str) -> None:
    boundary = BOUNDARIES[client]
    whole = body(PARTS, boundary)
    # The line break after the last part may be missing.
    closed = len(whole) - len(b"\r\n")
    for end in range(closed):
        with pytest.raises(LeadappError) as refusal:
            parse([whole[:end]], boundary)
        assert refusal.value.code == Code.BODY_UNREADABLE
    assert parse([whole[:closed]], boundary) == PARTS


def test_a_large_file_of_short_lines_is_streamed() -> None:
    # A PDF's cross-reference table.
    lines = b"0000000016 00000 n\r\n" * 100_000
    boundary = BOUNDARIES["Chrome and Safari"]
    assert parse([body({"resume": lines}, boundary)], boundary) == {"resume": lines}


def test_a_field_may_name_its_encoding() -> None:
    part = (
        b'--x\r\nContent-Disposition: form-data; name="first_name"\r\n'
        b"Content-Type: text/plain; charset=ISO-8859-1\r\n\r\nZo\xeb\r\n--x--\r\n"
    )
    assert parse([part], b"x") == {"first_name": "Zoë".encode()}
