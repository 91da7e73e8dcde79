"""The e-mails about a lead."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy import bindparam, func, select

from ..extensions import db
from ..models.leads import LATEST_MAX, Lead, Submission
from ..models.letters import Letter

LETTERS_MAX = 100  # on one page

# Composed once, since composing a statement costs more than running it (decision 5).
SELECT_LETTERS = (
    select(Letter)
    .where(Letter.submission_id.in_(bindparam("submissions", expanding=True)))
    .order_by(Letter.sent_at.is_not(None), Letter.created_at.desc(), Letter.kind)
    .limit(LETTERS_MAX)
)


@dataclass(frozen=True)
class Unsent:
    """The number of failed or of waiting e-mails about a lead's earlier submissions.

    `page` is the page of the submissions where the newest of these e-mails is.
    """

    is_failed: bool
    count: int
    page: int


def letters_of(submissions: Sequence[Submission]) -> Sequence[Letter]:
    """List the e-mails about these submissions, newest first.

    If there are more than LETTERS_MAX, it leaves out sent ones, the oldest first.
    """
    ids = [submission.id for submission in submissions]
    letters = db.session.scalars(SELECT_LETTERS, {"submissions": ids})
    return sorted(letters, key=attrgetter("created_at"), reverse=True)


def count_earlier_unsent(lead: Lead) -> Sequence[Unsent]:
    """Count the failed and the waiting e-mails about submissions that the lead's page leaves out.

    Returns the failed ones first, and nothing for a count of zero.
    """
    last_earlier = lead.submission_count - LATEST_MAX
    if last_earlier <= 0:
        return []
    is_failed = Letter.next_at.is_(None)
    counting = (
        select(is_failed, func.count(), func.max(Submission.number))
        .join(Submission)
        .where(Submission.lead_id == lead.id, Submission.number <= last_earlier)
        .where(Letter.sent_at.is_(None))
        .group_by(is_failed)
        .order_by(is_failed.desc())
    )
    found = []
    for failed, count, number in db.session.execute(counting):
        page = (lead.submission_count - number) // LATEST_MAX + 1
        found.append(Unsent(bool(failed), count, page))
    return found
