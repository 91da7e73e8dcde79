"""A mail server that refuses the sign-in is not asked again for each waiting e-mail."""

import threading
from contextlib import closing

import pytest
import time_machine
from flask import Flask

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.mail import connections, delivery
from leadapp.mail.delivery import Deliverer
from tests.integration.test_runs_of_mail import TWO_MINUTES, copies, queued, unsent
from tests.servers import MailServer

pytestmark = pytest.mark.databases("sqlite")


@pytest.mark.usefixtures("wrong_password")
def test_a_refused_sign_in_is_not_repeated_for_each_e_mail(
    app: Flask, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(50)
    stopped = threading.Event()
    with closing(Deliverer()) as deliverer:
        deliverer.deliver_due(stopped)
        assert 1 <= mailbox.commands["AUTH"] <= delivery.FEWEST
        db.session.expire_all()
        assert all((letter.reason or "").startswith("535") for letter in unsent())
        assert all(letter.next_at and letter.next_at > now() for letter in unsent())
        monkeypatch.setitem(app.config, "SMTP_PASSWORD", "right")
        monkeypatch.setattr(connections, "SIGN_IN_AGAIN_SECONDS", 0)
        with time_machine.travel(now() + TWO_MINUTES, tick=True):
            deliverer.deliver_due(stopped)
    db.session.expire_all()
    assert unsent() == []
    assert copies(mailbox) == [1] * 50
