"""Every setting works as documented: good values take effect, bad values are refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from leadapp import config, log
from leadapp.config import ConfigurationError
from leadapp.config.table import SETTINGS
from tests.clients import Client
from tests.integration.effects import EFFECTS, Make
from tests.servers.gunicorn import SECRET_KEY

pytestmark = pytest.mark.databases("sqlite")
BAD = {
    "ENVIRONMENT": "staging",
    "BASE_URL": "leads.lawfirm.net",
    "HOST": "two words",
    "PORT": "0",
    "TRUSTED_PROXIES": "-1",
    "DEBUG": "maybe",
    "LOG_LEVEL": "LOUD",
    "TIMEZONE": "Mars/Olympus",
    "DATABASE_URL": "mysql://root@db",
    "STORAGE_URL": "gs://resumes",
    "MAX_FILE_SIZE": "5 MB",
    "SMTP_PORT": "smtp",
    "SMTP_FROM_EMAIL": "intake",
    "ATTORNEY_EMAIL": "ana",
    "DELIVERY": "pigeon",
    "ALGORITHM": "none",
    "ACCESS_TOKEN_EXPIRE_MINUTES": "0",
    "REGISTRATION": "maybe",
    "RATELIMIT_ENABLED": "often",
    "RATELIMIT_STORAGE_URI": "memcached://cache",
    "CORS_ORIGINS": "*",
    "EMBED_ORIGINS": "www.lawfirm.net",
    "ACCENT_COLOR": "#ffff00",
    "SECRET_KEY": "short",
    "NEXT_STEPS": "|",
}
# Any text is allowed: a folder, a name, a sentence, a key that another server checks.
FREE = {
    "INSTANCE_PATH",
    "METRICS_TOKEN",
    "UPLOAD_DIR",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "BACKUP_DIR",
    "SMTP_HOST",
    "SMTP_USERNAME",
    "SMTP_PASSWORD",
    "SMTP_FROM_NAME",
    "FIRM_NAME",
    "FORM_INTRO",
    "PRIVACY_TEXT",
    "CONTACT_TEXT",
}


@pytest.fixture
def make(
    app: Flask,
    new_app: Callable[..., Flask],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Make:
    """`make(NAME="text")` returns a browser for a site with these settings and no data."""
    monkeypatch.setattr(log.logger, "handlers", [])
    monkeypatch.setattr(log.logger, "level", log.logger.level)

    def make_client(**settings: str) -> Client:
        whole = {
            "INSTANCE_PATH": str(tmp_path),
            "DATABASE_URL": app.config["DATABASE_URL"],
            "RATELIMIT_ENABLED": "false",
            "SECRET_KEY": SECRET_KEY,
        }
        whole.update(settings)
        site = new_app(whole)
        site.test_client_class = Client
        client = site.test_client()
        assert isinstance(client, Client)
        return client

    return make_client


def test_every_setting_is_in_these_tables() -> None:
    names = {setting.name for setting in SETTINGS}
    assert EFFECTS.keys() == names
    assert BAD.keys() | FREE == names
    assert not BAD.keys() & FREE


@pytest.mark.parametrize("name", EFFECTS)
def test_a_setting_has_its_effect(make: Make, name: str) -> None:
    EFFECTS[name](make)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_refused_by_name(name: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        config.load({name: BAD[name]})
    assert name in refused.value.message
