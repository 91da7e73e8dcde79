"""Commands that deliver e-mails and help to find out why they fail."""

import secrets
import signal
import threading

import click
from flask.cli import AppGroup

from .. import formatting, validation
from ..config import settings
from ..mail import connections, messages, queue, smtp
from ..operations import maintenance
from .console import json_option, print_result, prints_result, reports_errors

mail_commands = AppGroup("mail", help="Deliver e-mails, and find out why they are not sent.")


@mail_commands.command("deliver")
@reports_errors
def deliver_letters() -> None:
    """Deliver e-mails until stopped.

    Any number of these commands may run at the same time.
    """
    stopped = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda _number, _frame: stopped.set())
    click.echo("Delivering e-mails; press Ctrl+C to stop.", err=True)
    maintenance.run_until(stopped)


@mail_commands.command("test")
@click.option("--to", required=True, help="The recipient's e-mail address.")
@reports_errors
def test_mail(to: str) -> None:
    """Send one test e-mail now, and print the reason if it fails."""
    recipient = validation.email(to)
    try:
        message = messages.build("test", recipient, f"test-{secrets.token_hex(8)}")
    except Exception as error:
        reason = f"The e-mail cannot be composed: {type(error).__name__}: {error}"
        raise click.ClickException(reason) from error
    connections.send(message)
    receiver = str(smtp.outbox())
    if settings.SMTP_HOST:
        receiver = f"{settings.SMTP_HOST}:{settings.SMTP_PORT}"
    click.echo(f"{receiver} accepted the e-mail")


@mail_commands.command("status")
@json_option
@reports_errors
def mail_status(as_json: bool) -> None:
    """Print how many e-mails wait and how many have failed.

    Exits with 1 if any has failed.
    """
    state = queue.read_state()
    waiting = f"waiting: {state.waiting}"
    oldest_seconds = None
    if state.oldest_waiting:
        waiting += f", the oldest for {formatting.span(state.oldest_waiting)}"
        oldest_seconds = int(state.oldest_waiting.total_seconds())
    figures = {
        "waiting": state.waiting,
        "failed": state.failed,
        "oldest_seconds": oldest_seconds,
    }
    print_result(figures, [waiting, f"failed: {state.failed}"], as_json)
    if state.failed:
        raise click.ClickException(
            "Some e-mails have failed. The lead's page shows the reason. "
            "To send them again, run: flask mail retry"
        )


@mail_commands.command("retry")
@prints_result
def retry_mail() -> dict[str, int]:
    """Queue every failed e-mail again."""
    return {"sent_again": queue.retry_failed()}
