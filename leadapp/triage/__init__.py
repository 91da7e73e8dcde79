"""The use cases of an attorney.

Attorneys find, read and export leads, open resumes, mark leads as reached out and erase them.
"""

from .exporting import export
from .figures import Figures, figures
from .finding import ORDERS, Attention, Page, Query, arrived_since, attention, neighbours, search
from .marking import UNDO_FOR, Marked, check_transition, mark_reached_out, seen_as, undo
from .reading import erase, history, letters_of, open_resume, read, send_letter_again, show

__all__ = [
    "ORDERS",
    "UNDO_FOR",
    "Attention",
    "Figures",
    "Marked",
    "Page",
    "Query",
    "arrived_since",
    "attention",
]
__all__ += [
    "check_transition",
    "erase",
    "export",
    "figures",
    "history",
    "letters_of",
    "mark_reached_out",
]
__all__ += [
    "neighbours",
    "open_resume",
    "read",
    "search",
    "seen_as",
    "send_letter_again",
    "show",
    "undo",
]
