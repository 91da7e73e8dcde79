"""Formats the results of a run for a terminal and for the performance notes."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.load.goals import GOALS, LEEWAY, judged
from tests.load.measure import Cost
from tests.load.run import Results

SIDES = ("limit", "leadapp", "peer")
PACKAGES = ("flask", "gunicorn", "sqlalchemy", "fastapi", "uvicorn")
EXTRA = {
    "quiet_p99": "/health p99, nothing else going on, ms",
    "submit_p50": "submit 50 KB by 16 clients at once, median, ms",
    "submit_p99": "submit 50 KB by 16 clients at once, p99, ms",
}


def report(runs: dict[str, Results]) -> str:
    """Return all tables for one or more databases, in Markdown that is readable in a terminal."""
    titles = [f"## {title}" for title in ("The goals", "The machine")]
    parts = [titles[0], goals(runs), titles[1], machine()]
    for name, results in runs.items():
        parts += [f"## {name}: processor time per request, ms", costs(results.costs)]
        for who, growth in (("leadapp", results.growth), ("the peer", results.peer_growth)):
            parts += [
                f"## {name}: how {who} grows with the number of leads, ms",
                grown(results.sizes, growth),
            ]
    return "\n\n".join(parts) + "\n"


def goals(runs: dict[str, Results]) -> str:
    """Return a table of the goals and the measured figures."""
    rows: list[list[object]] = [
        [
            goal.name,
            goal.must,
            goal.aim,
            *(judged(goal, results, name) for name, results in runs.items()),
        ]
        for goal in GOALS
    ]
    rows += [
        [name, "", "", *(f"{results.figures[key]:.3g}" for results in runs.values())]
        for key, name in EXTRA.items()
    ]
    told = f"On PostgreSQL the ratios of processor time may be {LEEWAY} times as high."
    return f"{table(['goal', 'must', 'aim', *runs], rows)}\n\n{told}"


def costs(measured: dict[str, Cost]) -> str:
    """Return a table of the milliseconds of each rival and the paired ratios."""
    rows: list[list[object]] = []
    for scenario, cost in measured.items():
        times = [f"{cost.of(side):.2f}" if side in cost.rounds else "" for side in SIDES]
        others = [
            f"{cost.ratio('leadapp', side):.2f}" if side in cost.rounds else ""
            for side in ("limit", "peer")
        ]
        rows.append([scenario, *times, *others])
    return table(["", *SIDES, "leadapp / limit", "leadapp / peer"], rows)


def grown(sizes: Sequence[int], growth: dict[str, Cost]) -> str:
    """Return a table of milliseconds by number of leads, with the ratio of most to fewest."""
    rows: list[list[object]] = []
    for page, cost in growth.items():
        ratio = cost.ratio(str(sizes[-1]), str(sizes[0]))
        rows.append([page, *(f"{cost.of(str(size)):.2f}" for size in sizes), f"{ratio:.2f}"])
    return table(["list of 25, JSON", *(f"{size:,}" for size in sizes), "most / fewest"], rows)


def machine() -> str:
    """Return the hardware, versions, date and load of this run."""
    models = [
        line.partition(": ")[2]
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{len(models)} x {models[0] if models else platform.machine()}, "
        f"Linux {platform.release()}, Python {platform.python_version()}, {packages}; {datetime.now(UTC):%d %b %Y}. "
        f"Load averages at the end: {load} (about 2 when nothing else ran)."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table with aligned columns."""
    cells = [list(map(str, row)) for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    return "\n".join(
        [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
    )
