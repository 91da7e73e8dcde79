"""Formats the results of a run for a terminal, the page on performance, and its notes."""

import os
import platform
import sqlite3
import sysconfig
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.load.bench import Bench
from tests.load.goals import DATABASES, GOALS, Figures, verdict
from tests.load.measure import Cost

SIDES = ("limit", "limit with rows", "leadapp", "peer")
PACKAGES = ("flask", "gunicorn", "sqlalchemy", "psycopg", "fastapi", "uvicorn", "asyncpg")
FLAGS = {"PGO": "--enable-optimizations", "LTO": "--with-lto"}


def report(runs: Mapping[str, Bench], postgres: str, whole: bool) -> str:
    """Return all tables, in Markdown that is readable in a terminal."""
    return f"{goals(figures(runs), whole)}\n\n{machine(postgres)}\n\n{details(runs)}"


def figures(runs: Mapping[str, Bench]) -> dict[str, Figures]:
    """Return the figures of each database."""
    return {name: bench.figures for name, bench in runs.items()}


def goals(runs: Mapping[str, Figures], whole: bool = True) -> str:
    """Return the table of the goals beside the measured figures.

    After a run of some parts, the rows without a figure are left out.
    """
    rows = []
    for goal in GOALS:
        if not (whole or any(goal.key in found for found in runs.values())):
            continue
        row = [goal.what, goal.measure, goal.wanted()]
        row.extend(figure(runs.get(name, {}).get(goal.key)) for name in DATABASES)
        row.append(verdict(goal, runs))
        rows.append(row)
    head = ["what", "measured", "must"]
    head.extend(DATABASES)
    head.append("verdict")
    return table(head, rows)


def figure(value: float | None) -> str:
    """Return a figure with three digits, or "-" if it was not measured."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def details(runs: Mapping[str, Bench]) -> str:
    """Return the processor times behind the ratios."""
    parts = []
    for name, bench in runs.items():
        if bench.costs:
            parts += [f"## {name}: processor time per request, ms", costs(bench.costs)]
        if bench.rates:
            parts += [f"## {name}: many clients", costs(bench.rates, ("leadapp", "peer"))]
        if bench.growth:
            parts += [f"## {name}: lists by number of leads, ms", grown(bench.growth)]
    return "\n\n".join(parts) + "\n"


def costs(measured: Mapping[str, Cost], sides: Sequence[str] = SIDES) -> str:
    """Return a table of the figures of each rival."""
    rows = []
    for scenario, cost in measured.items():
        row = [scenario]
        row.extend(f"{cost.of(side):.2f}" if side in cost.rounds else "" for side in sides)
        rows.append(row)
    head = [""]
    head.extend(sides)
    return table(head, rows)


def grown(growth: Mapping[str, Cost]) -> str:
    """Return a table of milliseconds by number of leads, with the ratio of most to fewest."""
    sizes = list(next(iter(growth.values())).rounds)
    rows = []
    for page, cost in growth.items():
        row = [page]
        row.extend(f"{cost.of(size):.2f}" for size in sizes)
        row.append(f"{cost.ratio(sizes[-1], sizes[0]):.2f}")
        rows.append(row)
    head = ["list of 25"]
    head.extend(f"{int(size):,}" for size in sizes)
    head.append("most / fewest")
    return table(head, rows)


def machine(postgres: str) -> str:
    """Return the hardware, the versions, Python's build flags, the date and the load."""
    models = [
        line.partition(": ")[2]
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    model = models[0] if models else platform.machine()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{datetime.now(UTC):%d %b %Y}, {os.cpu_count()} x {model}, Linux {platform.release()}, "
        f"Python {platform.python_version()} ({build()}), SQLite {sqlite3.sqlite_version}, "
        f"{postgres}{packages}. "
        f"Load averages at the end: {load} (about 2 when nothing else ran)."
    )


def build() -> str:
    """Return which of its optimizations Python was built with."""
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return ", ".join(
        f"with {name}" if flag in arguments else f"without {name}" for name, flag in FLAGS.items()
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with aligned columns."""
    cells = [list(head)]
    cells.extend(list(row) for row in rows)
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [_line(row, widths) for row in cells]
    rule = "|".join("-" * (width + 2) for width in widths)
    lines.insert(1, f"|{rule}|")
    return "\n".join(lines)


def _line(row: list[str], widths: list[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
    return "| " + " | ".join(padded) + " |"
