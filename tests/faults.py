"""Simulates failures of databases and storage for the application in this process.

No answer may contain SECRET.
"""

import os
from collections.abc import Callable
from functools import partial

import obstore
import pytest
from flask import current_app
from obstore.exceptions import GenericError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from leadapp.extensions import db
from leadapp.resumes.folder import Staging

SECRET = "db.internal.example"
Patch = pytest.MonkeyPatch


def setting(name: str, value: object) -> Callable[[Patch], None]:
    return lambda patch: patch.setitem(current_app.config, name, value)


def failing(thing: object, name: str, error: Exception) -> Callable[[Patch], None]:
    def fail(*_args: object, **_options: object) -> None:
        raise error

    return lambda patch: patch.setattr(thing, name, fail)


def no_database(patch: Patch) -> None:
    dialect = db.engine.dialect
    failing(dialect, "do_execute", dialect.loaded_dbapi.OperationalError(SECRET))(patch)


def no_connection(patch: Patch) -> None:
    failing(db.engine.pool, "connect", PoolTimeout(SECRET))(patch)


def no_folder(patch: Patch) -> None:
    folder = current_app.extensions["storage"]
    patch.setattr(folder, "staging", folder.staging / SECRET)


def full_disk(patch: Patch) -> None:
    # A link, because a staged file is deleted by name: /dev/full itself must remain.
    link = current_app.extensions["storage"].staging / "full"
    link.symlink_to("/dev/full")
    patch.setattr(Staging, "stage", staticmethod(partial(open, link, "r+b")))


def no_store(patch: Patch) -> None:
    failing(os, "rename", OSError(SECRET))(patch)
    failing(obstore, "put", GenericError(SECRET))(patch)
