"""Takes processor time a request, of all rivals in turn, so that a noisy machine troubles all alike."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from tests.load.scenarios import Scenario, Site

WARM = 3


class Cost(NamedTuple):
    """Milliseconds of processor time a request: one figure for each side and each round."""

    rounds: dict[str, list[float]]

    def of(self, side: str) -> float:
        """The median of one side."""
        return median(self.rounds[side])

    def ratio(self, side: str, other: str) -> float:
        """The median of the rounds' own ratios: what disturbs one round disturbs both sides of it."""
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
    """Measure A B A B; `settle(times)` waits until what so many requests left to be done is done, too."""
    cost = Cost({name: [] for name, _ in sides})
    for _ in range(rounds):
        for name, site in sides:
            cost.rounds[name].append(_window(site, scenario, settle))
    return cost


def _window(site: Site, scenario: Scenario, settle: Callable[[int], object]) -> float:
    """Milliseconds of processor time a request, over so many of them; no less than the clock's tick can tell."""
    with site.client() as client:
        for _ in range(WARM):
            scenario.act(client, site)
        settle(WARM)
        before = site.rival.cpu_seconds()
        for _ in range(scenario.times):
            scenario.act(client, site)
        settle(scenario.times)
        return max(site.rival.cpu_seconds() - before, 0.01) * 1000 / scenario.times
