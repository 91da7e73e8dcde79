"""Stores resumes under keys that the application generates, never under a visitor's file name."""

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
    """Create the store that the settings name."""
    try:
        app.extensions["storage"] = make(app.config)
    except OSError as error:
        raise ConfigurationError(
            [f"{error.filename} cannot be written: {error.strerror}"]
        ) from error


def make(settings: Mapping[str, Any]) -> Any:
    """Create a Folder, or an S3 store with the same methods if STORAGE_URL is set.

    The S3 module is imported only if it is needed.
    """
    folder = Path(settings["UPLOAD_DIR"])
    if not settings["STORAGE_URL"]:
        return Folder(folder)
    s3 = import_module(".s3", __package__)
    return s3.S3(
        folder,
        *(settings[name] for name in ("STORAGE_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
    )
