"""User accounts: authenticate, sign in and out, change passwords, enable and disable."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import bindparam, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert

from .. import normalize, tokens
from ..clock import now
from ..codes import Code
from ..config import settings
from ..errors import Conflict, Forbidden, LeadappError, NotFound, NotSignedIn
from ..extensions import db
from ..log import logger
from ..models.accounts import Login, User
from ..models.letters import Letter
from . import passwords, throttle

# Built once, because every request of a signed-in attorney runs this query.
SELECT_USER_BY_LOGIN = (
    select(User)
    .join(Login)
    .where(Login.id == bindparam("id"))
    .where(Login.expires_at > bindparam("at"))
    .where(User.is_active)
)
# After this time a device must sign in again, even if it is in constant use.
COOKIE_LIFETIME = timedelta(days=7)


def authenticate(name: str, password: str, address: str) -> User:
    """Return the active user with this username or e-mail address and this password.

    `address` is the network address of the attempt. An unknown name and a wrong password take the
    same time and raise the same errors: BAD_CREDENTIALS, and SIGN_IN_THROTTLED after too many
    attempts. An account that awaits approval raises them too: another error would reveal that its
    registration succeeded, so that its username and e-mail address had not been taken.
    """
    key = normalize.email_key(name.strip())
    user = _find_by_sign_in_name(key)
    who = str(user.id) if user else key
    throttle.admit(who, address)
    # The commit releases the database connection while this thread waits for its turn.
    db.session.commit()
    with passwords.hashing_turn(address):
        throttle.record_attempt(who, address)
        matches = passwords.check_password(password, user.hashed_password if user else None)
    if not user or not matches or user.awaits_approval:
        throttle.record_failure_of_network(address)
        facts = {"user": user.id if user else None}
        logger.warning("a wrong name or password", extra={"facts": facts})
        raise NotSignedIn(Code.BAD_CREDENTIALS)
    if not user.is_active:
        raise Forbidden(Code.ACCOUNT_INACTIVE)
    throttle.clear_attempts(who, address)
    throttle.remember_network(who, address)
    db.session.commit()
    return user


def _find_by_sign_in_name(key: str) -> User | None:
    if "@" in key:
        return db.session.scalar(select(User).where(User.email_key == key))
    return db.session.scalar(select(User).where(User.username_key == key))


def sign_in(user: User, lifetime: timedelta = COOKIE_LIFETIME) -> Login:
    """Create a login for a user, and delete the user's expired logins.

    Raises NotSignedIn if the password changed or the account was disabled in the meantime.
    """
    expired = delete(Login).where(Login.user_id == user.id, Login.expires_at < now())
    db.session.execute(expired)
    unchanged = (
        select(User.id)
        .where(User.id == user.id)
        .where(User.hashed_password == user.hashed_password)
        .where(User.is_active)
    )
    if not db.session.scalar(unchanged.with_for_update()):
        db.session.rollback()
        raise NotSignedIn(Code.BAD_CREDENTIALS)
    login = Login(user_id=user.id, expires_at=now() + lifetime)
    db.session.add(login)
    db.session.commit()
    logger.info("signed in", extra={"facts": {"user": user.id}})
    user.login_id = login.id
    return login


def sign_out(login_id: uuid.UUID) -> None:
    """End a login for good; every copy of its cookie or token stops working."""
    db.session.execute(delete(Login).where(Login.id == login_id))
    db.session.commit()


def user_for_login(login_id: str) -> User | None:
    """Return the active user of the login in a cookie or token, or None."""
    try:
        wanted = uuid.UUID(login_id)
    except ValueError:
        return None
    at = now() - tokens.LEEWAY
    user = db.session.scalar(SELECT_USER_BY_LOGIN, {"id": wanted, "at": at})
    if user:
        user.login_id = wanted
    return user


def must_change_password(user: User) -> bool:
    """Check whether a user must set a new password first; only production requires it."""
    return user.must_change_password and settings.ENVIRONMENT == "production"


def change_password(user: User, present: str, password: str, address: str) -> User:
    """Change a user's password. Raises NotSignedIn if `present` is not the current password."""
    authenticated = authenticate(user.username, present, address)
    return set_password(authenticated, password)


def set_password(user: User, password: str, must_change: bool = False) -> User:
    """Set a user's password, end the user's logins and reset links, and reset the attempt limit.

    Raises Conflict if the password changed in the meantime.
    """
    hashed = passwords.hash_password(password)
    changed = (
        update(User)
        .where(User.id == user.id)
        .where(User.hashed_password == user.hashed_password)
        .values(hashed_password=hashed, must_change_password=must_change)
        .returning(User.id)
    )
    if not db.session.scalar(changed):
        db.session.rollback()
        raise Conflict(Code.PASSWORD_CHANGED)
    # The UPDATE has locked the user's row. Only now does the DELETE see the login of every earlier
    # sign-in.
    _end_logins(user)
    throttle.allow_again(str(user.id))
    db.session.commit()
    return user


def request_reset(email: str) -> None:
    """Queue a password-reset e-mail, at most one per address in ten minutes.

    The account is looked up only when the e-mail is sent, so the response reveals nothing.
    """
    key = normalize.email_key(email)
    at = now()
    # All requests of the same ten minutes have the same id, so only the first INSERT adds a row.
    ten_minutes = at.timestamp() // 600
    digest = tokens.digest("reset", f"{key} {ten_minutes}")
    letter = insert(Letter).values(
        id=uuid.UUID(digest[:32]),
        kind="reset",
        recipient=key,
        created_at=at,
        next_at=at,
    )
    db.session.execute(letter.on_conflict_do_nothing())
    db.session.commit()


def user_for_reset_link(token: str) -> User:
    """Return the user of a password-reset link.

    A link works once, for an hour, while the account is enabled. Otherwise this raises RESET_ENDED.
    """
    user_id, signed_digest = tokens.verify_reset(token)
    active = select(User).where(User.id == user_id, User.is_active)
    user = db.session.scalar(active)
    if not user or signed_digest != tokens.digest("password", user.hashed_password):
        raise LeadappError(Code.RESET_ENDED)
    return user


def get_by_username(username: str) -> User:
    """Return the user with this username, or raise NotFound."""
    named = select(User).where(User.username_key == username.lower())
    user = db.session.scalar(named)
    if user is None:
        raise NotFound(Code.USER_UNKNOWN, username=username)
    return user


def enable(username: str, active: bool = True) -> User:
    """Enable an account, or disable it.

    Both delete the user's logins, so that no old login works again when the account is enabled.
    """
    user = get_by_username(username)
    user.is_active = active
    if active:
        user.awaits_approval = False
    db.session.flush()
    _end_logins(user)
    db.session.commit()
    return user


def _end_logins(user: User) -> None:
    db.session.execute(delete(Login).where(Login.user_id == user.id))


def delete_user(username: str) -> User:
    """Delete an account for good; the history of leads remains, without the username."""
    user = get_by_username(username)
    throttle.forget_user(str(user.id))
    db.session.execute(delete(User).where(User.id == user.id))
    db.session.commit()
    return user


def unlock(username: str) -> User:
    """Allow a user to sign in again after too many wrong passwords."""
    user = get_by_username(username)
    throttle.allow_again(str(user.id))
    db.session.commit()
    return user


def list_users() -> Sequence[User]:
    """Return all users, sorted by username."""
    by_username = select(User).order_by(User.username_key)
    return db.session.scalars(by_username).all()


def no_users_exist() -> bool:
    """Check whether no user exists yet."""
    any_user = select(exists().where(User.id.is_not(None)))
    return not db.session.scalar(any_user)
