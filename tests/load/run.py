"""One whole run over one kind of database.

It compares the rivals, measures leadapp under heavy load, and measures how lists grow with the
number of leads.
"""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.load import pressure, rivals, seed
from tests.load.measure import Cost, paired
from tests.load.scenarios import GROWING, LETTERS, LISTS, ROWS, SCENARIOS, Site
from tests.servers import MailServer

NewDatabase = Callable[[Path], str]


@dataclass
class Results:
    """The measurements over one kind of database."""

    sizes: list[int]
    costs: dict[str, Cost] = field(default_factory=dict)  # by scenario; sides are the rivals
    growth: dict[str, Cost] = field(default_factory=dict)  # by list; sides are the numbers of leads
    peer_growth: dict[str, Cost] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)


class Plan(NamedTuple):
    """How much one run measures."""

    sizes: list[int]  # numbers of leads
    rounds: int
    health_requests: int
    upload_batches: int
    large_submits: int
    submits_per_client: int


WHOLE = Plan(
    sizes=[1_000, 100_000, 1_000_000],
    rounds=5,
    health_requests=1000,
    upload_batches=4,
    large_submits=40,
    submits_per_client=40,
)
QUICK = Plan(
    sizes=[1_000, 10_000],
    rounds=2,
    health_requests=200,
    upload_batches=1,
    large_submits=10,
    submits_per_client=5,
)


def run(folder: Path, new_database: NewDatabase, quick: bool) -> Results:
    """Measure everything; `quick` takes fewer rounds and smaller tables."""
    plan = WHOLE
    if quick:
        plan = QUICK
    results = Results(list(plan.sizes))
    _compare(folder / "compare", new_database, results, plan.rounds)
    _deliver(folder / "deliver", new_database, results, plan.rounds)
    _bear(folder / "bear", new_database, results, plan)
    _grow(folder / "grow", new_database, results, plan.rounds)
    return results


def _compare(folder: Path, new_database: NewDatabase, results: Results, rounds: int) -> None:
    with ExitStack() as servers:
        sites = []
        for name, make, fill in (
            ("leadapp", rivals.product, seed.fill),
            ("limit", rivals.bare, seed.fill_bare),
            ("peer", rivals.peer, seed.fill_peer),
        ):
            rival = make(folder / name, new_database(folder / name))
            fill(rival.database_url, ROWS)
            sites.append(_started(servers, rival, ROWS, marks=rounds * 25))
        for scenario in SCENARIOS:
            _say(scenario.name)
            asked = {"leadapp": True, "limit": scenario.limit, "peer": scenario.peer}
            sides = [(site.rival.name, site) for site in sites if asked[site.rival.name]]
            results.costs[scenario.name] = paired(sides, scenario, rounds)
        results.figures["rss"] = pressure.worker_memory(sites[0].rival)[0]


def _deliver(folder: Path, new_database: NewDatabase, results: Results, rounds: int) -> None:
    with ExitStack() as servers:
        mail = MailServer()
        servers.callback(mail.close)
        settings = {
            "SMTP_HOST": mail.host,
            "SMTP_PORT": str(mail.port),
            "DELIVERY": "worker",
            "SMTP_FROM_EMAIL": "intake@example.com",
            "ATTORNEY_EMAIL": "attorney@example.com",
        }

        def settle(submits: int) -> None:
            mail.wait_for(2 * submits, timeout=120)
            mail.messages.clear()
            # Wait until the rival has recorded the answer of the mail server.
            time.sleep(0.3)

        sides = []
        for make in (rivals.product, rivals.peer):
            place = folder / make.__name__
            rival = make(place, new_database(place), **settings)
            servers.callback(rival.stop)
            sides.append((rival.name, Site(rival.start(), 0)))
        _say(LETTERS.name)
        results.costs[LETTERS.name] = paired(sides, LETTERS, rounds, settle)


def _bear(folder: Path, new_database: NewDatabase, results: Results, plan: Plan) -> None:
    with ExitStack() as servers:
        rival = rivals.product(folder, new_database(folder))
        seed.fill(rival.database_url, ROWS)
        site = _started(servers, rival, ROWS)
        figures = results.figures
        _say("uploads at once")
        figures["growth_mb"] = pressure.growth_under_uploads(site, plan.upload_batches)
        _say("bytes on disk")
        figures["disk_mb"] = pressure.written_per_submit(site, plan.large_submits)
        _say("health")
        quiet = pressure.health(rival, plan.health_requests)
        figures["quiet_p99"] = pressure.p99(quiet)
        with pressure.slow_uploaders(rival):
            slow = pressure.health(rival, plan.health_requests)
            figures["slow_p99"] = pressure.p99(slow)
        _say("submits at once")
        p50, p99 = pressure.submits_at_once(site, 16, plan.submits_per_client)
        figures["submit_p50"] = p50
        figures["submit_p99"] = p99


def _grow(folder: Path, new_database: NewDatabase, results: Results, rounds: int) -> None:
    for make, fill, growth in (
        (rivals.product, seed.fill, results.growth),
        (rivals.peer, seed.fill_peer, results.peer_growth),
    ):
        with ExitStack() as servers:
            sides = []
            for size in results.sizes:
                _say(f"{make.__name__} of {size:,} leads")
                place = folder / make.__name__ / str(size)
                rival = make(place, new_database(place))
                fill(rival.database_url, size)
                sides.append((str(size), _started(servers, rival, size)))
            scenarios = LISTS
            if make is rivals.product:
                scenarios = GROWING
            for scenario in scenarios:
                _say(scenario.name)
                growth[scenario.name] = paired(sides, scenario, rounds)
            if make is rivals.product:
                results.figures["middle_ms"] = _milliseconds(sides[-1][1])


def _milliseconds(site: Site) -> float:
    """Return the median wall time of the middle page."""
    scenario = next(one for one in LISTS if one.name == "middle page")
    with site.client() as client:
        times = [pressure.timed(lambda: scenario.act(client, site)) for _ in range(20)]
    return median(times)


def _started(servers: ExitStack, rival: rivals.Rival, leads: int, marks: int = 1) -> Site:
    servers.callback(rival.stop)
    site = Site(rival.start(), leads)
    site.prepare(marks)
    return site


def _say(what: str) -> None:
    sys.stderr.write(f"  {what}\n")
