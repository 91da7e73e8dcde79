"""The tables, their column types, and the rules inside one row."""

from .accounts import Login, User
from .base import Base, UTCDateTime
from .leads import FILENAME_MAX, NAME_KEY_MAX, Event, Lead, LeadStatus, Submission
from .letters import Letter

__all__ = ["FILENAME_MAX", "NAME_KEY_MAX", "Base", "Event", "Lead", "LeadStatus", "Letter"]
__all__ += ["Login", "Submission", "UTCDateTime", "User"]
