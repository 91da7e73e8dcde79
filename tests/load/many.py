"""The parts `lists` and `search`: the cost of lists with few and with many leads."""

from contextlib import ExitStack

from tests.load import rivals, seed
from tests.load.bench import Bench, say
from tests.load.measure import cost, paired
from tests.load.scenarios import JSON, LISTS, ROWS, TERMS, Scenario, Site, get


def measure(bench: Bench) -> None:
    """Fill a database with the most leads; compare it with one of a thousand."""
    if not bench.wants("lists", "search"):
        return
    with ExitStack() as servers:
        most = _site(bench, servers, bench.plan.leads)
        if bench.wants("lists"):
            fewest = _site(bench, servers, ROWS)
            for scenario in LISTS:
                say(f"list, {scenario.name}")
                sides = [(str(ROWS), fewest), (str(bench.plan.leads), most)]
                bench.growth[scenario.name] = paired(sides, scenario, bench.plan.rounds)
            bench.figures["growth"] = max(
                cost.ratio(str(bench.plan.leads), str(ROWS)) for cost in bench.growth.values()
            )
        if bench.wants("search"):
            for term in TERMS:
                _search(bench, most, term)


def _site(bench: Bench, servers: ExitStack, leads: int) -> Site:
    say(f"{leads:,} leads")
    rival = rivals.product(*bench.place(f"of-{leads}"))
    seed.fill(rival.database_url, leads, seed.LISTED)
    return bench.serve(servers, rival, leads)


def _search(bench: Bench, site: Site, term: str) -> None:
    """Measure a list as JSON, a list as a page, and a lead in the middle of this page."""
    say(f"search {term}")
    with site.client() as client:
        lead = client.json(f"{JSON}&q={term}")["items"][12]["id"]
    for kind, path in (
        ("JSON", f"{JSON}&q={term}"),
        ("page", f"/dashboard/?status=&sort_by=created_at&sort_desc=true&q={term}"),
        ("lead", f"/dashboard/leads/{lead}?status=&sort_by=created_at&sort_desc=true&q={term}"),
    ):
        scenario = Scenario(kind, get(path), 20)
        bench.figures[f"search {term}, {kind}"] = cost(site, scenario, min(3, bench.plan.rounds))
