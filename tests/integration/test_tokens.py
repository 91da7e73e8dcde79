"""No token in a URL begins with a dot, which common proxy rules deny."""

import uuid

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer

from leadapp import tokens

pytestmark = pytest.mark.databases("sqlite")
ZERO = uuid.UUID(int=0)  # compresses well


def test_no_token_begins_with_a_dot(app: Flask) -> None:
    made = [
        tokens.sign_reset(ZERO, "x"),
        tokens.sign_page("submitted", ZERO),
        tokens.sign_page("receipt", ZERO),
    ]
    assert [token for token in made if token.startswith(".")] == []


def test_a_link_that_an_older_leadapp_sent_still_works(app: Flask) -> None:
    seal = tokens.digest("password", "x")
    older = URLSafeTimedSerializer(app.config["SECRET_KEY"], salt="leadapp.reset")
    link = str(older.dumps([ZERO.hex, seal]))
    assert link.startswith(".")
    assert tokens.verify_reset(link) == (ZERO, seal)
