"""Gunicorn's settings, and its hooks for e-mail delivery and metrics."""

import gc
import os
import signal
import sys
from importlib import import_module
from pathlib import Path

from dotenv import load_dotenv

from leadapp.config import ConfigurationError, load

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


def on_starting(server):
    """Add the deliverer, delete the counts of an earlier start, and speed up garbage collection.

    Without gc.freeze(), a worker sometimes scans all imported objects, and its requests wait for up
    to 110 ms. With it, the longest wait is 5 ms.
    """
    add_deliverer(server)
    for file in metrics.glob("*.db"):
        file.unlink()
    gc.freeze()


def add_deliverer(server):
    """Add one worker, which delivers the e-mails, unless DELIVERY is external."""
    server.deliverer = None
    if settings.DELIVERY == "worker":
        server.cfg.set("workers", server.cfg.workers + 1)
        server.num_workers = server.cfg.workers


# A reload (SIGHUP) reads this file again, and replaces all workers.
on_reload = add_deliverer


def nworkers_changed(server, new_value, _old_value):
    """Keep one worker beside the one that delivers, also after repeated SIGTTOU."""
    if settings.DELIVERY == "worker" and new_value < 2:
        server.num_workers = 2


def pre_fork(server, worker):
    """Choose this worker to deliver the e-mails, if no running worker does."""
    if settings.DELIVERY == "worker" and server.deliverer not in server.WORKERS.values():
        server.deliverer = worker
    worker.delivers = worker is server.deliverer


def child_exit(server, worker):
    """Remove the metrics that count only for a living worker, and replace a lost deliverer."""
    if settings.METRICS_TOKEN:
        import_module("prometheus_client.multiprocess").mark_process_dead(worker.pid)
    if worker is server.deliverer and len(server.WORKERS) >= server.num_workers:
        # SIGTTOU lowers the number of workers, and has ended the deliverer. Gunicorn starts a new
        # worker only when one is missing. So end a web worker; the new one delivers.
        server.kill_worker(min(server.WORKERS), signal.SIGTERM)
