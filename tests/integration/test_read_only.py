"""The doctor finds a read-only database, and commands report it in one line."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, text

from leadapp.extensions import db
from tests import samples
from tests.integration.backups.places import over
from tests.integration.test_upkeep import run

REFUSED = "(readonly database|read-only transaction)"


@pytest.fixture
def site(
    backend: str,
    new_database: Callable[[str], str],
    new_app: Callable[..., Flask],
    tmp_path: Path,
) -> Iterator[Flask]:
    """Yields a site with a database that has become read-only."""
    stack = {
        "INSTANCE_PATH": str(tmp_path),
        "DATABASE_URL": new_database(backend),
        "RATELIMIT_ENABLED": "false",
    }
    site = new_app(stack)
    assert over(site, "db", "upgrade").exit_code == 0
    with site.app_context():
        if backend == "postgres":
            with db.engine.begin() as connection:
                name = db.engine.url.database
                connection.execute(
                    text(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
                )
        db.engine.dispose()
        # File permissions would not stop root from writing.
        if backend == "sqlite":
            event.listen(
                db.engine, "connect", lambda driver, _: driver.execute("PRAGMA query_only = on")
            )
        yield site
        db.session.remove()


def test_a_database_that_reads_and_does_not_write_is_found(site: Flask) -> None:
    told = over(site, "doctor")
    assert told.exit_code == 1
    assert re.search(f"fail  database: .*{REFUSED}", told.stdout)
    assert "ok    migrations:" in told.stdout


def test_a_command_that_cannot_write_says_so_in_a_line(site: Flask) -> None:
    told = over(site, "seed-db")
    assert (told.exit_code, told.stdout) == (1, "")
    assert re.fullmatch(f"Error: The database cannot be used: .*{REFUSED}\n", told.stderr)


def test_a_submission_is_asked_to_come_again(site: Flask) -> None:
    data = {
        "first_name": "Ana",
        "last_name": "Ruiz",
        "email": "ana@example.com",
        "resume": (io.BytesIO(samples.pdf()), "cv.pdf"),
    }
    url = site.config["BASE_URL"]
    answer = site.test_client().post("/api/v1/leads", base_url=url, data=data)
    assert answer.status_code == 503
    assert answer.get_json()["code"] == "database_unavailable"
    assert answer.headers["Retry-After"]


@pytest.mark.databases("sqlite")
def test_a_lock_of_somebody_elses_is_found(app: Flask) -> None:
    lock = Path(f"{db.engine.url.database}.lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()  # root can open any file, but not a folder
    told = run(app, "doctor")
    lock.rmdir()
    assert "fail  database: IsADirectoryError" in told.stdout
