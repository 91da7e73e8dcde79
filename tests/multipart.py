"""Bodies of forms, with the exact bytes that browsers and programs write."""

Parts = dict[str, bytes]
BOUNDARIES = {
    "Chrome and Safari": b"----WebKitFormBoundary7MA4YWxkTrZu0gW2",
    "Firefox": b"----geckoformboundary5f1c8e0b7a64d2938c1f0e6b5a497d23",
    "older Firefox": b"---------------------------9051914041544843365972754266",
    "curl": b"------------------------d74496d66958873e1QmPzx",
    "requests": b"0f3a9c54be12d7718e6640a2bd95cf31",
}


def body(parts: Parts, boundary: bytes, filename: bytes = b"cv.pdf") -> bytes:
    """Write fields in this order; the part `resume` is a file."""
    written = b""
    for name, content in parts.items():
        written += b'--%s\r\nContent-Disposition: form-data; name="%s"' % (boundary, name.encode())
        if name == "resume":
            written += b'; filename="%s"\r\nContent-Type: application/pdf' % filename
        written += b"\r\n\r\n" + content + b"\r\n"
    return written + b"--" + boundary + b"--\r\n"
