"""Who may come in: register, authenticate, sign in and out, enable."""

import functools
import secrets
import uuid
from datetime import timedelta

import bcrypt
from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert  # compiles for SQLite too

from . import rules
from .config import current
from .errors import Forbidden, InvalidInput, Message, NotFound, NotSignedIn
from .extensions import db
from .models import Login, User
from .wording import now

BCRYPT_ROUNDS = 12
COOKIE_LIFETIME = timedelta(days=7)  # however busy, a device signs in anew after this


def register(username: str, email: str, password: str) -> User:
    """Make an account for whoever asks, as REGISTRATION allows; under `approval` it must be enabled first."""
    if current["REGISTRATION"] == "closed":
        raise Forbidden("registration_closed")
    return create(username, email, password, active=current["REGISTRATION"] == "open")


def create(username: str, email: str, password: str, active: bool = True) -> User:
    """Make an account of checked values; InvalidInput if the name or the address is somebody's."""
    keys = {"username_key": username.lower(), "email_key": rules.email_key(email)}
    row = insert(User).values(
        username=username, email=email, hashed_password=_hash(password), is_active=active, created_at=now(), **keys
    )
    user = db.session.scalar(row.on_conflict_do_nothing().returning(User))
    if user is None:
        db.session.rollback()
        taken = {
            field: [Message(f"{field}_taken")]
            for field in ("username", "email")
            if db.session.scalar(select(exists().where(getattr(User, f"{field}_key") == keys[f"{field}_key"])))
        }
        raise InvalidInput(taken)
    db.session.commit()
    return user


def authenticate(name: str, password: str) -> User:
    """Find the active user of a username or e-mail and a password.

    An unknown name and a wrong password take the same time and raise the same NotSignedIn.
    """
    key = name.strip().lower()
    user = db.session.scalar(select(User).where(User.email_key == key if "@" in key else User.username_key == key))
    secret = password.encode()
    hashed = user.hashed_password if user else _nobodys(BCRYPT_ROUNDS)
    # bcrypt refuses longer ones; the comparison runs all the same, so that the time tells nothing.
    matches = bcrypt.checkpw(secret[: rules.PASSWORD_MAX_BYTES], hashed.encode())
    if not user or not matches or len(secret) > rules.PASSWORD_MAX_BYTES:
        raise NotSignedIn("bad_credentials")
    if not user.is_active:
        raise Forbidden("account_inactive", username=user.username)
    return user


def sign_in(user: User, lifetime: timedelta = COOKIE_LIFETIME) -> Login:
    """Begin a login of this user; the rows of those that ended go."""
    login = Login(id=uuid.uuid4(), user_id=user.id, expires_at=now() + lifetime)
    db.session.execute(delete(Login).where(Login.user_id == user.id, Login.expires_at < now()))
    db.session.add(login)
    db.session.commit()
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
    alive = select(User).join(Login).where(Login.id == wanted, Login.expires_at > now(), User.is_active)
    user = db.session.scalar(alive)
    if user:
        user.login_id = wanted
    return user


def enable(username: str) -> User:
    """Let a user sign in."""
    named = update(User).where(User.username_key == username.lower())
    user = db.session.scalar(named.values(is_active=True).returning(User))
    if user is None:
        raise NotFound("user_unknown", username=username)
    db.session.commit()
    return user


def nobody_yet() -> bool:
    """Tell whether there is no user at all."""
    return not db.session.scalar(select(exists().where(User.id.is_not(None))))


def _hash(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(BCRYPT_ROUNDS)).decode()


@functools.cache
def _nobodys(rounds: int) -> str:
    """Hash a password that nobody has, to compare with when there is no such user."""
    return bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt(rounds)).decode()
