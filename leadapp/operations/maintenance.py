"""Recurring work: deliver e-mails, sweep unclaimed files, remind attorneys of waiting leads."""

import itertools
import re
import threading
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from ..clock import now
from ..extensions import db
from ..leads import erasure
from ..log import logger
from ..mail import queue
from ..models.accounts import (
    KNOWN_FOR,
    REFUSED_FOR,
    FailedNetwork,
    FailedSignIns,
    KnownNetwork,
    RefusedRegistration,
)
from ..models.leads import ONCE_FOR, Lead, Submission
from ..models.letters import Letter
from ..resumes.store import store
from .backup import Watch
from .doctor import NEEDED, examine

UNCLAIMED_FOR = timedelta(hours=2)  # the token of a kept upload is valid for one hour
# The keys of leadapp's files. The folder or bucket may also hold other files.
OURS = re.compile(r"[0-9a-f]{32}\.[a-z]+")
SWEEP_SECONDS = 3600
BATCH = 500


def run_until(stopped: threading.Event) -> None:
    """Deliver e-mails until `stopped` is set, and sweep once an hour.

    Before that, logs each problem with the parts that this work needs.
    """
    for finding in examine(NEEDED):
        if finding.state != "ok":
            logger.error("%s: %s. %s", finding.check, finding.found, finding.mend)
    while not stopped.is_set():
        queue.deliver_until(stopped, seconds=SWEEP_SECONDS)
        try:
            sweep()
        except Exception as error:  # e-mail delivery must continue
            logger.error("the sweep was not finished: %s", type(error).__name__)
        finally:
            db.session.remove()


def sweep() -> int:
    """Delete the stored files that no submission has claimed in two hours, and return how many.

    Also deletes short-lived rows, and networks that the limits no longer need.
    """
    moment, swept = now() - UNCLAIMED_FOR, 0
    _forget(moment)
    store.clear_staging(moment)
    keys = filter(OURS.fullmatch, store.keys_before(moment))
    while batch := list(itertools.islice(keys, BATCH)):
        claimed = set(
            db.session.scalars(
                select(Submission.storage_key).where(Submission.storage_key.in_(batch))
            )
        )
        db.session.rollback()
        for key in set(batch) - claimed:
            store.delete(key)
            swept += 1
    return swept


def _forget(moment: datetime) -> None:
    """Delete records of sign-ins, resets, registrations and networks that are no longer needed."""
    at = now()
    counted = update(Letter).where(Letter.network.is_not(None), Letter.created_at < moment)
    sent = update(Submission).where(Submission.network_key.is_not(None))
    for statement in (
        delete(FailedSignIns).where(FailedSignIns.last_at < moment),
        delete(FailedNetwork).where(FailedNetwork.last_at < moment),
        delete(KnownNetwork).where(KnownNetwork.last_at < at - KNOWN_FOR),
        delete(Letter).where(Letter.kind == "reset", Letter.created_at < moment),
        delete(Letter).where(Letter.kind == "registration", Letter.created_at < at - REFUSED_FOR),
        delete(RefusedRegistration).where(RefusedRegistration.created_at < at - REFUSED_FOR),
        counted.values(network=None),
        sent.where(Submission.created_at < at - ONCE_FOR).values(network_key=None),
    ):
        db.session.execute(statement)
    db.session.commit()


def purge(untouched: timedelta, watch: Watch = iter, dry_run: bool = False) -> int:
    """Erase the leads with no submission within the span `untouched`, and return how many.

    With `dry_run`, only counts them.
    """
    last = func.max(Submission.created_at)
    idle = select(Lead.id, Lead.updated_at).join(Submission).group_by(Lead.id, Lead.updated_at)
    found = db.session.execute(idle.having(last < now() - untouched)).all()
    db.session.rollback()
    if dry_run:
        return len(found)
    # A lead that sends a new submission at this moment gets another updated_at and is kept.
    return sum(erasure.erase(lead_id, Lead.updated_at == seen) for lead_id, seen in watch(found))
