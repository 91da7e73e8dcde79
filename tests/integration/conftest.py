"""The application in this process, empty before each test.

It runs over SQLite and a folder, or over PostgreSQL and S3.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask

from leadapp import create_app
from leadapp.extensions import db
from leadapp.leads.statistics import _counted
from leadapp.models.accounts import User
from leadapp.resumes.store import make, store
from tests.clients import Client, new_client, watch_commits
from tests.factories import PASSWORD, UserFactory
from tests.pages import hidden_fields
from tests.servers import ROOT, MailServer, Servers
from tests.servers.gunicorn import FIRM_EMAIL, SECRET_KEY
from tests.stored import keys


@pytest.fixture(scope="session")
def app(
    backend: str,
    new_stack: Callable[[str], dict[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Flask]:
    """The application; a test that uses it runs once for each stack (marker `databases`)."""
    settings: dict[str, Any] = dict(new_stack(backend))
    settings.update(
        TESTING=True,
        MAIL_SUPPRESS_SEND=False,
        INSTANCE_PATH=str(tmp_path_factory.mktemp("instance")),
        SECRET_KEY=SECRET_KEY,
        ATTORNEY_EMAIL=FIRM_EMAIL,
        RATELIMIT_ENABLED="false",
    )
    app = create_app(settings)
    app.test_client_class = Client
    with app.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))
        app.extensions["uncommitted"] = watch_commits(app)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """Override the fixture of pytest-flask.

    It would share `g` and the signed-in user between all clients of a test.
    """


@pytest.fixture(autouse=True)
def _nothing_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hold an application context for the test's own use of `db.session`.

    Delete all committed rows and stored files after the test.
    """
    if "app" not in request.fixturenames:
        yield
        return
    app: Flask = request.getfixturevalue("app")
    _counted.cache_clear()  # cached for a minute
    with app.app_context():
        yield
        _empty_tables()
        for key in keys():
            store.delete(key)
    _empty_folder(Path(app.instance_path))
    left = app.extensions["uncommitted"]
    uncommitted = list(left)
    left.clear()
    assert not uncommitted, f"left changes uncommitted: {uncommitted}"


def _empty_tables() -> None:
    db.session.rollback()
    for table in reversed(db.metadata.sorted_tables):
        db.session.execute(table.delete())
    db.session.commit()


def _empty_folder(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()


@pytest.fixture
def new_store(backend: str, servers: Servers, tmp_path: Path) -> Callable[..., Any]:
    """`new_store(**settings)` makes a new store: a folder for SQLite, a bucket for PostgreSQL."""
    place = {
        "UPLOAD_DIR": str(tmp_path),
        "STORAGE_URL": "",
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
    }
    if backend == "postgres":
        place.update(servers.objects.new_place())

    def make_store(**settings: str) -> Any:
        return make(dict(place, **settings))

    return make_store


# The fixture of pytest-flask enters the client. This keeps the context of its last request, with
# the `g` of that request, open for all other clients of the test.
@pytest.fixture
def client(app: Flask) -> Client:
    """A browser that is not signed in; make more with `new_client(app)`."""
    return new_client(app)


@pytest.fixture
def mailbox(app: Flask, smtp: MailServer, monkeypatch: pytest.MonkeyPatch) -> MailServer:
    """The mail server of the application in this process.

    Without it, the application writes e-mails to files.
    """
    monkeypatch.setitem(app.config, "SMTP_HOST", smtp.host)
    monkeypatch.setitem(app.config, "SMTP_PORT", smtp.port)
    return smtp


@pytest.fixture
def wrong_password(app: Flask, mailbox: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application has a wrong password for the mail server; "right" is the right one."""
    mailbox.accounts = {"leadapp": "right"}
    monkeypatch.setitem(app.config, "SMTP_USERNAME", "leadapp")
    monkeypatch.setitem(app.config, "SMTP_PASSWORD", "wrong")


@pytest.fixture
def attorney(app: Flask) -> User:
    """An active user; the password is `tests.factories.PASSWORD`."""
    return UserFactory.create()


@pytest.fixture
def sign_in(app: Flask) -> Callable[[User], Client]:
    """`sign_in(user)` returns a browser in which that user has signed in through the page."""

    def browser_of(user: User) -> Client:
        browser = new_client(app)
        fields = hidden_fields(browser.get("/auth/login").text, having="password")
        fields.update(username=user.username, password=PASSWORD)
        answer = browser.post("/auth/login", data=fields)
        assert answer.status_code in (302, 303), answer.text
        return browser

    return browser_of


@pytest.fixture
def signed_in(attorney: User, sign_in: Callable[[User], Client]) -> Client:
    """A browser in which `attorney` has signed in."""
    return sign_in(attorney)


@pytest.fixture
def second(sign_in: Callable[[User], Client]) -> Client:
    """A browser in which another attorney, Bo, has signed in."""
    return sign_in(UserFactory.create(username="Bo"))


@pytest.fixture
def token(app: Flask, attorney: User) -> str:
    """An access token of `attorney`, issued by the API."""
    answer = app.test_client().post(
        "/api/v1/auth/login", data={"username": attorney.username, "password": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["access_token"])


@pytest.fixture
def bearer(token: str) -> dict[str, str]:
    """The headers of an API request by `attorney`."""
    return {"Authorization": f"Bearer {token}"}
