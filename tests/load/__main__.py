"""Measures leadapp beside bare limits and a FastAPI peer, and prints the goals beside the figures.

Run it with `make bench`. Progress goes to standard error, the table to standard output.
"""

import argparse
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.load import compare, delivery, large, many, report
from tests.load.bench import QUICK, WHOLE, Bench, NewDatabase, say
from tests.load.picture import picture
from tests.servers import ROOT, Postgres

PAGE = ROOT / "docs" / "performance.md"
NOTES = ROOT / "docs" / "decisions" / "0005-performance-notes.md"
PICTURE = ROOT / "docs" / "pictures" / "performance.svg"
MEASURED = re.compile("(<!-- measured -->\n).*(<!-- /measured -->)", re.DOTALL)
PARTS = {
    "requests": "one request at a time: CPU beside the limits and the peer",
    "crowd": "8 and 32 clients without pause: rate and p99 beside the peer",
    "letters": "a submit and both of its e-mails: CPU beside the peer",
    "drain": "waiting e-mails: how fast they go out, CPU of one, lists meanwhile",
    "mixed": "40 requests a second: p50 and p99",
    "burst": "1,000 people who press Send within one second; memory after that",
    "lists": "lists with a thousand and with a million leads",
    "search": "common prefixes, letters and references among a million leads",
    "history": "a lead with 100,000 events, and one with 1,200 submissions",
    "volume": "100,000 leads: bytes written, CSV, backup, dashboard on the wire",
}
MEASURES: tuple[Callable[[Bench], None], ...] = (
    compare.measure,
    delivery.measure,
    large.measure,
    many.measure,
)


def main() -> None:
    """Measure and print the report. With --write, also put it into the docs."""
    asked = _asked()
    runs: dict[str, Bench] = {}
    server = ""
    with tempfile.TemporaryDirectory(prefix="leadapp-bench", dir=asked.folder) as folder:
        if asked.database != "postgresql":
            place = Path(folder) / "sqlite"
            runs["SQLite"] = run(place, lambda folder: f"sqlite:///{folder}/leads.db", asked)
        if asked.database != "sqlite":
            runs["PostgreSQL"], server = over_postgres(Path(folder) / "postgresql", asked)
    sys.stdout.write(report.report(runs, server, whole=len(asked.only) == len(PARTS)))
    if asked.quick:
        sys.stdout.write(f"\nA quick run has {QUICK.leads:,} leads and {QUICK.people} people.\n")
    if asked.write:
        _write(runs, server)


def _asked() -> argparse.Namespace:
    parts = "\n".join(f"  {name:10}{told}" for name, told in PARTS.items())
    options = argparse.ArgumentParser(
        prog="python -m tests.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"parts:\n{parts}\n\nexample: --only search,lists --database sqlite",
    )
    options.add_argument("--quick", action="store_true", help="fewer rounds, e-mails and leads")
    options.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    options.add_argument(
        "--only", metavar="PARTS", type=_parts, default=tuple(PARTS), help="some parts, with commas"
    )
    options.add_argument("--folder", help="keep the databases here during the run, not in /tmp")
    pages = f"{PAGE.relative_to(ROOT)}, {NOTES.relative_to(ROOT)} and their picture"
    options.add_argument("--write", action="store_true", help=f"write {pages}")
    asked = options.parse_args()
    if asked.write and (asked.database != "both" or len(asked.only) < len(PARTS) or asked.quick):
        options.error("--write needs a whole run on both databases")
    return asked


def _parts(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    unknown = set(names) - set(PARTS)
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return names


def run(folder: Path, new_database: NewDatabase, asked: argparse.Namespace) -> Bench:
    """Run the parts; one that fails leaves its rows unmeasured."""
    bench = Bench(folder, new_database, QUICK if asked.quick else WHOLE, asked.only)
    for measure in MEASURES:
        start = time.monotonic()
        try:
            measure(bench)
        except Exception:  # the figures of the other parts must not be lost
            traceback.print_exc()
        say(f"{measure.__module__} took {time.monotonic() - start:.0f} s")
    return bench


def over_postgres(folder: Path, asked: argparse.Namespace) -> tuple[Bench, str]:
    """Run over a separate PostgreSQL server with default settings, so that it syncs each commit.

    The server of the tests does not sync unless its settings are reset. Also returns its version.
    """
    server = Postgres()
    try:
        with psycopg.connect(server.new_database(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM RESET ALL")
            connection.execute("SELECT pg_reload_conf()")
            version = f"PostgreSQL {connection.info.server_version // 10000}, "
        return run(folder, lambda _folder: server.new_database(), asked), version
    finally:
        server.close()


def _write(runs: dict[str, Bench], server: str) -> None:
    table = report.goals(report.figures(runs))
    _replace(PAGE, f"{table}\n\n![Processor time of a request](pictures/performance.svg)")
    _replace(NOTES, f"{report.machine(server)}\n\n{report.details(runs)}")
    PICTURE.write_text(picture(runs["SQLite"].costs))


def _replace(document: Path, found: str) -> None:
    text = MEASURED.sub(lambda marks: f"{marks[1]}\n{found}\n{marks[2]}", document.read_text())
    document.write_text(text)


if __name__ == "__main__":
    main()
