"""The `flask` commands: thin callers of the use cases.

Exit codes: 0 done, 1 refused, 2 wrong usage. Data goes to stdout, messages to stderr.
"""

import click
from flask import Flask

from .mail import mail_commands
from .upkeep import doctor, remind, seed_demo, show_config, sweep
from .users import create_user, seed_db, user_commands


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (create_user, seed_db, seed_demo, show_config, doctor, sweep, remind, user_commands, mail_commands):
        app.cli.add_command(command)
    context = click.get_current_context(silent=True)
    if context and context.info_name == "run":  # Flask's own development server, which starts no deliverer
        click.echo("Letters wait until this runs beside it: flask mail deliver", err=True)
