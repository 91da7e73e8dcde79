"""Many clients at once: without pause, at a fixed rate, and all within one second."""

import asyncio
import random
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import quantiles

from tests.load.client import FORM, Client, multipart
from tests.load.rivals import Rival
from tests.load.scenarios import LIST, SUBMIT, Act, Scenario, Site, content, new
from tests.servers.ports import HOST

HEALTH_PAUSE = 0.005
FORM_ID = re.compile(rb'name="form_id" value="([^"]+)"')


@dataclass
class Crowd:
    """The milliseconds of each request, and the requests per second."""

    milliseconds: list[float] = field(default_factory=list)
    rate: float = 0.0

    def percentile(self, number: int) -> float:
        """Return a percentile of the milliseconds."""
        return percentile(self.milliseconds, number)


def percentile(values: list[float], number: int) -> float:
    """Return a percentile of at least two values."""
    return quantiles(values, n=100, method="inclusive")[number - 1]


def timed(act: Callable[[], object]) -> float:
    """Call `act` and return the milliseconds that it took."""
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def without_pause(site: Site, scenario: Scenario, clients: int, seconds: float) -> Crowd:
    """Let `clients` repeat a scenario without pause for some seconds."""
    crowd = Crowd()
    start = time.monotonic()

    def repeat(_number: int) -> None:
        with site.client() as client:
            while time.monotonic() < start + seconds:
                crowd.milliseconds.append(timed(lambda: scenario.act(client, site)))

    _in_threads(repeat, clients)
    crowd.rate = len(crowd.milliseconds) / (time.monotonic() - start)
    return crowd


def mixed(site: Site, rate: int, seconds: float) -> tuple[Crowd, Crowd]:
    """Submit and list in turns, at random moments, `rate` requests a second in all.

    A request counts from the moment it is due, so a slow answer delays the measured times of the
    next requests too.
    """
    dice = random.Random(17)
    submits, lists = Crowd(), Crowd()
    plan: list[tuple[float, Act, Crowd]] = []
    due = 0.0
    for number in range(int(rate * seconds)):
        due += dice.expovariate(rate)
        act, crowd = (LIST.act, lists) if number % 2 else (SUBMIT.act, submits)
        plan.append((due, act, crowd))
    planned = iter(plan)
    start = time.perf_counter() + 0.2

    def work(_number: int) -> None:
        with site.client() as client:
            for due, act, crowd in _shared(planned):
                time.sleep(max(0.0, start + due - time.perf_counter()))
                act(client, site)
                crowd.milliseconds.append((time.perf_counter() - start - due) * 1000)

    _in_threads(work, 24)
    return submits, lists


def _shared(planned: Iterator[tuple[float, Act, Crowd]]) -> Iterator[tuple[float, Act, Crowd]]:
    """Yield the next of a plan that several threads share."""
    while (one := next(planned, None)) is not None:
        yield one


def _in_threads(work: Callable[[int], None], count: int) -> None:
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(work, range(count)))


@contextmanager
def health_watched(rival: Rival) -> Iterator[list[float]]:
    """Request `/health` in another process; fill the list with milliseconds at the end."""
    milliseconds: list[float] = []
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    watcher = context.Process(target=_watch, args=(rival.port, theirs), daemon=True)
    watcher.start()
    ours.recv()  # it has started
    try:
        yield milliseconds
    finally:
        ours.send("stop")
        milliseconds.extend(ours.recv())
        watcher.join()


def _watch(port: int, pipe: Connection) -> None:
    milliseconds = []
    pipe.send("started")
    while not pipe.poll(HEALTH_PAUSE):
        with Client(port) as client:
            milliseconds.append(timed(lambda: client.ask("GET", "/health")))
    pipe.send(milliseconds)


@dataclass
class Burst:
    """The outcome of many people who press Send within one second."""

    started: float = 0.0  # by time.monotonic()
    seconds: list[float] = field(default_factory=list)  # from the first press to each answer
    failed: int = 0


def press_send(rival: Rival, people: int) -> Burst:
    """Let people send the form with a resume of 50 KB, each over a connection of their own.

    They have opened the page before. The time of a failed one counts too.
    """
    requests = []
    with Client(rival.port) as client:
        for _ in range(people):
            form = FORM_ID.search(client.ask("GET", "/"))
            assert form, "the form has no form_id"
            requests.append(_post(rival, form[1].decode()))
    burst = Burst()
    asyncio.run(_press(rival, requests, burst))
    return burst


def _post(rival: Rival, form_id: str) -> bytes:
    body = multipart(f"press{next(new)}@example.com", content(50_000), form_id=form_id)
    lines = [
        "POST / HTTP/1.1",
        f"Host: {HOST}:{rival.port}",
        f"Content-Type: {FORM['Content-Type']}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _press(rival: Rival, requests: list[bytes], burst: Burst) -> None:
    burst.started = time.monotonic()

    async def press(number: int, request: bytes) -> None:
        await asyncio.sleep(number / len(requests))
        status = b""
        try:
            reader, writer = await asyncio.open_connection(HOST, rival.port)
            writer.write(request)
            status = await asyncio.wait_for(reader.readline(), 120)
            writer.close()
        except (OSError, TimeoutError):
            pass
        burst.seconds.append(time.monotonic() - burst.started)
        if b" 303 " not in status:
            burst.failed += 1

    await asyncio.gather(*(press(number, request) for number, request in enumerate(requests)))
