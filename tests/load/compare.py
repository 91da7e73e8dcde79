"""The parts `requests` and `crowd`: leadapp beside both limits and the FastAPI peer."""

from contextlib import ExitStack

from tests.load import crowd, limit_rows, rivals, seed
from tests.load.bench import Bench, say
from tests.load.client import Client
from tests.load.measure import Cost, paired
from tests.load.scenarios import COMPARED, KB, LIST, MARKS, ROWS, SUBMIT, Site, content

CROWDS = (8, 32)


def measure(bench: Bench) -> None:
    """Compare single requests, then many clients at once; no e-mail is sent meanwhile."""
    if not bench.wants("requests", "crowd"):
        return
    with ExitStack() as servers:
        sites = _sites(bench, servers)
        if bench.wants("requests"):
            _compare_requests(bench, sites)
        if bench.wants("crowd"):
            _compare_crowds(bench, sites["leadapp"], sites["peer"])


def _sites(bench: Bench, servers: ExitStack) -> dict[str, Site]:
    """Start all rivals, each with the same leads."""
    marks = bench.plan.rounds * (MARKS + 5)
    sites = {}
    for name, make, fill in (
        ("leadapp", rivals.product, seed.fill),
        ("limit", rivals.bare, seed.fill_bare),
        ("peer", rivals.peer, seed.fill_peer),
    ):
        rival = make(*bench.place(name))
        fill(rival.database_url, ROWS)
        sites[name] = bench.serve(servers, rival, ROWS, marks)
    # The rows of one submission, which the second limit copies.
    with Client(sites["leadapp"].rival.port) as client:
        client.submit("copied@example.com", content(50 * KB))
    statements = limit_rows.statements(sites["leadapp"].rival.database_url, "copied@example.com")
    rival = rivals.bare_with_rows(*bench.place("limit-with-rows"), statements)
    seed.fill(rival.database_url, ROWS)
    sites[rival.name] = bench.serve(servers, rival, ROWS)
    return sites


def _compare_requests(bench: Bench, sites: dict[str, Site]) -> None:
    for scenario in COMPARED:
        say(scenario.name)
        sides = [("leadapp", sites["leadapp"])]
        sides += [(name, sites[name]) for name in scenario.beside]
        cost = paired(sides, scenario, bench.plan.rounds)
        bench.costs[scenario.name] = cost
        for name in scenario.beside:
            bench.figures[f"{scenario.name} / {name}"] = cost.ratio("leadapp", name)


def _compare_crowds(bench: Bench, leadapp: Site, peer: Site) -> None:
    for clients in CROWDS:
        for scenario, name in ((SUBMIT, "submits"), (LIST, "lists")):
            say(f"{name} by {clients} clients")
            rates, tails = Cost({"leadapp": [], "peer": []}), Cost({"leadapp": [], "peer": []})
            for _ in range(bench.plan.crowd_rounds):
                for side, site in (("leadapp", leadapp), ("peer", peer)):
                    found = crowd.without_pause(site, scenario, clients, bench.plan.seconds)
                    rates.rounds[side].append(found.rate)
                    tails.rounds[side].append(found.percentile(99))
            bench.rates[f"{name} a second, {clients} clients"] = rates
            bench.rates[f"{name}, {clients} clients, p99 ms"] = tails
            bench.figures[f"{name} by {clients}"] = rates.ratio("leadapp", "peer")
            bench.figures[f"{name} by {clients}, p99"] = tails.ratio("leadapp", "peer")
