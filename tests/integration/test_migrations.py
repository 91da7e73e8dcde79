"""Migrations upgrade, downgrade and upgrade again, with several machines at the same time."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import flask_migrate
import pytest
from sqlalchemy import inspect, select, text

from leadapp import create_app
from leadapp.clock import now
from leadapp.extensions import db
from leadapp.leads import search
from leadapp.models.leads import LeadStatus, Submission
from tests.factories import LeadFactory, SubmissionFactory
from tests.servers import ROOT

MIGRATIONS = str(ROOT / "migrations")


@pytest.fixture
def settings(backend: str, new_database: Callable[[str], str], tmp_path: Path) -> dict[str, str]:
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
        assert search.Query().counts() == {LeadStatus.REACHED_OUT: 2}
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
        known = dict(db.session.execute(select(Submission.id, Submission.idempotency_key)).all())
        assert [known[submission_id] for submission_id in sent] == [
            f"{'k' * 64}.{'a' * 64}",
            "o" * 64,
            f"form.{'c' * 64}",
            None,
        ]
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
