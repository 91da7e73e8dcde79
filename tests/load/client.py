"""Builds request bodies as bytes, and sends them over connections that stay open."""

import json
import re
from collections.abc import Mapping
from http.client import HTTPConnection
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from tests.load.rivals import PASSWORD, USER
from tests.servers.ports import HOST

BOUNDARY = "a-boundary-that-no-file-holds"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


def multipart(email: str, content: bytes, **more: str) -> bytes:
    """Return the multipart body that the form sends, with `more` fields."""
    fields = {"first_name": "Ana", "last_name": "Ruiz", "email": email}
    fields.update(more)
    lines = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{fields[name]}'
        for name in fields
    ]
    lines.append(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="resume"; filename="cv.pdf"'
    )
    lines.append("Content-Type: application/pdf\r\n\r\n")
    head = "\r\n".join(lines)
    return head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


class Client:
    """One open connection to a server.

    After sign-in it sends a token to the API and a cookie to the pages.
    """

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self._connection = HTTPConnection(HOST, port, timeout=120)
        self.headers = dict(headers or {})

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> bytes:
        """Send a request and return the response body; raise RuntimeError on a status from 400."""
        sent = dict(self.headers)
        for name, value in headers.items():
            sent[name.replace("_", "-")] = value
        self._connection.request(method, path, body, sent)
        response = self._connection.getresponse()
        content = response.read()
        self.received = response.headers
        self.cookie = response.headers.get("Set-Cookie", "").partition(";")[0]
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {content[:300]!r}")
        return content

    def json(self, path: str) -> Any:
        """Return the parsed JSON of an API path."""
        return json.loads(self.ask("GET", path))

    def submit(self, email: str, content: bytes) -> str:
        """Submit a lead with a resume; return its id."""
        answer = self.ask("POST", "/api/v1/leads", multipart(email, content), **FORM)
        return str(json.loads(answer)["id"])

    def sign_in(self) -> None:
        """Get a token for the API."""
        self.headers["Authorization"] = f"Bearer {self.token()}"

    def token(self) -> str:
        """Sign in over the API and return the token."""
        form = urlencode({"username": USER, "password": PASSWORD}).encode()
        answer = self.ask("POST", "/api/v1/auth/login", form, **URLENCODED)
        return str(json.loads(answer)["access_token"])

    def sign_in_to_pages(self) -> None:
        """Get a cookie for the pages through the sign-in form."""
        page = self.ask("GET", "/auth/login").decode()
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, "the sign-in page has no csrf_token"
        form = {"username": USER, "password": PASSWORD, "csrf_token": found[1]}
        body = urlencode(form).encode()
        self.ask("POST", "/auth/login", body, Cookie=self.cookie, **URLENCODED)
        self.headers["Cookie"] = self.cookie
