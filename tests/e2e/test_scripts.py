"""A script's whole day over HTTP with tokens, on both databases."""

import pytest

from tests import samples
from tests.factories import PASSWORD
from tests.site import Site

GOOD = {"first_name": "Ana", "last_name": "Ruiz", "email": "ana.ruiz@example.com"}
BOTH = pytest.mark.databases("sqlite", "postgres")


@BOTH
def test_a_script_submits_lists_marks_and_downloads(site: Site) -> None:
    resume = samples.docx()
    with site.client() as client:
        files = samples.upload(resume, "cv.docx")
        made = client.post("/api/v1/leads", data=GOOD, files=files)
        assert made.status_code == 201
        headers = {"Authorization": f"Bearer {site.token('ana', PASSWORD)}"}
        address = made.headers["Location"]
        listed = client.get("/api/v1/leads", params={"q": "ruiz"}, headers=headers).json()
        assert [lead["id"] for lead in listed["items"]] == [made.json()["id"]]
        change = {"status": "REACHED_OUT"}
        marked = client.patch(address, json=change, headers=headers).json()
        assert marked["status"] == "REACHED_OUT"
        lead = client.get(address, headers=headers).json()
        assert lead["reached_out_at"] == marked["reached_out_at"]
        download = client.get(lead["resume_path"], headers=headers)
        assert download.content == resume
    subjects = {letter.message["Subject"] for letter in site.smtp.wait_for(2)}
    assert subjects == {
        f"We have your details ({lead['reference']})",
        f"New lead: Ana Ruiz ({lead['reference']})",
    }


@BOTH
def test_a_browser_and_a_script_are_let_in_by_different_doors(site: Site) -> None:
    with site.client() as client:
        token = site.token("ana", PASSWORD)
        page = client.get("/dashboard/", headers={"Authorization": f"Bearer {token}"})
        assert page.status_code == 303
        assert page.headers["Location"].startswith("/auth/login")
        assert client.get("/api/v1/leads").status_code == 401


def test_a_body_far_over_the_limit_is_refused_and_the_client_reads_why(site: Site) -> None:
    huge = b"x" * (30 * 1024 * 1024)
    with site.client() as client:
        for _ in range(10):
            answer = client.post("/api/v1/leads", data=GOOD, files=samples.upload(huge))
            assert answer.status_code == 413
            assert answer.json()["code"] == "http_413"
