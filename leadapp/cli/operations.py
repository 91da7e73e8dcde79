"""Commands for settings, health, stored files, backups and reminders."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from .. import demo
from ..config import kinds, settings
from ..config.kinds import SETTINGS
from ..operations import backup, maintenance, reminders
from ..operations.doctor import examine
from .console import counted, reporting, span, watched


@click.command("sweep")
@counted
def sweep() -> dict[str, int]:
    """Delete stored files that no submission has claimed in two hours."""
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
@counted
def purge(untouched: timedelta, dry_run: bool) -> dict[str, int]:
    """Erase the leads with no submission in the time given by --older-than."""
    return {
        "would_be_erased" if dry_run else "erased": maintenance.purge(
            untouched, watched("Erasing"), dry_run
        )
    }


@click.command("backup")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@reporting
def back_up(folder: Path | None, as_json: bool) -> None:
    """Back up the database and the files into a new FOLDER.

    By default, creates the folder in BACKUP_DIR. The site may keep running. Exits with 1 if files
    are missing from storage or changed.
    """
    made, lost = backup.back_up(folder, watched("Copying"))
    click.echo(json.dumps({"folder": str(made), "lost": lost}) if as_json else made)
    click.echo(f"To verify the backup, run: flask restore --verify {made}", err=True)
    # Exit with 1, so that `flask backup && rm` keeps the older backups that have these files.
    if lost:
        raise click.ClickException(f"Files missing from storage or changed: {', '.join(lost)}")


@click.command("restore")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--verify", "only_verify", is_flag=True, help="Only compare the backup with its manifest."
)
@counted
def restore(folder: Path, only_verify: bool) -> dict[str, Any]:
    """Restore the backup in FOLDER into an empty database and storage.

    Stop the site first. Leads that were erased after the backup are left out. All logins end.
    """
    bring = backup.verify if only_verify else backup.restore
    manifest = bring(folder, watched("Verifying" if only_verify else "Restoring"))
    made = {name: manifest[name] for name in ("made_at", "revision")}
    return made | {"files": len(manifest["files"])} | manifest["counts"]


@click.command("remind")
@click.option(
    "--older-than", "waited", default="24h", type=span, help="Minimum wait, such as 90m, 24h or 3d."
)
@counted
def remind(waited: timedelta) -> dict[str, int]:
    """E-mail the attorneys about the leads that still wait.

    Run it once a day.
    """
    return {"waiting": reminders.remind(waited)}


@click.command("seed-demo")
@click.option("--leads", "count", default=500, type=click.IntRange(1, 5000), show_default=True)
@counted
def seed_demo(count: int) -> dict[str, int]:
    """Add leads of invented people, for a demo.

    Sends no e-mail.
    """
    return {"added": sum(watched("Adding leads", count)(demo.add_leads(count)))}


@click.command("doctor")
@reporting
def doctor(as_json: bool) -> None:
    """Check each part that leadapp depends on, and print how to fix it.

    Exits with 1 if a part does not work.
    """
    findings = examine()
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in findings]))
    else:
        for finding in findings:
            click.echo(
                f"{finding.state:6}{finding.check}: {finding.found}"
                + (finding.mend and f". {finding.mend}")
            )
    if any(finding.state == "fail" for finding in findings):
        sys.exit(1)


@click.command("config")
@click.option(
    "--example",
    "written",
    flag_value=kinds.example,
    type=click.UNPROCESSED,
    help="Print .env.example.",
)
@click.option(
    "--markdown",
    "written",
    flag_value=kinds.markdown,
    type=click.UNPROCESSED,
    help="Print the table for the docs.",
)
@with_appcontext
def show_config(written: Callable[[], str] | None) -> None:
    """Show every setting, its value and its source."""
    click.echo(written() if written else _settings_in_force(), nl=False)


def _settings_in_force() -> str:
    lines = []
    for setting in SETTINGS:
        value = "********" if setting.secret and settings[setting.name] else settings[setting.name]
        lines.append(f"{setting.name}={value}  # {settings['SETTING_SOURCES'][setting.name]}\n")
    return "".join(lines)
