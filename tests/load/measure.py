"""Measures processor time per request.

The rivals take turns, so that a noisy machine disturbs all of them alike.
"""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from tests.load.scenarios import Scenario, Site

WARM = 3
SECONDS = 3  # a window of slow requests ends after this time


class Cost(NamedTuple):
    """One figure for each side and round, such as milliseconds of processor time per request."""

    rounds: dict[str, list[float]]

    def of(self, side: str) -> float:
        """Return the median of one side."""
        return median(self.rounds[side])

    def ratio(self, side: str, other: str) -> float:
        """Return the median of the ratios of each round.

        A disturbance during a round affects both sides, so the ratio of a round stays fair.
        """
        return median(
            one / another
            for one, another in zip(self.rounds[side], self.rounds[other], strict=True)
        )


def paired(
    sides: Sequence[tuple[str, Site]],
    scenario: Scenario,
    rounds: int,
    settle: Callable[[int], object] = int,
) -> Cost:
    """Measure the sides in turn: A B A B.

    `settle(times)` waits until the background work of that many requests is done.
    """
    cost = Cost({name: [] for name, _ in sides})
    for _ in range(rounds):
        for name, site in sides:
            cost.rounds[name].append(_window(site, scenario, settle))
    return cost


def cost(
    site: Site, scenario: Scenario, rounds: int = 3, settle: Callable[[int], object] = int
) -> float:
    """Return the median cost of one site's requests in milliseconds of processor time."""
    return paired([(scenario.name, site)], scenario, rounds, settle).of(scenario.name)


def _window(site: Site, scenario: Scenario, settle: Callable[[int], object]) -> float:
    """Return the mean processor time per request in milliseconds.

    The total is at least one tick of the clock, 10 ms.
    """
    with site.client() as client:
        settle(_repeat(lambda: scenario.act(client, site), WARM))
        before = site.rival.cpu_seconds()
        done = _repeat(lambda: scenario.act(client, site), scenario.times)
        settle(done)
        return max(site.rival.cpu_seconds() - before, 0.01) * 1000 / done


def _repeat(act: Callable[[], object], times: int) -> int:
    """Call `act` that many times, or until SECONDS have passed; return the number of calls."""
    end = time.monotonic() + SECONDS
    for number in range(1, times + 1):
        act()
        if time.monotonic() > end:
            return number
    return times
