"""Where resumes lie: staged, kept and opened by a key of ours, never by a visitor's name."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from werkzeug.local import LocalProxy

from ..config import ConfigurationError
from .folder import Folder

store: Any = LocalProxy(lambda: current_app.extensions["storage"])


def init_app(app: Flask) -> None:
    """Make the store that the settings ask for."""
    try:
        app.extensions["storage"] = make(app.config)
    except OSError as error:
        raise ConfigurationError(
            [f"{error.filename} cannot be written: {error.strerror}"]
        ) from error


def make(settings: Mapping[str, Any]) -> Any:
    """Make a Folder, or the S3 of the same methods, which is imported only if it is asked for."""
    folder = Path(settings["UPLOAD_DIR"])
    if not settings["STORAGE_URL"]:
        return Folder(folder)
    s3 = import_module(".s3", __package__)
    return s3.S3(
        folder,
        *(settings[name] for name in ("STORAGE_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
    )
