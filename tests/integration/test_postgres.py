"""A database with other defaults works; without migrations the answer is 503."""

import io
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from leadapp import tokens
from leadapp.accounts import users
from leadapp.clock import now
from leadapp.codes import Code
from leadapp.extensions import db
from tests import samples
from tests.clients import Client
from tests.integration.backups.places import over

GOOD = {"first_name": "José 😀", "last_name": "Ruiz", "email": "ana@example.com"}
DEFAULTS = {"DateStyle": "German, DMY", "client_encoding": "LATIN1", "TimeZone": "Asia/Kolkata"}


@pytest.fixture
def new_site(
    backend: str,
    new_database: Callable[[str], str],
    new_app: Callable[..., Flask],
    tmp_path: Path,
) -> Flask:
    """Returns a site with a database that was not migrated."""
    settings = {
        "INSTANCE_PATH": str(tmp_path),
        "DATABASE_URL": new_database(backend),
        "RATELIMIT_ENABLED": "false",
    }
    return new_app(settings)


def upload(**more: str) -> dict[str, object]:
    """Returns the fields of a submission, with its file."""
    fields: dict[str, object] = dict(GOOD)
    fields["resume"] = (io.BytesIO(samples.pdf()), "cv.pdf")
    fields.update(more)
    return fields


@pytest.mark.databases("postgres")
@pytest.mark.parametrize("setting", DEFAULTS)
def test_the_defaults_of_a_database_do_not_matter(new_site: Flask, setting: str) -> None:
    assert over(new_site, "db", "upgrade").exit_code == 0
    with new_site.app_context():
        name, value = db.engine.url.database, DEFAULTS[setting]
        with db.engine.begin() as connection:
            connection.execute(text(f"ALTER DATABASE {name} SET {setting} = '{value}'"))
        db.engine.dispose()
    client = new_site.test_client()
    url = new_site.config["BASE_URL"]
    answer = client.post("/api/v1/leads", base_url=url, data=upload())
    assert answer.status_code == 201
    listed = over(new_site, "lead", "list")
    assert listed.exit_code == 0, listed.stderr
    assert GOOD["first_name"] in listed.stdout


@pytest.mark.parametrize(
    "door",
    [
        "POST /",
        "POST /api/v1/leads",
        "GET /auth/login",
        "GET /receipt/<token>",
        "GET /api/v1/leads",
        "GET /dashboard/",
    ],
)
def test_a_database_that_was_not_migrated_is_a_503(new_site: Flask, door: str) -> None:
    client = new_site.test_client()
    url = new_site.config["BASE_URL"]
    method, path = door.split()
    with new_site.test_request_context(base_url=url):
        receipt = tokens.sign_page("receipt", uuid.uuid4())
        later = now() + timedelta(hours=1)
        bearer = tokens.sign_bearer(uuid.uuid4(), uuid.uuid4(), later)
        form_id = tokens.sign_form_id()
    with client.session_transaction(base_url=url) as session:
        session["_user_id"] = str(uuid.uuid4())
    data = None
    if method == "POST":
        data = upload(form_id=form_id)
    answer = client.open(
        path.replace("<token>", receipt),
        method=method,
        base_url=url,
        data=data,
        headers={"Authorization": f"Bearer {bearer}"},
    )
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    assert Code.DATABASE_UNAVAILABLE.words in answer.text


@pytest.mark.databases("postgres")
def test_without_a_pooler_statements_are_prepared(app: Flask) -> None:
    driver = db.session.connection().connection.driver_connection
    assert driver is not None
    assert driver.prepare_threshold == 5
    assert over(app, "doctor").stdout.count("ok    database: postgresql\n") == 1


@pytest.mark.databases("postgres")
def test_a_statement_that_is_wrong_is_a_fault_of_ours(
    app: Flask, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    wrong = text("SELEKT")
    monkeypatch.setattr(users, "no_users_exist", lambda: db.session.execute(wrong))
    assert client.get("/auth/login").status_code == 500
