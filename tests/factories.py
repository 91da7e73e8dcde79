"""Rows for tests, committed when created.

They require an application context, which integration tests have.
"""

import hashlib
import secrets
from datetime import timedelta
from functools import lru_cache
from pathlib import PurePath
from typing import Any, Generic, TypeVar

import bcrypt
import factory
from factory.alchemy import SQLAlchemyModelFactory
from sqlalchemy import insert

from leadapp.clock import now
from leadapp.extensions import db
from leadapp.leads.matching import new_words
from leadapp.models.accounts import Login, User
from leadapp.models.leads import Event, Lead, LeadStatus, LeadWord, Submission
from leadapp.models.letters import Letter
from leadapp.normalize import email_key, fold
from leadapp.resumes.formats import CONTENT_TYPES
from leadapp.resumes.store import store
from tests.samples import pdf

PASSWORD = "Correct-horse-7"
BCRYPT_ROUNDS = 4
Row = TypeVar("Row")


@lru_cache
def hashed(password: str) -> str:
    """Hash a password at the lowest cost."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(BCRYPT_ROUNDS)).decode()


class Committed(SQLAlchemyModelFactory, Generic[Row]):
    """The base of all factories: commits each row in the application's session, then expires it."""

    class Meta:
        abstract = True
        sqlalchemy_session = db.session
        sqlalchemy_session_persistence = "commit"

    @classmethod
    def create(cls, **columns: Any) -> Row:
        """Return a new row; `columns` replace the defaults."""
        made: Row = super().create(**columns)
        return made

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        # factory_boy's own method has no types, and mypy excludes no call through super().
        made = super()._create(model_class, *args, **kwargs)  # type: ignore[no-untyped-call]
        db.session.expire_all()
        return made


class UserFactory(Committed[User]):
    """An active attorney; `password="..."` replaces PASSWORD."""

    class Meta:
        model = User

    class Params:
        password = PASSWORD

    username = factory.Sequence(lambda number: f"attorney{number}")
    username_key = factory.LazyAttribute(lambda user: user.username.lower())
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    email_key = factory.LazyAttribute(lambda user: user.email.lower())
    hashed_password = factory.LazyAttribute(lambda user: hashed(user.password))


class LoginFactory(Committed[Login]):
    """A signed-in device or token of `user`, good for an hour."""

    class Meta:
        model = Login
        exclude = ("user",)

    user = factory.SubFactory(UserFactory)
    user_id = factory.SelfAttribute("user.id")
    expires_at = factory.LazyFunction(lambda: now() + timedelta(hours=1))


class LeadFactory(Committed[Lead]):
    """A pending lead with one submission, or none with `submission=None`.

    `reached_out=True` marks it as reached out. Arguments for the submission have a prefix:
    `submission__content=docx()`, `submission__filename="cv.docx"`.
    """

    class Meta:
        model = Lead

    class Params:
        reached_out = factory.Trait(
            status=LeadStatus.REACHED_OUT,
            reached_out_at=factory.LazyFunction(now),
            marked_by=factory.SubFactory(UserFactory),
        )

    first_name = "Ana"
    last_name = factory.Sequence(lambda number: f"Ruiz {number}")
    email = factory.Sequence(lambda number: f"ana{number}@example.com")
    email_key = factory.LazyAttribute(lambda lead: email_key(lead.email))
    first_name_key = factory.LazyAttribute(lambda lead: fold(f"{lead.first_name} {lead.last_name}"))
    last_name_key = factory.LazyAttribute(lambda lead: fold(f"{lead.last_name} {lead.first_name}"))
    status = LeadStatus.PENDING
    created_at = factory.LazyFunction(now)
    updated_at = factory.SelfAttribute("created_at")
    pending_since = factory.SelfAttribute("created_at")
    submission = factory.RelatedFactory(
        "tests.factories.SubmissionFactory", factory_related_name="lead"
    )

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        lead = super()._create(model_class, *args, **kwargs)
        db.session.execute(insert(LeadWord), new_words(lead))
        db.session.commit()
        return lead


class SubmissionFactory(Committed[Submission]):
    """One more submission by `lead`; its file, `content`, is in storage under its key."""

    class Meta:
        model = Submission

    class Params:
        content = factory.LazyFunction(pdf)

    lead = factory.SubFactory(LeadFactory, submission=None)
    first_name = factory.SelfAttribute("lead.first_name")
    last_name = factory.SelfAttribute("lead.last_name")
    email = factory.SelfAttribute("lead.email")
    number = factory.LazyAttribute(lambda sent: len(sent.lead.submissions) + 1)
    filename = "cv.pdf"
    content_type = factory.LazyAttribute(lambda sent: CONTENT_TYPES[PurePath(sent.filename).suffix])
    size = factory.LazyAttribute(lambda sent: len(sent.content))
    sha256 = factory.LazyAttribute(lambda sent: hashlib.sha256(sent.content).hexdigest())
    warnings = factory.List([])
    fingerprint = factory.SelfAttribute("sha256")
    storage_key = factory.LazyAttribute(
        lambda sent: stored(sent.content, PurePath(sent.filename).suffix)
    )
    created_at = factory.SelfAttribute("lead.created_at")

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        made = super()._create(model_class, *args, **kwargs)
        made.lead.submission_count = len(made.lead.submissions)
        db.session.commit()
        return made


class LetterFactory(Committed[Letter]):
    """An e-mail that is due now."""

    class Meta:
        model = Letter

    submission = factory.SubFactory(SubmissionFactory)
    kind = "confirmation"
    recipient = factory.SelfAttribute("submission.email")
    created_at = factory.LazyFunction(now)
    next_at = factory.SelfAttribute("created_at")


class EventFactory(Committed[Event]):
    """An event in the history of `lead`."""

    class Meta:
        model = Event
        exclude = ("lead",)

    lead = factory.SubFactory(LeadFactory)
    lead_id = factory.SelfAttribute("lead.id")
    kind = "submitted"


def stored(content: bytes, ending: str) -> str:
    """Put a file into the application's storage and return its key."""
    key = secrets.token_hex(16) + ending
    with store.stage() as file:
        file.write(content)
        store.keep(file, key)
    return key
