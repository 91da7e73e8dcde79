"""Notices to attorneys: failed or late e-mails, requests for erasure, new arrivals."""

import html
import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.leads import attention, search
from leadapp.leads.attention import NAMED
from leadapp.models.leads import Lead
from tests.clients import Client
from tests.factories import LeadFactory, LetterFactory
from tests.integration.desk import LIST, address, submit
from tests.pages import words

FAILED = {"next_at": None, "attempts": 3, "reason": "554 Spam"}


def failed(**given: object) -> Lead:
    lead: Lead = LeadFactory.create(**given)
    LetterFactory.create(submission=lead.newest, **FAILED)
    return lead


def asking(hours: int) -> Lead:
    return LeadFactory.create(erasure_asked_at=now() - timedelta(hours=hours))


def banner(page: str, name: str) -> str:
    found = re.search(rf'<section[^>]*aria-labelledby="{name}">(.*?)</section>', page, re.DOTALL)
    if not found:
        return ""
    return found[1]


def named(shown: str) -> set[str]:
    return {html.unescape(link) for link in re.findall(r'href="([^"?]+)', shown)}


def test_leads_with_a_failed_letter_are_named(signed_in: Client) -> None:
    assert banner(signed_in.get(LIST).text, "mail") == ""
    leads = [failed(), failed(reached_out=True)]
    LetterFactory.create(submission=leads[0].newest, **FAILED)
    shown = banner(signed_in.get(f"{LIST}?q=nobody").text, "mail")
    assert "3 e-mails have failed" in words(shown)
    assert named(shown) == {address(lead) for lead in leads}
    for lead in leads:
        assert lead.reference in shown
    page = words(signed_in.get(address(leads[0])).text)
    assert "2 e-mails have failed. See the reason and send it again" in page
    other = words(signed_in.get(address(leads[1])).text)
    assert "An e-mail has failed." in other


@pytest.mark.databases("sqlite")
def test_some_are_named_where_many_have_failed(signed_in: Client) -> None:
    for _ in range(NAMED + 2):
        failed()
    shown = banner(signed_in.get(LIST).text, "mail")
    assert f"{NAMED + 2} e-mails have failed" in words(shown)
    assert len(named(shown)) == NAMED


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("minutes", "late"), [(29, False), (31, True)])
def test_a_letter_that_waits_long_is_told(signed_in: Client, minutes: int, late: bool) -> None:
    LetterFactory.create(created_at=now() - timedelta(minutes=minutes))
    shown = words(banner(signed_in.get(LIST).text, "mail"))
    assert ("An e-mail has waited for 31 min" in shown) == late
    assert "failed" not in shown


def test_who_asks_to_be_erased_is_named_longest_first(signed_in: Client) -> None:
    assert banner(signed_in.get(LIST).text, "asking") == ""
    leads = [asking(hours) for hours in range(1, 6)]
    shown = banner(signed_in.get(LIST).text, "asking")
    assert "Erasure requested" in words(shown)
    longest = [lead.reference for lead in leads[:-4:-1]]
    assert re.findall("LD-[-A-Z0-9]+", words(shown)) == longest
    page = signed_in.get(address(leads[0])).text
    assert "This person requested erasure on" in words(page)
    assert f'href="{address(leads[0], "/erase")}"' in page


def since(page: str) -> str:
    [url] = re.findall(r'data-url="([^"]*)"', page)
    return html.unescape(url)


def test_what_has_come_meanwhile_is_counted(signed_in: Client) -> None:
    submit(signed_in, "ana@example.com")
    url = since(signed_in.get(LIST).text)
    counts = [signed_in.get(url).get_json()]
    for email in ("bo@example.com", "ana@example.com", "cy@example.com"):
        submit(signed_in, email)
        counts.append(signed_in.get(url).get_json())
    assert counts == [{"arrived": count} for count in range(4)]
    assert signed_in.get(url).headers["Cache-Control"] == "no-store"
    reloaded = since(signed_in.get(LIST).text)
    assert signed_in.get(reloaded).get_json() == {"arrived": 0}


def test_a_submission_that_arrives_while_the_list_is_read_is_counted(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = search.search

    def find_before_another_arrives(query: search.Query) -> search.Page:
        page = find(query)
        LeadFactory.create()
        return page

    monkeypatch.setattr(search, "search", find_before_another_arrives)
    url = since(signed_in.get(LIST).text)
    assert signed_in.get(url).get_json() == {"arrived": 1}


@pytest.mark.databases("sqlite")
def test_the_first_arrival_is_told_where_nobody_was(signed_in: Client) -> None:
    url = since(signed_in.get(LIST).text)
    submit(signed_in, "ana@example.com")
    assert signed_in.get(url).get_json() == {"arrived": 1}


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    "asked", ["", "?since=", "?since=x", "?since=nan", "?since=1e99", "?since=-1", "?since=1&x=1"]
)
def test_only_a_time_is_taken_for_one(signed_in: Client, asked: str) -> None:
    assert signed_in.get(f"{LIST}arrivals{asked}").status_code == 422


@pytest.mark.databases("sqlite")
def test_a_stranger_is_not_told_what_has_come(client: Client) -> None:
    assert client.get(f"{LIST}arrivals?since=0").status_code == 303


@pytest.mark.databases("sqlite")
def test_a_wait_grows_while_nobody_does_anything(app: Flask) -> None:
    LetterFactory.create()
    with time_machine.travel(now() + timedelta(hours=2)):
        waited = attention.read_attention().letters.oldest_waiting
    db.session.rollback()
    assert waited
    assert timedelta(hours=2) <= waited < timedelta(hours=2, minutes=1)
