"""Operator tasks: deliver e-mails, sweep files, remind attorneys, back up, check the site."""

from .backup import back_up, restore, verify
from .doctor import Finding, examine, readiness
from .rounds import keep_up, purge, remind, sweep

__all__ = [
    "Finding",
    "back_up",
    "examine",
    "keep_up",
    "purge",
    "readiness",
    "remind",
    "restore",
    "sweep",
    "verify",
]
