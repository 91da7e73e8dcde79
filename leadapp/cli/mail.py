"""Commands that deliver e-mails and help to find out why they fail."""

import json
import secrets
import signal
import threading

import click
from flask.cli import AppGroup

from .. import letters, mail, rules, wording
from ..config import settings
from ..upkeep import rounds
from .console import counted, mendable, reporting

mail_commands = AppGroup("mail", help="Deliver letters, and find out why they do not leave.")


@mail_commands.command("deliver")
@mendable
def deliver_letters() -> None:
    """Deliver e-mails until stopped.

    Any number of these commands may run at the same time.
    """
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    click.echo("Delivering letters; press Ctrl+C to stop.", err=True)
    rounds.run_until(stopped)


@mail_commands.command("test")
@click.option("--to", required=True, help="The address to send it to.")
@mendable
def test_mail(to: str) -> None:
    """Send one test e-mail now, and print the reason if it fails."""
    recipient, number = rules.email(to), secrets.token_hex(8)
    try:
        message = mail.build("test", "Test e-mail", recipient, f"test-{number}")
    except Exception as error:
        words = f"The e-mail cannot be composed: {type(error).__name__}: {error}"
        raise click.ClickException(words) from error
    mail.send(message)
    place = str(mail.outbox())
    if settings["SMTP_HOST"]:
        place = f"{settings['SMTP_HOST']}:{settings['SMTP_PORT']}"
    click.echo(f"{place} accepted the e-mail")


@mail_commands.command("status")
@reporting
def mail_status(as_json: bool) -> None:
    """Print how many e-mails wait and how many have failed.

    Exits with 1 if any has failed.
    """
    waiting, failed, wait = letters.read_state()
    figures = {
        "waiting": waiting,
        "failed": failed,
        "oldest_seconds": int(wait.total_seconds()) if wait else None,
    }
    oldest = f", the oldest for {wording.span(wait)}" if wait else ""
    click.echo(json.dumps(figures) if as_json else f"waiting: {waiting}{oldest}\nfailed: {failed}")
    if failed:
        raise click.ClickException(
            "Letters have failed. The page of a lead gives the reason; flask mail retry"
        )


@mail_commands.command("retry")
@counted
def retry_mail() -> dict[str, int]:
    """Queue every failed e-mail again."""
    return {"sent_again": letters.retry_failed()}
