"""The effect of each setting, seen from outside: one check for each name in their table."""

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask import current_app
from sqlalchemy import select
from werkzeug.test import TestResponse

from leadapp import log
from leadapp.config import ConfigurationError
from leadapp.extensions import db
from leadapp.formatting import when
from leadapp.models.letters import Letter
from leadapp.operations import backup
from tests import samples
from tests.clients import Client
from tests.factories import PASSWORD, LetterFactory, UserFactory
from tests.integration.desk import attached, deliver
from tests.pages import words
from tests.servers import MailServer, Received

Make = Callable[..., Client]
Effect = Callable[[Make], None]
EFFECTS: dict[str, Effect] = {}


def effect(*names: str) -> Callable[[Effect], Effect]:
    """Register a check of these settings."""

    def register(check: Effect) -> Effect:
        EFFECTS.update(dict.fromkeys(names, check))
        return check

    return register


def send(client: Client, content: bytes = samples.pdf()) -> TestResponse:
    fields = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}
    return client.post("/api/v1/leads", data=dict(fields, resume=attached(content)))


def access_token(client: Client) -> dict[str, Any]:
    user = UserFactory.create()
    form = {"username": user.username, "password": PASSWORD}
    return dict(client.post("/api/v1/auth/login", data=form).get_json())


def delivered(client: Client, smtp: MailServer) -> Received:
    """The first message that this site delivers."""
    with client.application.app_context():
        LetterFactory.create(recipient="ana@example.com")
        deliver()
        db.session.remove()
    return smtp.wait_for(1)[0]


def mail_settings(smtp: MailServer) -> dict[str, str]:
    return {
        "SMTP_HOST": smtp.host,
        "SMTP_PORT": str(smtp.port),
        "SMTP_FROM_EMAIL": "intake@lawfirm.net",
        "ATTORNEY_EMAIL": "ana@lawfirm.net",
    }


@effect("ENVIRONMENT")
def _environment(make: Make) -> None:
    assert make(ENVIRONMENT="development").application.config["AT_HOME"] is True
    with pytest.raises(ConfigurationError):
        make(ENVIRONMENT="production")


@effect("INSTANCE_PATH")
def _instance_path(make: Make) -> None:
    folder = Path(make().application.instance_path)
    other = folder / "elsewhere"
    assert Path(make(INSTANCE_PATH=str(other), SECRET_KEY="").application.instance_path) == other
    assert (other / "secret_key").exists()
    assert other.stat().st_mode & 0o777 == 0o700


@effect("SECRET_KEY")
def _secret_key(make: Make) -> None:
    token = access_token(make(SECRET_KEY="one" * 20))["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    for secret, status in (("one" * 20, 200), ("two" * 20, 401)):
        answer = make(SECRET_KEY=secret).get("/api/v1/auth/me", headers=bearer)
        assert answer.status_code == status


@effect("BASE_URL")
def _base_url(make: Make) -> None:
    client = make(BASE_URL="https://leads.lawfirm.net")
    assert client.get("/", base_url="https://leads.lawfirm.net").status_code == 200
    assert client.get("/", base_url="https://other.lawfirm.net").status_code == 400


@effect("HOST", "PORT")
def _host_and_port(make: Make) -> None:
    settings = make(HOST="192.0.2.1", PORT="8123").application.config
    assert settings["BASE_URL"] == "http://192.0.2.1:8123"
    assert settings["AT_HOME"] is False


@effect("TRUSTED_PROXIES")
def _trusted_proxies(make: Make) -> None:
    forwarded = {"X-Forwarded-Host": "other.lawfirm.net"}
    for number, status in (("0", 200), ("1", 400)):
        answer = make(TRUSTED_PROXIES=number).get("/", headers=forwarded)
        assert answer.status_code == status


@effect("DEBUG")
def _debug(make: Make) -> None:
    assert make(DEBUG="true").application.debug is True
    assert make(DEBUG="false").application.debug is False


@effect("LOG_LEVEL")
def _log_level(make: Make) -> None:
    make(LOG_LEVEL="ERROR")
    assert log.logger.level == logging.ERROR
    make(LOG_LEVEL="DEBUG")
    assert log.logger.level == logging.DEBUG


@effect("METRICS_TOKEN")
def _metrics_token(make: Make) -> None:
    assert make().get("/metrics").status_code == 404
    token = "a token of the tests"
    client = make(METRICS_TOKEN=token)
    assert client.get("/metrics").status_code == 401
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert "leadapp_letters_waiting" in answer.text


@effect("TIMEZONE")
def _timezone(make: Make) -> None:
    with make(TIMEZONE="America/New_York").application.app_context():
        assert when(datetime(2026, 11, 20, 15, 4, tzinfo=UTC)) == "20 Nov 2026, 10:04"


@effect("DATABASE_URL")
def _database_url(make: Make) -> None:
    client = make(DATABASE_URL="sqlite:///other.db")
    assert send(client).status_code == 503, "it has no tables yet"
    assert (Path(client.application.instance_path) / "other.db").exists()


@effect("UPLOAD_DIR")
def _upload_dir(make: Make) -> None:
    client = make(UPLOAD_DIR="resumes-elsewhere")
    assert send(client).status_code == 201
    folder = Path(client.application.instance_path) / "resumes-elsewhere"
    assert [path.suffix for path in folder.iterdir() if path.is_file()] == [".pdf"]


@effect("STORAGE_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
def _storage_url(make: Make) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "firm", "AWS_SECRET_ACCESS_KEY": "a secret of the firm"}
    url = "s3://resumes/of-the-firm?endpoint=http://127.0.0.1:1&region=us-east-1"
    with make(STORAGE_URL=url, **keys).application.app_context():
        bucket = current_app.extensions["storage"].bucket
    assert bucket.prefix == "of-the-firm"
    names = ("bucket", "endpoint", "access_key_id", "secret_access_key")
    options = [bucket.config[name] for name in names]
    assert options == ["resumes", "http://127.0.0.1:1", "firm", "a secret of the firm"]


@effect("BACKUP_DIR")
def _backup_dir(make: Make) -> None:
    with make(BACKUP_DIR="backups-elsewhere").application.app_context():
        made, _ = backup.back_up(None, iter)
    assert made.parent.name == "backups-elsewhere"


@effect("MAX_FILE_SIZE")
def _max_file_size(make: Make) -> None:
    client = make(MAX_FILE_SIZE="2000")
    assert send(client, samples.pdf(size=2000)).status_code == 201
    refused = send(client, samples.pdf(size=2001))
    assert refused.get_json()["errors"][0]["code"] == "resume_too_large"
    assert "up to 1 KB" in client.get("/").text


@effect("SMTP_HOST", "SMTP_PORT", "SMTP_FROM_EMAIL")
def _smtp_host(make: Make) -> None:
    with closing(MailServer()) as smtp:
        received = delivered(make(**mail_settings(smtp)), smtp)
    assert received.sender == "intake@lawfirm.net"
    assert received.message["From"].addresses[0].addr_spec == "intake@lawfirm.net"


@effect("SMTP_USERNAME", "SMTP_PASSWORD")
def _smtp_username(make: Make) -> None:
    account = {"SMTP_USERNAME": "leadapp", "SMTP_PASSWORD": "right"}
    with closing(MailServer()) as smtp:
        smtp.accounts = {"leadapp": "right"}
        assert delivered(make(**mail_settings(smtp), **account), smtp)


@effect("SMTP_FROM_NAME", "FIRM_NAME")
def _names(make: Make) -> None:
    named = {"SMTP_FROM_NAME": "Intake of Ruiz", "FIRM_NAME": "Ruiz & Partners"}
    with closing(MailServer()) as smtp:
        client = make(**mail_settings(smtp), **named)
        sender = delivered(client, smtp).message["From"].addresses[0]
    assert sender.display_name == "Intake of Ruiz"
    assert "Ruiz & Partners" in words(client.get("/").text)


@effect("ATTORNEY_EMAIL")
def _attorney_email(make: Make) -> None:
    assert send(make(ATTORNEY_EMAIL="ana@lawfirm.net, bo@lawfirm.net")).status_code == 201
    notices = select(Letter.recipient).where(Letter.kind == "notice")
    assert set(db.session.scalars(notices)) == {"ana@lawfirm.net", "bo@lawfirm.net"}


@effect("DELIVERY")
def _delivery(make: Make) -> None:
    # Only gunicorn.conf.py reads it; the end-to-end tests cover a site that sends no e-mail.
    assert make(DELIVERY="external").application.config["DELIVERY"] == "external"


@effect("ALGORITHM")
def _algorithm(make: Make) -> None:
    client = make(ALGORITHM="HS512", SECRET_KEY="a long secret " * 6)
    token = access_token(client)["access_token"]
    assert jwt.get_unverified_header(token)["alg"] == "HS512"


@effect("ACCESS_TOKEN_EXPIRE_MINUTES")
def _token_lifetime(make: Make) -> None:
    answer = access_token(make(ACCESS_TOKEN_EXPIRE_MINUTES="7"))
    claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
    assert answer["expires_in"] == 420
    assert claims["exp"] - claims["iat"] == 420


@effect("REGISTRATION")
def _registration(make: Make) -> None:
    account = {"username": "ana", "email": "ana@lawfirm.net", "password": PASSWORD}
    for value, status in (("closed", 403), ("open", 201)):
        answer = make(REGISTRATION=value).post("/api/v1/auth/register", json=account)
        assert answer.status_code == status


@effect("RATELIMIT_ENABLED", "RATELIMIT_STORAGE_URI")
def _rate_limits(make: Make) -> None:
    account = {"username": "a"}
    # The limiter keeps the last setting, so "false" comes last.
    for enabled, last in (("true", 429), ("false", 422)):
        client = make(RATELIMIT_ENABLED=enabled, RATELIMIT_STORAGE_URI="memory://")
        answers = [client.post("/api/v1/auth/register", json=account) for _ in range(61)]
        assert [answers[0].status_code, answers[-1].status_code] == [422, last]


@effect("CORS_ORIGINS")
def _cors_origins(make: Make) -> None:
    client = make(CORS_ORIGINS="https://www.lawfirm.net, https://intake.lawfirm.net")
    ours, other = "https://intake.lawfirm.net", "https://elsewhere.net"
    for origin, allowed in ((ours, ours), (other, None)):
        answer = client.get("/api/v1/leads", headers={"Origin": origin})
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed


@effect("EMBED_ORIGINS")
def _embed_origins(make: Make) -> None:
    answer = make(EMBED_ORIGINS="https://www.lawfirm.net").get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://www.lawfirm.net" in policy


@effect("FORM_INTRO", "PRIVACY_TEXT", "CONTACT_TEXT", "NEXT_STEPS")
def _texts_of_the_form(make: Make) -> None:
    texts = {
        "FORM_INTRO": "We read all of it.",
        "PRIVACY_TEXT": "It stays with us.",
        "CONTACT_TEXT": "Call 555 0100.",
    }
    client = make(**texts, NEXT_STEPS="We read.|We answer.")
    page = words(client.get("/").text)
    for text in texts.values():
        assert text in page
    assert "We read." in page
    assert "We answer." in page


@effect("ACCENT_COLOR")
def _accent_color(make: Make) -> None:
    assert "--accent:#1b4f72" in make(ACCENT_COLOR="#1b4f72").get("/theme.css").text
