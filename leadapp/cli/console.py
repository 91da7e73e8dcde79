"""Shared by the commands: questions on a terminal, spans of time, and failures in one line."""

import functools
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DatabaseError, ProgrammingError

from ..errors import InvalidInput, LeadappError, Refused
from ..mail.smtp import NotSent


def mendable(function: Callable[..., None]) -> Callable[..., None]:
    """Run a command in the application context.

    A failure that an operator can fix is printed as a short message, not as a traceback.
    """

    @with_appcontext
    @functools.wraps(function)
    def run(*args: Any, **options: Any) -> None:
        try:
            function(*args, **options)
        except (LeadappError, InvalidInput, Refused, NotSent) as error:
            raise click.ClickException(str(error)) from error
        except DatabaseError as error:
            words = f"The database cannot be used: {error.orig}"
            # PostgreSQL raises ProgrammingError for a missing table or column. With SQLite, only
            # the message shows it.
            unmigrated = re.search("no (such )?(table|column)", words)
            if isinstance(error, ProgrammingError) or unmigrated:
                words += "\nIf the database is new or outdated, run: flask db upgrade"
            raise click.ClickException(words) from error
        except BrokenPipeError:
            raise  # the reader, such as `head`, has closed the pipe: click exits without a message
        except OSError as error:
            raise click.ClickException(
                f"{error.filename or 'leadapp'}: {error.strerror}"
            ) from error

    return run


def reporting(function: Callable[..., None]) -> Callable[..., None]:
    """Run a command as `mendable` does, and add the option --json, passed as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(mendable(function))


def counted(function: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """Run a command as `mendable` does, and print the dict that it returns.

    Prints one line for each entry, or one JSON object with --json.
    """

    @reporting
    @functools.wraps(function)
    def run(as_json: bool, **options: Any) -> None:
        given = function(**options)
        lines = (f"{name.replace('_', ' ')}: {value}" for name, value in given.items())
        click.echo(json.dumps(given) if as_json else "\n".join(lines))

    return run


def ask(label: str, option: str, **how: Any) -> str:
    """Prompt for the value of a missing option on a terminal; elsewhere raise UsageError."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"Missing option '{option}'.")
    return str(click.prompt(label, err=True, **how))


def confirm(question: str, option: str) -> None:
    """Ask for confirmation on a terminal; elsewhere require the option by raising UsageError."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"Missing option '{option}'.")
    click.confirm(question, err=True, abort=True)


def watched(label: str, length: int | None = None) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Return a wrapper for iterables that shows a progress bar on a terminal."""

    def watch(items: Iterable[Any]) -> Iterator[Any]:
        with click.progressbar(
            items, length, label, file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as bar:
            yield from bar

    return watch


def span(text: str) -> timedelta:
    """Parse a span of time, such as 90m, 24h or 3d."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    if not re.fullmatch("[0-9]{1,5}[mhd]", text):
        raise click.BadParameter("must be a number followed by m, h or d, such as 24h")
    return timedelta(**{units[text[-1]]: int(text[:-1])})
