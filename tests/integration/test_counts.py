"""The counts beside the tabs stay right after every change of leads, also simultaneous ones."""

import random
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update

from leadapp.errors import Conflict, LeadappError
from leadapp.extensions import db
from leadapp.leads import detail, erasure, search, status
from leadapp.models.accounts import User
from leadapp.models.leads import Lead, LeadStatus
from tests.clients import Client, new_client
from tests.factories import LeadFactory
from tests.integration.desk import submit
from tests.integration.together import together

PENDING, REACHED_OUT = LeadStatus.PENDING, LeadStatus.REACHED_OUT
ROUNDS = 12


def counted() -> dict[LeadStatus, int]:
    """Returns the counts, after checking them against the leads."""
    db.session.rollback()
    found = search.Query().counts(None)
    shown = {status: found.get(status, 0) for status in LeadStatus}
    there = Counter(db.session.scalars(select(Lead.status)))
    assert shown == {status: there[status] for status in LeadStatus}
    return shown


def lead_id(email: str) -> uuid.UUID:
    found = select(Lead.id).where(Lead.email_key == email)
    return db.session.scalars(found).one()


def test_whatever_happens_to_a_lead_is_counted(client: Client, attorney: User) -> None:
    assert counted() == {PENDING: 0, REACHED_OUT: 0}
    told = []
    for act in (
        lambda: submit(client, "ana@example.com"),
        lambda: submit(client, "bo@example.com"),
        lambda: submit(client, "ANA@example.com"),
        lambda: status.mark_reached_out(lead_id("ana@example.com"), attorney),
        lambda: status.mark_reached_out(lead_id("ana@example.com"), attorney),
        lambda: undo(lead_id("ana@example.com"), attorney),
        lambda: status.mark_reached_out(lead_id("ana@example.com"), attorney),
        lambda: submit(client, "ana@example.com"),
        lambda: status.mark_reached_out(lead_id("bo@example.com"), attorney),
        lambda: erasure.erase_by_reference(
            lead_id("bo@example.com"), attorney, detail.read(lead_id("bo@example.com")).reference
        ),
        lambda: erasure.erase_by_reference(
            lead_id("ana@example.com"), attorney, detail.read(lead_id("ana@example.com")).reference
        ),
    ):
        act()
        told.append(tuple(counted().values()))
    assert told == [
        (1, 0),
        (2, 0),
        (2, 0),
        (1, 1),
        (1, 1),
        (2, 0),
        (1, 1),
        (2, 0),
        (1, 1),
        (1, 0),
        (0, 0),
    ]


def lead_rows(count: int) -> list[dict[str, Any]]:
    """Stores a lead and returns rows like it, each with its own address and without an id."""
    columns = [column.name for column in Lead.__table__.columns if column.name != "id"]
    lead = LeadFactory.create(submission=None)
    row = {name: getattr(lead, name) for name in columns}
    return [dict(row, email_key=f"{number}@example.com") for number in range(count)]


def test_many_rows_of_one_statement_are_counted(app: Flask) -> None:
    for statement in (
        insert(Lead).values(lead_rows(20)),
        update(Lead).where(Lead.email_key < "15").values(status=REACHED_OUT),
        update(Lead).values(status=PENDING),
        update(Lead).where(Lead.email_key > "5").values(status=REACHED_OUT),
        delete(Lead).where(Lead.email_key < "7"),
        delete(Lead),
    ):
        db.session.execute(statement)
        db.session.commit()
        counted()
    assert counted() == {PENDING: 0, REACHED_OUT: 0}


@pytest.mark.databases("postgres")
def test_two_new_leads_do_not_wait_for_each_other(app: Flask) -> None:
    rows = lead_rows(2)
    db.session.rollback()
    with db.engine.connect() as first, db.engine.connect() as second:
        first.execute(insert(Lead).values(rows[0]))
        # The second transaction fails after a second if it has to wait for the first.
        second.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
        second.execute(insert(Lead).values(rows[1]))
        second.commit()
        first.commit()
    assert counted() == {PENDING: 3, REACHED_OUT: 0}


def undo(lead: uuid.UUID, by: User) -> None:
    """Undo the current mark of a lead."""
    status.undo(lead, by, detail.read(lead).version)


def test_what_was_not_committed_is_not_counted(app: Flask) -> None:
    LeadFactory.create()
    db.session.execute(update(Lead).values(status=REACHED_OUT))
    db.session.rollback()
    assert counted() == {PENDING: 1, REACHED_OUT: 0}


def turn(app: Flask, by: uuid.UUID, dice: random.Random) -> None:
    """Apply a random change to one of a few leads."""
    email = f"ana{dice.randrange(4)}@example.com"
    one = db.session.scalar(select(Lead.id).where(Lead.email_key == email))
    act = dice.choice(("again", "new", "mark", "mark", "undo", "erase"))
    if act in ("again", "new"):
        address = email if act == "again" else f"{dice.random()}@example.com"
        answer = submit(new_client(app), address)
        assert answer.status_code == 201
    elif one and act == "erase":
        erasure.erase_by_reference(one, None, detail.read(one).reference)
    elif one and act == "mark":
        status.mark_reached_out(one, db.session.get_one(User, by))
    elif one:
        undo(one, db.session.get_one(User, by))


@pytest.mark.parametrize("round_", range(2))
def test_eight_at_once_are_all_counted(app: Flask, attorney: User, round_: int) -> None:
    by = attorney.id

    def act(thread: int) -> None:
        dice = random.Random(thread + 8 * round_)
        for _ in range(ROUNDS):
            # The lead may be erased, or marked too long ago.
            with app.app_context(), suppress(LeadappError):
                turn(app, by, dice)

    together(act)
    assert sum(counted().values()) > 4


@pytest.fixture
def slow_changes(app: Flask, backend: str) -> Iterator[None]:
    """Adds a pause for other threads after each change of a lead; SQLite has one writer anyway."""
    slowly = """
    CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(.01); RETURN NULL; END $$;
    CREATE TRIGGER waits AFTER UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION wait();
    """
    if backend == "postgres":
        run(slowly)
    yield
    if backend == "postgres":
        run("DROP TRIGGER waits ON leads; DROP FUNCTION wait()")


def run(statement: str) -> None:
    db.session.rollback()  # else it would wait for the test's open transaction
    with db.engine.begin() as connection:
        connection.exec_driver_sql(statement)


@pytest.mark.usefixtures("slow_changes")
def test_marks_and_newer_submissions_do_not_wait_for_each_other(app: Flask, attorney: User) -> None:
    """Both change the leads of both counts; a deadlock would make PostgreSQL abort one."""
    by, emails = attorney.id, [f"ana{number}@example.com" for number in range(4)]
    for email in emails:
        submit(new_client(app), email)

    def act(thread: int) -> None:
        for number in range(ROUNDS):
            email = emails[(thread // 2 + number) % 4]
            if thread % 2:
                assert submit(new_client(app), email).status_code == 201
            else:
                # A submission may have arrived since.
                with app.app_context(), suppress(Conflict):
                    status.mark_reached_out(lead_id(email), db.session.get_one(User, by))

    together(act)
    assert sum(counted().values()) == 4
