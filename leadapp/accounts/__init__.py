"""Who may come in: register, authenticate, sign in and out, change a password, enable and disable."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import bindparam, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert  # compiles for SQLite too

from .. import rules, tokens
from ..config import current
from ..errors import Conflict, Forbidden, Gone, InvalidInput, Message, NotFound, NotSignedIn
from ..extensions import db
from ..log import logger
from ..models import Letter, Login, User
from ..wording import now
from . import attempts, passwords, registration

# Composed once: every request of an attorney asks it.
ALIVE = (
    select(User)
    .join(Login)
    .where(Login.id == bindparam("id"), Login.expires_at > bindparam("at"), User.is_active)
)
COOKIE_LIFETIME = timedelta(days=7)  # however busy, a device signs in anew after this


def register(username: str, email: str, password: str, address: str) -> bool:
    """Make an account as REGISTRATION allows; returns whether it can sign in at once.

    Under `approval` it must be enabled first, and a stranger does not learn which usernames and
    e-mail addresses are taken: such a request makes no account, takes as long and is answered alike.
    """
    if current["REGISTRATION"] == "closed":
        raise Forbidden("registration_closed")
    hashed = passwords.hashed(password, address)
    at_once = current["REGISTRATION"] == "open"
    user = _insert(username, email, hashed, is_active=at_once, awaits_approval=not at_once)
    if user is None and at_once:
        raise _taken(username, email)
    if user is None:
        registration.refuse(username, email)
    db.session.commit()
    return at_once


def create(username: str, email: str, password: str, must_change: bool = False) -> User:
    """Make an account of checked values; InvalidInput if the name or the address is taken."""
    hashed = passwords.hashed(password)
    user = _insert(username, email, hashed, is_active=True, must_change_password=must_change)
    if user is None:
        raise _taken(username, email)
    db.session.commit()
    return user


def _insert(username: str, email: str, hashed: str, **more: bool) -> User | None:
    """Insert a user; returns None if the username or the e-mail address is taken."""
    row = insert(User).values(
        username=username,
        username_key=username.lower(),
        email=email,
        email_key=rules.email_key(email),
        hashed_password=hashed,
        created_at=now(),
        **more,
    )
    return db.session.scalar(row.on_conflict_do_nothing().returning(User))


def _taken(username: str, email: str) -> InvalidInput:
    db.session.rollback()
    fields = registration.taken(username, email)
    return InvalidInput({field: [Message(f"{field}_taken")] for field in fields})


def authenticate(name: str, password: str, address: str) -> User:
    """Find the active user of a username or e-mail and a password, tried from a network address.

    An unknown name and a wrong password take the same time and raise the same NotSignedIn, then the same TooOften.
    So does an account that waits for approval, or it would show that its name and address were free.
    """
    key = rules.email_key(name.strip())
    user = db.session.scalar(
        select(User).where(User.email_key == key if "@" in key else User.username_key == key)
    )
    who = str(user.id) if user else key
    attempts.admit(who, address)
    db.session.commit()  # no connection is held while this waits for its turn
    with passwords.turn(address):
        attempts.count(who, address)
        matches = passwords.match(password, user and user.hashed_password)
    if not user or not matches or user.awaits_approval:
        attempts.count_network(address)
        logger.warning("a wrong name or password", extra={"facts": {"user": user and user.id}})
        raise NotSignedIn("bad_credentials")
    if not user.is_active:
        raise Forbidden("account_inactive", username=user.username)
    attempts.forget(who, address)
    attempts.remember(who, address)
    db.session.commit()
    return user


def sign_in(user: User, lifetime: timedelta = COOKIE_LIFETIME) -> Login:
    """Begin a login of this user, unless the password was changed meanwhile; the rows of those that ended go."""
    db.session.execute(delete(Login).where(Login.user_id == user.id, Login.expires_at < now()))
    same = select(User.id).where(
        User.id == user.id, User.hashed_password == user.hashed_password, User.is_active
    )
    if not db.session.scalar(same.with_for_update()):
        db.session.rollback()
        raise NotSignedIn("bad_credentials")
    login = Login(user_id=user.id, expires_at=now() + lifetime)
    db.session.add(login)
    db.session.commit()
    logger.info("signed in", extra={"facts": {"user": user.id}})
    user.login_id = login.id
    return login


def sign_out(login_id: uuid.UUID) -> None:
    """End a login for good, whoever holds a copy of its cookie or token."""
    db.session.execute(delete(Login).where(Login.id == login_id))
    db.session.commit()


def by_login(login_id: str) -> User | None:
    """Find the active user behind a cookie's or a token's login."""
    try:
        wanted = uuid.UUID(login_id)
    except ValueError:
        return None
    user = db.session.scalar(ALIVE, {"id": wanted, "at": now() - tokens.LEEWAY})
    if user:
        user.login_id = wanted
    return user


def must_change_password(user: User) -> bool:
    """Tell whether a new password comes before anything else; development does not ask for it."""
    return user.must_change_password and current["ENVIRONMENT"] == "production"


def change_password(user: User, present: str, password: str, address: str) -> User:
    """Give another password to a user who tells the present one; NotSignedIn if it is another."""
    return set_password(authenticate(user.username, present, address), password)


def set_password(user: User, password: str, must_change: bool = False) -> User:
    """Give a user another password; all logins and links of theirs end, and they may try again at once."""
    values = {"hashed_password": passwords.hashed(password), "must_change_password": must_change}
    same = update(User).where(User.id == user.id, User.hashed_password == user.hashed_password)
    if not db.session.scalar(same.values(values).returning(User.id)):
        db.session.rollback()
        raise Conflict("password_changed")
    # Only now, when the user's row is locked: a sign-in that came before has its login in sight.
    db.session.execute(delete(Login).where(Login.user_id == user.id))
    attempts.pardon(str(user.id))
    db.session.commit()
    return user


def offer_reset(email: str) -> None:
    """Owe this address a link to a new password, once in ten minutes; whose it is is asked when that is written."""
    key, at = rules.email_key(email), now()
    once = uuid.UUID(tokens.digest("reset", f"{key} {at.timestamp() // 600}")[:32])
    row = insert(Letter).values(id=once, kind="reset", recipient=key, created_at=at, next_at=at)
    db.session.execute(row.on_conflict_do_nothing())
    db.session.commit()


def by_reset_link(token: str) -> User:
    """Find whose password a link may set, or raise Gone: it works once, for an hour, while the account is on."""
    user_id, was = tokens.read_reset(token)
    user = db.session.scalar(select(User).where(User.id == user_id, User.is_active))
    if not user or was != tokens.digest("password", user.hashed_password):
        raise Gone("reset_ended")
    return user


def named(username: str) -> User:
    """Find a user by the name."""
    user = db.session.scalar(select(User).where(User.username_key == username.lower()))
    if user is None:
        raise NotFound("user_unknown", username=username)
    return user


def enable(username: str, active: bool = True) -> User:
    """Let a user sign in, or no more; either ends all logins, so that none comes back with the account."""
    user = named(username)
    user.is_active = active
    user.awaits_approval = user.awaits_approval and not active
    db.session.flush()
    db.session.execute(delete(Login).where(Login.user_id == user.id))
    db.session.commit()
    return user


def delete_user(username: str) -> User:
    """Delete an account for good; the history of leads stays, without the name."""
    user = named(username)
    attempts.forget_user(str(user.id))
    db.session.execute(delete(User).where(User.id == user.id))
    db.session.commit()
    return user


def unlock(username: str) -> User:
    """Let a user try again after too many wrong passwords."""
    user = named(username)
    attempts.pardon(str(user.id))
    db.session.commit()
    return user


def everybody() -> Sequence[User]:
    """List all users by name."""
    return db.session.scalars(select(User).order_by(User.username_key)).all()


def nobody_yet() -> bool:
    """Tell whether there is no user at all."""
    return not db.session.scalar(select(exists().where(User.id.is_not(None))))
