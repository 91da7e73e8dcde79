"""One check for each part that leadapp depends on; `doctor` runs them."""

import secrets
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import delete, false, func, inspect, select

from ..clock import now
from ..config import settings
from ..config.checks import LOOPBACK
from ..config.table import SETTINGS
from ..extensions import db, limiter, migrate
from ..formatting import span, when
from ..mail import queue, smtp
from ..models.columns import UTCDateTime
from ..models.leads import Lead
from ..postgres import is_pooled
from ..resumes.store import store

CLOCKS_APART = timedelta(seconds=10)
ANSWER_SECONDS = 5


class Problem(Exception):
    """A check found a problem; `state` is "warn" if the part works in spite of it."""

    def __init__(self, found: str, state: str = "fail") -> None:
        super().__init__(found)
        self.state = state


def configuration() -> str:
    """Check that a site with development settings is not open to other machines."""
    host = settings.HOST
    if settings.ENVIRONMENT != "production" and host not in LOOPBACK:
        raise Problem(f"development settings, but other machines can reach {host}", "warn")
    sources = settings.SETTING_SOURCES.values()
    given = sum(source != "default" for source in sources)
    return f"{settings.ENVIRONMENT}, {given} of {len(SETTINGS)} settings set"


def secret() -> str:
    """Check that only this user can read the secret that the first start created."""
    file = Path(settings.INSTANCE_PATH) / "secret_key"
    if file.exists() and file.stat().st_mode & 0o077:
        raise Problem(f"other users of this machine can read {file}")
    return f"from {settings.SETTING_SOURCES['SECRET_KEY']}"


def database() -> str:
    """Check that the database accepts writes."""
    connection = db.session.connection()
    # If the table is missing, the migrations check reports the remedy.
    if inspect(connection).has_table(Lead.__tablename__):
        # This deletes no row, but raises an error if the database is read-only.
        db.session.execute(delete(Lead).where(false()))
    name = connection.dialect.name
    if is_pooled(connection.connection.driver_connection):
        return f"{name}, through a connection pooler"
    return name


def migrations() -> str:
    """Check that the database is at the latest revision, or at one from a newer leadapp."""
    with db.engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    scripts = ScriptDirectory.from_config(migrate.get_config())
    try:
        scripts.get_revision(revision or "base")
    except CommandError:
        newer = f"the database is at {revision}, which this version of leadapp does not know"
        raise Problem(newer, "warn") from None
    head = scripts.get_current_head()
    if revision != head:
        raise Problem(f"the database is at {revision or 'no revision'}, leadapp is at {head}")
    return f"at {revision}, the latest"


def storage() -> str:
    """Check that a file can be stored, read and deleted."""
    # The key has the form of an upload's key, so the sweep deletes the file if this check fails.
    key = f"{secrets.token_hex(16)}.probe"
    with store.stage() as staged:
        staged.write(key.encode())
        store.keep(staged, key)
    with store.open(key) as kept:
        if kept.read() != key.encode():
            raise Problem("a file that was read back differs from the file that was written")
    store.delete(key)
    return "a test file was written, read and deleted"


def mail() -> str:
    """Check that the mail server accepts the sign-in and the sender."""
    if not settings.SMTP_HOST:
        raise Problem(f"no mail server is set, so e-mails are written to {smtp.outbox()}", "warn")
    smtp.reach()
    server = f"{settings.SMTP_HOST}:{settings.SMTP_PORT}"
    return f"{server} accepts e-mail from {settings.SMTP_FROM_EMAIL}"


def letters() -> str:
    """Check that e-mails are delivered in good time, and that none has failed."""
    state = queue.read_state()
    if state.oldest_waiting and state.is_late:
        raise Problem(f"{state.waiting} waiting, the oldest for {span(state.oldest_waiting)}")
    if state.failed:
        raise Problem(f"{state.failed} failed", "warn")
    return f"{state.waiting} waiting, none failed"


def limits() -> str:
    """Check that rate limits are enforced, with one count for all processes."""
    if not settings.RATELIMIT_ENABLED:
        raise Problem("rate limits are turned off", "warn")
    if not limiter.storage.check():
        alone = "the shared counters cannot be reached, so each process counts separately"
        raise Problem(alone, "warn")
    return "rate limits are enforced"


def clock() -> str:
    """Compare this machine's clock with the database's clock and with the newest lead."""
    database_clock = select(func.now(type_=UTCDateTime()))
    database_time = db.session.scalar(database_clock) or now()
    difference = abs(database_time - now())
    if difference > CLOCKS_APART:
        apart = f"differ by {span(difference)}"
        raise Problem(f"the clocks of the database and of this machine {apart}")
    newest = db.session.scalar(select(func.max(Lead.updated_at)))
    if newest and newest > now() + CLOCKS_APART:
        raise Problem(f"the newest lead is from {when(newest)}, which is in the future")
    return when(now())


def address() -> str:
    """Check that BASE_URL reaches this site, and that the proxies match its scheme."""
    url = urlsplit(settings.BASE_URL)
    proxies = settings.TRUSTED_PROXIES
    if url.scheme == "https" and not proxies:
        untrusted = "needs a proxy, but none is trusted: all visitors count as one address"
        raise Problem(f"{url.geturl()} {untrusted}")
    if url.scheme == "http" and proxies:
        open_to_all = "a proxy is trusted without https: any client can claim any address"
        raise Problem(open_to_all, "warn")
    request_id = secrets.token_hex(8)
    try:
        answered_id = _request_health(url, request_id)
    except (OSError, HTTPException) as error:
        raise Problem(f"{url.geturl()} does not answer: {error}", "warn") from error
    if answered_id != request_id:
        raise Problem(f"another site answers at {url.geturl()}")
    return f"{url.geturl()} reaches this site"


def _request_health(url: SplitResult, request_id: str) -> str | None:
    """Request /health with this id, and return the id in the answer."""
    connect = HTTPSConnection if url.scheme == "https" else HTTPConnection
    with closing(connect(url.netloc, timeout=ANSWER_SECONDS)) as site:
        site.request("GET", "/health", headers={"X-Request-ID": request_id})
        return site.getresponse().headers["X-Request-ID"]
