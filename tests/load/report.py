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
    parts = ["## The goals", goals(runs), "## The machine", machine()]
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
    head = ["goal", "must", "aim"]
    head.extend(runs)
    rows: list[list[object]] = []
    for goal in GOALS:
        row: list[object] = [goal.name, goal.must, goal.aim]
        row.extend(judged(goal, results, name) for name, results in runs.items())
        rows.append(row)
    for key, title in EXTRA.items():
        row = [title, "", ""]
        row.extend(f"{results.figures[key]:.3g}" for results in runs.values())
        rows.append(row)
    told = f"On PostgreSQL the ratios of processor time may be {LEEWAY} times as high."
    return f"{table(head, rows)}\n\n{told}"


def costs(measured: dict[str, Cost]) -> str:
    """Return a table of the milliseconds of each rival and the paired ratios."""
    rows: list[list[object]] = []
    for scenario, cost in measured.items():
        times = dict.fromkeys(SIDES, "")
        ratios = dict.fromkeys(SIDES, "")
        for side in cost.rounds:
            times[side] = f"{cost.of(side):.2f}"
            ratios[side] = f"{cost.ratio('leadapp', side):.2f}"
        row: list[object] = [scenario]
        row.extend(times[side] for side in SIDES)
        row += [ratios["limit"], ratios["peer"]]
        rows.append(row)
    head = [""]
    head.extend(SIDES)
    head += ["leadapp / limit", "leadapp / peer"]
    return table(head, rows)


def grown(sizes: Sequence[int], growth: dict[str, Cost]) -> str:
    """Return a table of milliseconds by number of leads, with the ratio of most to fewest."""
    rows: list[list[object]] = []
    for page, cost in growth.items():
        ratio = cost.ratio(str(sizes[-1]), str(sizes[0]))
        row: list[object] = [page]
        row.extend(f"{cost.of(str(size)):.2f}" for size in sizes)
        row.append(f"{ratio:.2f}")
        rows.append(row)
    head = ["list of 25, JSON"]
    head.extend(f"{size:,}" for size in sizes)
    head.append("most / fewest")
    return table(head, rows)


def machine() -> str:
    """Return the hardware, versions, date and load of this run."""
    models = [
        line.partition(": ")[2]
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    model = platform.machine()
    if models:
        model = models[0]
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{len(models)} x {model}, "
        f"Linux {platform.release()}, Python {platform.python_version()}, {packages}; "
        f"{datetime.now(UTC):%d %b %Y}. "
        f"Load averages at the end: {load} (about 2 when nothing else ran)."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table with aligned columns."""
    cells = [list(head)]
    for row in rows:
        cells.append([str(value) for value in row])
    widths = [_width(cells, column) for column in range(len(head))]
    lines = [_line(row, widths) for row in cells]
    rule = "|".join("-" * (width + 2) for width in widths)
    lines.insert(1, f"|{rule}|")
    return "\n".join(lines)


def _width(cells: list[list[str]], column: int) -> int:
    return max(len(row[column]) for row in cells)


def _line(row: list[str], widths: list[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
    return "| " + " | ".join(padded) + " |"
