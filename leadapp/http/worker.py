"""Gunicorn's threaded worker and its log, with what leadapp changes in them."""

import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from gunicorn import glogging
from gunicorn.http import wsgi
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import ThreadWorker

from .. import log
from ..operations import maintenance

# After its response, a connection is read for at most this long and up to this many bytes.
LINGER_SECONDS = 3
LINGER_BYTES = 4 * 1024 * 1024

# By default, gunicorn reads 1 MB of a body at once, and copies what is left of it at each read of
# the form parser. A submission with a resume of 5 MB then takes 94 ms. With 64 KB, it takes 45 ms.
SocketUnreader.max_body_chunk = 64 * 1024


class Response(wsgi.Response):
    """A response that announces `Connection: close` after a 413.

    Part of the request's body is unread then, so gunicorn closes the connection. But it announces
    keep-alive, so the client's next request on the connection would fail.
    """

    def should_close(self) -> bool:
        """Return whether the connection ends after this response."""
        return self.status_code == 413 or super().should_close()


wsgi.Response = Response


class Queues:
    """The threads of a worker: some serve POST requests, and others serve the rest.

    Gunicorn has one queue, where a page waits behind every upload that came earlier. While 1,000
    people submitted a resume within a second to a busy machine, /health took up to 14 s. With two
    queues, 95 % of its requests took at most 50 ms.
    """

    def __init__(self, threads: int) -> None:
        self._posts = ThreadPoolExecutor(threads)
        self._others = ThreadPoolExecutor(threads)

    def submit(self, handle: Callable[[Any], Any], conn: Any) -> "Future[Any]":
        """Queue the next request of a connection."""
        start = b""
        with suppress(OSError):  # nothing has arrived, or the client is gone
            start = conn.sock.recv(4, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        if start == b"POST":
            return self._posts.submit(handle, conn)
        return self._others.submit(handle, conn)

    def shutdown(self, wait: bool = True) -> None:
        """Accept no more requests; with `wait`, return when all accepted ones are served."""
        self._posts.shutdown(wait)
        self._others.shutdown(wait)


class Worker(ThreadWorker):
    """A worker with two queues, which closes a connection in the thread that served it.

    Gunicorn's own worker waits up to two seconds until the client closes its side, and accepts no
    connection meanwhile. While eight clients kept their side open, other requests took over 5 s.
    With this worker, they took 0.1 s.

    If `delivers` is true, the worker accepts no connections. It delivers the e-mails.
    """

    delivers = False
    _is_quitting = False

    def init_process(self) -> None:
        """Accept each connection only when its request arrives, so that `Queues` can see it.

        A client sends its request some time after it connects. Without TCP_DEFER_ACCEPT, a burst
        of clients that send after 30 ms fills both queues, and /health takes up to 6 s.
        """
        if hasattr(socket, "TCP_DEFER_ACCEPT"):  # Linux
            for listener in self.sockets:
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)
        super().init_process()

    def get_thread_pool(self) -> Queues:
        """Return the queues of this worker."""
        return Queues(self.cfg.threads)

    def run(self) -> None:
        """Serve requests, or deliver e-mails, until the worker is stopped."""
        if not self.delivers:
            super().run()
            return
        for listener in self.sockets:
            listener.close()
        self.log.info("Delivering e-mails with pid: %s", self.pid)
        stopped = threading.Event()
        delivery = threading.Thread(target=self._deliver, args=(stopped,))
        delivery.start()
        while self.alive and self.is_parent_alive() and delivery.is_alive():
            self.notify()  # otherwise, gunicorn would end this worker after its timeout
            delivery.join(1)
        stopped.set()
        delivery.join()

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop after the requests that are being served, or the e-mails that are being sent.

        Ctrl+C reaches a worker twice: from the terminal and from gunicorn. In gunicorn's own
        handler, the second call waited forever for a lock of the thread pool, and the worker was
        killed after 30 s. So this takes no lock.
        """
        if self.delivers:
            self.handle_exit(sig, frame)
        elif not self._is_quitting:
            self._is_quitting = True
            super(ThreadWorker, self).handle_quit(sig, frame)

    def _deliver(self, stopped: threading.Event) -> None:
        with self.wsgi.app_context():
            maintenance.run_until(stopped)

    def handle(self, conn: Any) -> Any:
        """Serve one request. Returns whether the connection stays open."""
        # A malformed request is logged before it has an id, so clear the previous request's id.
        log.request_id.set(None)
        stays_open = super().handle(conn)
        if not stays_open:
            finish(conn.sock)
        return stays_open


def finish(connection: socket.socket) -> None:
    """End our side of a connection, and read until the client ends its side.

    A client may still be sending after its response, such as a 413. If the connection closed at
    once, the client could lose the response.
    """
    deadline = time.monotonic() + LINGER_SECONDS
    left = LINGER_BYTES
    with suppress(OSError):  # the client is gone, or too slow
        connection.shutdown(socket.SHUT_WR)
        while left > 0 and time.monotonic() < deadline:
            connection.settimeout(deadline - time.monotonic())
            received = len(connection.recv(64 * 1024))
            if received == 0:
                break
            left -= received
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class Logger(glogging.Logger):
    """Gunicorn's log in leadapp's format, without the text of malformed requests."""

    def setup(self, cfg: Any) -> None:
        """Set up gunicorn's log, and use leadapp's format for it."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(log.formatter())

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log only the error type of a malformed request, because its text may hold a secret."""
        if msg.startswith("Invalid request from ip="):
            msg = f"refused a malformed request: {type(sys.exception()).__name__}"
        super().warning(msg, *args, **kwargs)
