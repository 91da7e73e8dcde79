"""Commands for settings, health, stored files, backups and reminders."""

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from .. import demo
from ..config import describe, settings
from ..config.table import SETTINGS
from ..operations import backup, maintenance, reminders
from ..operations.doctor import examine
from .console import json_option, print_result, prints_result, progress_bar, reports_errors, span

FOLDER = click.Path(path_type=Path)


@click.command("sweep")
@prints_result
def sweep() -> dict[str, int]:
    """Delete stored files that belong to no submission.

    Keeps files of the last two hours, because a form may still use them.
    """
    return {"deleted": maintenance.sweep()}


@click.command("purge")
@click.option(
    "--older-than",
    "untouched",
    required=True,
    type=span,
    help="Minimum age of the last submission, such as 365d.",
)
@click.option("--dry-run", is_flag=True, help="Only count the leads.")
@prints_result
def purge(untouched: timedelta, dry_run: bool) -> dict[str, int]:
    """Erase the leads without a recent submission.

    --older-than is the time since the last submission.
    """
    count = maintenance.purge(untouched, progress_bar("Erasing"), dry_run)
    if dry_run:
        return {"would_be_erased": count}
    return {"erased": count}


@click.command("backup")
@click.argument("folder", required=False, type=FOLDER)
@json_option
@reports_errors
def back_up(folder: Path | None, as_json: bool) -> None:
    """Back up the database and the files into a new FOLDER.

    By default, creates the folder in BACKUP_DIR. The site may keep running. Exits with 1 if files
    are missing from storage or changed.
    """
    made = backup.back_up(folder, progress_bar("Copying"))
    result = {"folder": str(made.folder), "lost": made.lost}
    print_result(result, [str(made.folder)], as_json)
    click.echo(f"To verify the backup, run: flask restore --verify {made.folder}", err=True)
    # Exit with 1, so that `flask backup && rm` keeps the older backups that have these files.
    if made.lost:
        lost = ", ".join(made.lost)
        raise click.ClickException(f"Files missing from storage or changed: {lost}")


@click.command("restore")
@click.argument("folder", type=FOLDER)
@click.option(
    "--verify", "only_verify", is_flag=True, help="Only compare the backup with its manifest."
)
@prints_result
def restore(folder: Path, only_verify: bool) -> dict[str, Any]:
    """Restore a backup into an empty place.

    FOLDER is the backup. The database and the storage must be empty. Stop the site first. Leads
    that were erased after the backup are left out. All logins end.
    """
    if only_verify:
        manifest = backup.verify(folder, progress_bar("Verifying"))
    else:
        manifest = backup.restore(folder, progress_bar("Restoring"))
    result = {
        "made_at": manifest["made_at"],
        "revision": manifest["revision"],
        "files": len(manifest["files"]),
    }
    result.update(manifest["counts"])
    return result


@click.command("remind")
@click.option(
    "--older-than", "waited", default="24h", type=span, help="Minimum wait, such as 90m, 24h or 3d."
)
@prints_result
def remind(waited: timedelta) -> dict[str, int]:
    """E-mail the attorneys about the leads that are waiting.

    Run it once a day.
    """
    return {"waiting": reminders.remind(waited)}


@click.command("seed-demo")
@click.option(
    "--leads",
    "count",
    default=500,
    type=click.IntRange(1, 5000),
    show_default=True,
)
@prints_result
def seed_demo(count: int) -> dict[str, int]:
    """Add leads of invented people, for a demo.

    Sends no e-mail.
    """
    show_progress = progress_bar("Adding leads", count)
    is_new = show_progress(demo.add_leads(count))
    return {"added": sum(is_new)}


@click.command("doctor")
@json_option
@reports_errors
def doctor(as_json: bool) -> None:
    """Check each part of leadapp, and print remedies.

    Exits with 1 if a part does not work.
    """
    findings = examine()
    rows = []
    lines = []
    for finding in findings:
        row = {
            "check": finding.check,
            "state": finding.state,
            "found": finding.found,
            "mend": finding.remedy,
        }
        line = f"{finding.state:6}{finding.check}: {finding.found}"
        if finding.remedy:
            line += f". {finding.remedy}"
        rows.append(row)
        lines.append(line)
    print_result(rows, lines, as_json)
    if any(finding.state == "fail" for finding in findings):
        sys.exit(1)


@click.command("config")
@click.option(
    "--example",
    "document",
    flag_value=describe.example,
    type=click.UNPROCESSED,
    help="Print .env.example.",
)
@click.option(
    "--markdown",
    "document",
    flag_value=describe.markdown,
    type=click.UNPROCESSED,
    help="Print the table for the docs.",
)
@with_appcontext
def show_config(document: Callable[[], str] | None) -> None:
    """Show every setting, its value and its source."""
    if document:
        click.echo(document(), nl=False)
        return
    for setting in SETTINGS:
        value = settings.values[setting.name]
        if setting.secret and value:
            value = "********"
        source = settings.SETTING_SOURCES[setting.name]
        click.echo(f"{setting.name}={value}  # {source}")
