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
from flask import Flask

from .. import counter
from .checks import LOOPBACK, SECRET_LENGTHS, unsafe
from .setting import Setting
from .table import SETTINGS, Settings

# The settings of the current application.
settings = Settings()


class ConfigurationError(ClickException):
    """The settings do not allow a start; the message lists all problems, for the CLI too."""

    def __init__(self, problems: list[str]) -> None:
        lines = ["leadapp cannot start:"]
        lines += [f"  - {problem}" for problem in problems]
        super().__init__("\n".join(lines))


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings of an environment, or raise ConfigurationError with all problems.

    An empty variable or file counts as not set.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    unreadable: list[str] = []
    for setting in SETTINGS:
        name = setting.name
        try:
            text, sources[name] = _find(setting, environ)
            values[name] = setting.read(text)
        except OSError as error:
            unreadable.append(
                f"{name}_FILE is {error.filename!r}, which cannot be read: {error.strerror}"
            )
        except ValueError:
            shown = "wrong" if setting.secret else repr(text)
            unreadable.append(f"{name} is {shown}: it must be {setting.kind.allowed}")
    missing: list[str] = []
    if values.get("ENVIRONMENT") == "production":
        missing = _missing(sources)
    problems = [*missing, *unreadable, *unsafe(values, sources)]
    if problems:
        raise ConfigurationError(problems)
    loaded = Settings(values)
    loaded.SETTING_SOURCES = sources
    return loaded


def _find(setting: Setting[Any], environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the text of a setting and its source."""
    text = environ.get(setting.name)
    if text:
        return text, "environment"
    path = environ.get(f"{setting.name}_FILE")
    if setting.secret and path:
        text = Path(path).read_text().strip()
        if text:
            return text, path
    return setting.default, "default"


def _missing(sources: Mapping[str, str]) -> list[str]:
    problems = []
    for setting in SETTINGS:
        if setting.needed and sources.get(setting.name) == "default":
            problems.append(f"{setting.name} must be set in production: {setting.help}")
    return problems


def init_app(app: Flask, overrides: Mapping[str, Any] | None = None) -> None:
    """Load the settings into `app.config`.

    `overrides` take precedence; those that are texts are read like environment variables.
    """
    loaded = _load_with(overrides or {})
    folder = Path(loaded.INSTANCE_PATH or app.instance_path).absolute()
    app.instance_path = str(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.stat().st_uid == os.geteuid():
            # Only this user may read the database, the e-mails and the secret.
            folder.chmod(0o700)
        if not loaded.SECRET_KEY:
            file = folder / "secret_key"
            loaded.SECRET_KEY = _made_once(file, SECRET_LENGTHS[loaded.ALGORITHM])
            loaded.SETTING_SOURCES["SECRET_KEY"] = str(file)
    except OSError as error:
        problem = f"{error.filename} cannot be written: {error.strerror}"
        raise ConfigurationError([problem]) from error
    _derive(loaded, folder)
    _set_names_of_flask(loaded)
    app.config.update(loaded.values)


def _load_with(overrides: Mapping[str, Any]) -> Settings:
    environ = dict(os.environ)
    for name, value in overrides.items():
        if isinstance(value, str):
            environ[name] = value
    loaded = load(environ)
    for name, value in overrides.items():
        was_read = name in loaded.values and isinstance(value, str)
        if not was_read:
            loaded.values[name] = value
    return loaded


def _derive(settings: Settings, instance: Path) -> None:
    """Replace empty settings by their defaults, and set the values that depend on others."""
    production = settings.ENVIRONMENT == "production"
    settings.AT_HOME = not production and settings.HOST in LOOPBACK
    settings.DEBUG = settings.DEBUG and not production
    settings.INSTANCE_PATH = str(instance)
    settings.UPLOAD_DIR = str(instance / settings.UPLOAD_DIR)
    settings.BACKUP_DIR = str(instance / settings.BACKUP_DIR)
    if not settings.BASE_URL:
        settings.BASE_URL = f"http://{settings.HOST}:{settings.PORT}"
    settings.HOSTS = {urlsplit(settings.BASE_URL).hostname, settings.HOST, *LOOPBACK}
    if not settings.REGISTRATION:
        settings.REGISTRATION = "open" if settings.AT_HOME else "closed"
    if not settings.CORS_ORIGINS and not production:
        settings.CORS_ORIGINS = ["http://localhost:3000", "http://localhost:8000"]
    if not settings.RATELIMIT_STORAGE_URI:
        settings.RATELIMIT_STORAGE_URI = counter.storage_uri(instance / "limits.db")


def _set_names_of_flask(settings: Settings) -> None:
    """Set the values that Flask and its extensions read under names of their own."""
    settings.SQLALCHEMY_DATABASE_URI = settings.DATABASE_URL
    # Allows a file that is somewhat too large, so that the form can report it and keep the other
    # fields.
    settings.MAX_CONTENT_LENGTH = 5 * settings.MAX_FILE_SIZE
    settings.MAX_FORM_PARTS = 20
    https = settings.BASE_URL.startswith("https://")
    settings.SESSION_COOKIE_NAME = "__Host-session" if https else "session"
    settings.SESSION_COOKIE_SECURE = https
    settings.SESSION_COOKIE_SAMESITE = "Lax"
    settings.PERMANENT_SESSION_LIFETIME = timedelta(hours=8)
    settings.WTF_CSRF_TIME_LIMIT = None


def _made_once(path: Path, length: int) -> str:
    """Return this instance's secret of at least `length` bytes.

    The first start creates it. Processes that start at the same time use the same secret.
    """
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with open(os.open(draft, flags, 0o600), "w") as file:
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
