"""Who may come in."""

import uuid
from datetime import datetime, timedelta

from flask_login import UserMixin
from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ..rules import EMAIL_MAX
from ..wording import now
from .columns import Base

KNOWN_FOR = timedelta(days=30)  # how long a user is known at a network address
REFUSED_FOR = timedelta(days=30)  # how long a refused request for an account is shown


class User(UserMixin, Base):
    """An attorney who signs in."""

    __tablename__ = "users"
    __allow_unmapped__ = True  # login_id is no column

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    username: Mapped[str] = mapped_column(String(50))
    username_key: Mapped[str] = mapped_column(String(50), unique=True)
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))
    email_key: Mapped[str] = mapped_column(String(EMAIL_MAX), unique=True)
    hashed_password: Mapped[str] = mapped_column(String(60))
    is_active: Mapped[bool] = mapped_column(default=True)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    awaits_approval: Mapped[bool] = mapped_column(default=False)
    warned_at: Mapped[datetime | None]  # of a request for an account with the same address
    created_at: Mapped[datetime] = mapped_column(default=now)

    login_id: uuid.UUID | None = None

    def get_id(self) -> str:
        """Name the login, not the user: a cookie ends when its row does."""
        return str(self.login_id)


class RefusedRegistration(Base):
    """A request for an account whose username or e-mail address was taken, kept for the operator."""

    __tablename__ = "refused_registrations"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    username: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))
    taken: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)


class Login(Base):
    """One signed-in device or one token; deleting the row ends it."""

    __tablename__ = "logins"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    expires_at: Mapped[datetime]


class FailedNetwork(Base):
    """When sign-ins from one network address failed lately, whatever the name; the address is a keyed digest."""

    __tablename__ = "failed_networks"

    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    times: Mapped[list[float]] = mapped_column(JSON)
    last_at: Mapped[datetime]


class KnownNetwork(Base):
    """A network address from which a user has signed in, both as keyed digests; "" is any address."""

    __tablename__ = "known_networks"

    who: Mapped[str] = mapped_column(String(64), primary_key=True)
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    last_at: Mapped[datetime]


class FailedSignIns(Base):
    """When somebody at one network address typed a wrong password lately; neither is told by its keyed digest."""

    __tablename__ = "failed_sign_ins"

    who: Mapped[str] = mapped_column(String(64), primary_key=True)
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    times: Mapped[list[float]] = mapped_column(JSON)
    last_at: Mapped[datetime]
