"""A site with a bit of everything, its backup, and empty places to bring it back into."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from leadapp import create_app
from leadapp.extensions import db
from tests.factories import (
    EventFactory,
    LeadFactory,
    LetterFactory,
    LoginFactory,
    SubmissionFactory,
    UserFactory,
)
from tests.integration.test_upkeep import run
from tests.samples import docx
from tests.servers import PROGRAMS


@pytest.fixture(autouse=True)
def _programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{PROGRAMS}:{os.environ['PATH']}")


@pytest.fixture
def firm(app: Flask) -> Flask:
    """A site with a bit of everything."""
    lead = LeadFactory.create(reached_out=True)
    SubmissionFactory.create(lead=lead, content=docx(), filename="Lebenslauf Zoë.docx")
    LetterFactory.create(submission=lead.submissions[0])
    EventFactory.create(lead=lead)
    LoginFactory.create(user=UserFactory.create())
    LeadFactory.create(first_name="Zoë")
    return app


@pytest.fixture
def saved(firm: Flask, tmp_path: Path) -> Path:
    """A backup of that site."""
    made = run(firm, "backup", str(tmp_path / "backups" / "monday"))
    assert made.exit_code == 0, made.output
    return Path(made.stdout.strip())


@pytest.fixture
def empty_place(
    backend: str, new_stack: Callable[[str], dict[str, str]], tmp_path: Path, app: Flask
) -> Iterator[Callable[..., Flask]]:
    """A site of its own with nothing in it."""
    made: list[Flask] = []

    def make(**more: str) -> Flask:
        folder = tmp_path / f"place{len(made)}"
        settings = {
            **new_stack(backend),
            "INSTANCE_PATH": str(folder),
            "RATELIMIT_ENABLED": "false",
        }
        made.append(create_app({"TESTING": True, **settings, **more}))
        return made[-1]

    yield make
    for place in made:
        with place.app_context():
            db.engine.dispose()
