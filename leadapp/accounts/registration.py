"""Registration requests for a username or e-mail address that is already taken."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import exists, or_, select, update

from .. import letters, rules
from ..extensions import db
from ..models.accounts import REFUSED_FOR, RefusedRegistration, User
from ..wording import now

WARN_AGAIN_AFTER = timedelta(days=1)


def taken(username: str, email: str) -> list[str]:
    """Return the fields (`username`, `email`) with a value that a user already has."""
    same = {
        "username": User.username_key == username.lower(),
        "email": User.email_key == rules.email_key(email),
    }
    return [
        field for field, owned in same.items() if db.session.scalar(select(exists().where(owned)))
    ]


def refuse(username: str, email: str) -> None:
    """Keep a request for the operator, and warn the owner of the e-mail address.

    Both happen inside the caller's transaction. The owner gets at most one e-mail a day. An account
    that awaits approval gets none: a stranger typed its address, which may belong to anyone.
    """
    at = now()
    request = RefusedRegistration(username=username, email=email, taken=taken(username, email))
    db.session.add(request)
    due = or_(User.warned_at.is_(None), User.warned_at <= at - WARN_AGAIN_AFTER)
    owner = update(User).where(User.email_key == rules.email_key(email), User.is_active, due)
    # One UPDATE checks and sets `warned_at`, so two simultaneous requests send only one e-mail.
    if address := db.session.scalar(owner.values(warned_at=at).returning(User.email_key)):
        letters.enqueue_for_user("registration", address, at)


def refused() -> Sequence[RefusedRegistration]:
    """Return the refused requests of the last thirty days, newest first."""
    lately = RefusedRegistration.created_at > now() - REFUSED_FOR
    newest = RefusedRegistration.created_at.desc()
    return db.session.scalars(select(RefusedRegistration).where(lately).order_by(newest)).all()
