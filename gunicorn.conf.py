"""Gunicorn's settings, and its hooks for e-mail delivery and metrics."""

import gc
import os
import sys
import threading
from importlib import import_module
from pathlib import Path

from dotenv import load_dotenv

from leadapp.config import ConfigurationError, load
from leadapp.operations import maintenance

try:
    load_dotenv()
    settings = load(os.environ)
except ConfigurationError as error:
    sys.exit(str(error))
except OSError as error:
    sys.exit(f"leadapp cannot start: .env: {error.strerror}")

bind = f"{settings.HOST}:{settings.PORT}"
workers = 2
threads = 64  # in each of a worker's two queues; each slow upload occupies one
worker_class = "leadapp.http.worker.Worker"
logger_class = "leadapp.http.worker.Logger"
# Load the application before the workers start, so that a problem ends the start with one message.
preload_app = True
# Proxies keep idle connections for a shorter time, so the proxy closes first. If gunicorn closed
# first, it could cut off a request.
keepalive = 75
control_socket_disable = True
# Only TRUSTED_PROXIES decides which proxies may set the client's address and the scheme.
forwarded_allow_ips = ""

# The workers share their counts for /metrics in this folder.
metrics = Path(settings.INSTANCE_PATH or "instance", f"metrics-{settings.PORT}").absolute()
if settings.METRICS_TOKEN:
    # prometheus_client reads this variable when it is imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)


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
    if settings.METRICS_TOKEN:
        import_module("prometheus_client.multiprocess").mark_process_dead(worker.pid)


def post_worker_init(worker):
    """Start the e-mail delivery thread of this worker, unless DELIVERY is external."""
    if settings.DELIVERY == "external":
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
