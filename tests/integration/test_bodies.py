"""The form and the API report a body that they cannot parse.

They accept a file name with a bad byte.
"""

import html

import pytest
from sqlalchemy import select

from leadapp.codes import Code
from leadapp.extensions import db
from leadapp.models.leads import Submission
from tests import samples
from tests.clients import Client
from tests.multipart import body
from tests.pages import hidden_fields
from tests.stored import content, keys, staged

FORM, API = "/", "/api/v1/leads"
MULTIPART = "multipart/form-data; boundary=x"
GOOD = {
    "first_name": b"Ana",
    "last_name": b"Ruiz",
    "email": b"ana@example.com",
    "resume": samples.pdf(),
}
pytestmark = pytest.mark.databases("sqlite")


Case = tuple[bytes, str | None]  # a body and its content type
WHOLE = body(GOOD, b"x")
BROKEN: dict[str, Case] = {
    "empty": (b"", MULTIPART),
    "no field": (b"--x--\r\n", MULTIPART),
    "no boundary": (WHOLE, "multipart/form-data"),
    "another boundary": (WHOLE, "multipart/form-data; boundary=y"),
    "a boundary outside of ASCII": (WHOLE, "multipart/form-data; boundary=ä"),
    "cut in a header": (WHOLE[:30], MULTIPART),
    "cut in the file": (WHOLE[:-40], MULTIPART),
    "cut in the last delimiter": (WHOLE[:-3], MULTIPART),
    "a part without a name": (b"--x\r\nX: y\r\n\r\n\r\n--x--\r\n", MULTIPART),
}
NOT_A_FORM: dict[str, Case] = {
    "nothing": (b"", None),
    "JSON": (b"{}", "application/json"),
    "plain text": (b"Ana Ruiz", "text/plain"),
    "an empty form": (b"", "application/x-www-form-urlencoded"),
    "an older encoding": (b"first_name=Zo\xeb", "application/x-www-form-urlencoded"),
}


UNREADABLE = BROKEN | NOT_A_FORM


def nothing_is_kept() -> bool:
    submissions = db.session.scalars(select(Submission)).all()
    return not keys() and not staged() and not submissions


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_the_api_says_that_it_could_not_read(client: Client, case: Case) -> None:
    answer = client.post(API, data=case[0], content_type=case[1])
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (400, "body_unreadable")
    assert problem["detail"] == Code.BODY_UNREADABLE.words
    assert "errors" not in problem
    assert nothing_is_kept()


@pytest.mark.parametrize("case", UNREADABLE.values(), ids=UNREADABLE)
def test_the_form_says_that_it_could_not_read(client: Client, case: Case) -> None:
    answer = client.post(FORM, data=case[0], content_type=case[1])
    assert answer.status_code == 400
    page = html.unescape(answer.text)
    assert Code.BODY_UNREADABLE.words in page
    assert Code.FORM_STALE.words not in page
    assert 'name="first_name"' not in page  # an empty form would look like lost data
    assert nothing_is_kept()


@pytest.mark.parametrize("path", [FORM, API])
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Lebenslauf Müller.pdf".encode("latin-1"), "Lebenslauf M�ller.pdf"),
        ("résumé.pdf".encode("cp1252"), "r�sum�.pdf"),
        ("履歴書.pdf".encode(), "履歴書.pdf"),
    ],
)
def test_a_bad_byte_in_a_file_name_costs_nothing(
    client: Client, path: str, sent: bytes, kept: str
) -> None:
    fields: dict[str, bytes] = {}
    if path == FORM:
        form = hidden_fields(client.get(FORM).text, having="email")
        for field, value in form.items():
            fields[field] = value.encode()
    fields.update(GOOD)
    answer = client.post(path, data=body(fields, b"x", sent), content_type=MULTIPART)
    assert answer.status_code in (201, 303), answer.text
    [submission] = db.session.scalars(select(Submission)).all()
    assert submission.filename == kept
    assert content(submission.storage_key) == samples.pdf()


@pytest.mark.parametrize("name", ["履歴書.pdf", "職務経歴表.pdf", "ソ.pdf"])
def test_a_file_name_in_shift_jis_costs_nothing(client: Client, name: str) -> None:
    # In the last two names, the byte before ".pdf" is a backslash.
    sent = name.encode("shift_jis")
    answer = client.post(API, data=body(GOOD, b"x", sent), content_type=MULTIPART)
    assert answer.status_code == 201, answer.text
    [submission] = db.session.scalars(select(Submission)).all()
    assert submission.filename.endswith(".pdf")
    assert submission.filename.startswith("�")
