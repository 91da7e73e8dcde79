"""The test client, and the watch over what its requests leave behind."""

from contextvars import Context
from typing import Any

from flask import Flask, Response, has_app_context, request, request_finished
from flask.testing import FlaskClient
from sqlalchemy import Connection, event
from werkzeug.test import TestResponse

from leadapp.extensions import db

WRITES = ("INSERT", "UPDATE", "DELETE")


class Client(FlaskClient):
    """Sends each request as a stranger to the test: no context, session or `g` of the test reaches it.

    The test's own session lets go of everything before and after, so that what it reads next is what was stored.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        # Read the whole answer inside, where its files are closed too.
        kwargs.setdefault("buffered", True)
        _let_go()
        response: TestResponse = Context().run(super().open, *args, **kwargs)
        _let_go()
        for answer in (*response.history, response):
            # Werkzeug leaves a large body in a temporary file that nobody closes.
            answer.request.environ["wsgi.input"].close()
        return response


def _let_go() -> None:
    if has_app_context():
        assert not [*db.session.new, *db.session.dirty], (
            "the test has changes that it did not commit"
        )
        db.session.rollback()
        db.session.expire_all()


def watch_commits(app: Flask) -> list[str]:
    """List, from now on, each request that answered well and left changes uncommitted; the engine must exist."""
    left: list[str] = []

    def look(sender: Flask, response: Response, **extra: object) -> None:
        if response.status_code < 400 and _uncommitted():
            left.append(f"{request.method} {request.path}")

    request_finished.connect(look, app, weak=False)
    event.listen(db.engine, "before_cursor_execute", _note_write)
    event.listen(db.engine, "commit", _forget_write)
    event.listen(db.engine, "rollback", _forget_write)
    return left


def _uncommitted() -> bool:
    session = db.session()
    if session.new or session.dirty or session.deleted:
        return True
    return session.in_transaction() and "wrote" in session.connection().info


def _note_write(connection: Connection, cursor: Any, statement: str, *rest: Any) -> None:
    if statement.lstrip().upper().startswith(WRITES):
        connection.info["wrote"] = True


def _forget_write(connection: Connection) -> None:
    connection.info.pop("wrote", None)
