"""`flask doctor` finds planted faults and names the remedy of each."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from flask import Flask
from limits.storage import MemoryStorage, RedisStorage
from werkzeug.serving import make_server

from leadapp.clock import now
from leadapp.extensions import limiter
from leadapp.operations.doctor import CHECKS
from tests.factories import LeadFactory, LetterFactory
from tests.integration.test_upkeep import run
from tests.servers import MailServer


@dataclass
class Site:
    """A site in which a fault is planted."""

    app: Flask
    mailbox: MailServer
    patch: pytest.MonkeyPatch

    def configure(self, name: str, value: object) -> None:
        self.patch.setitem(self.app.config, name, value)


Plant = Callable[[Site], None]
FAULTS: list[tuple[str, str, str, Plant]] = []
REMEDIES = {check.name: check.remedy for check in CHECKS}


def fault(check: str, state: str, words: str) -> Callable[[Plant], Plant]:
    """Register a fault with the check, state and words that must be reported."""

    def register(plant: Plant) -> Plant:
        FAULTS.append((check, state, words, plant))
        return plant

    return register


@fault("configuration", "warn", "development settings, but other machines can reach 192.0.2.1")
def _development_for_all(site: Site) -> None:
    site.configure("HOST", "192.0.2.1")


@fault("secret", "fail", "other users of this machine can read")
def _open_secret(site: Site) -> None:
    Path(site.app.instance_path, "secret_key").touch(0o644)


@fault("storage", "fail", "FileNotFoundError: [Errno 2] No such file or directory: '")
def _no_storage(site: Site) -> None:
    site.patch.setattr(site.app.extensions["storage"], "staging", Path("/proc/nowhere"))


@fault("mail", "fail", "The mail server cannot be reached: Connection refused")
def _no_mail_server(site: Site) -> None:
    site.mailbox.stop()


@fault("mail", "fail", "535")
def _wrong_mail_password(site: Site) -> None:
    site.mailbox.accounts = {"leadapp": "another"}
    site.configure("SMTP_USERNAME", "leadapp")
    site.configure("SMTP_PASSWORD", "changed long ago")


@fault("mail", "fail", "550 5.7.1 Not by this name")
def _refused_greeting(site: Site) -> None:
    site.mailbox.replies["EHLO"] = "550 5.7.1 Not by this name"


@fault("mail", "fail", "553 5.7.1 Not your address")
def _refused_sender(site: Site) -> None:
    site.mailbox.replies["MAIL"] = "553 5.7.1 Not your address"


@fault("mail", "fail", "502 5.5.1 Unknown here")
def _refused_reset(site: Site) -> None:
    site.mailbox.replies["RSET"] = "502 5.5.1 Unknown here"


@fault("mail", "fail", "label empty")
def _mail_host_with_an_empty_label(site: Site) -> None:
    site.configure("SMTP_HOST", "smtp..example.com")


@fault("letters", "fail", "1 waiting, the oldest for 45 min")
def _no_deliverer(site: Site) -> None:
    LetterFactory.create(created_at=now() - timedelta(minutes=45))


@fault("letters", "warn", "1 failed")
def _failed_letter(site: Site) -> None:
    LetterFactory.create(next_at=None)


@fault("limits", "warn", "the shared counters cannot be reached")
def _no_redis(site: Site) -> None:
    site.patch.setattr(limiter, "_storage", RedisStorage("redis://127.0.0.1:1"))


@fault("clock", "fail", "which is in the future")
def _clock_set_back(site: Site) -> None:
    LeadFactory.create(created_at=now() + timedelta(hours=1))


@fault("address", "fail", "needs a proxy, but none is trusted")
def _no_proxy(site: Site) -> None:
    site.configure("BASE_URL", "https://leads.example.com")


@fault("address", "warn", "any client can claim any address")
def _proxy_that_is_not_there(site: Site) -> None:
    site.configure("TRUSTED_PROXIES", 1)


@fault("address", "warn", "does not answer")
def _nobody_there(site: Site) -> None:
    site.configure("BASE_URL", "http://127.0.0.1:1")


@pytest.fixture
def patient(app: Flask, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A healthy site that answers at its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setitem(app.config, "BASE_URL", f"http://127.0.0.1:{server.port}")
    monkeypatch.setitem(app.config, "RATELIMIT_ENABLED", True)
    monkeypatch.setattr(limiter, "_storage", MemoryStorage())
    LeadFactory.create()
    yield app
    server.shutdown()
    thread.join()
    server.server_close()


def test_good_health_is_told_line_by_line(patient: Flask) -> None:
    told = run(patient, "doctor")
    assert told.exit_code == 0
    starts = [line.split()[:2] for line in told.stdout.splitlines()]
    assert starts == [["ok", f"{check.name}:"] for check in CHECKS]
    findings = json.loads(run(patient, "doctor", "--json").stdout)
    assert not any(finding["mend"] for finding in findings)


HEALTHY = {
    "configuration": r"development, \d+ of \d+ settings set",
    "secret": r"from .+",
    "database": r"(sqlite|postgresql)",
    "migrations": r"at \d{4}, the latest",
    "storage": r"a test file was written, read and deleted",
    "mail": r"127\.0\.0\.1:\d+ accepts e-mail from noreply@example\.com",
    "letters": r"0 waiting, none failed",
    "limits": r"rate limits are enforced",
    "clock": r"\d+ \w{3} \d{4}, \d\d:\d\d",
    "address": r"http://127\.0\.0\.1:\d+ reaches this site",
}


def test_each_part_says_what_was_found(patient: Flask) -> None:
    findings = json.loads(run(patient, "doctor", "--json").stdout)
    found = {finding["check"]: finding["found"] for finding in findings}
    assert found.keys() == HEALTHY.keys()
    for check, words in HEALTHY.items():
        assert re.fullmatch(words, found[check]), f"{check}: {found[check]}"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[3].__name__)
@pytest.mark.databases("sqlite")
def test_what_is_planted_is_found(
    patient: Flask,
    mailbox: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    fault: tuple[str, str, str, Plant],
) -> None:
    check, state, words, plant = fault
    plant(Site(patient, mailbox, monkeypatch))
    told = run(patient, "doctor", "--json")
    findings = json.loads(told.stdout)
    [finding] = [one for one in findings if one["state"] != "ok"]
    assert finding["check"] == check
    assert finding["state"] == state
    assert finding["mend"] == REMEDIES[check]
    assert words in finding["found"]
    assert told.exit_code == (1 if state == "fail" else 0)
    lines = run(patient, "doctor").stdout.splitlines()
    [line] = [line for line in lines if not line.startswith("ok")]
    assert line.startswith(f"{state:6}{check}: ")
    assert line.endswith(f". {REMEDIES[check]}")


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("url", "first", "words"),
    [
        (
            "sqlite:///never-migrated.db",
            "migrations",
            "the database is at no revision, leadapp is at 0",
        ),
        (
            "postgresql://ana:secret-word@127.0.0.1:1/leads",
            "database",
            "OperationalError: connection",
        ),
        (
            "sqlite:////proc/nowhere/leads.db",
            "database",
            "OperationalError: unable to open database file",
        ),
    ],
)
def test_a_database_that_cannot_be_used_is_found(
    tmp_path: Path, new_app: Callable[..., Flask], url: str, first: str, words: str
) -> None:
    site = new_app(
        {"INSTANCE_PATH": str(tmp_path), "DATABASE_URL": url, "RATELIMIT_ENABLED": "false"}
    )
    told = site.test_cli_runner().invoke(args=["doctor", "--json"])
    findings = json.loads(told.stdout)
    failed = [finding for finding in findings if finding["state"] == "fail"]
    assert told.exit_code == 1
    assert failed[0]["check"] == first
    assert words in failed[0]["found"]
    assert failed[0]["mend"] == REMEDIES[first]
    assert "secret-word" not in told.output


@pytest.mark.databases("sqlite")
def test_an_address_that_leads_elsewhere_is_found(
    patient: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        monkeypatch.setitem(patient.config, "BASE_URL", f"http://127.0.0.1:{other.server_port}")
        threading.Thread(target=other.handle_request).start()
        told = run(patient, "doctor")
    assert told.exit_code == 1
    assert f"another site answers at {patient.config['BASE_URL']}" in told.stdout
