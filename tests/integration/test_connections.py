"""How transactions end, and what happens to connections that the server has closed."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, delete, literal, select, text
from sqlalchemy.exc import DBAPIError

from leadapp import postgres
from leadapp.codes import Code
from leadapp.errors import Conflict
from leadapp.extensions import db
from leadapp.leads import status
from leadapp.models.leads import Lead, LeadStatus
from leadapp.models.letters import Letter
from tests.clients import Client
from tests.factories import LeadFactory, LetterFactory
from tests.integration.desk import LIST

PREPARED = text("SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql")
CLOSE_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
WRITES: dict[str, Callable[[Connection], object]] = {
    "Core": lambda connection: connection.execute(delete(Letter)),
    "text": lambda connection: connection.execute(text("DELETE FROM letters")),
    "driver": lambda connection: connection.exec_driver_sql("DELETE FROM letters"),
}


def close_connections(app: Flask) -> None:
    """Close the connections of the application at the server."""
    db.session.remove()
    outside = create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    with outside.connect() as connection:
        connection.execute(CLOSE_OTHERS)
    outside.dispose()


@pytest.mark.databases("postgres")
def test_a_page_keeps_its_statements_prepared(app: Flask, signed_in: Client) -> None:
    db.session.remove()
    db.engine.dispose()
    for _ in range(7):  # psycopg prepares a statement at its sixth use
        assert signed_in.get(LIST).status_code == 200
        assert signed_in.get(f"{LIST}leads/unknown").status_code == 404
    with db.engine.connect() as connection:
        assert (connection.scalar(PREPARED) or 0) >= 3


@pytest.mark.databases("postgres")
def test_a_failed_statement_leaves_the_connection_usable(app: Flask) -> None:
    with db.engine.connect() as connection:
        with suppress(DBAPIError):
            connection.execute(select(1 / (literal(1) - 1)))
        connection.rollback()
        assert connection.scalar(select(1)) == 1


@pytest.mark.parametrize("how", WRITES)
def test_a_rollback_undoes_each_kind_of_write(app: Flask, how: str) -> None:
    LetterFactory.create()
    with db.engine.connect() as connection:
        assert connection.scalar(select(Letter.id))
        WRITES[how](connection)
        assert not connection.scalar(select(Letter.id))
        connection.rollback()
        assert connection.scalar(select(Letter.id))


def test_an_error_undoes_the_first_half_of_a_use_case(
    bearer: dict[str, str], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise Conflict(Code.SUBMISSION_NEWER)

    lead = LeadFactory.create()
    monkeypatch.setattr(status, "record", fail)
    path = f"/api/v1/leads/{lead.id}"
    answer = client.patch(path, json={"status": "REACHED_OUT"}, headers=bearer)
    assert answer.status_code == 409
    assert db.session.scalar(select(Lead.status)) == LeadStatus.PENDING


@pytest.mark.databases("postgres")
def test_a_closed_connection_is_replaced_after_some_idle_seconds(
    app: Flask, signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert signed_in.get(LIST).status_code == 200
    close_connections(app)
    monkeypatch.setattr(postgres, "ASK_AFTER_SECONDS", 0)
    assert signed_in.get(LIST).status_code == 200


@pytest.mark.databases("postgres")
def test_a_busy_connection_is_not_asked_first(app: Flask, signed_in: Client) -> None:
    assert signed_in.get(LIST).status_code == 200
    close_connections(app)
    answers = [signed_in.get(LIST).status_code for _ in range(2)]
    assert answers == [503, 200]


@pytest.mark.databases("postgres")
def test_a_connection_closed_before_a_rollback_is_an_error_of_the_database(app: Flask) -> None:
    db.session.remove()
    db.session.scalar(select(1))
    outside = create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    with outside.connect() as connection:
        connection.execute(CLOSE_OTHERS)
    outside.dispose()
    with pytest.raises(DBAPIError):  # not psycopg's own error, which would be answered 500
        db.session.rollback()
    db.session.remove()
    assert db.session.scalar(select(1)) == 1
