"""A site with a bit of everything, its backup, and empty sites to restore it into."""

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from flask import Flask

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
    backend: str,
    new_stack: Callable[[str], dict[str, str]],
    new_app: Callable[..., Flask],
    tmp_path: Path,
    app: Flask,
) -> Callable[..., Flask]:
    """`empty_place(**settings)` makes a new empty site."""
    numbers = count()

    def make(**more: str) -> Flask:
        settings: dict[str, object] = {"TESTING": True}
        settings.update(new_stack(backend))
        settings["INSTANCE_PATH"] = str(tmp_path / f"place{next(numbers)}")
        settings["RATELIMIT_ENABLED"] = "false"
        settings.update(more)
        return new_app(settings)

    return make
