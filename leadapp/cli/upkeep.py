"""What an operator looks after: settings, health, stored files, backups, reminders."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click
from flask.cli import with_appcontext

from .. import config, demo, upkeep
from ..config import SETTINGS, current
from .console import mendable, span, watched


@click.command("sweep")
@mendable
def sweep() -> None:
    """Delete stored files that no submission has claimed in two hours."""
    click.echo(f"deleted: {upkeep.sweep()}")


@click.command("purge")
@click.option("--older-than", "untouched", required=True, callback=lambda _c, _p, text: span(text), help="365d")
@click.option("--dry-run", is_flag=True, help="Only count them.")
@mendable
def purge(untouched: timedelta, dry_run: bool) -> None:
    """Erase the leads whose last submission is older than that."""
    count = upkeep.purge(untouched, watched("Erasing"), dry_run)
    click.echo(f"would be erased: {count}" if dry_run else f"erased: {count}")


@click.command("backup")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@mendable
def back_up(folder: Path | None) -> None:
    """Back up database and files into a new FOLDER, else into one of BACKUP_DIR; the site may go on."""
    made, lost = upkeep.back_up(folder, watched("Copying"))
    click.echo(made)
    if lost:
        click.echo(f"Not in storage, or not as they were sent: {', '.join(lost)}", err=True)
    click.echo(f"Compare it with its manifest: flask restore --verify {made}", err=True)


@click.command("restore")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--verify", "only_verify", is_flag=True, help="Only compare the backup with its manifest.")
@mendable
def restore(folder: Path, only_verify: bool) -> None:
    """Bring a backup back into an empty place, but nobody who was erased since. Stop the site first."""
    bring = upkeep.verify if only_verify else upkeep.restore
    manifest = bring(folder, watched("Comparing" if only_verify else "Restoring"))
    click.echo(f"made at {manifest['made_at']}, revision {manifest['revision']}, files: {len(manifest['files'])}")
    for name, count in manifest["counts"].items():
        click.echo(f"{name}: {count}")


@click.command("remind")
@click.option("--older-than", "waited", default="24h", callback=lambda _c, _p, text: span(text), help="24h, 3d, 90m")
@mendable
def remind(waited: timedelta) -> None:
    """Write to the attorneys about the leads that still wait; run it once a day."""
    click.echo(f"waiting: {upkeep.remind(waited)}")


@click.command("seed-demo")
@click.option("--leads", "count", default=500, type=click.IntRange(1, 5000), show_default=True)
@mendable
def seed_demo(count: int) -> None:
    """Add leads of people who do not exist, to try things with; no letter is sent."""
    with click.progressbar(demo.add_leads(count), length=count, label="Adding leads", file=sys.stderr) as added:
        click.echo(f"added: {sum(added)}")


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@with_appcontext
def doctor(as_json: bool) -> None:
    """Look at each part leadapp stands on, and say what mends it; exit 1 if one does not work."""
    findings = upkeep.examine()
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in findings]))
    else:
        for finding in findings:
            click.echo(f"{finding.state:6}{finding.check}: {finding.found}" + (finding.mend and f". {finding.mend}"))
    if any(finding.state == "fail" for finding in findings):
        sys.exit(1)


@click.command("config")
@click.option("--example", "written", flag_value=config.example, type=click.UNPROCESSED, help="Print .env.example.")
@click.option(
    "--markdown", "written", flag_value=config.markdown, type=click.UNPROCESSED, help="Print the docs' table."
)
@with_appcontext
def show_config(written: Callable[[], str] | None) -> None:
    """Show every setting, its value and where it comes from."""
    click.echo(written() if written else _settings_in_force(), nl=False)


def _settings_in_force() -> str:
    lines = []
    for setting in SETTINGS:
        value = "********" if setting.secret and current[setting.name] else current[setting.name]
        lines.append(f"{setting.name}={value}  # {current['SETTING_SOURCES'][setting.name]}\n")
    return "".join(lines)
