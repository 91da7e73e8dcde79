"""Accounts of attorneys."""

import json
import secrets
from typing import TextIO

import click
from flask.cli import AppGroup

from .. import accounts, rules
from ..config import current
from ..models import User
from .console import ask, mendable

user_commands = AppGroup("user", help="Look after the accounts of attorneys.")


@click.command("create-user")
@click.option("--username", help="3 to 50 letters, digits, underscores or hyphens.")
@click.option("--email", help="The attorney's e-mail address.")
@click.option("--password-file", type=click.File(), help="File with the password; - reads standard input.")
@click.option("--random-password", is_flag=True, help="Make a password and print it once.")
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@mendable
def create_user(
    username: str | None, email: str | None, password_file: TextIO | None, random_password: bool, as_json: bool
) -> None:
    """Make an account that can sign in at once; asks for what is missing on a terminal."""
    username = rules.username(username or ask("Username", "--username"))
    email = rules.email(email or ask("E-mail", "--email"))
    password = _password(password_file, random_password)
    _report(accounts.create(username, email, password), password if random_password else None, as_json)


def _password(file: TextIO | None, at_random: bool) -> str:
    if at_random:
        return f"Aa1{secrets.token_urlsafe(15)}"  # of every kind that the rule asks for
    if file:
        return rules.password(file.read().rstrip("\r\n"))
    return rules.password(ask("Password", "--password-file", hide_input=True, confirmation_prompt=True))


def _report(user: User, password: str | None, as_json: bool) -> None:
    if as_json:
        account = {"id": str(user.id), "username": user.username, "email": user.email, "is_active": user.is_active}
        click.echo(json.dumps(account | ({"password": password} if password else {})))
    else:
        click.echo(user.username + (f"\nPassword: {password}" if password else ""))
    click.echo(f"Sign in at {current['BASE_URL']}/auth/login", err=True)


@click.command("seed-db")
@mendable
def seed_db() -> None:
    """Make the first account: the seed's admin, in production with a random password."""
    production = current["ENVIRONMENT"] == "production"
    password = _password(None, at_random=True) if production else "Admin123!SecurePassword"
    user = accounts.create("admin", "admin@leadmanagement.local", password)
    _report(user, password, as_json=False)
    click.echo("Change this password after the first sign-in.", err=True)


@user_commands.command("enable")
@click.argument("username")
@mendable
def enable_user(username: str) -> None:
    """Let a user sign in."""
    click.echo(accounts.enable(username).username)
