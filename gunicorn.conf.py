"""How gunicorn serves leadapp: threads enough for slow uploads, and a deliverer of letters in each worker."""

import ctypes
import gc
import importlib
import multiprocessing
import os
import shutil
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from dotenv import load_dotenv
from gunicorn import glogging
from gunicorn.http import wsgi
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers import gthread

from leadapp import create_app, log, upkeep
from leadapp.config import ConfigurationError, load

try:
    load_dotenv()
    settings, _ = load(os.environ)
except ConfigurationError as error:
    sys.exit(str(error))
except OSError as error:
    sys.exit(f"leadapp cannot start: .env: {error.strerror}")

bind = f"{settings['HOST']}:{settings['PORT']}"
workers = 2
threads = 64  # each slow upload holds one
keepalive = 75  # longer than proxies keep a connection: who closes first may cut a request
control_socket_disable = True
forwarded_allow_ips = ""  # TRUSTED_PROXIES alone says who may name the client and the scheme

# By default gunicorn reads up to 1 MB of a body and copies the rest of it at each read of the form
# parser, which doubled the processor time of an upload and held 2 MB more for each.
SocketUnreader.max_body_chunk = 64 * 1024

# glibc gives threads heaps of their own, each of which keeps what an upload has freed; two grow half as much.
with suppress(AttributeError):  # another C library
    ctypes.CDLL(None).mallopt(-8, 2)  # M_ARENA_MAX (malloc.h)

_default_headers = wsgi.Response.default_headers


def _response_headers(response):
    """Omit the Server header, and close the connection after a 413, whose body is not read whole.

    Gunicorn has no setting for the header, and drops the application's own "Connection: close".
    """
    if response.status_code == 413:
        response.force_close()
    return [line for line in _default_headers(response) if not line.startswith("Server:")]


wsgi.Response.default_headers = _response_headers

# Where the workers count together for /metrics; prometheus_client looks when it is imported.
metrics = Path(settings["INSTANCE_PATH"] or "instance", f"metrics-{settings['PORT']}").absolute()
if settings["METRICS_TOKEN"]:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)


class Logger(glogging.Logger):
    """Gunicorn's own log, in the lines of ours."""

    def setup(self, cfg):
        """Set up as ever, and take our form of a line."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(log.formatter())

    def warning(self, msg, *args, **kwargs):
        """Log only the kind of a malformed request: gunicorn quotes it, and any secret in it."""
        if msg.startswith("Invalid request from ip="):
            msg = f"refused a malformed request: {type(sys.exception()).__name__}"
        super().warning(msg, *args, **kwargs)


logger_class = Logger

# A client may still be sending after its answer, such as a 413. If the connection closed at once,
# the client could lose the answer. So its bytes are read on, within these bounds.
LINGER_SECONDS = 3
LINGER_BYTES = 4 * 1024 * 1024


class Worker(gthread.ThreadWorker):
    """Gunicorn's threaded worker, which ends a connection in the thread that served it.

    Gunicorn itself lingers in the loop that accepts connections, and for 64 KB only: one client
    that did not close its end stopped every other client of the worker for two seconds.
    """

    def handle(self, conn):
        """Serve one request. Returns whether the connection stays open."""
        log.request_id.set(None)  # a malformed request is logged before it has an id
        stays_open = super().handle(conn)
        if not stays_open:
            _linger(conn.sock)
        return stays_open


worker_class = Worker


def _linger(connection):
    """Close our side, then read within the bounds until the client closes its side."""
    deadline = time.monotonic() + LINGER_SECONDS
    left = LINGER_BYTES
    with suppress(OSError):  # the client is gone, or too slow
        connection.shutdown(socket.SHUT_WR)
        while left > 0 and (seconds := deadline - time.monotonic()) > 0:
            connection.settimeout(seconds)
            piece = connection.recv(min(left, 64 * 1024))
            if not piece:
                break
            left -= len(piece)
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def pre_request(worker, req):
    """Send no "100 Continue" to a body that is refused for its declared length.

    Gunicorn has no setting for it. This attribute of the request is the only switch.
    """
    declared = dict(req.headers).get("CONTENT-LENGTH", "0")
    if int(declared) > worker.wsgi.config["MAX_CONTENT_LENGTH"]:
        req._expected_100_continue = False


def on_starting(server):
    """Say in one line why it cannot start, where gunicorn says it five times or with a traceback."""
    for address in filter(
        lambda bound: isinstance(bound, tuple), () if server.master_pid else server.cfg.address
    ):
        try:
            socket.create_server(address).close()
        except OSError as error:
            reason = f"port {address[1]} of {address[0]}: {error.strerror.partition(' (')[0]}"
            sys.exit(f"leadapp cannot start: {reason}; set HOST and PORT to a free one")
    # In a process of its own: what an application opens may not be shared with the workers.
    trial = multiprocessing.get_context("fork").Process(target=_start)
    trial.start()
    trial.join()
    if trial.exitcode:
        sys.exit(trial.exitcode)


def _start():
    try:
        shutil.rmtree(metrics, ignore_errors=True)
        if settings["METRICS_TOKEN"]:
            metrics.mkdir(mode=0o700, parents=True)
        create_app()
    except ConfigurationError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"leadapp cannot start: {error}")


def child_exit(_server, worker):
    """Let go of what only a living worker counts."""
    if settings["METRICS_TOKEN"]:
        importlib.import_module("prometheus_client.multiprocess").mark_process_dead(worker.pid)


def post_worker_init(worker):
    """Start this worker's deliverer."""
    gc.freeze()  # to look through all that was imported stopped every thread for 70 ms, again and again
    if settings["DELIVERY"] == "external":
        return
    worker.stopped = threading.Event()
    worker.deliverer = threading.Thread(
        target=_deliver, args=(worker.wsgi, worker.stopped), daemon=True
    )
    worker.deliverer.start()


def worker_exit(_server, worker):
    """Let the letter that is being sent be finished."""
    if hasattr(worker, "stopped"):
        worker.stopped.set()
        worker.deliverer.join(20)


def _deliver(app, stopped):
    with app.app_context():
        upkeep.keep_up(stopped)
