"""Prometheus metrics, if METRICS_TOKEN is set.

They are the response times by route rule, and the state of the e-mail queue.
"""

import hmac
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, g, request

from ..codes import Code
from ..config import ConfigurationError, settings
from ..errors import NotSignedIn
from ..http.headers import bearer_token
from ..http.marks import public
from ..mail import queue

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
@public
def show() -> Response:
    """Return the metrics of all workers; requires METRICS_TOKEN as a bearer token."""
    if not settings.METRICS_TOKEN:
        abort(404)
    token = bearer_token()
    if token is None:
        raise NotSignedIn(Code.NOT_SIGNED_IN)
    if not hmac.compare_digest(token.encode(), settings.METRICS_TOKEN.encode()):
        raise NotSignedIn(Code.TOKEN_INVALID)
    prometheus, registry = current_app.extensions["metrics"]
    text = prometheus.generate_latest(registry)
    return Response(text, content_type=prometheus.CONTENT_TYPE_LATEST)


def init_app(app: Flask) -> None:
    """Register the metrics page, and measure every request if METRICS_TOKEN is set."""
    app.register_blueprint(bp)
    if not app.config["METRICS_TOKEN"]:
        return
    try:
        # `Any`: prometheus_client is an optional package.
        prometheus: Any = import_module("prometheus_client")
    except ModuleNotFoundError as error:
        problem = "METRICS_TOKEN needs another package: pip install '.[metrics]'"
        raise ConfigurationError([problem]) from error
    registry = prometheus.CollectorRegistry()
    app.extensions["metrics"] = (prometheus, registry)
    registry.register(_Letters())
    _measure_requests(app, prometheus, registry)


def _measure_requests(app: Flask, prometheus: Any, registry: Any) -> None:
    seconds = prometheus.Histogram(
        "leadapp_request_duration_seconds",
        "Time until a response begins.",
        ("method", "route", "status"),
        registry=_registry_of_counts(registry),
    )

    @app.after_request
    def measure(response: Response) -> Response:
        method, route = _method_and_route()
        series = seconds.labels(method, route, response.status_code)
        series.observe(time.perf_counter() - g.started)
        return response


def _registry_of_counts(registry: Any) -> Any:
    """Return where this process counts: the registry, or None if all workers share their counts."""
    # gunicorn.conf.py sets this variable: a directory where each worker can read all metrics.
    shared = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not shared:
        return registry
    Path(shared).mkdir(mode=0o700, parents=True, exist_ok=True)
    import_module("prometheus_client.multiprocess").MultiProcessCollector(registry)
    return None


def _method_and_route() -> tuple[str, str]:
    # A client can invent any number of methods and URLs. Only known routes become labels, so the
    # number of time series stays bounded.
    if request.url_rule is None:
        return "any", "unknown"
    return request.method, request.url_rule.rule


class _Letters:
    """Collects the state of the e-mail queue at each scrape."""

    def collect(self) -> Iterator[Any]:
        gauge = import_module("prometheus_client.core").GaugeMetricFamily
        state = queue.read_state()
        oldest = state.oldest_waiting or timedelta()
        yield gauge("leadapp_letters_waiting", "E-mails that wait.", state.waiting)
        yield gauge("leadapp_letters_failed", "E-mails that have failed.", state.failed)
        yield gauge(
            "leadapp_letters_oldest_seconds",
            "Age of the oldest e-mail that waits.",
            oldest.total_seconds(),
        )
