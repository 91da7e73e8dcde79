"""The `flask` commands: thin callers of the use cases.

Exit codes: 0 done, 1 refused, 2 wrong usage. Data goes to stdout, messages to stderr.
"""

import functools
import json
import re
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TextIO

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import OperationalError, ProgrammingError

from . import accounts, config, letters, mail, rules, upkeep, wording
from .config import SETTINGS, current
from .errors import InvalidInput, LeadappError, Refused
from .models import User

user_commands = AppGroup("user", help="Look after the accounts of attorneys.")
mail_commands = AppGroup("mail", help="Deliver letters, and find out why they do not leave.")


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (create_user, seed_db, show_config, sweep, remind, user_commands, mail_commands):
        app.cli.add_command(command)


def mendable(function: Callable[..., None]) -> Callable[..., None]:
    """Run in the application; what an operator can mend becomes one line, not a traceback."""

    @with_appcontext
    @functools.wraps(function)
    def run(*args: Any, **options: Any) -> None:
        try:
            function(*args, **options)
        except (LeadappError, InvalidInput, Refused, mail.NotSent) as error:
            raise click.ClickException(str(error)) from error
        except (OperationalError, ProgrammingError) as error:
            words = f"The database cannot be used: {error.orig}\nIf it is new or behind, run: flask db upgrade"
            raise click.ClickException(words) from error

    return run


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
    username = rules.username(username or _ask("Username", "--username"))
    email = rules.email(email or _ask("E-mail", "--email"))
    password = _password(password_file, random_password)
    _report(accounts.create(username, email, password), password if random_password else None, as_json)


def _ask(label: str, option: str, **how: Any) -> str:
    if not sys.stdin.isatty():
        raise click.UsageError(f"Missing option '{option}'.")
    return str(click.prompt(label, err=True, **how))


def _password(file: TextIO | None, at_random: bool) -> str:
    if at_random:
        return f"Aa1{secrets.token_urlsafe(15)}"  # of every kind that the rule asks for
    if file:
        return rules.password(file.read().rstrip("\r\n"))
    return rules.password(_ask("Password", "--password-file", hide_input=True, confirmation_prompt=True))


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


@mail_commands.command("deliver")
@mendable
def deliver_letters() -> None:
    """Deliver letters until stopped; any number of these may run."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    click.echo("Delivering letters; press Ctrl+C to stop.", err=True)
    upkeep.keep_up(stopped)


@mail_commands.command("test")
@click.option("--to", required=True, help="Who gets the letter.")
@mendable
def test_mail(to: str) -> None:
    """Send one letter now, and say what fails."""
    message = mail.compose("test", "A test letter", rules.email(to), f"test-{secrets.token_hex(8)}")
    mail.send(message)
    place = f"{current['SMTP_HOST']}:{current['SMTP_PORT']}" if current["SMTP_HOST"] else str(mail.outbox())
    click.echo(f"{place} has taken the letter")


@mail_commands.command("status")
@mendable
def mail_status() -> None:
    """Tell how many letters wait and have failed; exit 1 if any has."""
    standing = letters.standing()
    oldest = f", the oldest for {wording.span(standing.oldest_waiting)}" if standing.oldest_waiting else ""
    click.echo(f"waiting: {standing.waiting}{oldest}\nfailed: {standing.failed}")
    if standing.failed:
        raise click.ClickException("Letters have failed. The page of a lead gives the reason; flask mail retry")


@mail_commands.command("retry")
@mendable
def retry_mail() -> None:
    """Send every letter that has failed once more."""
    click.echo(f"sent again: {letters.retry_failed()}")


@click.command("sweep")
@mendable
def sweep() -> None:
    """Delete stored files that no submission has claimed in two hours."""
    click.echo(f"deleted: {upkeep.sweep()}")


@click.command("remind")
@click.option("--older-than", "waited", default="24h", callback=lambda _c, _p, text: _span(text), help="24h, 3d, 90m")
@mendable
def remind(waited: timedelta) -> None:
    """Write to the attorneys about the leads that still wait; run it once a day."""
    click.echo(f"waiting: {upkeep.remind(waited)}")


def _span(text: str) -> timedelta:
    units = {"m": "minutes", "h": "hours", "d": "days"}
    if not re.fullmatch("[0-9]{1,5}[mhd]", text):
        raise click.BadParameter("must be a number and m, h or d, like 24h")
    return timedelta(**{units[text[-1]]: int(text[:-1])})


@click.command("config")
@click.option("--example", "written", flag_value=config.example, type=click.UNPROCESSED, help="Print .env.example.")
@click.option(
    "--markdown", "written", flag_value=config.markdown, type=click.UNPROCESSED, help="Print the docs' table."
)
@with_appcontext
def show_config(written: Callable[[], str] | None) -> None:
    """Show every setting, its value and where it comes from."""
    click.echo(written() if written else _settings_in_force(), nl=False)


def _settings_in_force() -> str:
    lines = []
    for setting in SETTINGS:
        value = "********" if setting.secret and current[setting.name] else current[setting.name]
        lines.append(f"{setting.name}={value}  # {current['SETTING_SOURCES'][setting.name]}\n")
    return "".join(lines)
