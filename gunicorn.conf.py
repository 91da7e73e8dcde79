"""Gunicorn's settings: enough threads for slow uploads, and e-mail delivery in each worker."""

import gc
import os
import socket
import sys
import threading
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from dotenv import load_dotenv
from gunicorn import glogging
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers import gthread

from leadapp import log
from leadapp.config import ConfigurationError, load
from leadapp.operations import maintenance

try:
    load_dotenv()
    settings, _ = load(os.environ)
except ConfigurationError as error:
    sys.exit(str(error))
except OSError as error:
    sys.exit(f"leadapp cannot start: .env: {error.strerror}")

bind = f"{settings['HOST']}:{settings['PORT']}"
workers = 2
threads = 64  # each slow upload occupies one
# Load the application before the workers start, so that a problem ends the start with one message.
preload_app = True
# Proxies keep idle connections for a shorter time, so the proxy closes first. If gunicorn closed
# first, it could cut off a request.
keepalive = 75
control_socket_disable = True
# Only TRUSTED_PROXIES decides which proxies may set the client's address and the scheme.
forwarded_allow_ips = ""

# By default, gunicorn reads up to 1 MB of a body at once and copies the rest of it at each read of
# the form parser. That doubled the processor time of an upload and held 2 MB more for each.
SocketUnreader.max_body_chunk = 64 * 1024

# The workers share their counts for /metrics in this folder. prometheus_client reads the variable
# when it is imported.
metrics = Path(settings["INSTANCE_PATH"] or "instance", f"metrics-{settings['PORT']}").absolute()
if settings["METRICS_TOKEN"]:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)


class Logger(glogging.Logger):
    """Gunicorn's own log, in leadapp's format."""

    def setup(self, cfg):
        """Set up gunicorn's log, and use leadapp's formatter for it."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(log.formatter())

    def warning(self, msg, *args, **kwargs):
        """Log only the error type of a malformed request.

        Gunicorn would quote the request, with any secret in it.
        """
        if msg.startswith("Invalid request from ip="):
            msg = f"refused a malformed request: {type(sys.exception()).__name__}"
        super().warning(msg, *args, **kwargs)


logger_class = Logger

# A client may still be sending after its answer, such as a 413. If the connection closed at once,
# the client could lose the answer. So the worker keeps reading, within these limits.
LINGER_SECONDS = 3
LINGER_BYTES = 4 * 1024 * 1024


class Worker(gthread.ThreadWorker):
    """Gunicorn's threaded worker, changed to end a connection in the thread that served it.

    Gunicorn itself waits for the client's end in the loop that accepts connections, and reads only
    64 KB there. One client that did not close its end blocked every other client of the worker for
    two seconds.
    """

    def handle(self, conn):
        """Serve one request. Returns whether the connection stays open."""
        # A malformed request is logged before it has an id, so clear the previous request's id.
        log.request_id.set(None)
        stays_open = super().handle(conn)
        if not stays_open:
            _linger(conn.sock)
        return stays_open


worker_class = Worker


def _linger(connection):
    """Close our side, then read within the limits until the client closes its side."""
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


def on_starting(_server):
    """Delete the counts of an earlier start, and exclude the application from garbage collection.

    Without gc.freeze(), a worker scanned all imported objects now and then, and its requests waited
    for 110 ms. With it, the longest wait was 5 ms.
    """
    for file in metrics.glob("*.db"):
        file.unlink()
    gc.freeze()


def child_exit(_server, worker):
    """Remove the metrics that count only for a living worker."""
    if settings["METRICS_TOKEN"]:
        import_module("prometheus_client.multiprocess").mark_process_dead(worker.pid)


def post_worker_init(worker):
    """Start the e-mail delivery thread of this worker, unless DELIVERY is external."""
    if settings["DELIVERY"] == "external":
        return
    worker.stopped = threading.Event()
    worker.deliverer = threading.Thread(
        target=_deliver, args=(worker.wsgi, worker.stopped), daemon=True
    )
    worker.deliverer.start()


def worker_exit(_server, worker):
    """Wait up to 20 seconds until the e-mail that is being sent is finished."""
    if hasattr(worker, "stopped"):
        worker.stopped.set()
        worker.deliverer.join(20)


def _deliver(app, stopped):
    with app.app_context():
        maintenance.run_until(stopped)
