"""Registration of accounts, and requests for a name or address that is taken."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from .. import normalize
from ..clock import now
from ..codes import Code
from ..config import settings
from ..errors import Forbidden, InvalidInput, Message
from ..extensions import db
from ..mail import queue
from ..models.accounts import REFUSED_FOR, RefusedRegistration, User
from . import passwords

WARN_AGAIN_AFTER = timedelta(days=1)
TAKEN = {"username": Code.USERNAME_TAKEN, "email": Code.EMAIL_TAKEN}


def register(username: str, email: str, password: str, address: str) -> bool:
    """Create an account as REGISTRATION allows. Returns whether it can sign in at once.

    Under `approval`, an operator must enable the account first. A stranger must not learn which
    usernames and e-mail addresses are taken. So a request for a taken one creates no account, but
    takes as long and gets the same response.
    """
    if settings.REGISTRATION == "closed":
        raise Forbidden(Code.REGISTRATION_CLOSED)
    hashed = passwords.hash_password(password, address)
    at_once = settings.REGISTRATION == "open"
    user = _insert(username, email, hashed, is_active=at_once, awaits_approval=not at_once)
    if user is None and at_once:
        raise _taken(username, email)
    if user is None:
        refuse(username, email)
    db.session.commit()
    return at_once


def create(username: str, email: str, password: str, must_change: bool = False) -> User:
    """Create an account from checked values.

    Raises InvalidInput if the username or e-mail address is taken.
    """
    hashed = passwords.hash_password(password)
    user = _insert(username, email, hashed, is_active=True, must_change_password=must_change)
    if user is None:
        raise _taken(username, email)
    db.session.commit()
    return user


def refused() -> Sequence[RefusedRegistration]:
    """Return the refused requests of the last thirty days, newest first."""
    recent = (
        select(RefusedRegistration)
        .where(RefusedRegistration.created_at > now() - REFUSED_FOR)
        .order_by(RefusedRegistration.created_at.desc())
    )
    return db.session.scalars(recent).all()


def refuse(username: str, email: str) -> None:
    """Keep a request for the operator, and warn the owner of the e-mail address.

    Both happen inside the caller's transaction. The owner gets at most one e-mail a day. An account
    that awaits approval gets none: a stranger typed its address, which may belong to anyone.
    """
    at = now()
    request = RefusedRegistration(username=username, email=email, taken=taken(username, email))
    db.session.add(request)
    # One UPDATE checks and sets `warned_at`, so two simultaneous requests send only one e-mail.
    warned = (
        update(User)
        .where(
            User.email_key == normalize.email_key(email),
            User.is_active,
            or_(User.warned_at.is_(None), User.warned_at <= at - WARN_AGAIN_AFTER),
        )
        .values(warned_at=at)
        .returning(User.email_key)
    )
    address = db.session.scalar(warned)
    if address:
        queue.enqueue_for_user("registration", address, at)


def taken(username: str, email: str) -> list[str]:
    """Return the fields (`username`, `email`) with a value that a user already has."""
    fields = []
    if _exists(User.username_key == username.lower()):
        fields.append("username")
    if _exists(User.email_key == normalize.email_key(email)):
        fields.append("email")
    return fields


def _exists(condition: ColumnElement[bool]) -> bool:
    return bool(db.session.scalar(select(exists().where(condition))))


def _insert(username: str, email: str, hashed: str, **flags: bool) -> User | None:
    """Insert a user. Returns None if the username or the e-mail address is taken."""
    user = insert(User).values(
        username=username,
        username_key=username.lower(),
        email=email,
        email_key=normalize.email_key(email),
        hashed_password=hashed,
        created_at=now(),
        **flags,
    )
    return db.session.scalar(user.on_conflict_do_nothing().returning(User))


def _taken(username: str, email: str) -> InvalidInput:
    db.session.rollback()
    fields = taken(username, email)
    return InvalidInput({field: [Message(TAKEN[field])] for field in fields})
