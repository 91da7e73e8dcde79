"""The parts with e-mails: `letters`, `drain`, `mixed` and `burst`; the last measures memory too."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median

from sqlalchemy import create_engine, text

from tests.load import crowd, rivals, seed
from tests.load.bench import Bench, say
from tests.load.measure import paired
from tests.load.rivals import Rival
from tests.load.scenarios import DELIVERED, KB, LIST, ROWS, Site, content, new
from tests.load.sink import QUICK, SLOW, Sink

# After an e-mail was accepted, a rival still records that.
RECORDED = 0.3
STORED = 2  # submits that prepare a site
# The newest e-mails become due again, as if they had not been sent.
REQUEUE = """UPDATE letters SET next_at = created_at, sent_at = NULL, attempts = 0 WHERE id IN
(SELECT id FROM letters WHERE sent_at IS NOT NULL ORDER BY created_at DESC LIMIT :count)"""
COUNT = "SELECT count(*) FROM leads"
PARTS = ("letters", "drain", "mixed", "burst")


def measure(bench: Bench) -> None:
    """Measure leadapp as `make run` serves it, with a mail server that accepts everything."""
    if not bench.wants(*PARTS):
        return
    with ExitStack() as servers:
        sink = servers.enter_context(Sink())
        folder, url = bench.place("delivering")
        rival = rivals.product(folder, url, **sink.settings)
        seed.fill(rival.database_url, ROWS)
        site = bench.serve(servers, rival, ROWS)
        sink.wait_for(2 * STORED)
        if bench.wants("letters"):
            _compare_delivered(bench, site, sink)
        if bench.wants("drain"):
            _drain(bench, site, sink)
        if bench.wants("mixed"):
            _mix(bench, site, sink)
        if bench.wants("burst"):
            _burst(bench, rival, sink)


def _compare_delivered(bench: Bench, site: Site, sink: Sink) -> None:
    say(DELIVERED.name)
    with ExitStack() as servers:
        folder, url = bench.place("delivering-peer")
        start = sink.count
        peer = bench.serve(servers, rivals.peer(folder, url, **sink.settings), 0)
        sink.wait_for(start + 2 * STORED)
        expected = sink.count

        def settle(submits: int) -> None:
            nonlocal expected
            expected += 2 * submits
            sink.wait_for(expected)
            time.sleep(RECORDED)

        cost = paired([("leadapp", site), ("peer", peer)], DELIVERED, bench.plan.rounds, settle)
    bench.costs[DELIVERED.name] = cost
    bench.figures[f"{DELIVERED.name} / peer"] = cost.ratio("leadapp", "peer")


def _drain(bench: Bench, site: Site, sink: Sink) -> None:
    say(f"{bench.plan.letters} waiting e-mails")
    accepted = sink.count
    with site.client() as client:
        for _ in range(bench.plan.letters // 2):
            client.submit(f"drain{next(new)}@example.com", content(50 * KB))
    sink.wait_for(accepted + bench.plan.letters // 2 * 2)
    time.sleep(RECORDED)
    before = site.rival.cpu_seconds()
    bench.figures["drained"] = _drained(bench, site.rival, sink, QUICK)
    time.sleep(RECORDED)
    used = site.rival.cpu_seconds() - before
    bench.figures["e-mail, CPU"] = used * 1000 / bench.plan.letters
    bench.figures["drained, slow"] = _drained(bench, site.rival, sink, SLOW)
    say("lists while they drain")
    ratios = [_list_while_draining(bench, site, sink) for _ in range(2)]
    bench.figures["lists while draining"] = median(ratios)


def _list_while_draining(bench: Bench, site: Site, sink: Sink) -> float:
    """Return the p95 of lists while e-mails go out, divided by that of lists on a quiet site."""
    quiet = _list_while(site, lambda: True)
    end = _requeue(bench, site.rival, sink)
    busy = _list_while(site, lambda: sink.count < end)
    sink.wait_for(end)
    return crowd.percentile(busy, 95) / crowd.percentile(quiet, 95)


def _requeue(bench: Bench, rival: Rival, sink: Sink) -> int:
    """Make e-mails due; return the count of the mail server once all of them were sent."""
    time.sleep(RECORDED)
    end = sink.count + bench.plan.letters
    engine = create_engine(rival.database_url)
    with engine.begin() as connection:
        connection.execute(text(REQUEUE), {"count": bench.plan.letters})
    engine.dispose()
    return end


def _drained(bench: Bench, rival: Rival, sink: Sink, delay: float) -> float:
    """Return how many e-mails a second go out, from the first to the last."""
    sink.answer_after(delay)
    end = _requeue(bench, rival, sink)
    first = sink.wait_for(end - bench.plan.letters + 1)
    last = sink.wait_for(end)
    sink.answer_after(QUICK)
    return (bench.plan.letters - 1) / (last - first)


def _list_while(site: Site, goes_on: Callable[[], bool], most: int = 300) -> list[float]:
    """Return the milliseconds of lists, 10 ms apart, while a condition holds."""
    milliseconds: list[float] = []
    with site.client() as client:
        while len(milliseconds) < most and (goes_on() or len(milliseconds) < 2):
            milliseconds.append(crowd.timed(lambda: LIST.act(client, site)))
            time.sleep(0.01)
    return milliseconds


def _mix(bench: Bench, site: Site, sink: Sink) -> None:
    say("40 requests a second")
    accepted = sink.count
    submits, lists = crowd.mixed(site, 40, bench.plan.mixed_seconds)
    for name, found in (("submit", submits), ("list", lists)):
        bench.figures[f"mixed {name}, p50"] = found.percentile(50)
        bench.figures[f"mixed {name}, p99"] = found.percentile(99)
    sink.wait_for(accepted + 2 * len(submits.milliseconds))


def _burst(bench: Bench, rival: Rival, sink: Sink) -> None:
    people = bench.plan.people
    say(f"{people} people press Send")
    time.sleep(RECORDED)
    accepted, stored = sink.count, _count(rival)
    with crowd.health_watched(rival) as health:
        burst = crowd.press_send(rival, people)
    bench.figures["burst, lost"] = burst.failed + people - (_count(rival) - stored)
    bench.figures["burst, last answer"] = max(burst.seconds)
    bench.figures["burst, health"] = crowd.percentile(health, 99)
    sent = sink.wait_for(accepted + 2 * (_count(rival) - stored))
    bench.figures["burst, e-mails"] = sent - burst.started
    bench.figures["memory"] = rival.proportional()


def _count(rival: Rival) -> int:
    engine = create_engine(rival.database_url)
    with engine.connect() as connection:
        count = connection.scalar(text(COUNT))
    engine.dispose()
    return int(count or 0)
