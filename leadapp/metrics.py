"""What Prometheus reads if METRICS_TOKEN is set: how long answers take, by route rule, and how letters stand."""

import hmac
import os
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, g, request

from . import letters
from .config import ConfigurationError, current
from .errors import NotSignedIn

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def show() -> Response:
    """Show the figures of all workers to whoever brings METRICS_TOKEN."""
    if not current["METRICS_TOKEN"]:
        abort(404)
    token = request.headers.get("Authorization", "").partition("Bearer ")[2]
    if not hmac.compare_digest(token.encode(), current["METRICS_TOKEN"].encode()):
        raise NotSignedIn("token_invalid" if token else "not_signed_in")
    prometheus, registry = current_app.extensions["metrics"]
    return Response(
        prometheus.generate_latest(registry), content_type=prometheus.CONTENT_TYPE_LATEST
    )


def init_app(app: Flask) -> None:
    """Measure every request, if there is a token to read that with."""
    app.register_blueprint(bp)
    if not app.config["METRICS_TOKEN"]:
        return
    try:
        prometheus: Any = import_module("prometheus_client")
    except ModuleNotFoundError as error:
        problem = "METRICS_TOKEN needs a package more: pip install '.[metrics]'"
        raise ConfigurationError([problem]) from error
    registry = prometheus.CollectorRegistry()
    registry.register(_Letters())
    # gunicorn.conf.py sets it: the workers write where each can read all.
    shared = "PROMETHEUS_MULTIPROC_DIR" in os.environ
    if shared:
        import_module("prometheus_client.multiprocess").MultiProcessCollector(registry)
    seconds = prometheus.Histogram(
        "leadapp_request_duration_seconds",
        "Time until an answer begins.",
        ("method", "route", "status"),
        registry=None if shared else registry,
    )
    app.extensions["metrics"] = prometheus, registry

    @app.after_request
    def measure(response: Response) -> Response:
        # A stranger can make up any number of methods and addresses, but not of those that we know.
        route = (request.method, request.url_rule.rule) if request.url_rule else ("any", "unknown")
        seconds.labels(*route, response.status_code).observe(time.perf_counter() - g.started)
        return response


class _Letters:
    """How the letters stand at the moment of reading."""

    def collect(self) -> Iterator[Any]:
        gauge = import_module("prometheus_client.core").GaugeMetricFamily
        standing = letters.standing()
        oldest = standing.oldest_waiting.total_seconds() if standing.oldest_waiting else 0
        yield gauge("leadapp_letters_waiting", "Letters that wait.", standing.waiting)
        yield gauge("leadapp_letters_failed", "Letters that have failed.", standing.failed)
        yield gauge(
            "leadapp_letters_oldest_seconds", "Age of the oldest letter that waits.", oldest
        )
