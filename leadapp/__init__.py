"""leadapp: lead intake for a law firm."""

from collections.abc import Mapping
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from . import api, cli, config, extensions, log, web
from .http import errors as http_errors
from .http import request
from .resumes import store
from .web import metrics


def create_app(overrides: Mapping[str, Any] | None = None) -> Flask:
    """Create the application from environment settings; `overrides` take precedence."""
    app = Flask(__name__)
    app.request_class = request.Request
    config.init_app(app, overrides)
    log.configure(app.config["LOG_LEVEL"])
    http_errors.init_app(app)
    # The guard runs before the CSRF check of the extensions, so that a form sent after the session
    # has ended redirects to the sign-in page.
    web.init_app(app)
    extensions.init_app(app)
    store.init_app(app)
    api.init_app(app)
    metrics.init_app(app)
    cli.init_app(app)
    proxies = app.config["TRUSTED_PROXIES"]
    if proxies:
        behind_proxies = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)
        app.wsgi_app = behind_proxies  # type: ignore[method-assign]
    return app
