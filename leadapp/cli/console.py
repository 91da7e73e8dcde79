"""Shared by the commands: error messages, output, questions, progress bars and spans of time."""

import functools
import json
import re
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DatabaseError, ProgrammingError

from ..errors import InvalidInput, LeadappError, Refused
from ..mail.replies import NotSent
from ..operations.progress import Progress

Item = TypeVar("Item")
ReturnsResult = Callable[..., dict[str, Any]]
SPAN_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def reports_errors(function: Callable[..., None]) -> Callable[..., None]:
    """Run a command in the application context.

    A failure that an operator can fix is printed as a short message, not as a traceback.
    """

    @with_appcontext
    @functools.wraps(function)
    def run(**options: Any) -> None:
        try:
            function(**options)
        except (LeadappError, InvalidInput, Refused, NotSent) as error:
            raise click.ClickException(str(error)) from error
        except DatabaseError as error:
            raise click.ClickException(_describe(error)) from error
        except sqlite3.Error as error:  # while a backup is written or read
            raise click.ClickException(f"The database cannot be copied: {error}") from error
        except BrokenPipeError:
            raise  # the reader, such as `head`, has closed the pipe: click exits without a message
        except OSError as error:
            place = error.filename or "leadapp"
            raise click.ClickException(f"{place}: {error.strerror}") from error

    return run


def _describe(error: DatabaseError) -> str:
    text = f"The database cannot be used: {error.orig}"
    # PostgreSQL raises ProgrammingError for a missing table or column. With SQLite, only the
    # message shows it.
    unmigrated = re.search("no (such )?(table|column)", text)
    if isinstance(error, ProgrammingError) or unmigrated:
        text += "\nIf the database is new or outdated, run: flask db upgrade"
    return text


def prints_result(function: ReturnsResult) -> Callable[..., None]:
    """Run a command as `reports_errors` does, and print the dict that it returns.

    Prints one line for each entry, or one JSON object with --json.
    """

    @json_option
    @reports_errors
    @functools.wraps(function)
    def run(as_json: bool, **options: Any) -> None:
        result = function(**options)
        lines = [f"{name.replace('_', ' ')}: {value}" for name, value in result.items()]
        print_result(result, lines, as_json)

    return run


def print_result(data: object, lines: list[str], as_json: bool) -> None:
    """Print `data` as JSON with --json, otherwise these lines."""
    if as_json:
        click.echo(json.dumps(data))
    else:
        click.echo("\n".join(lines))


def ask(label: str, option: str, **prompt_options: Any) -> str:
    """Prompt for the value of a missing option on a terminal; elsewhere raise UsageError."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"Missing option '{option}'.")
    return str(click.prompt(label, err=True, **prompt_options))


def confirm(question: str, option: str) -> None:
    """Ask for confirmation on a terminal; elsewhere require the option by raising UsageError."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"Missing option '{option}'.")
    click.confirm(question, err=True, abort=True)


def progress_bar(label: str, length: int | None = None) -> Progress:
    """Return a wrapper for iterables that shows a progress bar on a terminal."""
    hidden = not sys.stderr.isatty()

    def show_progress(items: Iterable[Item], /) -> Iterator[Item]:
        with click.progressbar(items, length, label, file=sys.stderr, hidden=hidden) as bar:
            yield from bar

    return show_progress


def span(text: str) -> timedelta:
    """Parse a span of time, such as 90m, 24h or 3d."""
    if not re.fullmatch("[0-9]{1,5}[mhd]", text):
        raise click.BadParameter("must be a number followed by m, h or d, such as 24h")
    number, unit = text[:-1], text[-1]
    return int(number) * SPAN_UNITS[unit]
