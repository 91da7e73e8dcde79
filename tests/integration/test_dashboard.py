"""The list of leads as attorneys see it: tabs, search, order, pages."""

import html
import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from leadapp.clock import now
from leadapp.formatting import filesize
from tests import samples
from tests.clients import Client
from tests.factories import LeadFactory, SubmissionFactory
from tests.integration.desk import LIST, mark
from tests.pages import words

# The words of an empty list: on the first day, in a tab, after a search.
NOBODY = {
    "": ("No leads yet", "http://localhost/"),
    "?status=REACHED_OUT": ("No leads yet",),
    "?status=": ("No leads yet",),
    "?q=jo": ("No match for “jo”", "Clear the search"),
}


def names(answer: TestResponse) -> list[str]:
    return [html.unescape(name) for name in re.findall(r"<bdi>(.*?)</bdi>", answer.text)]


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("query", NOBODY)
def test_an_empty_list_says_what_to_do(signed_in: Client, query: str) -> None:
    shown = words(signed_in.get(LIST + query).text)
    assert all(part in shown for part in NOBODY[query])


def test_tabs_count_and_show_each_status(signed_in: Client) -> None:
    LeadFactory.create(first_name="Ana", last_name="Ruiz")
    LeadFactory.create(first_name="Zoe", last_name="Smith", reached_out=True)
    both = ["Ana Ruiz", "Zoe Smith"]
    for query, shown in {
        "": both[:1],
        "?status=PENDING": both[:1],
        "?status=REACHED_OUT": both[1:],
        "?status=": both,
    }.items():
        page = signed_in.get(LIST + query)
        assert sorted(names(page)) == shown
        assert "Pending 1 Reached out 1 All 2" in words(page.text)


def test_a_tab_without_leads_says_why(signed_in: Client) -> None:
    LeadFactory.create()
    tab = signed_in.get(f"{LIST}?status=REACHED_OUT")
    assert "No one has been reached out to yet" in words(tab.text)
    assert mark(signed_in, signed_in.get(LIST)).status_code == 303
    assert "No one is waiting" in words(signed_in.get(LIST).text)


@pytest.mark.parametrize("q", ["jose", "ÁLV", "PEPE@", "ld-7k4m"])
def test_a_search_narrows_list_and_counts(signed_in: Client, q: str) -> None:
    LeadFactory.create(
        first_name="José", last_name="Álvarez", email="pepe@example.com", reference="LD-7K4M-92QX"
    )
    LeadFactory.create(
        first_name="Zoe", last_name="Smith", reached_out=True, reference="LD-2222-2222"
    )
    page = signed_in.get(LIST, query_string={"q": q})
    assert names(page) == ["José Álvarez"]
    assert "Pending 1 Reached out 0 All 1" in words(page.text)
    assert f'name="q" value="{q}"' in page.text
    other = signed_in.get(f"{LIST}?q=<b>zoe")
    assert "No match for “<b>zoe”" in words(other.text)


def test_whoever_waits_longest_comes_first(signed_in: Client) -> None:
    for name, days in (("Ana", 1), ("Bo", 3), ("Cy", 2)):
        at = now() - timedelta(days=days, hours=4, minutes=5)
        LeadFactory.create(first_name=name, last_name="Ruiz", created_at=at)
    page = signed_in.get(LIST)
    assert names(page) == ["Bo Ruiz", "Cy Ruiz", "Ana Ruiz"]
    assert "1 to 3 of 3, longest wait first" in words(page.text)
    every = words(signed_in.get(f"{LIST}?status=").text)
    assert "earliest wait first" in every, "some of them wait no more"
    for wait in ("3 d 4 h", "2 d 4 h", "1 d 4 h"):
        assert wait in words(page.text)


def test_a_heading_sorts_and_pressed_again_turns_the_order(signed_in: Client) -> None:
    for name in ("Ruiz", "Álvarez", "smith"):
        LeadFactory.create(first_name="Ana", last_name=name)
    page = signed_in.get(LIST)
    rising = ["Ana Álvarez", "Ana Ruiz", "Ana smith"]
    for order, expected in (
        ("ascending", rising),
        ("descending", rising[::-1]),
        ("ascending", rising),
    ):
        [link] = re.findall(r'<th[^>]*>\s*<a[^>]* href="([^"]*)">Name', page.text)
        page = signed_in.get(html.unescape(link))
        assert names(page) == expected
        assert re.findall(r'aria-sort="(\w+)"', page.text) == [order]


def test_pages_keep_the_search_and_say_where_they_are(signed_in: Client) -> None:
    for _ in range(12):
        LeadFactory.create()
    first = signed_in.get(f"{LIST}?q=ana&size=10&sort_by=email")
    assert "1 to 10 of 12" in words(first.text)
    [link] = re.findall(r'rel="next" href="([^"]*)"', first.text)
    last = signed_in.get(html.unescape(link))
    assert "11 to 12 of 12" in words(last.text)
    assert "Page 2 of 2" in words(last.text)
    shown = names(first) + names(last)
    assert len(shown) == len(set(shown)) == 12
    for size in (10, 25, 50, 100):
        assert f"size={size}" in first.text


def test_a_page_that_is_not_there_leads_to_the_last(signed_in: Client) -> None:
    for _ in range(11):
        LeadFactory.create()
    state = "?status=PENDING&sort_by=email&size=10"
    last = signed_in.get(f"{LIST}{state}&page=9", follow_redirects=True)
    assert "Page 2 of 2" in words(last.text)
    assert len(names(last)) == 1
    marked = mark(signed_in, last, then="list")
    left = signed_in.get(marked.location, follow_redirects=True)
    assert "1 to 10 of 10" in words(left.text)
    assert "is marked as reached out" in words(left.text)
    none = signed_in.get(f"{LIST}?q=nobody&page=2", follow_redirects=True)
    assert "No match" in words(none.text)


def test_a_row_shows_who_is_new_and_who_wrote_again(signed_in: Client) -> None:
    lead = LeadFactory.create(first_name="Ana", last_name="Ruiz")
    assert "Ana Ruiz New" in words(signed_in.get(LIST).text)
    signed_in.get(f"/dashboard/leads/{lead.id}")
    assert "Ana Ruiz New" not in words(signed_in.get(LIST).text)
    SubmissionFactory.create(
        lead=lead, created_at=now(), content=samples.docx(), filename="cv.docx"
    )
    assert "Ana Ruiz 2nd submission" in words(signed_in.get(LIST).text)
    size = filesize(len(samples.docx()))
    assert f"DOCX, {size}" in words(signed_in.get(LIST).text)
