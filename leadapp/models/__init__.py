"""The database tables and their column types."""

from .accounts import (
    FailedNetwork,
    FailedSignIns,
    KnownNetwork,
    Login,
    RefusedRegistration,
    User,
)
from .columns import Base, UTCDateTime
from .leads import (
    FILENAME_MAX,
    NAME_KEY_MAX,
    ONCE_FOR,
    Erasure,
    Event,
    Lead,
    LeadStatus,
    Submission,
    Tally,
)
from .letters import Letter

__all__ = [
    "FILENAME_MAX",
    "NAME_KEY_MAX",
    "ONCE_FOR",
    "Base",
    "Erasure",
    "Event",
    "FailedNetwork",
    "FailedSignIns",
    "KnownNetwork",
    "Lead",
    "LeadStatus",
]
__all__ += ["Letter", "Login", "RefusedRegistration", "Submission", "Tally", "UTCDateTime", "User"]
