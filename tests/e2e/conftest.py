"""Fixtures for the running application, its mail server and a real browser."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, Page, expect

from tests import browsers
from tests.e2e.desk import PROVOKED, quiet_page, sign_in
from tests.e2e.form import resume
from tests.factories import PASSWORD
from tests.servers import ROOT, Gunicorn, MailServer
from tests.site import Site

# An e-mail address, a signed value, the name of a resume, or a name that the tests type.
PRIVATE = re.compile(
    r"[\w.+-]+@[\w-]+\.\w+|[\w-]{20,}\.[\w-]{6}\.[\w-]{20,}|eyJ\w+\."
    r"|\w\.pdf|Ruiz|lvarez|José|Jos\\u00e9"
)
expect.set_options(timeout=15_000)  # a busy machine is slow


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the machine's own Chromium."""
    arguments = dict(browser_type_launch_args)
    arguments.update(browsers.quick())
    return arguments


@pytest.fixture(scope="session")
def start_site(
    new_stack: Callable[[str], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Site]]:
    """`start_site(backend, **settings)` migrates and starts a site; the fixture stops them all."""
    sites: list[Site] = []

    def start(backend: str = "sqlite", **settings: str) -> Site:
        smtp = MailServer()
        instance = tmp_path_factory.mktemp("instance")
        stack = new_stack(backend)
        stack.update(settings)
        server = Gunicorn(instance, stack["DATABASE_URL"], smtp.port, **stack)
        sites.append(Site(server, smtp))
        sites[-1].migrate()
        server.start()
        return sites[-1]

    yield start
    # Each site takes a second or two to stop.
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(Site.close, sites))


@pytest.fixture(scope="session")
def _site(backend: str, start_site: Callable[..., Site]) -> Iterator[Site]:
    site = start_site(backend)
    site.create_user("ana", PASSWORD)
    yield site
    # No test may leave private data in the log.
    assert PRIVATE.findall(site.server.log()) == []


@pytest.fixture
def site(request: pytest.FixtureRequest, _site: Site) -> Iterator[Site]:
    """The site that tests share, reset before each test.

    Only its user `ana` is kept, and its mail server behaves normally.
    """
    _site.empty()
    before = len(_site.server.log())
    yield _site
    request.node.add_report_section(
        "teardown", "gunicorn", _site.server.log()[before:]
    )  # shown if the test failed


@pytest.fixture(scope="session")
def base_url(_site: Site) -> str:
    """The base URL of `page.goto`."""
    return _site.url


@pytest.fixture
def prospect(browser: Browser) -> Iterator[Page]:
    """A prospect's page, with JavaScript."""
    with quiet_page(browser, PROVOKED) as page:
        yield page


@pytest.fixture
def cv(tmp_path: Path) -> Path:
    """A good resume on the prospect's disk."""
    return resume(tmp_path)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the files in git, with the virtual environment of this run.

    No test reaches a package registry.
    """
    command = ["git", "ls-files", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, done.stdout.split("\0")):
        target = tmp_path / "leadapp" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # Keep the modification time too, or make would install everything again.
        shutil.copy2(ROOT / name, target)
    (tmp_path / "leadapp" / ".venv").symlink_to(sys.prefix)
    return tmp_path / "leadapp"


@pytest.fixture(scope="session")
def firm(start_site: Callable[..., Site]) -> Site:
    """A firm with two attorneys and 500 demo leads.

    Tests share it and do not empty it: each test looks for its own leads.
    """
    site = start_site()
    for name in ("ana", "joe"):
        site.create_user(name, PASSWORD)
    done = site.server.flask("seed-demo")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "added: 500\n"
    return site


@pytest.fixture(scope="session")
def sessions(browser: Browser, firm: Site) -> dict[str, Any]:
    """The storage state of a browser after an attorney of the firm signed in, by username."""
    kept = {}
    for name in ("ana", "joe"):
        with quiet_page(browser, base_url=firm.url) as page:
            page.goto("/dashboard/")
            sign_in(page, name)
            kept[name] = page.context.storage_state()
    return kept


@pytest.fixture(scope="session")
def whole_browser(browser_type: BrowserType) -> Iterator[Browser]:
    """A browser that shows PDFs."""
    with browser_type.launch(**browsers.whole()) as whole:
        yield whole


@pytest.fixture
def desk(browser: Browser, firm: Site, sessions: dict[str, Any]) -> Iterator[Callable[..., Page]]:
    """`desk("ana", **options)` returns a page of that attorney; its browser may log no errors."""
    with ExitStack() as stack:

        def sit_down(name: str = "ana", browser: Browser = browser, **options: Any) -> Page:
            state = sessions[name]
            page = quiet_page(browser, base_url=firm.url, storage_state=state, **options)
            return stack.enter_context(page)

        yield sit_down
