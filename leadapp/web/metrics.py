"""Prometheus metrics, if METRICS_TOKEN is set.

They are the response times by route rule, and the state of the e-mail queue.
"""

import hmac
import os
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, g, request

from ..codes import Code
from ..config import ConfigurationError, settings
from ..errors import NotSignedIn
from ..mail import queue

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def show() -> Response:
    """Return the metrics of all workers; requires METRICS_TOKEN as a bearer token."""
    if not settings["METRICS_TOKEN"]:
        abort(404)
    token = request.headers.get("Authorization", "").partition("Bearer ")[2]
    if not hmac.compare_digest(token.encode(), settings["METRICS_TOKEN"].encode()):
        raise NotSignedIn(Code.TOKEN_INVALID if token else Code.NOT_SIGNED_IN)
    prometheus, registry = current_app.extensions["metrics"]
    return Response(
        prometheus.generate_latest(registry), content_type=prometheus.CONTENT_TYPE_LATEST
    )


def init_app(app: Flask) -> None:
    """Register the metrics page, and measure every request if METRICS_TOKEN is set."""
    app.register_blueprint(bp)
    if not app.config["METRICS_TOKEN"]:
        return
    try:
        prometheus: Any = import_module("prometheus_client")
    except ModuleNotFoundError as error:
        problem = "METRICS_TOKEN needs a package more: pip install '.[metrics]'"
        raise ConfigurationError([problem]) from error
    registry = prometheus.CollectorRegistry()
    app.extensions["metrics"] = prometheus, registry
    registry.register(_Letters())
    _measure_requests(app, prometheus, registry)


def _measure_requests(app: Flask, prometheus: Any, registry: Any) -> None:
    # gunicorn.conf.py sets this variable: a directory where each worker can read all metrics.
    shared = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if shared:
        Path(shared).mkdir(mode=0o700, parents=True, exist_ok=True)
        import_module("prometheus_client.multiprocess").MultiProcessCollector(registry)
    seconds = prometheus.Histogram(
        "leadapp_request_duration_seconds",
        "Time until an answer begins.",
        ("method", "route", "status"),
        registry=None if shared else registry,
    )

    @app.after_request
    def measure(response: Response) -> Response:
        # A client can invent any number of methods and URLs. Only known routes become labels, so
        # the number of time series stays bounded.
        route = (request.method, request.url_rule.rule) if request.url_rule else ("any", "unknown")
        seconds.labels(*route, response.status_code).observe(time.perf_counter() - g.started)
        return response


class _Letters:
    """Collects the state of the e-mail queue at each scrape."""

    def collect(self) -> Iterator[Any]:
        gauge = import_module("prometheus_client.core").GaugeMetricFamily
        standing = queue.read_state()
        oldest = standing.oldest_waiting.total_seconds() if standing.oldest_waiting else 0
        yield gauge("leadapp_letters_waiting", "Letters that wait.", standing.waiting)
        yield gauge("leadapp_letters_failed", "Letters that have failed.", standing.failed)
        yield gauge(
            "leadapp_letters_oldest_seconds", "Age of the oldest letter that waits.", oldest
        )
