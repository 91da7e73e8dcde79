"""The readiness check for monitors, and the figures for Prometheus."""

import re
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.script import Script, ScriptDirectory
from flask import Flask
from sqlalchemy import text

from leadapp import create_app
from leadapp.clock import now
from leadapp.config import ConfigurationError
from leadapp.extensions import db
from leadapp.operations import doctor
from tests.clients import Client, new_client
from tests.factories import LeadFactory, LetterFactory

TOKEN = {"METRICS_TOKEN": "only for the monitor"}
BEARER = {"Authorization": "Bearer only for the monitor"}


@pytest.fixture
def _looked_at_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "READY_SECONDS", 1e-6)


@pytest.fixture
def figures(app: Flask, new_app: Callable[..., Flask]) -> Client:
    """Returns a browser for the same site, with a token set for the figures."""
    settings = dict(app.config)
    settings.update(TOKEN)
    # The default became a file URL, which the setting itself does not allow.
    settings["RATELIMIT_STORAGE_URI"] = ""
    measured = new_app(settings)
    measured.test_client_class = Client
    return new_client(measured)


def failing(client: Client) -> list[str]:
    """Returns the failing parts, and checks that the answer reveals nothing else."""
    answer = client.get("/ready")
    parts = answer.get_json()["checks"]
    failed = [name for name, word in parts.items() if word != "ok"]
    assert list(parts) == ["database", "migrations", "storage", "letters"]
    assert set(parts.values()) <= {"ok", "fail"}
    expected = (503, "not ready", "60") if failed else (200, "ready", None)
    assert (
        answer.status_code,
        answer.get_json()["status"],
        answer.headers.get("Retry-After"),
    ) == expected
    assert list(answer.get_json()) == ["status", "checks"]
    return failed


@pytest.mark.usefixtures("_looked_at_each_time")
def test_a_site_is_ready_when_all_that_a_submission_needs_works(client: Client) -> None:
    LetterFactory.create(created_at=now() - timedelta(minutes=29))
    assert failing(client) == []
    LetterFactory.create(created_at=now() - timedelta(minutes=31))
    assert failing(client) == ["letters"]


@pytest.mark.usefixtures("_looked_at_each_time")
@pytest.mark.parametrize(
    ("revision", "parts"),
    [("0000", ["migrations"]), ("9999", [])],
)
def test_a_database_behind_the_code_is_not_ready_and_one_before_it_is(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    revision: str,
    parts: list[str],
) -> None:
    known = ScriptDirectory.get_revision
    # Replaces 0000 by a known revision that is older than the code.
    older = {"0000": "0003"}

    def found(scripts: ScriptDirectory, name: str) -> Script | None:
        return known(scripts, older.get(name, name))

    monkeypatch.setattr(ScriptDirectory, "get_revision", found)
    before = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    db.session.execute(text("UPDATE alembic_version SET version_num = :name"), {"name": revision})
    db.session.commit()
    try:
        assert failing(client) == parts
    finally:
        db.session.execute(text("UPDATE alembic_version SET version_num = :name"), {"name": before})
        db.session.commit()


@pytest.mark.databases("sqlite")
@pytest.mark.usefixtures("_looked_at_each_time")
def test_a_store_that_takes_nothing_is_not_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.application.extensions["storage"], "staging", Path("/proc/nowhere"))
    assert failing(client) == ["storage"]


def test_a_stranger_who_asks_often_causes_no_work(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "READY_SECONDS", 3600 * 24 * 365)
    # The answer is kept per process, so the same test on the other database may have left one.
    doctor._readiness.cache_clear()
    looked: list[str] = []
    examine = doctor.examine

    def look(selected: Iterable[doctor.Check] = ()) -> list[doctor.Finding]:
        looked.append("once")
        return examine(selected)

    monkeypatch.setattr(doctor, "examine", look)
    answers = [client.get("/ready") for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert len(looked) == 1


def test_requests_at_once_share_one_look(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "READY_SECONDS", 3600 * 24 * 365)
    doctor._readiness.cache_clear()
    looked: list[str] = []

    def look(_selected: Iterable[doctor.Check] = ()) -> list[doctor.Finding]:
        looked.append("once")
        time.sleep(0.2)
        return []

    monkeypatch.setattr(doctor, "examine", look)
    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(doctor.readiness) for _ in range(8)]
    assert [future.result() for future in done] == [{}] * 8
    assert len(looked) == 1
    doctor._readiness.cache_clear()


@pytest.mark.databases("sqlite")
def test_figures_are_for_who_brings_the_token(client: Client, figures: Client) -> None:
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers=BEARER).status_code == 404
    for headers in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer only"},
        {"Authorization": "Basic x"},
        {"Authorization": "Foo Bearer only for the monitor"},
    ):
        refused = figures.get("/metrics", headers=headers)
        assert refused.status_code == 401
        assert "leadapp_" not in refused.text
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    for scheme in ("Bearer", "bearer"):
        headers = {"Authorization": f"{scheme} only for the monitor"}
        assert figures.get("/metrics", headers=headers).content_type.startswith("text/plain")


def test_figures_name_routes_and_nobody(figures: Client) -> None:
    lead = LeadFactory.create()
    figures.get(f"/dashboard/leads/{lead.id}")
    figures.get("/auth/login?next=/zebedee")
    for made_up in ("/zebedee", "/zebedee2"):
        figures.open(made_up, method="ZEBEDEE")
    text = figures.get("/metrics", headers=BEARER).text
    counted = dict(re.findall(r"_seconds_count\{(.*)\} ([0-9.]+)", text))
    assert counted == {
        'method="GET",route="/dashboard/leads/<uuid:lead_id>",status="303"': "1.0",
        'method="GET",route="/auth/login",status="200"': "1.0",
        'method="any",route="unknown",status="404"': "2.0",
    }
    assert not re.search(f"zebedee|{lead.id}", text)


def test_figures_tell_how_letters_stand(figures: Client) -> None:
    LetterFactory.create(created_at=now() - timedelta(minutes=10))
    LetterFactory.create(next_at=None, reason="554 Spam")
    text = figures.get("/metrics", headers=BEARER).text
    shown = dict(re.findall(r"^leadapp_letters_(\w+) ([0-9.]+)$", text, re.M))
    assert shown["waiting"] == "1.0"
    assert shown["failed"] == "1.0"
    assert 600 <= float(shown["oldest_seconds"]) < 660


def test_figures_without_their_package_are_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigurationError, match=r"pip install '\.\[metrics\]'"):
        create_app({"INSTANCE_PATH": str(tmp_path), **TOKEN})
