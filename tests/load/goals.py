"""The goals: each row of the table, how it is measured, and whether a run reached it."""

from collections.abc import Mapping
from typing import NamedTuple

from tests.load.scenarios import TERMS

Figures = Mapping[str, float]
DATABASES = ("SQLite", "PostgreSQL")
CPU = "CPU ms"
PER_PEER = "CPU / peer"
PER_LIMIT = "CPU / limit"


class Goal(NamedTuple):
    """A row of the table. `key` names its figure; without `must`, the figure is only shown."""

    key: str
    what: str
    measure: str
    must: float | None = None
    must_on_postgres: float | None = None
    at_least: bool = False

    def limit(self, database: str) -> float | None:
        """Return the goal on a database."""
        if database == "PostgreSQL" and self.must_on_postgres is not None:
            return self.must_on_postgres
        return self.must

    def is_met(self, figure: float, database: str) -> bool:
        """Return whether a figure reaches the goal on a database."""
        limit = self.limit(database)
        if limit is None:
            return True
        return figure >= limit if self.at_least else figure <= limit

    def wanted(self) -> str:
        """Return the goal as text: one figure, or one for each database."""
        if self.must is None:
            return ""
        shown = f"{self.must:g}"
        if self.must_on_postgres is not None:
            shown = f"{self.must:g}, {self.must_on_postgres:g}"
        return f"≥ {shown}" if self.at_least else shown


def verdict(goal: Goal, runs: Mapping[str, Figures]) -> str:
    """Return whether the goal is reached, or on which of the measured databases it is missed."""
    measured = [database for database in runs if goal.key in runs[database]]
    if not measured:
        return "not measured"
    if goal.must is None:
        return ""
    missed = [name for name in measured if not goal.is_met(runs[name][goal.key], name)]
    if not missed:
        return "reached"
    if missed == measured:
        return "MISSED"
    return f"MISSED on {missed[0]}"


def _searches() -> list[Goal]:
    goals = []
    for term in TERMS:
        for kind in ("JSON", "page", "lead"):
            goals.append(Goal(f"search {term}, {kind}", f"search `{term}`, {kind}", CPU, 25))
    return goals


def _crowds() -> list[Goal]:
    goals = []
    for name in ("submits", "lists"):
        for clients in (8, 32):
            what = f"{name} a second, {clients} clients"
            goals.append(Goal(f"{name} by {clients}", what, "rate / peer", 1, at_least=True))
    return goals


HISTORY = [
    Goal("10,000 events, page", "lead with 10,000 events, page", CPU, 6),
    Goal("10,000 events, API", "lead with 10,000 events, API", CPU, 6),
    Goal("100,000 events, page", "lead with 100,000 events, page", CPU, 6),
    Goal("100,000 events, API", "lead with 100,000 events, API", CPU, 6),
    Goal("100,000 events, page, KB", "lead with 100,000 events, page", "KB", 60),
    Goal("100,000 events, API, KB", "lead with 100,000 events, API", "KB", 60),
    Goal("views", "events of 10 views by one person", "rows", 1),
    Goal("submissions shown", "lead with 1,200 submissions, page", "resumes shown", 20),
    Goal("submissions, page", "lead with 1,200 submissions, page", CPU),
    Goal("submissions, page, KB", "lead with 1,200 submissions, page", "KB"),
    Goal("submissions, API, KB", "lead with 1,200 submissions, API", "KB"),
]
PEER = [
    Goal("list, JSON of 25 / peer", "list as JSON", PER_PEER, 0.75, 0.9),
    Goal("read a lead / peer", "lead, API", PER_PEER, 1),
    Goal("mark a lead / peer", "mark", PER_PEER, 1),
    Goal("list, searched / peer", "list as JSON, searched", PER_PEER, 1),
    Goal("submit 50 KB / peer", "submit 50 KB, no e-mail", PER_PEER, 1),
    Goal("submit 50 KB, both e-mails sent / peer", "submit 50 KB and both e-mails", PER_PEER, 1),
]
MAIL = [
    Goal("e-mail, CPU", "one e-mail", "CPU ms of all processes", 2.5),
    Goal("drained", "waiting e-mails, server takes 1 ms", "a second", 150, at_least=True),
    Goal("drained, slow", "waiting e-mails, server takes 100 ms", "a second", 60, at_least=True),
    Goal("lists while draining", "list while e-mails go out", "p95 / quiet p95", 1.3),
]
MANY_PEOPLE = [
    Goal("submits by 32, p99", "submit, 32 clients", "p99 / peer", 0.5),
    Goal("mixed submit, p50", "submit, 40 requests a second", "p50 ms", 10),
    Goal("mixed submit, p99", "submit, 40 requests a second", "p99 ms", 50),
    Goal("mixed list, p50", "list, 40 requests a second", "p50 ms", 5),
    Goal("mixed list, p99", "list, 40 requests a second", "p99 ms", 50),
    Goal("burst, lost", "1,000 people press Send in 1 s", "failed or lost", 0),
    Goal("burst, last answer", "1,000 people press Send in 1 s", "last answer, s", 5),
    Goal("burst, health", "`/health` meanwhile", "p99 ms", 50),
    Goal("burst, e-mails", "all their e-mails are out", "s", 60),
    Goal("memory", "memory of all processes afterward", "PSS, MB", 200),
]
SIZES = [
    Goal("written", "submit 50 KB at 100,000 leads", "KB written", 150),
    Goal("dashboard on the wire", "dashboard of 25 rows, compressed", "KB", 6),
    Goal("CSV, CPU", "CSV of 100,000 leads", "CPU s", 1.2),
    Goal("CSV, memory", "CSV of 100,000 leads", "RSS growth, MB", 10),
    Goal("backup", "backup of 100,000 leads", "MB", 150),
]
LIMITS = [
    Goal("submit 50 KB / limit", "submit 50 KB", PER_LIMIT, 4),
    Goal("submit 50 KB / limit with rows", "submit 50 KB", "CPU / limit with rows"),
    Goal("submit 5 MB / limit", "submit 5 MB", PER_LIMIT, 1.8),
    Goal("download 5 MB / limit", "download 5 MB", PER_LIMIT, 2),
    Goal("growth", "costliest list, most leads / 1,000", "CPU ratio", 1.3),
]
GOALS = _searches() + HISTORY + PEER + MAIL + _crowds() + MANY_PEOPLE + SIZES + LIMITS
