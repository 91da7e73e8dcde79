"""The goals for speed and memory, and which of them a run reached."""

from collections.abc import Callable
from typing import NamedTuple

from tests.load.run import Results

Measure = Callable[[Results], float]


class Goal(NamedTuple):
    """A required limit, a lower limit to aim for, and the function that reads the figure."""

    name: str
    must: float
    aim: float
    measure: Measure


def _ratio(scenario: str, other: str) -> Measure:
    return lambda results: results.costs[scenario].ratio("leadapp", other)


def _growth(page: str) -> Measure:
    def measure(results: Results) -> float:
        fewest, most = results.sizes[0], results.sizes[-1]
        return results.growth[page].ratio(str(most), str(fewest))

    return measure


def _figure(name: str) -> Measure:
    return lambda results: results.figures[name]


# On PostgreSQL, ratios of processor time may be this many times as high.
LEEWAY = 1.3
GROWING = ("first page", "last page", "filtered", "sorted", "searched")
RATIOS = [
    Goal("submit 50 KB, CPU / limit", 3.5, 2.5, _ratio("submit 50 KB", "limit")),
    Goal("submit 50 KB, CPU / FastAPI peer", 0.55, 0.4, _ratio("submit 50 KB", "peer")),
    Goal("submit 5 MB, CPU / limit", 1.8, 1.4, _ratio("submit 5 MB", "limit")),
    Goal("list as a page, CPU / limit", 4, 3, _ratio("list, a page of 25", "limit")),
    Goal("list as JSON, CPU / limit", 4, 3, _ratio("list, JSON of 25", "limit")),
    Goal("download 5 MB, CPU / limit", 2.5, 2, _ratio("download 5 MB", "limit")),
]
GROWTH = [Goal(f"{page}, most leads / fewest, CPU", 2, 1.3, _growth(page)) for page in GROWING]
FIGURES = [
    Goal("middle page of most leads, ms", 100, 50, _figure("middle_ms")),
    Goal("RSS of one worker, MB", 80, 65, _figure("rss")),
    Goal("growth of the tree's RSS under 16 uploads of 5 MB, MB", 16, 4, _figure("growth_mb")),
    Goal("disk written per 5 MB submit, MB", 5.3, 5.1, _figure("disk_mb")),
    Goal("/health p99 with 64 slow uploaders, ms", 50, 10, _figure("slow_p99")),
]
GOALS = RATIOS + GROWTH + FIGURES


def judged(goal: Goal, results: Results, database: str) -> str:
    """Return the measured figure and its verdict: aim, must or MISSED."""
    value = goal.measure(results)
    leeway = 1.0
    if database == "PostgreSQL" and "CPU" in goal.name:
        leeway = LEEWAY
    verdict = "MISSED"
    if value <= goal.aim * leeway:
        verdict = "aim"
    elif value <= goal.must * leeway:
        verdict = "must"
    return f"{value:.3g} {verdict}"
