"""The figures of the last thirty days.

Days are in the firm's time zone, the usual wait is the median, and both are cached for a minute.
"""

import re
import uuid
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from sqlalchemy import insert

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.formatting import day
from leadapp.leads import statistics
from leadapp.models.leads import Submission
from tests.clients import Client
from tests.factories import LeadFactory, SubmissionFactory
from tests.integration.desk import LIST
from tests.pages import words

# Time zones and the nights in which their clocks change.
# In some of these nights, midnight does not exist or comes twice.
NIGHTS = {
    "America/New_York": datetime(2026, 3, 8, 7, tzinfo=UTC),
    "Europe/Lisbon": datetime(2026, 10, 25, 1, tzinfo=UTC),
    "Africa/Cairo": datetime(2026, 4, 23, 22, tzinfo=UTC),
    "America/Havana": datetime(2026, 11, 1, 5, tzinfo=UTC),
    "Asia/Kolkata": datetime(2026, 3, 8, 18, 30, tzinfo=UTC),
}


def submissions(times: list[datetime]) -> None:
    sent = LeadFactory.create(created_at=times[0]).newest
    row = {column.name: getattr(sent, column.key) for column in Submission.__table__.columns}
    rows = []
    for number, at in enumerate(times[1:], start=2):
        key = f"{number}.pdf"
        rows.append(dict(row, id=uuid.uuid4(), number=number, storage_key=key, created_at=at))
    db.session.execute(insert(Submission), rows)
    db.session.commit()


@pytest.mark.parametrize("zone", NIGHTS)
def test_a_day_is_one_of_the_firms(app: Flask, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setitem(app.config, "TIMEZONE", ZoneInfo(zone))
    change, half_hour = NIGHTS[zone], timedelta(minutes=30)
    times = [change + number * half_hour for number in range(-100, 101)]
    submissions(times)
    with time_machine.travel(change + timedelta(days=5), tick=False):
        days = statistics.read_statistics().days
    expected = Counter(at.astimezone(ZoneInfo(zone)).date() for at in times)
    assert {at: count for at, count in days.items() if count} == dict(expected)


def test_thirty_days_end_today(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "TIMEZONE", ZoneInfo("Pacific/Auckland"))
    # In Auckland it is March 2 then; the thirty days begin at midnight of February 1.
    with time_machine.travel(datetime(2026, 3, 1, 12, tzinfo=UTC), tick=False):
        first = datetime(2026, 1, 31, 11, tzinfo=UTC)
        submissions([first - timedelta(seconds=1), first, now()])
        days = statistics.read_statistics().days
    expected = [date(2026, 2, 1) + timedelta(days=number) for number in range(30)]
    assert list(days) == expected
    counts = list(days.values())
    assert counts[0] == 1
    assert counts[1:-1] == [0] * 28
    assert counts[-1] == 1


@pytest.mark.parametrize(
    ("hours", "usual"),
    [
        ([], None),
        ([3], "3 h"),
        ([1, 2, 100], "2 h"),
        ([1, 2, 4, 100], "3 h"),
        ([0], "0 min"),
        ([2, 50], "1 d 2 h"),
    ],
)
def test_the_usual_wait_is_the_median(
    signed_in: Client, hours: list[int], usual: str | None
) -> None:
    LeadFactory.create(created_at=now() - timedelta(days=300))
    old = now() - timedelta(days=200)
    LeadFactory.create(reached_out=True, created_at=old, reached_out_at=old + timedelta(days=7))
    for wait in hours:
        LeadFactory.create(
            reached_out=True, created_at=now() - timedelta(hours=wait), reached_out_at=now()
        )
    page = words(signed_in.get(LIST).text)
    told = usual is not None
    assert (f"Half of the leads reached out to had waited {usual} or less." in page) == told
    assert ("Half of the leads" in page) == told


@pytest.mark.databases("sqlite")
def test_a_second_wait_counts_from_the_second_submission(app: Flask) -> None:
    LeadFactory.create(
        reached_out=True,
        created_at=now() - timedelta(days=90),
        pending_since=now() - timedelta(hours=6),
        reached_out_at=now() - timedelta(hours=2),
    )
    wait = statistics.read_statistics().usual_wait
    assert wait
    assert round(wait / timedelta(hours=1), 2) == 4


@pytest.mark.databases("sqlite")
def test_the_chart_is_told_in_words_too(signed_in: Client) -> None:
    today = now()
    then = today - timedelta(days=9)
    submissions([then] * 3 + [today])
    page = signed_in.get(LIST).text
    assert f"4 submissions, most on {day(then)} (3)." in words(page)
    chart = page[page.index("<svg") : page.index("</svg>")]
    assert 'role="img"' in chart
    assert re.findall("<title>(.*?)</title>", chart) == [f"{day(then)}: 3", f"{day(today)}: 1"]
    bars = re.findall(r'<rect x="(\d+)" y="([\d.]+)" width="8" height="([\d.]+)"', chart)
    assert len(bars) == 2
    (left, top, height), (next_left, next_top, next_height) = bars
    assert int(left) == 10 * 20 + 1
    assert int(next_left) == 10 * 29 + 1
    assert float(top) + float(height) == 59
    assert float(next_top) + float(next_height) == 59
    assert float(height) == pytest.approx(3 * float(next_height), abs=0.2)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("days", "told"), [(1, "1 submission, most on"), (40, "No submissions.")])
def test_few_submissions_are_told_in_words(signed_in: Client, days: int, told: str) -> None:
    LeadFactory.create(created_at=now() - timedelta(days=days))
    page = signed_in.get(LIST).text
    assert told in words(page)
    assert ("<svg" in page) == (days < 30)


def test_the_figures_are_counted_once_a_minute(app: Flask) -> None:
    start = datetime(2026, 3, 20, 12, tzinfo=UTC)
    counts = []
    for seconds in (0, 59, 61):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            SubmissionFactory.create(lead=LeadFactory.create(submission=None))
            counts.append(sum(statistics.read_statistics().days.values()))
    assert counts == [1, 1, 3]
