"""A one-line message at startup reports each fault that an operator can fix."""

import json
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import ROOT, Gunicorn, MailServer
from tests.site import Site

# Even root can create nothing here.
NOWHERE = "/proc/nowhere"


@pytest.fixture
def server(tmp_path: Path, smtp: MailServer) -> Gunicorn:
    """A site that is not started and has no database yet."""
    return Gunicorn(tmp_path / "instance", f"sqlite:///{tmp_path / 'leads.db'}", smtp.port)


@pytest.mark.parametrize("setting", ["PORT", "HOST"])
def test_an_address_that_cannot_be_used_is_told_without_a_traceback(
    site: Site, server: Gunicorn, setting: str
) -> None:
    server.settings.update(HOST="127.0.0.1", PORT=str(site.server.port))
    if setting == "HOST":
        server.settings["HOST"] = "nowhere.invalid"
    told = server.refuse()
    assert told.returncode == 1
    address = f"('{server.settings['HOST']}', {site.server.port})"
    lines = [json.loads(line) for line in told.stderr.splitlines()]
    assert f"Can't connect to {address}" in [line["message"] for line in lines]
    assert not any("traceback" in line for line in lines)


def test_settings_that_cannot_be_read_are_told(server: Gunicorn, tmp_path: Path) -> None:
    # Even root cannot read this file from its beginning.
    (tmp_path / ".env").symlink_to("/proc/self/mem")
    shutil.copy(ROOT / "gunicorn.conf.py", tmp_path)
    server.settings.update(PYTHON_DOTENV_DISABLED="", PYTHONPATH=str(ROOT))
    told = server.refuse(tmp_path)
    assert told.returncode == 1
    assert told.stderr == "leadapp cannot start: .env: Input/output error\n"


def test_a_folder_that_cannot_be_written_is_told(server: Gunicorn) -> None:
    server.settings["UPLOAD_DIR"] = NOWHERE
    told = server.refuse()
    said = [line for line in told.stderr.splitlines() if not line.startswith("{")]
    expected = [
        "leadapp cannot start:",
        f"  - {NOWHERE} cannot be written: No such file or directory",
    ]
    assert told.returncode == 1
    assert said == expected


def test_a_missing_migration_is_told_at_the_start(server: Gunicorn) -> None:
    server.start()
    end = time.monotonic() + 20
    while "migrations: " not in server.log() and time.monotonic() < end:
        time.sleep(0.1)
    server.stop()
    lines = [json.loads(line) for line in server.log().splitlines()]
    messages = [line["message"] for line in lines]
    [told] = {message for message in messages if message.startswith("migrations: ")}
    advice = told.partition(". ")[2]
    assert advice.partition(";")[0] == "Run: flask db upgrade"
    assert not any("traceback" in line for line in lines)


def test_the_development_server_says_that_letters_wait(
    start_site: Callable[..., Site], capfd: pytest.CaptureFixture[str]
) -> None:
    site = start_site()
    with site.server.run_flask("run", "--port", "0") as development:
        said, end = "", time.monotonic() + 20
        while "Running on" not in said and time.monotonic() < end:
            said += capfd.readouterr().err
            time.sleep(0.1)
        development.send_signal(signal.SIGTERM)
    assert "E-mails are not sent until you also run: flask mail deliver" in said
