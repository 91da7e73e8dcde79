"""Commands that deliver e-mails and help to find out why they fail."""

import json
import secrets
import signal
import threading

import click
from flask.cli import AppGroup

from .. import formatting, validation
from ..config import settings
from ..mail import messages, queue, smtp
from ..operations import maintenance
from .console import counted, mendable, reporting

mail_commands = AppGroup("mail", help="Deliver e-mails, and find out why they are not sent.")


@mail_commands.command("deliver")
@mendable
def deliver_letters() -> None:
    """Deliver e-mails until stopped.

    Any number of these commands may run at the same time.
    """
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    click.echo("Delivering e-mails; press Ctrl+C to stop.", err=True)
    maintenance.run_until(stopped)


@mail_commands.command("test")
@click.option("--to", required=True, help="The recipient's e-mail address.")
@mendable
def test_mail(to: str) -> None:
    """Send one test e-mail now, and print the reason if it fails."""
    recipient, number = validation.email(to), secrets.token_hex(8)
    try:
        message = messages.build("test", recipient, f"test-{number}")
    except Exception as error:
        words = f"The e-mail cannot be composed: {type(error).__name__}: {error}"
        raise click.ClickException(words) from error
    smtp.send(message)
    place = str(smtp.outbox())
    if settings["SMTP_HOST"]:
        place = f"{settings['SMTP_HOST']}:{settings['SMTP_PORT']}"
    click.echo(f"{place} accepted the e-mail")


@mail_commands.command("status")
@reporting
def mail_status(as_json: bool) -> None:
    """Print how many e-mails wait and how many have failed.

    Exits with 1 if any has failed.
    """
    waiting, failed, wait = queue.read_state()
    figures = {
        "waiting": waiting,
        "failed": failed,
        "oldest_seconds": int(wait.total_seconds()) if wait else None,
    }
    oldest = f", the oldest for {formatting.span(wait)}" if wait else ""
    click.echo(json.dumps(figures) if as_json else f"waiting: {waiting}{oldest}\nfailed: {failed}")
    if failed:
        raise click.ClickException(
            "Some e-mails have failed. The lead's page shows the reason. "
            "To send them again, run: flask mail retry"
        )


@mail_commands.command("retry")
@counted
def retry_mail() -> dict[str, int]:
    """Queue every failed e-mail again."""
    return {"sent_again": queue.retry_failed()}
