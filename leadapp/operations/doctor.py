"""Checks of each part that leadapp depends on, with a remedy for each failure."""

import functools
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import delete, false, func, inspect, select
from sqlalchemy.exc import DBAPIError

from ..clock import now
from ..config import settings
from ..config.checks import LOOPBACK
from ..config.kinds import SETTINGS
from ..errors import LeadappError
from ..extensions import db, is_pooled, limiter, migrate
from ..formatting import span, when
from ..mail import queue, smtp
from ..models.columns import UTCDateTime
from ..models.leads import Lead
from ..resumes.store import store

LATE = timedelta(minutes=30)
CLOCKS_APART = timedelta(seconds=10)
ANSWER_SECONDS = 5
# An answer of /ready is reused this long, because any client may request it at any rate.
READY_SECONDS = 5

# The remedy for each check that finds a problem.
REMEDIES = {
    "configuration": "Set ENVIRONMENT=production, or HOST=127.0.0.1",
    "secret": "Run chmod 600 on the file; if others may have read it, replace it with a new secret",
    "database": (
        "Start the database and give this user write access (for SQLite, to its folder too), or"
        " correct DATABASE_URL"
    ),
    "migrations": (
        "Run: flask db upgrade; if the database is newer than leadapp, install the version of "
        "leadapp that matches it"
    ),
    "storage": (
        "Free disk space, give this user write access to the storage, or correct UPLOAD_DIR or "
        "STORAGE_URL"
    ),
    "mail": (
        "Check SMTP_HOST, SMTP_PORT, SMTP_USERNAME, SMTP_PASSWORD, SMTP_FROM_EMAIL and BASE_URL"
        " against the settings of the mail server"
    ),
    "letters": (
        "Run flask mail deliver and check the mail server; to send failed e-mails again, run: "
        "flask mail retry"
    ),
    "limits": "Start the server that RATELIMIT_STORAGE_URI names, and set RATELIMIT_ENABLED=true",
    "clock": "Synchronize the clocks of all machines: timedatectl set-ntp true",
    "address": (
        "Set BASE_URL to the address that people use, and TRUSTED_PROXIES to the number of "
        "proxies in front of leadapp"
    ),
}


class Finding(NamedTuple):
    """The result of a check.

    `state` is ok, warn or fail. `mend` is the remedy, and is empty if the state is ok.
    """

    check: str
    state: str
    found: str
    mend: str = ""


class Trouble(Exception):
    """A check found a problem; `state` is "warn" if the part works in spite of it."""

    def __init__(self, found: str, state: str = "fail") -> None:
        super().__init__(found)
        self.state = state


def examine(names: Iterable[str] = ()) -> list[Finding]:
    """Run the checks with these names, by default all."""
    return [_examine(name) for name in names or CHECKS]


def readiness() -> dict[str, bool]:
    """Return, for each part that a submission and its e-mails need, whether it works."""
    return _readiness(int(time.monotonic() // READY_SECONDS))


@functools.lru_cache(maxsize=1)
def _readiness(_moment: int) -> dict[str, bool]:
    return {finding.check: finding.state != "fail" for finding in examine(NEEDED)}


def _examine(name: str) -> Finding:
    try:
        return Finding(name, "ok", CHECKS[name]())
    except Trouble as trouble:
        return Finding(name, trouble.state, str(trouble), REMEDIES[name])
    except Exception as error:  # the other checks must still run
        cause = error.__cause__ if isinstance(error, (DBAPIError, LeadappError)) else error
        return Finding(
            name, "fail", " ".join(f"{type(cause).__name__}: {cause}".split()), REMEDIES[name]
        )
    finally:
        db.session.rollback()


def _configuration() -> str:
    if settings["ENVIRONMENT"] != "production" and settings["HOST"] not in LOOPBACK:
        raise Trouble(
            f"development settings, but other machines can reach {settings['HOST']}", "warn"
        )
    given = sum(source != "default" for source in settings["SETTING_SOURCES"].values())
    return f"{settings['ENVIRONMENT']}, {given} of {len(SETTINGS)} settings set"


def _secret() -> str:
    made = Path(settings["INSTANCE_PATH"]) / "secret_key"
    if made.exists() and made.stat().st_mode & 0o077:
        raise Trouble(f"other users of this machine can read {made}")
    return f"from {settings['SETTING_SOURCES']['SECRET_KEY']}"


def _database() -> str:
    # If the table is missing, the migrations check reports the remedy.
    if inspect(db.session.connection()).has_table(Lead.__tablename__):
        # This deletes no row, but fails if the database is read-only, which is not healthy.
        db.session.execute(delete(Lead).where(false()))
    name = db.engine.dialect.name
    pooled = is_pooled(db.session.connection().connection.driver_connection)
    return f"{name}, through a connection pooler" if pooled else name


def _migrations() -> str:
    with db.engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    scripts = ScriptDirectory.from_config(migrate.get_config())
    try:
        scripts.get_revision(revision or "base")
    except CommandError:
        raise Trouble(
            f"the database is at {revision}, which this version of leadapp does not know", "warn"
        ) from None
    head = scripts.get_current_head()
    if revision != head:
        raise Trouble(f"the database is at {revision or 'no revision'}, leadapp is at {head}")
    return f"at {revision}, the latest"


def _storage() -> str:
    # The key has the form of an upload's key, so the sweep deletes the file if this check fails.
    key = f"{secrets.token_hex(16)}.probe"
    with store.stage() as staged:
        staged.write(key.encode())
        store.keep(staged, key)
    with store.open(key) as kept:
        if kept.read() != key.encode():
            raise Trouble("a file that was read back differs from the file that was written")
    store.delete(key)
    return "a test file was written, read and deleted"


def _mail() -> str:
    if not settings["SMTP_HOST"]:
        raise Trouble(f"no mail server is set, so e-mails are written to {smtp.outbox()}", "warn")
    smtp.reach()
    server = f"{settings['SMTP_HOST']}:{settings['SMTP_PORT']}"
    return f"{server} accepts e-mail from {settings['SMTP_FROM_EMAIL']}"


def _letters() -> str:
    standing = queue.read_state()
    if standing.oldest_waiting and standing.oldest_waiting > LATE:
        raise Trouble(f"{standing.waiting} waiting, the oldest for {span(standing.oldest_waiting)}")
    if standing.failed:
        raise Trouble(f"{standing.failed} failed", "warn")
    return f"{standing.waiting} waiting, none failed"


def _limits() -> str:
    if not settings["RATELIMIT_ENABLED"]:
        raise Trouble("rate limits are turned off", "warn")
    if not limiter.storage.check():
        raise Trouble(
            "the shared counters cannot be reached, so each process counts separately", "warn"
        )
    return "rate limits are enforced"


def _clock() -> str:
    theirs = db.session.scalar(select(func.now(type_=UTCDateTime()))) or now()
    if abs(theirs - now()) > CLOCKS_APART:
        raise Trouble(
            f"the clocks of the database and of this machine differ by {span(abs(theirs - now()))}"
        )
    newest = db.session.scalar(select(func.max(Lead.updated_at)))
    if newest and newest > now() + CLOCKS_APART:
        raise Trouble(f"the newest lead is from {when(newest)}, which is in the future")
    return when(now())


def _address() -> str:
    url, proxies = urlsplit(settings["BASE_URL"]), settings["TRUSTED_PROXIES"]
    request_id = secrets.token_hex(8)
    if url.scheme == "https" and not proxies:
        raise Trouble(
            f"{url.geturl()} needs a proxy, but none is trusted: all visitors count as one address"
        )
    if url.scheme == "http" and proxies:
        raise Trouble("a proxy is trusted without https: any client can claim any address", "warn")
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    with closing(kind(url.netloc, timeout=ANSWER_SECONDS)) as site:
        try:
            site.request("GET", "/health", headers={"X-Request-ID": request_id})
            if site.getresponse().headers["X-Request-ID"] != request_id:
                raise Trouble(f"another site answers at {url.geturl()}")
        except (OSError, HTTPException) as error:
            raise Trouble(f"{url.geturl()} does not answer: {error}", "warn") from error
    return f"{url.geturl()} reaches this site"


ALL = (
    _configuration,
    _secret,
    _database,
    _migrations,
    _storage,
    _mail,
    _letters,
    _limits,
    _clock,
    _address,
)
CHECKS: dict[str, Callable[[], str]] = {check.__name__[1:]: check for check in ALL}
NEEDED = ("database", "migrations", "storage", "letters")
