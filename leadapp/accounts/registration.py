"""Requests for an account whose username or e-mail address is taken."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import exists, or_, select, update

from .. import letters, rules
from ..extensions import db
from ..models import RefusedRegistration, User
from ..models.accounts import REFUSED_FOR
from ..wording import now

WARN_AGAIN_AFTER = timedelta(days=1)


def taken(username: str, email: str) -> list[str]:
    """Return which of the two fields, `username` and `email`, belong to a user."""
    same = {
        "username": User.username_key == username.lower(),
        "email": User.email_key == rules.email_key(email),
    }
    return [
        field for field, owned in same.items() if db.session.scalar(select(exists().where(owned)))
    ]


def refuse(username: str, email: str) -> None:
    """Keep a request for the operator and warn the owner of the address, inside the caller's transaction.

    The owner gets one e-mail a day at most. An account that waits to be enabled gets none: its
    address was typed by a stranger, and may be anybody's.
    """
    at = now()
    request = RefusedRegistration(username=username, email=email, taken=taken(username, email))
    db.session.add(request)
    due = or_(User.warned_at.is_(None), User.warned_at <= at - WARN_AGAIN_AFTER)
    owner = update(User).where(User.email_key == rules.email_key(email), User.is_active, due)
    # One statement decides, so that two requests at once send one e-mail.
    if address := db.session.scalar(owner.values(warned_at=at).returning(User.email_key)):
        letters.owe_user("registration", address, at)


def refused() -> Sequence[RefusedRegistration]:
    """List the requests of the last thirty days, newest first."""
    lately = RefusedRegistration.created_at > now() - REFUSED_FOR
    newest = RefusedRegistration.created_at.desc()
    return db.session.scalars(select(RefusedRegistration).where(lately).order_by(newest)).all()
