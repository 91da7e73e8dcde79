"""leadapp: lead intake for a law firm."""

from collections.abc import Mapping
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from . import api, cli, config, extensions, handlers, log, metrics, storage, uploads, web


def create_app(overrides: Mapping[str, Any] | None = None) -> Flask:
    """Create the application from environment settings; `overrides` take precedence."""
    app = Flask(__name__)
    app.request_class = uploads.Request
    config.init_app(app, overrides)
    log.configure(app.config["LOG_LEVEL"])
    handlers.init_app(app)
    # The guard runs before the CSRF check of the extensions, so that a form sent after the session
    # has ended redirects to the sign-in page.
    web.init_app(app)
    extensions.init_app(app)
    storage.init_app(app)
    api.init_app(app)
    metrics.init_app(app)
    cli.init_app(app)
    if proxies := app.config["TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    return app
