"""Migrations upgrade, downgrade and upgrade again, with several machines at the same time."""

import re
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import inspect, select, text

from leadapp import create_app, tokens
from leadapp.clock import now
from leadapp.extensions import db
from leadapp.leads import detail, history, letters, search
from leadapp.models.leads import LeadStatus, Submission
from tests.factories import (
    PASSWORD,
    EventFactory,
    LeadFactory,
    SubmissionFactory,
    UserFactory,
)
from tests.servers import ROOT

MIGRATIONS = str(ROOT / "migrations")
OLD_DATABASE = Path(__file__).with_name("database_at_0003.sql")
OLD_USER = uuid.UUID("a" * 32)
OLD_LOGIN = uuid.UUID("b" * 32)
OLD_LEAD = uuid.UUID("c" * 32)


@pytest.fixture
def settings(
    backend: str,
    new_database: Callable[[str], str],
    tmp_path: Path,
) -> dict[str, str]:
    return {
        "INSTANCE_PATH": str(tmp_path),
        "DATABASE_URL": new_database(backend),
        "SECRET_KEY": "s" * 40,
    }


def test_up_down_and_up_again_leaves_no_difference(settings: dict[str, str]) -> None:
    with create_app(settings).app_context():
        flask_migrate.upgrade(directory=MIGRATIONS)
        flask_migrate.check(directory=MIGRATIONS)
        flask_migrate.downgrade(directory=MIGRATIONS, revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        flask_migrate.upgrade(directory=MIGRATIONS)
        flask_migrate.check(directory=MIGRATIONS)
        db.engine.dispose()


@pytest.mark.databases("sqlite")
def test_the_first_migration_makes_the_schema_of_the_three_that_it_replaced(
    settings: dict[str, str],
) -> None:
    with create_app(settings).app_context():
        flask_migrate.upgrade(directory=MIGRATIONS, revision="0003")
        db.engine.dispose()
    with closing(sqlite3.connect(path_of(settings))) as new:
        new_schema = schema(new)
    with closing(load(":memory:")) as old:
        old_schema = schema(old)
    assert new_schema == old_schema


@pytest.mark.databases("sqlite")
def test_a_database_of_the_three_replaced_migrations_goes_on(
    settings: dict[str, str], new_app: Callable[..., Flask]
) -> None:
    load(path_of(settings)).close()
    app = new_app(settings)
    with app.app_context():
        flask_migrate.upgrade(directory=MIGRATIONS)
        flask_migrate.check(directory=MIGRATIONS)
        assert search.Query().counts(None) == {LeadStatus.PENDING: 1}
        found = letters.letters_of(detail.read(OLD_LEAD).submissions)
        assert sorted(letter.kind for letter in found) == ["confirmation", "notice"]
        # The login from before the upgrade.
        later = now() + timedelta(hours=1)
        bearer = tokens.sign_bearer(OLD_LOGIN, OLD_USER, later)
        db.session.remove()
    client = app.test_client()
    url = app.config["BASE_URL"]
    headers = {"Authorization": f"Bearer {bearer}"}
    answer = client.get(f"/api/v1/leads/{OLD_LEAD}", base_url=url, headers=headers)
    assert answer.status_code == 200, answer.text
    lead = answer.get_json()
    assert (lead["reference"], lead["status"]) == ("LD-7K4M-92QX", "PENDING")
    assert (lead["first_name"], lead["last_name"]) == ("José", "Álvarez")
    assert [sent["filename"] for sent in lead["submissions"]] == ["cv.pdf"]
    typed = {"username": "Ana", "password": PASSWORD}
    assert client.post("/api/v1/auth/login", base_url=url, data=typed).status_code == 200


def path_of(settings: dict[str, str]) -> str:
    """Returns the path of a SQLite database."""
    return settings["DATABASE_URL"].removeprefix("sqlite:///")


def load(path: str) -> sqlite3.Connection:
    """Fills an empty SQLite database with the old one."""
    connection = sqlite3.connect(path)
    connection.executescript(OLD_DATABASE.read_text())
    return connection


def schema(connection: sqlite3.Connection) -> dict[str, str]:
    """Returns the statement of each table, index and trigger, without white space and quotes."""
    made = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {name: re.sub(r'[\s"]', "", sql) for name, sql in made}


def test_the_old_schema_counts_leads_that_were_added_before_and_after(
    settings: dict[str, str],
) -> None:
    with create_app(settings).app_context():
        flask_migrate.upgrade(directory=MIGRATIONS)
        LeadFactory.create(reached_out=True)
        for _ in range(2):
            LeadFactory.create()
        flask_migrate.downgrade(directory=MIGRATIONS, revision="0005")
        assert tallies() == {"PENDING": 2, "REACHED_OUT": 1}
        db.session.execute(text("UPDATE leads SET status = 'REACHED_OUT'"))
        assert tallies() == {"PENDING": 0, "REACHED_OUT": 3}
        db.session.execute(text("DELETE FROM leads WHERE reached_out_by IS NOT NULL"))
        assert tallies() == {"PENDING": 0, "REACHED_OUT": 2}
        db.session.commit()
        flask_migrate.upgrade(directory=MIGRATIONS)
        assert search.Query().counts(None) == {LeadStatus.REACHED_OUT: 2}
        db.session.remove()
        db.engine.dispose()


def tallies() -> dict[str, int]:
    """Returns the counts that the triggers of revision 0005 keep."""
    return dict(db.session.execute(text("SELECT status, leads FROM tallies")).all())


def test_a_sending_from_before_the_upgrade_is_still_known(settings: dict[str, str]) -> None:
    with create_app(settings).app_context():
        flask_migrate.upgrade(directory=MIGRATIONS)
        sent = [
            SubmissionFactory.create(
                idempotency_key=once, fingerprint=character * 64, created_at=at
            ).id
            for once, character, at in (
                ("k" * 64, "a", now()),
                ("o" * 64, "b", now() - timedelta(days=2)),
                (f"form.{'c' * 64}", "c", now()),
                (None, "d", now()),
            )
        ]
        flask_migrate.downgrade(directory=MIGRATIONS, revision="0003")
        flask_migrate.upgrade(directory=MIGRATIONS)
        keys = select(Submission.id, Submission.idempotency_key)
        known = dict(db.session.execute(keys).all())
        assert [known[submission_id] for submission_id in sent] == [
            f"{'k' * 64}.{'a' * 64}",
            "o" * 64,
            f"form.{'c' * 64}",
            None,
        ]
        db.session.remove()
        db.engine.dispose()


def test_a_history_stays_as_it_is(settings: dict[str, str]) -> None:
    with create_app(settings).app_context():
        flask_migrate.upgrade(directory=MIGRATIONS)
        lead = LeadFactory.create()
        user = UserFactory.create()
        for kind in ("submitted", "viewed", "viewed"):
            EventFactory.create(lead=lead, kind=kind, user_id=user.id)
        EventFactory.create(lead=None, lead_id=None, kind="exported")
        lines = history.read_latest(lead).lines
        assert [line.times for line in lines] == [1, 2, 1]
        db.session.rollback()  # a migration waits for open transactions
        flask_migrate.downgrade(directory=MIGRATIONS, revision="0006")
        flask_migrate.upgrade(directory=MIGRATIONS)
        assert history.read_latest(lead).lines == lines
        db.session.remove()
        db.engine.dispose()


def test_leads_from_before_the_upgrade_are_found_by_every_word(settings: dict[str, str]) -> None:
    with create_app(settings).app_context():
        flask_migrate.upgrade(directory=MIGRATIONS)
        lead = LeadFactory.create(first_name="Conan", last_name="O'Brien-Núñez")
        done = LeadFactory.create(first_name="小明", last_name="王", reached_out=True)
        flask_migrate.downgrade(directory=MIGRATIONS, revision="0006")
        assert "lead_words" not in inspect(db.engine).get_table_names()
        flask_migrate.upgrade(directory=MIGRATIONS)
        flask_migrate.check(directory=MIGRATIONS)
        for q, found in (("nunez", lead), ("obrien conan", lead), ("王小明", done)):
            [item] = search.search(search.Query(found.status, q)).items
            assert item.id == found.id
        db.session.remove()
        db.engine.dispose()


def test_four_machines_migrate_at_once(settings: dict[str, str]) -> None:
    command = [sys.executable, "-m", "flask", "--app", "leadapp", "db", "upgrade"]
    machines = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    told = [machine.communicate(timeout=60) for machine in machines]
    assert [machine.returncode for machine in machines] == [0] * 4, told
    with create_app(settings).app_context():
        flask_migrate.check(directory=MIGRATIONS)
        db.engine.dispose()
