"""Commands report errors that an operator can fix in one line, without a traceback."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import FlaskGroup

from leadapp import log, sqlite

NOWHERE = "/proc/nowhere"  # even root cannot create this folder


@pytest.fixture
def flask(
    tmp_path: Path, new_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Result]]:
    """`flask("sweep", UPLOAD_DIR=...)` runs a command as a shell would, without a database."""
    monkeypatch.setattr(log.logger, "handlers", [])
    monkeypatch.setattr(sqlite, "SQLITE_WAITS", 0.1)
    settings = {
        "INSTANCE_PATH": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'leads.db'}",
    }
    # All applications of a process share one limiter.
    settings["RATELIMIT_ENABLED"] = "false"

    def run(*arguments: str, **more: str) -> Result:
        return CliRunner().invoke(
            FlaskGroup(create_app=lambda: new_app(settings | more)), arguments
        )

    yield run
    for name in log.OTHERS:
        logging.getLogger(name).handlers.clear()


@pytest.mark.parametrize("setting", ["INSTANCE_PATH", "UPLOAD_DIR"])
def test_a_folder_that_cannot_be_written_is_told(
    flask: Callable[..., Result], setting: str
) -> None:
    told = flask("sweep", **{setting: NOWHERE})
    assert told.exit_code == 1
    assert f"{NOWHERE} cannot be written: No such file" in told.stderr.replace("/staging", "")
    assert len(told.stderr.splitlines()) == 2


def test_all_that_is_wrong_with_the_settings_is_told(flask: Callable[..., Result]) -> None:
    told = flask("doctor", PORT="many", TIMEZONE="Mars")
    assert told.exit_code == 1
    assert "PORT is 'many': it must be a whole number from 1 to 65535" in told.stderr
    assert "TIMEZONE is 'Mars'" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_locked_database_is_told(flask: Callable[..., Result], tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "leads.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        migrating, counting = flask("db", "upgrade"), flask("mail", "status")
        other.rollback()
    for told in (migrating, counting):
        assert told.exit_code == 1
        assert "atabase cannot be used: database is locked" in told.stderr
        assert "Traceback" not in told.stderr


def test_a_database_that_cannot_be_opened_is_told(flask: Callable[..., Result]) -> None:
    for command in (("db", "upgrade"), ("mail", "status")):
        told = flask(*command, DATABASE_URL=f"sqlite:///{NOWHERE}/leads.db")
        assert told.exit_code == 1
        assert "atabase cannot be used: unable to open database file" in told.stderr
        assert "Traceback" not in told.stderr
        assert "If the database is new" not in told.stderr


def test_a_file_that_is_no_database_is_told(flask: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "leads.db").write_text("Reference,First name\n" * 100)
    for command in (("db", "upgrade"), ("lead", "list")):
        told = flask(*command)
        assert told.exit_code == 1
        assert len(told.stderr.splitlines()) == 1
        assert "atabase cannot be used: file is not a database" in told.stderr
