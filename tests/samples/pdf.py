"""One-page PDF files with a correct cross-reference table."""

LIMIT = 5_242_880  # default of MAX_FILE_SIZE

FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
SCRIPT = b" /OpenAction << /S /JavaScript /JS (app.alert\\('hello'\\)) >>"


def pdf(
    text: str = "Ana Ruiz, attorney",
    size: int | None = None,
    *,
    script: bool = False,
    locked: bool = False,
) -> bytes:
    """Return a one-page PDF with `text`, padded to exactly `size` bytes.

    `script` adds JavaScript; `locked` marks the file as encrypted.
    """
    plain = _write(text, 0, script, locked)
    if size is None:
        return plain
    if size < len(plain):
        raise ValueError(f"the smallest has {len(plain)} bytes")
    return _write(text, size - len(plain), script, locked)


def _write(text: str, filling: int, script: bool, locked: bool) -> bytes:
    opening = b""
    if script:
        opening = SCRIPT
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R%s >>" % opening,
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        _stream(b"BT /F1 24 Tf 72 720 Td (%s) Tj ET" % text.encode("latin-1", "replace")),
        FONT,
        # All numbers have a fixed width, so the padding does not move anything else.
        _stream((b"leadapp " * (filling // 8 + 1))[:filling]),
    ]
    locks = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (b"00" * 32, b"11" * 32)
    written = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects + [locks] * locked, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    written += b"".join(b"%010d 00000 n \n" % place for place in places)
    more = b""
    if locked:
        more = b" /Encrypt %d 0 R /ID [<00> <00>]" % len(places)
    written += b"trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%010d\n%%%%EOF\n" % (
        len(places) + 1,
        more,
        start,
    )
    return bytes(written)


def _stream(content: bytes) -> bytes:
    return b"<< /Length %010d >>\nstream\n%s\nendstream" % (len(content), content)
