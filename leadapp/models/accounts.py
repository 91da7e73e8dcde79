"""Users, their logins, and records of sign-in attempts."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ..clock import now
from ..validation import EMAIL_MAX
from .columns import Base, RandomId

# How long a sign-in exempts a user from a network's limit on failures.
KNOWN_FOR = timedelta(days=30)
# How long operators see a refused registration request.
REFUSED_FOR = timedelta(days=30)


class User(Base):
    """An attorney's account, with the attributes that Flask-Login reads."""

    __tablename__ = "users"
    __allow_unmapped__ = True  # login_id is not a column

    id: Mapped[RandomId]
    username: Mapped[str] = mapped_column(String(50))
    username_key: Mapped[str] = mapped_column(String(50), unique=True)
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))
    email_key: Mapped[str] = mapped_column(String(EMAIL_MAX), unique=True)
    hashed_password: Mapped[str] = mapped_column(String(60))
    is_active: Mapped[bool] = mapped_column(default=True)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    awaits_approval: Mapped[bool] = mapped_column(default=False)
    # When the user was last warned of a registration request with the same e-mail address.
    warned_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    login_id: uuid.UUID | None = None

    @property
    def is_authenticated(self) -> bool:
        """Return True; only Flask-Login's anonymous user is not signed in."""
        return True

    @property
    def is_anonymous(self) -> bool:
        """Return False; only Flask-Login's anonymous user is anonymous."""
        return False

    def get_id(self) -> str:
        """Return the id of the login, not the user: a cookie ends when its login row is deleted."""
        return str(self.login_id)


class RefusedRegistration(Base):
    """A registration request for a taken username or e-mail address, kept for the operator."""

    __tablename__ = "refused_registrations"

    id: Mapped[RandomId]
    username: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))
    taken: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)


class Login(Base):
    """One signed-in device or one token; deleting the row ends it."""

    __tablename__ = "logins"

    id: Mapped[RandomId]
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    expires_at: Mapped[datetime]


class FailedNetwork(Base):
    """The times of recent failed sign-ins from one network, under any username.

    `address` is a keyed hash.
    """

    __tablename__ = "failed_networks"

    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    times: Mapped[list[float]] = mapped_column(JSON)
    last_at: Mapped[datetime]


class KnownNetwork(Base):
    """A network from which a user has signed in.

    Both columns of the key are keyed hashes. An `address` of "" means any network.
    """

    __tablename__ = "known_networks"

    who: Mapped[str] = mapped_column(String(64), primary_key=True)
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    last_at: Mapped[datetime]


class FailedSignIns(Base):
    """The times of recent failed sign-ins under one name from one network.

    Both columns of the key are keyed hashes, which reveal neither.
    """

    __tablename__ = "failed_sign_ins"

    who: Mapped[str] = mapped_column(String(64), primary_key=True)
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    times: Mapped[list[float]] = mapped_column(JSON)
    last_at: Mapped[datetime]
