"""Edge cases of accounts: another user's link, a password that changes during a sign-in."""

import pytest
from flask import Flask
from sqlalchemy import event, update

from leadapp import tokens
from leadapp.accounts import users
from leadapp.errors import NotSignedIn
from leadapp.extensions import db
from leadapp.models.accounts import User
from tests.clients import Client
from tests.factories import PASSWORD, UserFactory, hashed
from tests.pages import hidden_fields

NEW = "Correct-horse-8"


def password_of(user: User) -> str:
    db.session.expire_all()
    return db.session.get_one(User, user.id).hashed_password


@pytest.mark.databases("sqlite")
def test_a_link_sets_the_password_of_its_own_user(app: Flask, client: Client) -> None:
    first, second = UserFactory.create(), UserFactory.create()
    before = password_of(first)
    link = f"/auth/reset/{tokens.sign_reset(second.id, second.hashed_password)}"
    form = hidden_fields(client.get(link).text, having="password")
    form["password"] = NEW
    assert client.post(link, data=form).status_code == 303
    assert password_of(first) == before
    assert users.authenticate(second.username, NEW, "203.0.113.7").id == second.id


@pytest.mark.databases("postgres")
def test_a_sign_in_locks_the_account_until_its_login_is_stored(app: Flask) -> None:
    user = UserFactory.create()
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        users.sign_in(user)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    [locking] = [statement for statement in statements if "FOR UPDATE" in statement]
    assert "users" in locking
    assert "INSERT INTO logins" in statements[-1]


def test_a_password_that_changed_during_a_sign_in_refuses_it(app: Flask) -> None:
    user = users.authenticate(UserFactory.create().username, PASSWORD, "203.0.113.7")
    db.session.expunge(user)  # as another process holds it
    with db.engine.begin() as elsewhere:
        elsewhere.execute(update(User).values(hashed_password=hashed(NEW)))
    with pytest.raises(NotSignedIn):
        users.sign_in(user)
