"""The table of settings: values it reads, values it rejects, and results derived from it."""

import re
import secrets
import stat
import sys
from pathlib import Path

import pytest

from leadapp import config, create_app
from leadapp.config import ConfigurationError, describe
from tests.production import PRODUCTION

ROOT = Path(__file__).parents[2]
PATTERNED = [
    "k" * 32,
    "ab" * 20,
    "x7Qp" * 8,
    "K9#fLm2$xQ7w" * 3,
    "K9#fLm2$xQ7wTz4v" * 2,
    "abcdefghijklmnopqrstuvwxyz123456",
    "zyxwvutsrqponmlkjihgfedcba987654",
    "0123456789abcdef0123456789abcdef",
    "qwertyuiopasdfghjklzxcvbnm123456",
    "passwordpassword1234567890123456",
]


def complaints(settings: dict[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        config.load(settings)
    return caught.value.message


def test_nothing_needs_to_be_set_for_development(tmp_path: Path) -> None:
    app = create_app({"INSTANCE_PATH": str(tmp_path)})
    secret = tmp_path / "secret_key"
    assert app.config["SECRET_KEY"] == secret.read_text()
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert create_app({"INSTANCE_PATH": str(tmp_path)}).config["SECRET_KEY"] == secret.read_text()
    assert app.config["BASE_URL"] == "http://127.0.0.1:8000"
    assert app.config["REGISTRATION"] == "open"


def test_production_names_all_that_is_missing_at_once() -> None:
    words = complaints({"ENVIRONMENT": "production"})
    for name in PRODUCTION.keys() - {"ENVIRONMENT"}:
        assert f"{name} must be set" in words


def test_what_is_missing_is_named_beside_what_is_bad() -> None:
    words = complaints({"ENVIRONMENT": "production", "PORT": "99999"})
    assert "PORT is '99999'" in words
    assert "SECRET_KEY must be set" in words


def test_production_names_what_is_unsafe_beside_what_is_missing_or_bad() -> None:
    unsafe = {"METRICS_TOKEN": "short", "SMTP_USERNAME": "ana", "SMTP_PASSWORD": "change-me"}
    unsafe |= {"SECRET_KEY": "k" * 32, "ATTORNEY_EMAIL": "ana@example.com", "PORT": "x"}
    words = complaints({"ENVIRONMENT": "production", "BASE_URL": "http://firm.net", **unsafe})
    listed = {line.split()[1] for line in words.splitlines()[1:]}
    needed = PRODUCTION.keys() - {"ENVIRONMENT"}
    assert listed >= needed | {"METRICS_TOKEN", "PORT", "SMTP_PASSWORD"}
    # Its default is an example address, but the setting is reported once, as missing.
    assert words.count("SMTP_FROM_EMAIL") == 1
    assert not re.search("change-me|short|kkk", words)


def test_a_random_secret_is_taken() -> None:
    for make in (secrets.token_urlsafe, secrets.token_hex):
        for _ in range(500):
            config.load(PRODUCTION | {"SECRET_KEY": make(32), "METRICS_TOKEN": make(16)})


def test_an_example_does_for_development() -> None:
    config.load({"SECRET_KEY": "k" * 32, "METRICS_TOKEN": "x", "ATTORNEY_EMAIL": "a@example.com"})


def test_production_starts_with_what_it_needs(tmp_path: Path) -> None:
    app = create_app({**PRODUCTION, "INSTANCE_PATH": str(tmp_path), "DEBUG": "true"})
    assert app.debug is False
    assert app.config["SESSION_COOKIE_SECURE"] is True
    assert app.config["REGISTRATION"] == "closed"
    assert app.config["CORS_ORIGINS"] == []
    assert app.config["ATTORNEY_EMAIL"] == ["ana@lawfirm-test.net", "joe@lawfirm-test.net"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY must have at least 32 random characters"),
        ({"SECRET_KEY": "your-secret-key-that-is-long-enough-1"}, "SECRET_KEY must have at least"),
        ({"BASE_URL": "http://leads.example.com"}, "production requires https"),
        ({"SMTP_USERNAME": "ana"}, "set both or neither"),
        *(({"SECRET_KEY": key}, "SECRET_KEY must have at least 32 random") for key in PATTERNED),
        ({"METRICS_TOKEN": "m7Qx2vT9kLp4sRw"}, "METRICS_TOKEN must have at least 16 characters"),
        ({"METRICS_TOKEN": "change-me-change-me"}, "METRICS_TOKEN contains an example password"),
        ({"SMTP_FROM_EMAIL": "a@Example.COM"}, "SMTP_FROM_EMAIL is a@Example.COM, an example"),
        ({"SMTP_FROM_EMAIL": "a@mail.example.net"}, "SMTP_FROM_EMAIL is a@mail.example.net"),
        (
            {"ATTORNEY_EMAIL": "a@firm.example, b@lawfirm-test.net, c@example.org"},
            "ATTORNEY_EMAIL is a@firm.example, c@example.org, an example address: set your own",
        ),
        (
            {"SMTP_USERNAME": "ana", "SMTP_PASSWORD": "Change_Me"},
            "SMTP_PASSWORD contains an example password: set your own",
        ),
        (
            {"DATABASE_URL": "postgresql://a:change-me@db/b"},
            "DATABASE_URL contains an example password",
        ),
        (
            {"DATABASE_URL": "postgresql://a:PASSWORD@db/b"},
            "DATABASE_URL contains an example password",
        ),
        ({"RATELIMIT_STORAGE_URI": "redis://:changeme@db:1"}, "RATELIMIT_STORAGE_URI contains an"),
    ],
)
def test_production_refuses_what_is_unsafe(changed: dict[str, str], words: str) -> None:
    assert words in complaints(PRODUCTION | changed)


@pytest.mark.parametrize(("algorithm", "length"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_key_is_as_long_as_the_digest_it_signs(algorithm: str, length: int) -> None:
    key = secrets.token_hex(length)[:length]
    config.load({"ALGORITHM": algorithm, "SECRET_KEY": key})
    words = complaints({"ALGORITHM": algorithm, "SECRET_KEY": key[1:]})
    assert f"SECRET_KEY must have at least {length} random characters" in words


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_development_makes_a_key_for_each_algorithm(tmp_path: Path, algorithm: str) -> None:
    app = create_app({"INSTANCE_PATH": str(tmp_path), "ALGORITHM": algorithm})
    assert len(app.config["SECRET_KEY"]) == 64


def test_a_made_key_that_is_too_short_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("k" * 43)
    create_app({"INSTANCE_PATH": str(tmp_path)})
    with pytest.raises(ConfigurationError, match="has no secret of at least 64 characters"):
        create_app({"INSTANCE_PATH": str(tmp_path), "ALGORITHM": "HS512"})


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "80000", "a whole number from 1 to 65535"),
        ("DEBUG", "maybe", "true or false"),
        ("ALGORITHM", "none", "HS256 or HS384 or HS512"),
        ("TIMEZONE", "Mars/Olympus", "a time zone like Europe/Lisbon"),
        ("ACCENT_COLOR", "#ffff00", "contrast"),
        ("BASE_URL", "ftp://x", "an address like"),
        ("BASE_URL", "http://127.0.0.1:99999", "an address like"),
        ("BASE_URL", "https://leads..example.com", "an address like"),
        ("SMTP_HOST", "smtp..example.com", "a host name or an IP address"),
        ("SMTP_HOST", ".example.com", "a host name or an IP address"),
        ("SMTP_HOST", "x" * 64 + ".example.com", "a host name or an IP address"),
        ("SMTP_HOST", "smtp.example.com:587", "a host name or an IP address"),
        ("SMTP_FROM_EMAIL", "leads@example..com", "an e-mail address"),
        ("SMTP_FROM_EMAIL", "añá@example.com", "an e-mail address"),
        ("FIRM_NAME", "M\udcfcller", "text"),
        ("ATTORNEY_EMAIL", "ana", "e-mail addresses"),
        ("ATTORNEY_EMAIL", "ana@example.com,joe@example..com", "e-mail addresses"),
        ("ATTORNEY_EMAIL", ",", "e-mail addresses"),
        ("CORS_ORIGINS", "*", "origins like"),
        ("REGISTRATION", "closed!", "open or approval or closed"),
        ("STORAGE_URL", "s3://", "s3://BUCKET/FOLDER?endpoint=https://HOST&region=NAME"),
        ("STORAGE_URL", "gs://resumes", "s3://BUCKET"),
        ("STORAGE_URL", "s3://key:secret@resumes", "s3://BUCKET"),
        ("STORAGE_URL", "s3://resumes?acl=public", "s3://BUCKET"),
    ],
)
def test_a_bad_value_names_the_variable_the_value_and_what_is_allowed(
    name: str, value: str, allowed: str
) -> None:
    words = complaints({name: value})
    assert name in words
    assert repr(value) in words
    assert allowed in words


@pytest.mark.parametrize(
    "host", ["smtp.example.com", "localhost", "smtp_1", "bücher.example", "192.0.2.1", "::1"]
)
def test_a_mail_server_is_a_name_or_an_ip_address(host: str) -> None:
    given = {"SMTP_HOST": host, "SMTP_FROM_EMAIL": "a@firm.local", "ATTORNEY_EMAIL": "b@firm.local"}
    assert host == config.load(given).SMTP_HOST


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://root:pw@db"),
        ("DATABASE_URL", "postgresql://root:pw@db:port/leads"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("RATELIMIT_STORAGE_URI", "mysql://root:pw@db"),
        ("RATELIMIT_STORAGE_URI", "redis://:pw@db:port/0"),
    ],
)
def test_a_bad_secret_is_not_shown(name: str, value: str) -> None:
    words = complaints({name: value})
    assert (f"{name} is wrong" in words, "pw" in words) == (True, False)


@pytest.mark.parametrize(
    "url",
    [
        "s3://resumes",
        "s3://resumes/of/the-firm",
        "s3://my.resumes/?region=eu-central-1",
        "s3://resumes?endpoint=http://127.0.0.1:8333&region=auto",
    ],
)
def test_a_bucket_is_named_as_other_tools_name_it(url: str) -> None:
    assert url == config.load({"STORAGE_URL": url}).STORAGE_URL


def test_one_half_of_a_key_is_not_enough() -> None:
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together" in complaints(
        {"AWS_ACCESS_KEY_ID": "firm"}
    )


def test_missing_packages_are_told_with_their_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "DATABASE_URL": "postgresql://a:b@db/leads",
        "STORAGE_URL": "s3://resumes",
        "RATELIMIT_STORAGE_URI": "rediss://127.0.0.1",
    }
    for package in ("psycopg", "obstore", "redis"):
        monkeypatch.setitem(sys.modules, package, None)
    words = complaints(settings)
    for name, package in (
        ("DATABASE_URL", "psycopg"),
        ("STORAGE_URL", "obstore"),
        ("RATELIMIT_STORAGE_URI", "redis"),
    ):
        assert f"{name} requires the package {package}: pip install" in words


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s" * 40 + "\n")
    loaded = config.load({"SECRET_KEY_FILE": str(file)})
    assert loaded.SECRET_KEY == "s" * 40
    assert loaded.SETTING_SOURCES["SECRET_KEY"] == str(file)
    assert "cannot be read: No such file" in complaints({"SECRET_KEY_FILE": str(tmp_path / "none")})


def test_an_empty_file_holds_no_secret(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("\n")
    given = {**PRODUCTION, "SECRET_KEY": "", "SECRET_KEY_FILE": str(tmp_path / "secret_key")}
    assert "SECRET_KEY must be set in production" in complaints(given)
    with pytest.raises(
        ConfigurationError, match="secret_key has no secret of at least 32 characters: delete it"
    ):
        create_app({"INSTANCE_PATH": str(tmp_path)})


def test_a_mail_server_needs_addresses_of_ours() -> None:
    words = complaints({"SMTP_HOST": "smtp.example.com"})
    assert "SMTP_FROM_EMAIL must be set" in words
    assert "ATTORNEY_EMAIL must be set" in words


@pytest.mark.parametrize("url", ["postgres://a:b@db/leads", "postgresql://a:b@db/leads"])
def test_postgresql_is_spoken_to_by_psycopg(url: str) -> None:
    assert config.load({"DATABASE_URL": url}).DATABASE_URL == "postgresql+psycopg://a:b@db/leads"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        create_app({"INSTANCE_PATH": str(tmp_path / "file" / "instance")})


def test_what_is_made_from_the_table_is_up_to_date() -> None:
    assert (ROOT / ".env.example").read_text() == describe.example()
    assert describe.markdown() in (ROOT / "docs" / "configuration.md").read_text()


def test_limits_are_counted_once_for_the_machine_unless_told_otherwise(tmp_path: Path) -> None:
    settings = {"INSTANCE_PATH": str(tmp_path)}
    app = create_app(settings)
    assert app.config["RATELIMIT_STORAGE_URI"] == f"file://{tmp_path}/limits.db"
    app = create_app(settings | {"RATELIMIT_STORAGE_URI": "memory://"})
    assert app.config["RATELIMIT_STORAGE_URI"] == "memory://"
