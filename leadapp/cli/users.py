"""Commands for the accounts of attorneys."""

import secrets
from typing import TextIO

import click
from flask.cli import AppGroup
from marshmallow import Schema, fields

from .. import validation
from ..accounts import registration, users
from ..config import settings
from ..formatting import when
from ..http.writers import Moment, UserSchema
from ..models.accounts import User
from .console import ask, confirm, json_option, print_result, reports_errors

SIGN_IN = "Sign in at {}/auth/login"
NOT_PROVEN = "The address {email} was not verified; make sure that it belongs to this person"

user_commands = AppGroup("user", help="Manage the accounts of attorneys.")
random_option = click.option(
    "--random-password",
    is_flag=True,
    help="Generate a password, print it once, and require a new one at the first sign-in.",
)
file_option = click.option(
    "--password-file", type=click.File(), help="File with the password; - is standard input."
)


class RefusedRegistrationSchema(Schema):
    """A request for an account with a taken username or e-mail address."""

    created_at = Moment()
    username = fields.String()
    email = fields.String()
    taken = fields.List(fields.String())


@click.command("create-user")
@click.option("--username", help="3 to 50 letters, digits, underscores or hyphens.")
@click.option("--email", help="The attorney's e-mail address.")
@file_option
@random_option
@json_option
@reports_errors
def create_user(
    username: str | None,
    email: str | None,
    password_file: TextIO | None,
    random_password: bool,
    as_json: bool,
) -> None:
    """Create an account that can sign in at once.

    On a terminal, prompts for missing values.
    """
    username = validation.username(username or ask("Username", "--username"))
    email = validation.email(email or ask("E-mail", "--email"))
    password = _password(password_file, random_password)
    user = registration.create(username, email, password, must_change=random_password)
    shown = password if random_password else None
    _report(user, as_json, password=shown)


def _password(file: TextIO | None, at_random: bool) -> str:
    if at_random:
        return _random_password()
    if file:
        try:
            return validation.password(file.read().rstrip("\r\n"))
        except UnicodeError as error:
            raise click.ClickException(f"{file.name}: the password is not UTF-8 text") from error
    return validation.password(
        ask("Password", "--password-file", hide_input=True, confirmation_prompt=True)
    )


def _random_password() -> str:
    # "Aa1" has every kind of character that the password rule requires.
    return f"Aa1{secrets.token_urlsafe(15)}"


def _report(
    user: User,
    as_json: bool,
    next_step: str = SIGN_IN,
    password: str | None = None,
) -> None:
    """Print the account to stdout, and the next step for the operator to stderr."""
    account = UserSchema().dump(user)
    lines = [user.username]
    if password:
        account["password"] = password
        lines.append(f"Password: {password}")
    print_result(account, lines, as_json)
    click.echo(next_step.format(settings.BASE_URL), err=True)


@click.command("seed-db")
@json_option
@reports_errors
def seed_db(as_json: bool) -> None:
    """Create the first account, with the username admin.

    The password must be changed at the first sign-in. In production it is random.
    """
    in_production = settings.ENVIRONMENT == "production"
    password = _random_password() if in_production else "Admin123!SecurePassword"
    user = registration.create("admin", "admin@leadmanagement.local", password, must_change=True)
    _report(user, as_json, f"{SIGN_IN} and change this password.", password)


@user_commands.command("list")
@click.option(
    "--refused",
    is_flag=True,
    help="Requests of the last 30 days for a taken username or e-mail address.",
)
@json_option
@reports_errors
def list_users(as_json: bool, refused: bool) -> None:
    """List the accounts."""
    if refused:
        _list_refused(as_json)
        return
    accounts = users.list_users()
    rows = UserSchema(many=True).dump(accounts)
    lines = [f"{user.username:<20} {user.email:<40} {_state(user)}" for user in accounts]
    print_result(rows, lines, as_json)


def _state(user: User) -> str:
    if user.is_active:
        return "enabled"
    if user.awaits_approval:
        return "waiting"
    return "disabled"


def _list_refused(as_json: bool) -> None:
    requests = registration.refused()
    rows = RefusedRegistrationSchema(many=True).dump(requests)
    lines = []
    for request in requests:
        taken = ", ".join(request.taken)
        at = when(request.created_at)
        lines.append(f"{at:<20} {request.username:<20} {request.email:<40} taken: {taken}")
    print_result(rows, lines, as_json)


@user_commands.command("enable")
@click.argument("username")
@json_option
@reports_errors
def enable_user(username: str, as_json: bool) -> None:
    """Allow a user to sign in."""
    user = users.enable(username)
    click.echo(NOT_PROVEN.format(email=user.email), err=True)
    _report(user, as_json)


@user_commands.command("disable")
@click.argument("username")
@json_option
@reports_errors
def disable_user(username: str, as_json: bool) -> None:
    """Block a user from signing in.

    Ends the sessions and tokens of the user at once.
    """
    user = users.enable(username, active=False)
    next_step = f"To enable the account again, run: flask user enable {username}"
    _report(user, as_json, next_step)


@user_commands.command("delete")
@click.argument("username")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
@reports_errors
def delete_user(username: str, yes: bool, as_json: bool) -> None:
    """Delete an account for good.

    The history of leads is kept, without the name of the user.
    """
    user = users.get_by_username(username)
    if not yes:
        question = f"Delete the account {user.username} ({user.email}) for good?"
        confirm(question, "--yes")
    _report(users.delete_user(username), as_json, "The account is deleted.")


@user_commands.command("unlock")
@click.argument("username")
@json_option
@reports_errors
def unlock_user(username: str, as_json: bool) -> None:
    """Allow a user to try again after too many wrong passwords."""
    _report(users.unlock(username), as_json)


@user_commands.command("set-password")
@click.argument("username")
@file_option
@random_option
@json_option
@reports_errors
def set_password(
    username: str, password_file: TextIO | None, random_password: bool, as_json: bool
) -> None:
    """Set a new password for a user.

    Ends the sessions and tokens of the user.
    """
    user = users.get_by_username(username)
    password = _password(password_file, random_password)
    users.set_password(user, password, must_change=random_password)
    shown = password if random_password else None
    _report(user, as_json, password=shown)
