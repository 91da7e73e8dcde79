"""The rows and files of a site, and commands in another site than the test's own."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context

from click.testing import Result
from flask import Flask
from sqlalchemy import select

from leadapp.extensions import db
from leadapp.models.accounts import User
from leadapp.models.leads import Erasure, Event, Lead, Submission
from leadapp.models.letters import Letter
from leadapp.resumes.store import store

STAYS = (User, Lead, Submission, Letter, Event, Erasure)
Rows = dict[str, list[tuple[object, ...]]]


def over(place: Flask, *arguments: str) -> Result:
    """Run a command in another site than the test's own."""
    return Context().run(place.test_cli_runner().invoke, args=arguments)


@contextmanager
def inside(place: Flask) -> Iterator[None]:
    with place.app_context():
        yield
        db.session.rollback()


def rows() -> Rows:
    """Return all rows of the tables that a restore brings back, sorted."""
    found = {}
    for model in STAYS:
        table = model.__table__
        found[model.__tablename__] = sorted(
            (tuple(row) for row in db.session.execute(select(table))), key=repr
        )
    db.session.rollback()
    return found


def files() -> dict[str, str]:
    """Return the digest of each file that a row names."""
    digests = {}
    for key in db.session.scalars(select(Submission.storage_key)):
        with store.open(key) as file:
            digests[key] = hashlib.sha256(file.read()).hexdigest()
    db.session.rollback()
    return digests
