"""Recurring work: deliver e-mails, sweep unclaimed files and old rows, purge old leads."""

import itertools
import re
import threading
from contextlib import closing
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from ..clock import now
from ..extensions import db
from ..leads import erasure
from ..log import logger
from ..mail.delivery import Deliverer
from ..models.accounts import (
    KNOWN_FOR,
    REFUSED_FOR,
    FailedNetwork,
    FailedSignIns,
    KnownNetwork,
    RefusedRegistration,
)
from ..models.leads import IDEMPOTENT_FOR, Lead, Submission
from ..models.letters import Letter
from ..resumes.store import store
from .doctor import NEEDED, examine
from .progress import Progress, no_progress

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
            logger.error("%s: %s. %s", finding.check, finding.found, finding.remedy)
    with closing(Deliverer()) as deliverer:
        while not stopped.is_set():
            deliverer.deliver_until(stopped, seconds=SWEEP_SECONDS)
            if not stopped.is_set():
                _try_to_sweep()


def _try_to_sweep() -> None:
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
    cutoff = now() - UNCLAIMED_FOR
    _delete_old_rows(cutoff)
    _forget_networks(cutoff)
    db.session.commit()
    store.clear_staging(cutoff)
    deleted = 0
    keys = filter(OURS.fullmatch, store.keys_before(cutoff))
    while batch := list(itertools.islice(keys, BATCH)):
        for key in _unclaimed(batch):
            store.delete(key)
            deleted += 1
    return deleted


def _unclaimed(keys: list[str]) -> set[str]:
    """Return the keys that no submission has."""
    query = select(Submission.storage_key).where(Submission.storage_key.in_(keys))
    claimed = set(db.session.scalars(query))
    db.session.rollback()
    return set(keys) - claimed


def _delete_old_rows(cutoff: datetime) -> None:
    """Delete records of sign-ins, resets and registrations that are no longer needed."""
    refused_before = now() - REFUSED_FOR
    known_before = now() - KNOWN_FOR
    old_letters = delete(Letter).where(Letter.created_at < cutoff)
    refused_letters = delete(Letter).where(Letter.created_at < refused_before)
    for statement in (
        delete(FailedSignIns).where(FailedSignIns.last_at < cutoff),
        delete(FailedNetwork).where(FailedNetwork.last_at < cutoff),
        delete(KnownNetwork).where(KnownNetwork.last_at < known_before),
        old_letters.where(Letter.kind == "reset"),
        refused_letters.where(Letter.kind == "registration"),
        delete(RefusedRegistration).where(RefusedRegistration.created_at < refused_before),
    ):
        db.session.execute(statement)


def _forget_networks(cutoff: datetime) -> None:
    """Remove the networks of e-mails and submissions that the limits no longer count."""
    letters = update(Letter).where(Letter.network.is_not(None))
    old_letters = letters.where(Letter.created_at < cutoff)
    db.session.execute(old_letters.values(network=None))
    submissions = update(Submission).where(Submission.network_key.is_not(None))
    old_submissions = submissions.where(Submission.created_at < now() - IDEMPOTENT_FOR)
    db.session.execute(old_submissions.values(network_key=None))


def purge(
    untouched: timedelta, show_progress: Progress = no_progress, dry_run: bool = False
) -> int:
    """Erase the leads with no submission within the span `untouched`, and return how many.

    With `dry_run`, only counts them.
    """
    last_submission = func.max(Submission.created_at)
    idle = (
        select(Lead.id, Lead.updated_at)
        .join(Submission)
        .group_by(Lead.id, Lead.updated_at)
        .having(last_submission < now() - untouched)
    )
    leads = db.session.execute(idle).all()
    db.session.rollback()
    if dry_run:
        return len(leads)
    erased = 0
    for lead_id, updated_at in show_progress(leads):
        # A lead that sends a new submission at this moment gets another updated_at and is kept.
        if erasure.erase(lead_id, Lead.updated_at == updated_at):
            erased += 1
    return erased
