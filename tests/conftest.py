"""Fixtures for every test: databases, an SMTP server, and passwords that are quick to hash."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from leadapp import create_app
from leadapp.accounts import passwords
from leadapp.extensions import db
from tests.factories import BCRYPT_ROUNDS
from tests.servers import MailServer, Servers

BACKENDS = ("sqlite", "postgres")
# A busy machine must not make a test fail.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--crash-seconds",
        type=float,
        default=10,
        help="how long the crash test kills, on each database",
    )
    parser.addoption(
        "--fault-seconds",
        type=float,
        default=2,
        help="how long a server, or room on the disk, is gone",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "databases(*names): run over these of sqlite and postgres (with S3 and Valkey); "
        "else both, in tests/e2e sqlite",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that uses a database once per requested database."""
    if "backend" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("databases")
        names: tuple[str, ...] = BACKENDS
        if marker:
            names = marker.args
        elif "e2e" in metafunc.definition.path.parts:
            names = BACKENDS[:1]
        metafunc.parametrize("backend", names, indirect=True, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, so that no process idles at the end of the run."""
    items.sort(key=lambda item: "e2e" not in item.path.parts)


class Together(LoadScopeScheduling):
    """Runs tests that share a slow resource in one process.

    These are the tests on PostgreSQL, one group per folder, and the tests on the demo firm.
    """

    def _split_scope(self, nodeid: str) -> str:
        if "postgres" in nodeid.partition("[")[2]:
            return nodeid.split("/")[1]
        if "/test_triage" in nodeid:
            return "firm"
        return nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """Distribute the tests; xdist's own `--dist loadgroup` groups nothing under pytest 9.2."""
    return Together(config, log)


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """The name of the database in use: "sqlite" or "postgres"."""
    return str(request.param)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash at the lowest cost in this process; gunicorn keeps the real cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "BCRYPT_ROUNDS", BCRYPT_ROUNDS)
        yield


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """PostgreSQL, S3 and Valkey, each started at its first use."""
    started = Servers()
    yield started
    started.close()


@pytest.fixture(scope="session")
def new_database(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """`new_database("sqlite")` or `("postgres")` returns the URL of a new empty database."""

    def make(backend: str) -> str:
        if backend == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('database') / 'leads.db'}"
        return servers.postgres.new_database()

    return make


@pytest.fixture(scope="session")
def new_stack(
    servers: Servers, new_database: Callable[[str], str]
) -> Callable[[str], dict[str, str]]:
    """A function that returns settings for a database, storage and rate limits.

    `new_stack("sqlite")` is for one machine, `("postgres")` for several: with S3 and Valkey.
    """

    def make(backend: str) -> dict[str, str]:
        settings = {"DATABASE_URL": new_database(backend)}
        if backend != "sqlite":
            settings.update(servers.objects.new_place())
            settings["RATELIMIT_STORAGE_URI"] = servers.valkey.url
        return settings

    return make


@pytest.fixture
def new_app() -> Iterator[Callable[[Mapping[str, Any]], Flask]]:
    """`new_app(settings)` creates an application; its connections close after the test."""
    made: list[Flask] = []

    def make(settings: Mapping[str, Any]) -> Flask:
        made.append(create_app(settings))
        return made[-1]

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    """A mail server for this test only."""
    server = MailServer()
    yield server
    server.close()
