"""Submissions survive a dead mail server, a killed server and a stop."""

import json
import time
from collections.abc import Callable
from statistics import median

import httpx
import pytest

from tests import samples
from tests.site import Site

# In seconds. A deliverer checks every second.
FAST_DELIVERY_IN = 15


def submit(site: Site, number: int = 0) -> float:
    fields = {"first_name": "Ana", "last_name": "Ruiz", "email": f"ana{number}@example.com"}
    start = time.perf_counter()
    answer = httpx.post(f"{site.url}/api/v1/leads", data=fields, files=samples.upload())
    assert answer.status_code == 201
    return time.perf_counter() - start


def test_a_dead_mail_server_is_not_noticed_by_who_submits(site: Site) -> None:
    submit(site)
    alive = median(submit(site, number) for number in range(10))
    site.smtp.wait_for(20, FAST_DELIVERY_IN)
    site.smtp.stop()
    dead = median(submit(site, number) for number in range(10, 20))
    assert dead < alive + 0.5, "a submit that spoke to SMTP would wait for it"


@pytest.mark.databases("sqlite", "postgres")
def test_letters_of_a_killed_server_arrive_after_its_restart(
    start_site: Callable[..., Site], backend: str
) -> None:
    site = start_site(backend, DELIVERY="external")
    for number in range(3):
        submit(site, number)
    site.server.kill()
    assert site.smtp.messages == []
    site.server.settings["DELIVERY"] = "worker"
    site.server.start()
    letters = site.smtp.wait_for(6, FAST_DELIVERY_IN)
    assert len({letter.message["Message-ID"] for letter in letters}) == 6
    time.sleep(2)
    assert len(site.smtp.messages) == 6
    assert site.server.stop() == 0


def test_the_command_delivers_beside_a_server_that_does_not(
    start_site: Callable[..., Site],
) -> None:
    site = start_site("sqlite", DELIVERY="external")
    submit(site)
    with site.server.run_flask("mail", "deliver") as deliverer:
        site.smtp.wait_for(2, FAST_DELIVERY_IN)
        deliverer.terminate()
        assert deliverer.wait(20) == 0


def test_logs_are_json_lines_without_personal_data(site: Site) -> None:
    before = len(site.server.log())
    submit(site, 77)
    site.smtp.wait_for(2, FAST_DELIVERY_IN)
    httpx.get(f"{site.url}/dashboard/?q=ana77", headers={"X-Request-ID": "trace-me"})
    written = site.server.log()[before:].splitlines()
    requests = {}
    for text in written:
        if text.startswith("{"):
            line = json.loads(text)
            if line["message"] == "request":
                requests[line["request_id"]] = line
    assert requests["trace-me"]["route"] == "/dashboard/"
    assert requests["trace-me"]["status"] == 303
    for secret in ("ana77", "Ruiz", "cv.pdf"):
        assert secret not in site.server.log()[before:]
