"""How gunicorn serves leadapp: threads enough for slow uploads, and a deliverer of letters in each worker."""

import os
import sys
import threading

from dotenv import load_dotenv

from leadapp import upkeep
from leadapp.config import ConfigurationError, load

load_dotenv()
try:
    settings, _ = load(os.environ)
except ConfigurationError as error:
    sys.exit(str(error))

bind = f"{settings['HOST']}:{settings['PORT']}"
worker_class = "gthread"
workers = 2
threads = 64  # each slow upload holds one
keepalive = 75  # longer than proxies keep a connection: who closes first may cut a request
control_socket_disable = True


def post_worker_init(worker):
    """Start this worker's deliverer."""
    if settings["DELIVERY"] == "external":
        return
    worker.stopped = threading.Event()
    worker.deliverer = threading.Thread(target=_deliver, args=(worker.wsgi, worker.stopped), daemon=True)
    worker.deliverer.start()


def worker_exit(_server, worker):
    """Let the letter that is being sent be finished."""
    if hasattr(worker, "stopped"):
        worker.stopped.set()
        worker.deliverer.join(20)


def _deliver(app, stopped):
    with app.app_context():
        upkeep.keep_up(stopped)
