"""The test client, and a check for changes that its requests leave uncommitted."""

from contextvars import Context
from typing import Any

from flask import Flask, Response, has_app_context, request, request_finished
from flask.testing import FlaskClient
from sqlalchemy import Connection, event
from werkzeug.test import TestResponse

from leadapp.extensions import db

WRITES = ("INSERT", "UPDATE", "DELETE")


class Client(FlaskClient):
    """Sends each request without the context, session or `g` of the test.

    The session of the test is rolled back and expired before and after each request, so its next
    read returns the stored values.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        # Read the whole answer inside the request context, where its files are closed too.
        kwargs.setdefault("buffered", True)
        _let_go()
        response: TestResponse = Context().run(super().open, *args, **kwargs)
        _let_go()
        answers = list(response.history)
        answers.append(response)
        for answer in answers:
            # Werkzeug keeps a large body in a temporary file and never closes it.
            answer.request.environ["wsgi.input"].close()
        return response


def new_client(app: Flask) -> Client:
    """Return a browser that is not signed in. Requires an application whose client is `Client`."""
    made = app.test_client()
    assert isinstance(made, Client)
    return made


def _let_go() -> None:
    if has_app_context():
        words = "the test has changes that it did not commit"
        assert not list(db.session.new), words
        assert not list(db.session.dirty), words
        db.session.rollback()
        db.session.expire_all()


def watch_commits(app: Flask) -> list[str]:
    """Record each later request that succeeds but leaves changes uncommitted.

    Returns the growing list of requests. Requires that the engine exists.
    """
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
    if not connection.invalidated:
        connection.info.pop("wrote", None)
