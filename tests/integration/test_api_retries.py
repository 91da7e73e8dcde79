"""Repeated and concurrent requests: idempotency keys, versions, and links between pages."""

import hashlib
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.models.columns import Base
from leadapp.models.leads import Lead, Submission
from leadapp.models.letters import Letter
from leadapp.operations import maintenance
from tests import samples
from tests.clients import Client
from tests.factories import LeadFactory
from tests.integration.desk import attached

GOOD = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana@example.com"}


def submit(
    client: Client,
    key: str | None,
    file: bytes = samples.pdf(),
    address: str = "127.0.0.1",
    **changed: str,
) -> TestResponse:
    headers = {}
    if key is not None:
        headers["Idempotency-Key"] = key
    fields = dict(GOOD, **changed)
    return client.post(
        "/api/v1/leads",
        data=dict(fields, resume=attached(file)),
        headers=headers,
        environ_base={"REMOTE_ADDR": address},
    )


def count(table: type[Base]) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_the_same_key_and_content_is_one_submission(client: Client) -> None:
    first, again = submit(client, "k-1"), submit(client, "k-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_json() == first.get_json()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert (count(Submission), count(Letter)) == (1, 2)


@pytest.mark.parametrize(
    "changed",
    [
        {"first_name": "Anna"},
        {"file": samples.pdf("other")},
    ],
)
def test_the_same_key_with_another_content_is_refused(
    client: Client, changed: dict[str, Any]
) -> None:
    submit(client, "k-1")
    refused = submit(client, "k-1", **changed)
    assert refused.status_code == 422
    assert refused.get_json()["code"] == "idempotency_key_reused"
    assert count(Submission) == 1


HOME, OFFICE, STRANGER = "192.0.2.7", "2001:db8::7", "198.51.100.9"


def told(answer: TestResponse) -> tuple[int, bool]:
    return answer.status_code, "Idempotency-Replayed" in answer.headers


def test_a_key_is_known_in_every_network_with_the_same_content(client: Client) -> None:
    first = submit(client, "k-1", address=HOME)
    again = submit(client, "k-1", address=OFFICE)
    assert told(first) == (201, False)
    assert told(again) == (201, True)
    assert again.get_json() == first.get_json()
    assert (count(Submission), count(Letter)) == (1, 2)


def test_a_stranger_cannot_use_up_a_key(client: Client) -> None:
    strange = submit(client, "k-1", address=STRANGER, email="stranger@example.com")
    sent = submit(client, "k-1", address=HOME)
    assert told(strange) == (201, False)
    assert told(sent) == (201, False)
    # The content decides which submission is repeated.
    for address in (HOME, OFFICE, STRANGER):
        again = submit(client, "k-1", address=address)
        assert told(again) == (201, True)
        assert again.get_json() == sent.get_json()
    assert count(Submission) == 2
    for address in (HOME, STRANGER):
        refused = submit(client, "k-1", address=address, first_name="Anna")
        assert refused.get_json()["code"] == "idempotency_key_reused"


def test_the_network_of_a_key_is_kept_as_a_keyed_hash_for_a_day(client: Client) -> None:
    submit(client, "k-1", address=HOME)
    kept = select(Submission.network_key)
    digest = db.session.scalars(kept).one()
    assert digest not in (None, hashlib.sha256(HOME.encode()).hexdigest())
    assert HOME not in str(digest)
    for hours, left in ((23, digest), (25, None)):
        with time_machine.travel(now() + timedelta(hours=hours), tick=False):
            maintenance.sweep()
        assert db.session.scalars(kept).one() == left


def test_a_refused_sending_may_be_corrected_under_its_key(client: Client) -> None:
    assert submit(client, "k-1", email="ana@").status_code == 422
    assert submit(client, "k-1").status_code == 201


def test_without_a_key_and_with_another_each_sending_counts(client: Client) -> None:
    for key in (None, None, "k-1", "k-2"):
        assert submit(client, key).status_code == 201
    assert (count(Lead), count(Submission)) == (1, 4)


def test_a_key_is_forgotten_after_a_day(client: Client) -> None:
    submit(client, "k-1")
    with time_machine.travel(now() + timedelta(hours=25), tick=False):
        again = submit(client, "k-1", first_name="Anna")
    assert (again.status_code, "Idempotency-Replayed" in again.headers) == (201, False)
    assert count(Submission) == 2


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_a_key_has_its_form(client: Client, key: str) -> None:
    refused = submit(client, key)
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["code"] == "idempotency_key_format"


def test_a_lead_that_has_not_changed_is_not_sent_again(
    client: Client, bearer: dict[str, str]
) -> None:
    lead = LeadFactory.create()
    path = f"/api/v1/leads/{lead.id}"
    first = client.get(path, headers=bearer)
    unless_same = {**bearer, "If-None-Match": first.headers["ETag"]}
    again = client.get(path, headers=unless_same)
    assert (again.status_code, again.data) == (304, b"")
    client.patch(path, json={"status": "REACHED_OUT"}, headers=bearer)
    changed = client.get(path, headers=unless_same)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]
    head = client.head(path, headers=bearer)
    assert head.status_code == 200
    assert head.data == b""
    assert head.headers["ETag"] == changed.headers["ETag"]


def mark(client: Client, path: str, bearer: dict[str, str], versions: str) -> TestResponse:
    """Mark the lead as reached out if it still has one of these versions."""
    headers = {**bearer, "If-Match": versions}
    return client.patch(path, json={"status": "REACHED_OUT"}, headers=headers)


def test_a_change_of_what_has_changed_meanwhile_is_refused(
    client: Client, bearer: dict[str, str]
) -> None:
    submit(client, None)
    path = f"/api/v1/leads/{db.session.scalars(select(Lead.id)).one()}"
    seen = client.get(path, headers=bearer).headers["ETag"]
    submit(client, None)
    stale = mark(client, path, bearer, seen)
    assert stale.status_code == 412
    assert stale.get_json()["code"] == "version_stale"
    fresh = client.get(path, headers=bearer).headers["ETag"]
    marked = mark(client, path, bearer, f'"x", {fresh}')
    assert marked.status_code == 200
    assert marked.headers["ETag"] == client.get(path, headers=bearer).headers["ETag"]
    anything = mark(client, path, bearer, "*")
    assert anything.get_json() == marked.get_json()


def test_a_weak_version_is_compared_by_its_value(client: Client, bearer: dict[str, str]) -> None:
    submit(client, None)
    path = f"/api/v1/leads/{db.session.scalars(select(Lead.id)).one()}"
    seen = client.get(path, headers=bearer).headers["ETag"]
    assert mark(client, path, bearer, 'W/"x"').status_code == 412
    assert mark(client, path, bearer, f"W/{seen}").status_code == 200


def links(answer: TestResponse) -> dict[str, str]:
    return {
        rel: address
        for address, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers["Link"])
    }


def test_pages_are_linked_and_keep_what_was_asked(client: Client, bearer: dict[str, str]) -> None:
    LeadFactory.create_batch(5)
    first = client.get("/api/v1/leads?size=2&sort_by=email&sort_desc=false", headers=bearer)
    assert links(first).keys() == {"first", "next", "last"}
    seen, answer = [], first
    while True:
        seen += [lead["id"] for lead in answer.get_json()["items"]]
        if "next" not in links(answer):
            break
        answer = client.get(links(answer)["next"], headers=bearer)
    assert len(seen) == len(set(seen)) == 5
    assert links(answer).keys() == {"first", "prev", "last"}
    beyond = client.get("/api/v1/leads?page=9&size=2", headers=bearer)
    assert "page=3" in links(beyond)["prev"]


def test_an_empty_list_links_to_its_one_page(client: Client, bearer: dict[str, str]) -> None:
    assert links(client.get("/api/v1/leads", headers=bearer)).keys() == {"first", "last"}


@pytest.mark.databases("sqlite")
def test_a_trace_is_passed_on(app: Flask, client: Client) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = client.get("/health", headers={"traceparent": trace})
    assert answer.headers["traceparent"] == trace
    answer = client.get("/health", headers={"traceparent": "00-x"})
    assert "traceparent" not in answer.headers
