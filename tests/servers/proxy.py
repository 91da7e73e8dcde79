"""A proxy in front of the application.

It passes reads on, and answers a POST as a test configures it.
"""

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.servers.ports import HOST, free_port


@dataclass(frozen=True)
class Answer:
    """The proxy's own answer to a POST, in place of the application's."""

    status: int
    page: str = ""


class Proxy:
    """Serves the application at `target` under its own `url`.

    A POST gets `answer`, or no answer if `silent`.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.answer: Answer | None = None
        self.silent = False
        self.posts = 0
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer((HOST, free_port()), self._handle)
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _handle(self, *connection: Any) -> "_Handler":
        return _Handler(self, *connection)

    def close(self) -> None:
        """Stop, and release every request that is kept waiting."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, proxy: Proxy, *connection: Any) -> None:
        self.proxy = proxy
        # The base class handles the request.
        super().__init__(*connection)

    def do_GET(self) -> None:
        self._pass_on(b"")

    def do_POST(self) -> None:
        self.proxy.posts += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.proxy.silent:
            self.proxy.closing.wait()
            return
        answer = self.proxy.answer
        if answer is None:
            self._pass_on(body)
            return
        self._reply(answer.status, {"Content-Type": "text/html"}, answer.page.encode())

    def _pass_on(self, body: bytes) -> None:
        theirs = {name: self.headers[name] for name in ("Host", "Content-Type")}
        headers = {name: value for name, value in theirs.items() if value}
        url = f"{self.proxy.target}{self.path}"
        answer = httpx.request(self.command, url, headers=headers, content=body)
        names = [name for name in ("Content-Type", "Location") if name in answer.headers]
        kept = {name: answer.headers[name] for name in names}
        self._reply(answer.status_code, kept, answer.content)

    def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Print nothing between the lines of the tests."""
