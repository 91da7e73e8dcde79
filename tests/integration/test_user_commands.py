"""`flask user`: its output and exit codes, and the access that it grants."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from leadapp.accounts import users
from leadapp.extensions import db
from tests.clients import Client
from tests.factories import PASSWORD, UserFactory
from tests.integration.test_api_auth import me
from tests.integration.test_api_auth import sign_in as token_for
from tests.integration.test_commands import run
from tests.servers import ROOT

pytestmark = pytest.mark.databases("sqlite")
SIGN_IN = "Sign in at http://127.0.0.1:8000/auth/login"
NEW = "Correct-horse-8"
FLASK = str(Path(sys.executable).with_name("flask"))


def access_token(client: Client, username: str, password: str = PASSWORD) -> str:
    answer = token_for(client, username, password)
    return str(answer.get_json()["access_token"])


def test_accounts_are_listed_by_name(app: Flask) -> None:
    assert run(app, "user", "list", "--json").stdout == "[]\n"
    joe = UserFactory.create(username="Joe", is_active=False)
    UserFactory.create(username="ana")
    lines = run(app, "user", "list").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["ana", "ana@example.com", "enabled"],
        ["Joe", "Joe@example.com", "disabled"],
    ]
    listed = json.loads(run(app, "user", "list", "--json").stdout)
    assert listed[1] == {
        "id": str(joe.id),
        "username": "Joe",
        "email": "Joe@example.com",
        "is_active": False,
    }


def test_disabling_puts_a_user_out_and_enabling_lets_them_in(app: Flask, client: Client) -> None:
    UserFactory.create(username="ana")
    token = access_token(client, "ana")
    out = run(app, "user", "disable", "ANA")
    assert out.exit_code == 0
    assert out.stdout == "ana\n"
    assert out.stderr == "To enable the account again, run: flask user enable ANA\n"
    assert me(client, token).status_code == 401
    assert token_for(client, "ana").status_code == 403
    back = run(app, "user", "enable", "ana")
    proof = "The address ana@example.com was not verified; make sure that it belongs to this person"
    assert back.exit_code == 0
    assert back.stdout == "ana\n"
    assert back.stderr == f"{proof}\n{SIGN_IN}\n"
    assert token_for(client, "ana").status_code == 200


def test_a_password_is_set_from_a_file_or_at_random(app: Flask, client: Client) -> None:
    UserFactory.create(username="ana")
    token = access_token(client, "ana")
    set_password = ("user", "set-password", "ana")
    done = run(app, *set_password, "--password-file", "-", stdin=f"{NEW}\n")
    assert done.exit_code == 0
    assert done.stdout == "ana\n"
    assert done.stderr == f"{SIGN_IN}\n"
    assert me(client, token).status_code == 401
    assert token_for(client, "ana", NEW).status_code == 200
    at_random = run(app, *set_password, "--random-password", "--json")
    told = json.loads(at_random.stdout)
    assert token_for(client, "ana", told["password"]).status_code == 200
    assert told["username"] == "ana"
    assert users.get_by_username("ana").must_change_password is True


def test_unlocking_lets_a_user_try_again(app: Flask, client: Client) -> None:
    UserFactory.create(username="ana")
    tried = [token_for(client, "ana", "Wrong-horse-7") for _ in range(11)]
    assert tried[-1].status_code == 429
    done = run(app, "user", "unlock", "ana")
    assert done.exit_code == 0
    assert done.stdout == "ana\n"
    assert done.stderr == f"{SIGN_IN}\n"
    assert token_for(client, "ana").status_code == 200


@pytest.mark.parametrize(
    "command",
    ["enable", "disable", "delete", "unlock", "set-password"],
)
def test_an_unknown_user_is_told_and_a_missing_name_is_wrong_use(app: Flask, command: str) -> None:
    options = []
    if command == "set-password":
        options = ["--random-password"]
    unknown = run(app, "user", command, "nobody", *options)
    assert unknown.exit_code == 1
    assert unknown.stdout == ""
    assert unknown.stderr == "Error: There is no user named nobody\n"
    missing = run(app, "user", command, *options)
    assert missing.exit_code == 2
    assert missing.stdout == ""


@pytest.mark.parametrize(
    "command",
    [("enable", "joe"), ("disable", "joe"), ("unlock", "joe")],
)
def test_what_became_of_a_user_is_told_to_programs(app: Flask, command: tuple[str, str]) -> None:
    name, username = command
    UserFactory.create(username="Joe", is_active=name != "enable")
    done = run(app, "user", name, username, "--json")
    told = json.loads(done.stdout)
    assert told["username"] == "Joe"
    assert told["is_active"] == (name != "disable")


def test_the_seed_account_is_told_to_programs(app: Flask, client: Client) -> None:
    told = json.loads(run(app, "seed-db", "--json").stdout)
    assert token_for(client, "admin", told["password"]).status_code == 200


def test_a_password_that_is_no_text_is_told(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes("Grüße-an-alle-7".encode("latin-1"))
    told = run(
        app,
        "create-user",
        "--username",
        "zoe",
        "--email",
        "z@example.com",
        "--password-file",
        f"{tmp_path}/password",
    )
    assert told.exit_code == 1
    assert told.stderr == f"Error: {tmp_path}/password: the password is not UTF-8 text\n"


def test_a_weak_password_changes_nothing(app: Flask, client: Client) -> None:
    UserFactory.create(username="ana")
    command = ("user", "set-password", "ana", "--password-file", "-")
    weak = run(app, *command, stdin="short")
    assert weak.exit_code == 1
    assert weak.stdout == ""
    assert "at least 8 characters" in weak.stderr
    assert token_for(client, "ana").status_code == 200


@pytest.mark.parametrize("environment", ["development", "production"])
def test_the_seed_account_is_to_change_its_password(
    app: Flask, client: Client, environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "ENVIRONMENT", environment)
    expected = {"development": 200, "production": 403}[environment]
    told = run(app, "seed-db").stdout
    password = told.partition("Password: ")[2].strip()
    assert (password == "Admin123!SecurePassword") == (environment == "development")
    token = access_token(client, "admin", password)
    assert me(client, token).status_code == expected


def environment_of(app: Flask) -> dict[str, str]:
    """Return the environment of a command that uses the database of the test."""
    environment = dict(os.environ)
    environment.update(
        INSTANCE_PATH=app.instance_path,
        DATABASE_URL=app.config["DATABASE_URL"],
        SECRET_KEY="s" * 40,
        FLASK_SKIP_DOTENV="1",
    )
    return environment


def read_until(terminal: int, words: str) -> None:
    """Read the output of a terminal up to these words."""
    shown = ""
    while words not in shown:
        shown += os.read(terminal, 1000).decode()


@pytest.mark.databases("sqlite")
def test_who_reads_no_further_is_told_nothing(app: Flask) -> None:
    UserFactory.create()
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        [FLASK, "user", "list"],
        cwd=ROOT,
        env=environment_of(app),
        stdout=writes,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writes)
    assert done.returncode == 1
    assert done.stderr == b""


def converse(
    app: Flask,
    command: list[str],
    answers: dict[str, str],
    last: str,
) -> bytes:
    """Run a command on a terminal, answer its questions and return its standard output."""
    here, there = pty.openpty()
    asked = subprocess.Popen(
        [FLASK, *command],
        cwd=ROOT,
        env=environment_of(app),
        stdin=there,
        stdout=subprocess.PIPE,
        stderr=there,
        start_new_session=True,
    )
    for question, answer in answers.items():
        read_until(here, question)
        os.write(here, f"{answer}\n".encode())
    read_until(here, last)
    output, _ = asked.communicate(timeout=60)
    os.close(here)
    os.close(there)
    db.session.rollback()
    return output


def test_a_deletion_is_confirmed_on_a_terminal(app: Flask) -> None:
    UserFactory.create(username="zoe")
    question = "Delete the account zoe (zoe@example.com) for good? [y/N]: "
    delete = ["user", "delete", "zoe"]
    assert converse(app, delete, {question: "n"}, "Aborted!") == b""
    assert len(users.list_users()) == 1
    done = converse(app, delete, {question: "y"}, "The account is deleted.")
    db.session.rollback()
    assert done == b"zoe\n"
    assert users.list_users() == []


def test_on_a_terminal_the_command_asks(app: Flask) -> None:
    answers = {
        "E-mail: ": "zoe@example.com",
        "Password: ": PASSWORD,
        "confirmation: ": PASSWORD,
    }
    command = ["create-user", "--username", "zoe"]
    assert converse(app, command, answers, SIGN_IN) == b"zoe\n"
    assert [user.email for user in users.list_users()] == ["zoe@example.com"]
