"""The `flask` commands: their output, streams and exit codes."""

import json
import re
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from leadapp.accounts import users
from leadapp.extensions import db
from leadapp.mail import delivery
from leadapp.mail.delivery import Deliverer
from leadapp.models.accounts import User
from leadapp.operations import maintenance
from tests.clients import Client
from tests.factories import LetterFactory, UserFactory
from tests.servers import MailServer

pytestmark = pytest.mark.databases("sqlite")
PASSWORD = "Correct-horse-7"


def create_user(
    *options: str, username: str = "ana", email: str = "ana@example.com"
) -> tuple[str, ...]:
    """Return the arguments of `flask create-user`."""
    return ("create-user", "--username", username, "--email", email, *options)


ANA = create_user()


def run(app: Flask, *arguments: str, stdin: str | None = None) -> Result:
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=arguments, input=stdin)
    db.session.expire_all()
    return result


@pytest.mark.parametrize("group", [[], ["user"], ["lead"], ["mail"]], ids=str)
def test_no_command_of_a_list_is_described_in_half_a_sentence(app: Flask, group: list[str]) -> None:
    listed = run(app, *group, "--help").stdout.partition("Commands:")[2]
    assert listed
    assert "..." not in listed


def test_an_account_is_made_and_the_next_step_told(app: Flask, client: Client) -> None:
    made = run(app, *ANA, "--password-file", "-", stdin=f"{PASSWORD}\n")
    assert (made.exit_code, made.stdout) == (0, "ana\n")
    assert "Sign in at http://127.0.0.1:8000/auth/login" in made.stderr
    answer = client.post("/api/v1/auth/login", data={"username": "ana", "password": PASSWORD})
    assert answer.status_code == 200


def test_a_random_password_is_printed_once_and_works(app: Flask, client: Client) -> None:
    made = json.loads(run(app, *ANA, "--random-password", "--json").stdout)
    answer = client.post(
        "/api/v1/auth/login", data={"username": "ana", "password": made["password"]}
    )
    assert answer.status_code == 200
    assert made["email"] == "ana@example.com"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (ANA, 2, "Missing option '--password-file'"),
        (("create-user",), 2, "Missing option '--username'"),
        (create_user("--random-password", username="a"), 1, "The username must have 3 to 50"),
        (create_user("--random-password", email="ana@"), 1, "Enter an e-mail address like"),
        (create_user("--password-file", "/nowhere"), 2, "No such file"),
        (("user", "enable", "nobody"), 1, "There is no user named nobody"),
        (("mail", "test"), 2, "Missing option '--to'"),
    ],
)
def test_wrong_use_and_bad_values_are_told_on_stderr(
    app: Flask, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = run(app, *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr


def test_a_weak_password_and_a_taken_name_are_refused(app: Flask) -> None:
    UserFactory.create(username="Ana")
    weak = run(app, *ANA, "--password-file", "-", stdin="Password1")
    taken = run(app, *ANA, "--password-file", "-", stdin=PASSWORD)
    assert (weak.exit_code, taken.exit_code) == (1, 1)
    assert "This password is too common" in weak.stderr
    assert "An account with this username already exists" in taken.stderr


def test_the_seed_account_can_sign_in(app: Flask, client: Client) -> None:
    assert "admin" in run(app, "seed-db").stdout
    answer = client.post(
        "/api/v1/auth/login", data={"username": "admin", "password": "Admin123!SecurePassword"}
    )
    assert answer.status_code == 200
    assert run(app, "seed-db").exit_code == 1


def test_in_production_the_seed_account_has_a_random_password(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "ENVIRONMENT", "production")
    told = run(app, "seed-db").stdout
    assert "Admin123!" not in told
    password = told.split("Password: ")[1].strip()
    user = users.authenticate("admin", password, "127.0.0.1")
    assert user.username == "admin"


def test_enabling_lets_a_user_in(app: Flask) -> None:
    UserFactory.create(username="Joe", is_active=False)
    assert run(app, "user", "enable", "joe").stdout == "Joe\n"
    assert db.session.scalars(select(User.is_active)).one()


def test_the_configuration_is_shown_without_secrets(app: Flask) -> None:
    shown = run(app, "config").stdout
    assert "SECRET_KEY=********  # environment" in shown
    assert "PORT=8000  # default" in shown
    assert app.config["SECRET_KEY"] not in shown
    assert run(app, "config", "--example").stdout.startswith("# Copy this file to .env")
    assert run(app, "config", "--markdown").stdout.startswith("| Variable")


def test_a_test_letter_says_who_took_it(app: Flask, mailbox: MailServer) -> None:
    result = run(app, "mail", "test", "--to", "joe@example.com")
    assert f"127.0.0.1:{mailbox.port} accepted the e-mail" in result.stdout
    assert mailbox.messages[0].message["Subject"] == "Test e-mail"


def test_a_test_letter_says_what_fails(app: Flask, mailbox: MailServer) -> None:
    mailbox.refused = {"joe@example.com"}
    refused = run(app, "mail", "test", "--to", "joe@example.com")
    mailbox.stop()
    down = run(app, "mail", "test", "--to", "joe@example.com")
    assert (refused.exit_code, down.exit_code) == (1, 1)
    assert "550" in refused.stderr
    assert "The mail server cannot be reached: Connection refused" in down.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SMTP_HOST", "smtp..example.com", "Unicode(Encode)?Error: .*label empty"),
        ("FIRM_NAME", "M\ud83dller", "The e-mail cannot be composed: UnicodeEncodeError: "),
    ],
)
def test_a_test_letter_never_ends_in_a_traceback(
    app: Flask,
    mailbox: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    words: str,
) -> None:
    monkeypatch.setitem(app.config, name, value)
    result = run(app, "mail", "test", "--to", "joe@example.com")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.match(f"Error: {words}", result.stderr)


def test_letters_are_delivered_until_stopped(app: Flask, mailbox: MailServer) -> None:
    LetterFactory.create()
    stopped = threading.Event()

    def deliver() -> None:
        with app.app_context():
            maintenance.run_until(stopped)

    deliverer = threading.Thread(target=deliver, daemon=True)
    deliverer.start()
    mailbox.wait_for(1)
    stopped.set()
    deliverer.join(10)
    assert not deliverer.is_alive()


def test_a_deliverer_outlives_a_database_that_was_away(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()
    turns = ["fails", "works"]

    def turn(_self: Deliverer, _stopped: threading.Event) -> None:
        if turns.pop(0) == "fails":
            raise OperationalError("select", {}, Exception("away"))
        stopped.set()

    monkeypatch.setattr(delivery, "IDLE_SECONDS", 0)
    monkeypatch.setattr(Deliverer, "deliver_due", turn)
    with closing(Deliverer()) as deliverer:
        deliverer.deliver_until(stopped)
    assert turns == []


@pytest.mark.databases("sqlite", "postgres")
def test_a_missing_table_is_told_with_its_mend(
    backend: str, new_database: Callable[[str], str], new_app: Callable[..., Flask], tmp_path: Path
) -> None:
    fresh = new_app(
        {"INSTANCE_PATH": str(tmp_path), "TESTING": True, "DATABASE_URL": new_database(backend)}
    )
    result = fresh.test_cli_runner().invoke(args=["user", "enable", "ana"])
    assert result.exit_code == 1
    assert "flask db upgrade" in result.stderr
