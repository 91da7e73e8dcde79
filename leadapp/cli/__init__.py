"""The `flask` commands, which only call the use cases.

Exit codes: 0 success, 1 failure, 2 wrong usage. Data goes to stdout, messages to stderr.
"""

from typing import Any

import click
from flask import Flask

from ..extensions import db
from ..models.accounts import Login, User
from ..models.leads import Erasure, Event, Lead, Submission
from ..models.letters import Letter
from .leads import lead_commands
from .mail import mail_commands
from .operations import back_up, doctor, purge, remind, restore, seed_demo, show_config, sweep
from .users import create_user, seed_db, user_commands

# The names that `flask shell` knows.
SHELL = {
    "db": db,
    "Erasure": Erasure,
    "Event": Event,
    "Lead": Lead,
    "Letter": Letter,
    "Login": Login,
    "Submission": Submission,
    "User": User,
}
COMMANDS = (
    lead_commands,
    mail_commands,
    user_commands,
    create_user,
    seed_db,
    seed_demo,
    show_config,
    doctor,
    back_up,
    restore,
    sweep,
    purge,
    remind,
)


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in COMMANDS:
        app.cli.add_command(command)
    app.shell_context_processor(_shell_context)
    context = click.get_current_context(silent=True)
    # `flask run`, Flask's development server, does not deliver e-mails.
    if context and context.info_name == "run":
        click.echo("E-mails are not sent until you also run: flask mail deliver", err=True)


def _shell_context() -> dict[str, Any]:
    return SHELL
