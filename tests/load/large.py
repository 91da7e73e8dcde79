"""The parts `history` and `volume`, on a site of 100,000 leads that sends no e-mail."""

import gzip
import os
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.load import histories, rivals, seed
from tests.load.bench import Bench, say
from tests.load.measure import cost
from tests.load.rivals import Rival
from tests.load.scenarios import KB, Scenario, Site, content, get, new
from tests.servers import PROGRAMS, ROOT

LEADS = 100_000
EVENTS = (10_000, 100_000)
SUBMITS = 300
VIEWS = 10
EXPORT = "/dashboard/export.csv?status="
COUNT_EVENTS = text("SELECT count(*) FROM events")
NGINX = ROOT / "deploy" / "nginx.conf"


def measure(bench: Bench) -> None:
    """Measure the bytes and the memory of 100,000 leads, then leads with a long history."""
    if not bench.wants("history", "volume"):
        return
    with ExitStack() as servers:
        say(f"{LEADS:,} leads with e-mails and events")
        path = f"{PROGRAMS}:{os.environ['PATH']}"  # `flask backup` runs pg_dump
        rival = rivals.product(*bench.place("large"), PATH=path)
        seed.fill(rival.database_url, LEADS)
        site = bench.serve(servers, rival, LEADS, marks=4)
        if bench.wants("volume"):
            _export(bench, site)
            _write(bench, site)
            bench.figures["dashboard on the wire"] = _compressed(site) / 1000
            _back_up(bench, rival)
        if bench.wants("history"):
            _read_views(bench, site)
            _read_events(bench, site)
            _read_submissions(bench, site)


def _export(bench: Bench, site: Site) -> None:
    say("CSV")
    with site.client() as client:
        for _ in range(4):  # enough that each of the two workers has exported once
            client.ask("GET", f"{EXPORT}&q={seed.SOUGHT}")
        before = site.rival.cpu_seconds()
        with _peak_growth(site.rival) as growth:
            client.ask("GET", EXPORT)
        bench.figures["CSV, CPU"] = site.rival.cpu_seconds() - before
        bench.figures["CSV, memory"] = growth[0]


@contextmanager
def _peak_growth(rival: Rival) -> Iterator[list[float]]:
    """Fill a list with the largest growth of the rival's RSS, in MB, during the block."""
    rest = rival.resident()
    growth = [0.0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            growth[0] = max(growth[0], rival.resident() - rest)

    watching = threading.Thread(target=watch)
    watching.start()
    yield growth
    ended.set()
    watching.join()


def _write(bench: Bench, site: Site) -> None:
    say("bytes written")
    with site.client() as client:
        client.submit(f"disk{next(new)}@example.com", content(50 * KB))
        engine = create_engine(site.rival.database_url)
        seed.tidy(engine)
        before = site.rival.written()
        for _ in range(SUBMITS):
            client.submit(f"disk{next(new)}@example.com", content(50 * KB))
        seed.checkpoint(engine)
        engine.dispose()
    bench.figures["written"] = (site.rival.written() - before) * 2**20 / 1000 / SUBMITS


def _compressed(site: Site) -> int:
    """Return the bytes of the dashboard as the proxy of the example sends them."""
    with site.client() as client:
        page = client.ask("GET", "/dashboard/", Accept_Encoding="gzip")
        if client.received.get("Content-Encoding"):
            return len(page)
    settings = NGINX.read_text()
    if not re.search(r"^\s*gzip on;", settings, re.MULTILINE):
        return len(page)
    level = re.search(r"^\s*gzip_comp_level (\d);", settings, re.MULTILINE)
    return len(gzip.compress(page, int(level[1]) if level else 1))


def _back_up(bench: Bench, rival: Rival) -> None:
    say("backup")
    folder = rival.folder / "backup"
    # The leads were filled without files, which `flask backup` reports with 1.
    rivals.flask(rival, "backup", str(folder), accepted=(0, 1))
    bench.figures["backup"] = _size(folder) / 1e6


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _read_views(bench: Bench, site: Site) -> None:
    """Count the rows that repeated views of a lead add to its history."""
    engine = create_engine(site.rival.database_url)
    with engine.connect() as connection, site.client() as client:
        before = connection.scalar(COUNT_EVENTS) or 0
        connection.rollback()
        for _ in range(VIEWS):
            client.ask("GET", f"/dashboard/leads/{site.pending[0]}")
        bench.figures["views"] = (connection.scalar(COUNT_EVENTS) or 0) - before
    engine.dispose()


def _read_events(bench: Bench, site: Site) -> None:
    for count in EVENTS:
        say(f"{count:,} events")
        lead = site.pending.pop()
        histories.add_events(site.rival.database_url, lead, count)
        _read(bench, site, lead, f"{count:,} events")


def _read_submissions(bench: Bench, site: Site) -> None:
    say(f"{histories.SUBMISSIONS} submissions")
    lead = site.pending.pop()
    histories.add_submissions(site.rival.database_url, lead)
    _read(bench, site, lead, "submissions")
    with site.client() as client:
        page = client.ask("GET", f"/dashboard/leads/{lead}")
    bench.figures["submissions shown"] = len(set(re.findall(rb"/submissions/([^/]+)/resume", page)))


def _read(bench: Bench, site: Site, lead: str, name: str) -> None:
    """Measure the page and the API's answer of a lead: milliseconds and KB."""
    for kind, path in (("page", f"/dashboard/leads/{lead}"), ("API", f"/api/v1/leads/{lead}")):
        scenario = Scenario(f"{name}, {kind}", get(path), 40)
        bench.figures[f"{name}, {kind}"] = cost(site, scenario, min(3, bench.plan.rounds))
        with site.client() as client:
            bench.figures[f"{name}, {kind}, KB"] = len(client.ask("GET", path)) / 1000
