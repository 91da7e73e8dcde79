"""Runs the checks of each part that leadapp depends on, with a remedy for each problem."""

import functools
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.exc import DBAPIError

from ..errors import LeadappError
from ..extensions import db
from ..mail.replies import NotSent
from . import checks

# An answer of /ready is reused this long, because any client may request it at any rate.
READY_SECONDS = 5
_examining = threading.Lock()


@dataclass(frozen=True)
class Check:
    """A check of one part: the function that runs it, and the remedy if it finds a problem.

    A part is `needed` if submissions and their e-mails depend on it.
    """

    name: str
    run: Callable[[], str]
    remedy: str
    needed: bool = False


CHECKS = (
    Check(
        "configuration",
        checks.configuration,
        "Set ENVIRONMENT=production, or HOST=127.0.0.1",
    ),
    Check(
        "secret",
        checks.secret,
        "Run chmod 600 on the file; if others may have read it, replace it with a new secret",
    ),
    Check(
        "database",
        checks.database,
        "Start the database and give this user write access (for SQLite, to its folder too), or "
        "correct DATABASE_URL",
        needed=True,
    ),
    Check(
        "migrations",
        checks.migrations,
        "Run: flask db upgrade; if the database is newer than leadapp, install the version of "
        "leadapp that matches it",
        needed=True,
    ),
    Check(
        "storage",
        checks.storage,
        "Free disk space, give this user write access to the storage, or correct UPLOAD_DIR or "
        "STORAGE_URL",
        needed=True,
    ),
    Check(
        "mail",
        checks.mail,
        "Check SMTP_HOST, SMTP_PORT, SMTP_USERNAME, SMTP_PASSWORD, SMTP_FROM_EMAIL and BASE_URL "
        "against the settings of the mail server",
    ),
    Check(
        "letters",
        checks.letters,
        "Run flask mail deliver and check the mail server; to send failed e-mails again, run: "
        "flask mail retry",
        needed=True,
    ),
    Check(
        "limits",
        checks.limits,
        "Start the server that RATELIMIT_STORAGE_URI names, and set RATELIMIT_ENABLED=true",
    ),
    Check(
        "clock",
        checks.clock,
        "Synchronize the clocks of all machines: timedatectl set-ntp true",
    ),
    Check(
        "address",
        checks.address,
        "Set BASE_URL to the address that people use, and TRUSTED_PROXIES to the number of "
        "proxies in front of leadapp",
    ),
)
NEEDED = tuple(check for check in CHECKS if check.needed)


class Finding(NamedTuple):
    """The result of a check.

    `state` is ok, warn or fail. `remedy` is empty if the state is ok.
    """

    check: str
    state: str
    found: str
    remedy: str = ""


def examine(selected: Iterable[Check] = CHECKS) -> list[Finding]:
    """Run these checks, by default all."""
    return [_examine(check) for check in selected]


def readiness() -> dict[str, bool]:
    """Return, for each needed part, whether it works."""
    # Requests at the same moment wait for one run of the checks.
    with _examining:
        return _readiness(int(time.monotonic() // READY_SECONDS))


@functools.lru_cache(maxsize=1)
def _readiness(_moment: int) -> dict[str, bool]:
    """Run the checks. The argument is only the key of the cache."""
    return {finding.check: finding.state != "fail" for finding in examine(NEEDED)}


def _examine(check: Check) -> Finding:
    try:
        return Finding(check.name, "ok", check.run())
    except checks.Problem as problem:
        return Finding(check.name, problem.state, str(problem), check.remedy)
    except Exception as error:  # the other checks must still run
        return Finding(check.name, "fail", _describe(error), check.remedy)
    finally:
        db.session.rollback()


def _describe(error: BaseException) -> str:
    """Return the type and the message of an error, or of its cause, in one line."""
    if isinstance(error, (DBAPIError, LeadappError)) and error.__cause__:
        error = error.__cause__
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, NotSent):
        text = str(error)
    return " ".join(text.split())
