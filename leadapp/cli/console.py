"""What every command shares: questions on a terminal, spans of time, and failures in one line."""

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
from ..mail import NotSent


def mendable(function: Callable[..., None]) -> Callable[..., None]:
    """Run in the application; what an operator can mend becomes one line, not a traceback."""

    @with_appcontext
    @functools.wraps(function)
    def run(*args: Any, **options: Any) -> None:
        try:
            function(*args, **options)
        except (LeadappError, InvalidInput, Refused, NotSent) as error:
            raise click.ClickException(str(error)) from error
        except DatabaseError as error:
            words = f"The database cannot be used: {error.orig}"
            # PostgreSQL raises ProgrammingError; SQLite only says it.
            unmigrated = re.search("no (such )?(table|column)", words)
            if isinstance(error, ProgrammingError) or unmigrated:
                words += "\nIf it is new or behind, run: flask db upgrade"
            raise click.ClickException(words) from error
        except BrokenPipeError:
            raise  # whoever reads the output has enough: click ends without a word
        except OSError as error:
            raise click.ClickException(
                f"{error.filename or 'leadapp'}: {error.strerror}"
            ) from error

    return run


def reporting(function: Callable[..., None]) -> Callable[..., None]:
    """Run as `mendable` does, and tell by `as_json` whether somebody asks for JSON."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(mendable(function))


def counted(function: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    """Run as `mendable` does; print what the command gives line by line, or as one JSON object."""

    @reporting
    @functools.wraps(function)
    def run(as_json: bool, **options: Any) -> None:
        given = function(**options)
        lines = (f"{name.replace('_', ' ')}: {value}" for name, value in given.items())
        click.echo(json.dumps(given) if as_json else "\n".join(lines))

    return run


def ask(label: str, option: str, **how: Any) -> str:
    """Ask on a terminal for what no option brought."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"Missing option '{option}'.")
    return str(click.prompt(label, err=True, **how))


def confirm(question: str, option: str) -> None:
    """Ask on a terminal whether to go on; elsewhere an option must say so."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"Missing option '{option}'.")
    click.confirm(question, err=True, abort=True)


def watched(label: str, length: int | None = None) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Make what shows on a terminal how far somebody is with a list."""

    def watch(items: Iterable[Any]) -> Iterator[Any]:
        with click.progressbar(
            items, length, label, file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as bar:
            yield from bar

    return watch


def span(text: str) -> timedelta:
    """Read a span of time: 90m, 24h, 3d."""
    units = {"m": "minutes", "h": "hours", "d": "days"}
    if not re.fullmatch("[0-9]{1,5}[mhd]", text):
        raise click.BadParameter("must be a number and m, h or d, like 24h")
    return timedelta(**{units[text[-1]]: int(text[:-1])})
