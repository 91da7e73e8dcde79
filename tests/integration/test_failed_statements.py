"""The error of a failed statement contains no personal data."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from leadapp.extensions import db


def test_a_failed_statement_hides_its_values(app: Flask) -> None:
    broken = text("SELECT :email FROM no_such_table")
    with pytest.raises(DBAPIError) as failed:
        db.session.execute(broken, {"email": "ana@example.com"})
    db.session.rollback()
    assert "ana@example.com" not in str(failed.value)
    assert "hide_parameters=True" in str(failed.value)
