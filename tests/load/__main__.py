"""Measures leadapp beside a bare limit and a FastAPI peer.

Run it with `make bench`; `python -m tests.load --help` lists the options.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

import psycopg

from tests.load import report
from tests.load.picture import picture
from tests.load.run import Results, run
from tests.servers import ROOT, Postgres

DOCUMENT = ROOT / "docs" / "decisions" / "0005-performance-notes.md"
PICTURE = ROOT / "docs" / "pictures" / "performance.svg"
MEASURED = re.compile("(<!-- measured -->\n).*(<!-- /measured -->)", re.DOTALL)


def main() -> None:
    """Measure and print the report. With --write, also put it into the performance notes."""
    options = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    options.add_argument(
        "--quick", action="store_true", help="fewer rounds, ten thousand leads at most"
    )
    options.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    options.add_argument(
        "--write", action="store_true", help=f"write {DOCUMENT.relative_to(ROOT)} and its picture"
    )
    asked = options.parse_args()
    runs: dict[str, Results] = {}
    with tempfile.TemporaryDirectory(prefix="leadapp-bench") as folder:
        if asked.database != "postgresql":
            runs["SQLite"] = run(
                Path(folder) / "sqlite", lambda place: f"sqlite:///{place}/leads.db", asked.quick
            )
        if asked.database != "sqlite":
            runs["PostgreSQL"] = over_postgres(Path(folder) / "postgresql", asked.quick)
    found = report.report(runs)
    sys.stdout.write(found)
    if asked.write:
        text = MEASURED.sub(lambda marks: f"{marks[1]}\n{found}\n{marks[2]}", DOCUMENT.read_text())
        DOCUMENT.write_text(text)
        PICTURE.write_text(picture(next(iter(runs.values())).costs))


def over_postgres(folder: Path, quick: bool) -> Results:
    """Run over a separate PostgreSQL server with default settings, so that it syncs each commit.

    The server of the tests does not sync unless its settings are reset.
    """
    server = Postgres()
    try:
        with psycopg.connect(server.new_database(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM RESET ALL")
            connection.execute("SELECT pg_reload_conf()")
        return run(folder, lambda _place: server.new_database(), quick)
    finally:
        server.close()


if __name__ == "__main__":
    main()
