"""Accounts of attorneys."""

import json
import secrets
from typing import TextIO

import click
from flask.cli import AppGroup

from .. import accounts, rules
from ..config import current
from ..models import User
from ..schemas.writers import UserSchema
from .console import ask, reporting

SIGN_IN = "Sign in at {}/auth/login"

user_commands = AppGroup("user", help="Look after the accounts of attorneys.")
random_option = click.option(
    "--random-password", is_flag=True, help="Make one to be changed, and print it once."
)
file_option = click.option(
    "--password-file", type=click.File(), help="File with the password; - is standard input."
)


@click.command("create-user")
@click.option("--username", help="3 to 50 letters, digits, underscores or hyphens.")
@click.option("--email", help="The attorney's e-mail address.")
@file_option
@random_option
@reporting
def create_user(
    username: str | None,
    email: str | None,
    password_file: TextIO | None,
    random_password: bool,
    as_json: bool,
) -> None:
    """Make an account that can sign in at once; asks for what is missing on a terminal."""
    username = rules.username(username or ask("Username", "--username"))
    email = rules.email(email or ask("E-mail", "--email"))
    password = _password(password_file, random_password)
    user = accounts.create(username, email, password, must_change=random_password)
    _report(user, as_json, password=password if random_password else None)


def _password(file: TextIO | None, at_random: bool) -> str:
    if at_random:
        return f"Aa1{secrets.token_urlsafe(15)}"  # of every kind that the rule asks for
    if file:
        try:
            return rules.password(file.read().rstrip("\r\n"))
        except UnicodeError as error:
            raise click.ClickException(f"{file.name}: the password is not text in UTF-8") from error
    return rules.password(
        ask("Password", "--password-file", hide_input=True, confirmation_prompt=True)
    )


def _report(user: User, as_json: bool, then: str = SIGN_IN, password: str | None = None) -> None:
    """Print the account for programs, and the next step for people."""
    if as_json:
        click.echo(
            json.dumps(UserSchema().dump(user) | ({"password": password} if password else {}))
        )
    else:
        click.echo(user.username + (f"\nPassword: {password}" if password else ""))
    click.echo(then.format(current["BASE_URL"]), err=True)


@click.command("seed-db")
@reporting
def seed_db(as_json: bool) -> None:
    """Make the first account: the seed's admin, in production with a random password."""
    production = current["ENVIRONMENT"] == "production"
    password = _password(None, at_random=True) if production else "Admin123!SecurePassword"
    user = accounts.create("admin", "admin@leadmanagement.local", password, must_change=True)
    _report(user, as_json, f"{SIGN_IN} and change this password.", password)


@user_commands.command("list")
@reporting
def list_users(as_json: bool) -> None:
    """List the accounts."""
    users = accounts.everybody()
    lines = (
        f"{user.username:<20} {user.email:<40} {'enabled' if user.is_active else 'disabled'}"
        for user in users
    )
    click.echo(json.dumps(UserSchema(many=True).dump(users)) if as_json else "\n".join(lines))


@user_commands.command("enable")
@click.argument("username")
@reporting
def enable_user(username: str, as_json: bool) -> None:
    """Let a user sign in."""
    _report(accounts.enable(username), as_json)


@user_commands.command("disable")
@click.argument("username")
@reporting
def disable_user(username: str, as_json: bool) -> None:
    """Keep a user out; sessions and tokens end at once."""
    _report(
        accounts.enable(username, active=False),
        as_json,
        f"To let them in again: flask user enable {username}",
    )


@user_commands.command("unlock")
@click.argument("username")
@reporting
def unlock_user(username: str, as_json: bool) -> None:
    """Let a user try again after too many wrong passwords."""
    _report(accounts.unlock(username), as_json)


@user_commands.command("set-password")
@click.argument("username")
@file_option
@random_option
@reporting
def set_password(
    username: str, password_file: TextIO | None, random_password: bool, as_json: bool
) -> None:
    """Give a user another password; sessions and tokens end."""
    user, password = accounts.named(username), _password(password_file, random_password)
    accounts.set_password(user, password, must_change=random_password)
    _report(user, as_json, password=password if random_password else None)
