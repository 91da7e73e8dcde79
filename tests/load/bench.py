"""One run over one kind of database: its plan, its servers, and the figures that it found."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.load.measure import Cost
from tests.load.rivals import Rival
from tests.load.scenarios import Site

STARTED = time.monotonic()
NewDatabase = Callable[[Path], str]


class Plan(NamedTuple):
    """How much one run measures."""

    leads: int  # the most leads
    rounds: int
    people: int  # the people who press Send within one second
    letters: int  # the e-mails of a drain
    seconds: float  # of each window with many clients
    mixed_seconds: float
    crowd_rounds: int


WHOLE = Plan(1_000_000, 5, 1000, 600, 3, 25, 3)
QUICK = Plan(20_000, 2, 300, 200, 1.5, 6, 1)


@dataclass
class Bench:
    """The means of measuring, and the figures found so far, by the keys of their goals."""

    folder: Path
    new_database: NewDatabase
    plan: Plan
    parts: tuple[str, ...]
    figures: dict[str, float] = field(default_factory=dict)
    costs: dict[str, Cost] = field(default_factory=dict)  # by scenario; sides are the rivals
    rates: dict[str, Cost] = field(default_factory=dict)  # requests a second of many clients
    growth: dict[str, Cost] = field(default_factory=dict)  # by list; sides are numbers of leads

    def wants(self, *parts: str) -> bool:
        """Return whether one of these parts is to be measured."""
        return not set(parts).isdisjoint(self.parts)

    def place(self, name: str) -> tuple[Path, str]:
        """Return a new folder and the URL of a new database."""
        folder = self.folder / name
        return folder, self.new_database(folder)

    def serve(self, servers: ExitStack, rival: Rival, leads: int, marks: int = 1) -> Site:
        """Start a rival, sign in, and stop it at the end of `servers`."""
        servers.callback(rival.stop)
        site = Site(rival.start(), leads)
        site.prepare(marks)
        return site


def say(what: str) -> None:
    """Report the progress on standard error, with the seconds since the start."""
    sys.stderr.write(f"{time.monotonic() - STARTED:6.0f} s  {what}\n")
    sys.stderr.flush()
