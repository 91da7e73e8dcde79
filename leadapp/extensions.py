"""The Flask extensions; create_app binds them to the application."""

import logging
from pathlib import Path

from flask import Flask, request
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_mail import Mail
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import MetaData

from . import postgres, sqlite
from .log import logger
from .network import network_key

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
# The two endpoints where anyone can submit a lead.
SUBMIT_ENDPOINTS = {"public.submit_lead", "api.leads.submit_lead"}
# The endpoints with a limit on requests from one network.
LIMITED = {
    "public.submit_lead",
    "api.leads.submit_lead",
    "auth.forgot",
    "api.auth.register",
}


def _client_network() -> str:
    return network_key("limit", request.remote_addr or "")


def _has_no_limit() -> bool:
    return request.method != "POST" or request.endpoint not in LIMITED


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno == logging.WARNING


db = SQLAlchemy(
    metadata=MetaData(naming_convention=NAMING), session_options={"expire_on_commit": False}
)
migrate = Migrate()
login_manager = LoginManager()
csrf = CSRFProtect()
mail = Mail()
limiter = Limiter(
    _client_network,
    application_limits=["60 per minute", "600 per day"],
    application_limits_exempt_when=_has_no_limit,
    # If the storage fails, count in memory, so that no one is turned away.
    in_memory_fallback_enabled=True,
    # Two requests may find Redis gone at the same moment. Accept both.
    swallow_errors=True,
    storage_options={"socket_timeout": 1, "socket_connect_timeout": 1},
)
limiter.logger = logger.getChild("limits")
# Log only the warning "storage unreachable", which is written once. Other messages contain
# client addresses.
limiter.logger.addFilter(_is_warning)


def init_app(app: Flask) -> None:
    """Bind every extension to the application."""
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        options = sqlite.engine_options()
    else:
        options = postgres.engine_options()
    # In a burst of submissions, a request may wait for its turn for several seconds.
    options["pool_timeout"] = 15
    # The values of a failed statement may be personal data, which must not be logged.
    options["hide_parameters"] = True
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    migrations = Path(app.root_path).parent / "migrations"
    migrate.init_app(app, db, directory=str(migrations))
    login_manager.init_app(app)
    limiter.init_app(app)  # before csrf, which reads the whole body
    csrf.init_app(app)
    mail.init_app(app)
