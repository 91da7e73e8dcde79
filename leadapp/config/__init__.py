"""The current settings, read from the environment; unsafe settings prevent the start."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from click import ClickException
from flask import Flask, current_app
from werkzeug.local import LocalProxy

from .. import counter
from .checks import LOOPBACK, SECRET_LENGTHS, unsafe
from .kinds import SETTINGS, Setting

settings: Any = LocalProxy(lambda: current_app.config)


class ConfigurationError(ClickException):
    """The settings do not allow a start; the message lists all problems, for the CLI too."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(
            "leadapp cannot start:\n" + "\n".join(f"  - {problem}" for problem in problems)
        )


def read(environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Return the values of all settings, the source of each, and the problems found.

    An empty variable or file counts as not set.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    problems: list[str] = []
    for setting in SETTINGS:
        try:
            text, sources[setting.name] = _text(setting, environ)
            # Raises for bytes that were not UTF-8, because no page or e-mail can contain them.
            text.encode()
            values[setting.name] = setting.kind.read(text)
        except OSError as error:
            problems.append(
                f"{setting.name}_FILE is {error.filename!r}, which cannot be read: {error.strerror}"
            )
        except (ValueError, KeyError):
            shown = "wrong" if setting.secret else repr(text)
            problems.append(f"{setting.name} is {shown}: it must be {setting.kind.allowed}")
    return values, sources, problems


def _text(setting: Setting, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the text of a setting and its source."""
    if environ.get(setting.name):
        return environ[setting.name], "environment"
    path = environ.get(f"{setting.name}_FILE")
    if setting.secret and path and (text := Path(path).read_text().strip()):
        return text, path
    return setting.default, "default"


def load(environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values of all settings and the source of each, or raise ConfigurationError."""
    values, sources, problems = read(environ)
    problems = [*_missing(values, sources), *problems, *unsafe(values, sources)]
    if problems:
        raise ConfigurationError(problems)
    return values, sources


def init_app(app: Flask, overrides: Mapping[str, Any] | None = None) -> None:
    """Load the settings into `app.config`.

    `overrides` take precedence; those that are texts are read like environment variables.
    """
    overrides = overrides or {}
    texts = {name: value for name, value in overrides.items() if isinstance(value, str)}
    values, sources = load({**os.environ, **texts})
    values |= {
        name: value for name, value in overrides.items() if name not in values or name not in texts
    }
    folder = Path(values["INSTANCE_PATH"] or app.instance_path).absolute()
    app.instance_path = str(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid == os.geteuid():
            # Only this user may read the database, the e-mails and the secret.
            folder.chmod(0o700)
        if not values["SECRET_KEY"]:
            file = folder / "secret_key"
            values["SECRET_KEY"] = _made_once(file, SECRET_LENGTHS[values["ALGORITHM"]])
            sources["SECRET_KEY"] = str(file)
        app.config.update(_completed(values, folder), SETTING_SOURCES=sources)
    except OSError as error:
        raise ConfigurationError(
            [f"{error.filename} cannot be written: {error.strerror}"]
        ) from error


def _missing(values: dict[str, Any], sources: dict[str, str]) -> list[str]:
    return [
        f"{setting.name} must be set in production: {setting.help}"
        for setting in SETTINGS
        if values.get("ENVIRONMENT") == "production"
        and setting.needed
        and sources.get(setting.name) == "default"
    ]


def _completed(values: dict[str, Any], instance: Path) -> dict[str, Any]:
    """Add the derived settings, and the names that Flask and its extensions use."""
    production = values["ENVIRONMENT"] == "production"
    base_url = values["BASE_URL"] or f"http://{values['HOST']}:{values['PORT']}"
    https = base_url.startswith("https://")
    at_home = not production and values["HOST"] in LOOPBACK
    return values | {
        "INSTANCE_PATH": str(instance),
        "BASE_URL": base_url,
        # Requests for any other host name are rejected.
        "HOSTS": {urlsplit(base_url).hostname, values["HOST"], *LOOPBACK},
        "DEBUG": values["DEBUG"] and not production,
        "AT_HOME": at_home,
        "UPLOAD_DIR": str(instance / values["UPLOAD_DIR"]),
        "BACKUP_DIR": str(instance / values["BACKUP_DIR"]),
        "REGISTRATION": values["REGISTRATION"] or ("open" if at_home else "closed"),
        "CORS_ORIGINS": values["CORS_ORIGINS"]
        or ([] if production else ["http://localhost:3000", "http://localhost:8000"]),
        "RATELIMIT_STORAGE_URI": values["RATELIMIT_STORAGE_URI"]
        or counter.storage_uri(instance / "limits.db"),
        "SQLALCHEMY_DATABASE_URI": values["DATABASE_URL"],
        # Allows a file that is somewhat too large, so that the form can report it and keep the
        # other fields.
        "MAX_CONTENT_LENGTH": 5 * values["MAX_FILE_SIZE"],
        "MAX_FORM_PARTS": 20,
        "SESSION_COOKIE_NAME": "__Host-session" if https else "session",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=8),
        "WTF_CSRF_TIME_LIMIT": None,
    }


def _made_once(path: Path, length: int) -> str:
    """Return this instance's secret of at least `length` bytes.

    The first start creates it. Processes that start at the same time use the same secret.
    """
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        # If another process was first, use its secret.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    secret = path.read_text()
    if len(secret.encode()) < length:
        problem = f"{path} has no secret of at least {length} characters"
        raise ConfigurationError([f"{problem}: delete it, and the next start creates a new one"])
    return secret
