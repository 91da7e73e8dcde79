"""The search finds leads as people type and speak."""

import re

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from leadapp.extensions import db
from leadapp.leads import erasure, search
from leadapp.leads.neighbours import find_neighbours
from leadapp.models.leads import Lead, LeadStatus, LeadWord
from tests.clients import Client
from tests.factories import LeadFactory
from tests.integration.desk import LIST, attached, submit
from tests.integration.test_export import rows
from tests.integration.test_upkeep import run
from tests.pages import words

LEADS = "/api/v1/leads"
PENDING, REACHED_OUT = LeadStatus.PENDING, LeadStatus.REACHED_OUT
CONAN = ("Conan", "O'Brien-Núñez")
GABRIEL = ("Gabriel José", "García Márquez")
WANG = ("小明", "王")
REFERENCE = "LD-JSBH-M2TZ"
FOUND = [
    (CONAN, "Nunez"),
    (CONAN, "brien"),
    (CONAN, "obrien"),
    (CONAN, "O\u2019Brien"),
    (CONAN, "o\u00b4brien"),
    (CONAN, "O`Brien"),
    (CONAN, "o\u02bcbrien"),
    (CONAN, "O'Brien\u2010Núñez"),
    (CONAN, "o'brien\u2011nunez conan"),
    (CONAN, "OBRIEN NUNEZ"),
    (("Jan", "van  Dijk"), "dijk"),
    (("Jan", "van  Dijk"), "van   dijk"),
    (("Jean Claude", "Petit"), "Claude"),
    (("Jean Claude", "Petit"), "Jean-Claude"),
    (("Jan", "van Dijk"), "vandijk"),
    (("Ana", "García Márquez"), "garcia-marquez"),
    (("Jean-Claude", "Petit"), "jean claude"),
    (GABRIEL, "Márquez"),
    (GABRIEL, "marquez gab"),
    (GABRIEL, "García Márquez, Gabriel"),
    (("Kofi", "Mensah"), "Mensah, Kofi"),
    (("Kofi", "Mensah"), "mensah,kofi"),
    (WANG, "王小明"),
    (WANG, "小明王"),
    (WANG, "小明"),
    (WANG, "王 小明"),
    (("민준", "김"), "김민준"),
    (("Łukasz", "★"), "★"),
    (("Łukasz", "-"), "-"),
    (("सीता", "राम"), "सीता"),
    (("Ana", "Ruiz"), "@firm.example"),
    (("Ana", "Ruiz"), "@FIRM"),
    (("Ana", "Ruiz"), "a.ruiz+cv@f"),
    (("Ana", "Ruiz"), "A.Ruiz"),
    (("Ana", "Ruiz"), "Ana Ruiz <a.ruiz+cv@firm.example>"),
    (("Ana", "Ruiz"), "Ana Ruiz <a.ruiz+cv@firm.example>; "),
    (("Ana", "Ruiz"), "('a.ruiz+cv@firm.example')."),
    (("Ana", "Ruiz"), '"Ruiz, Ana" <A.Ruiz+CV@firm.example>'),
    (("Ana", "Ruiz"), "Ana Ruiz <a.ruiz+cv@firm.example>;"),
    (("Ana", "Ruiz"), "a.ruiz+cv@firm.example, "),
    (("Ana", "Ruiz"), "mailto:a.ruiz+cv@firm.example?subject=Hello"),
    (("Ana", "Ruiz"), "MAILTO:a.ruiz%2Bcv@firm.example?subject=Firm%20%28LD-JSBH-M2TZ%29"),
    (("Ana", "Ruiz"), "jsbhm2tz"),
    (("Ana", "Ruiz"), "ld jsbh m2tz"),
    (("Ana", "Ruiz"), "JSBH"),
    (("Ana", "Ruiz"), "LD-"),
    (("Ana", "Ruiz"), "ld\u2011jsbh\u2010m2"),
]
NOT_FOUND = [
    "unez",
    "conan smith",
    "uiz",
    "ruiz@",
    "mailto:%00@%00",
    "%",
    "_",
    "a%z",
    "firm.example",
    "JSB",
    "LD-0000",
    ", ,",
    "&",
    "\u0301",
    "x" * 100,
    "a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 4 5 6 7 8 9",
]


@pytest.mark.parametrize(("name", "q"), FOUND)
def test_a_lead_is_found_by_the_list_the_api_and_the_command(
    app: Flask, signed_in: Client, bearer: dict[str, str], name: tuple[str, str], q: str
) -> None:
    first, last = name
    LeadFactory.create(first_name="Zoe", last_name="Zapata", reference="LD-2222-2222")
    lead = LeadFactory.create(
        first_name=first, last_name=last, email="a.ruiz+cv@firm.example", reference=REFERENCE
    )
    expected = [str(lead.id)]
    if q == "LD-":
        expected = [str(one) for one in db.session.scalars(select(Lead.id))]
    page = signed_in.get(LIST, query_string={"q": q}).text
    assert sorted(re.findall(r'id="lead-([^"]*)"', page)) == sorted(expected)
    answer = signed_in.get(LEADS, query_string={"q": q}, headers=bearer).get_json()
    assert sorted(item["id"] for item in answer["items"]) == sorted(expected)
    listed = run(app, "lead", "list", "--q", q).stdout
    assert sorted(line.split("\t")[0] for line in listed.splitlines()) == sorted(expected)
    assert find_neighbours(lead, search.Query(q=q)).before is None


def test_a_lead_with_two_such_words_is_found_once(signed_in: Client) -> None:
    for last_name in ("Andres Ruiz", "Ruiz"):
        LeadFactory.create(first_name="Ana", last_name=last_name)
    for _ in range(2):
        LeadFactory.create(first_name="Bo", last_name="Ruiz")
    query = search.Query(PENDING, "an ruiz", "last_name", sort_desc=False)
    names = [lead.last_name for lead in search.search(query).items]
    assert names == ["Andres Ruiz", "Ruiz"]
    assert len(rows(signed_in, "?q=an+ruiz")) == 2


@pytest.mark.parametrize("q", NOT_FOUND)
def test_a_search_finds_nothing_by_the_middle_of_a_word(signed_in: Client, q: str) -> None:
    lead = LeadFactory.create(
        first_name="Ana", last_name="Ruiz", email="a@firm.example", reference=REFERENCE
    )
    page = signed_in.get(LIST, query_string={"q": q})
    assert page.status_code == 200
    assert "No match for" in page.text
    assert find_neighbours(lead, search.Query(q=q)) == (None, None)


def test_the_empty_page_explains_what_is_found(signed_in: Client) -> None:
    LeadFactory.create()
    page = words(signed_in.get(f"{LIST}?q=nobody").text)
    for explained in ("each word of a name", "any order", "@example.com", "LD-7K4M-92QX"):
        assert explained in page


@pytest.mark.parametrize("typed", ["jsbhm2tz", "LD JSBH M2TZ", " ld-jsbh\u2011m2tz "])
def test_a_reference_confirms_an_erasure_as_people_type_it(app: Flask, typed: str) -> None:
    lead = LeadFactory.create(reference=REFERENCE)
    erasure.erase_by_reference(lead.id, None, typed)
    assert db.session.scalar(select(Lead.id)) is None
    assert db.session.scalar(select(LeadWord.word)) is None


def test_a_submission_stores_the_words_of_the_first_names(client: Client) -> None:
    submit(client, "ana@example.com")
    fields = {"first_name": "Bea", "last_name": "Diaz", "email": "ANA@example.com"}
    assert client.post(LEADS, data=dict(fields, resume=attached())).status_code == 201
    found = select(LeadWord.word).order_by(LeadWord.word)
    assert db.session.scalars(found).all() == ["@example.com", "ana", "ruiz"]


def test_the_words_follow_the_status_of_their_lead(app: Flask) -> None:
    LeadFactory.create()
    for status in (REACHED_OUT, PENDING):
        db.session.execute(update(Lead).values(status=status))
        db.session.commit()
        assert set(db.session.scalars(select(LeadWord.status))) == {status}
    db.session.execute(delete(Lead))
    db.session.commit()
    assert db.session.scalar(select(LeadWord.word)) is None
