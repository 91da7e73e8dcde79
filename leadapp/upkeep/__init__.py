"""What an operator does, or has done: letters delivered, files swept, people reminded, the site examined."""

from .doctor import Finding, examine, readiness
from .rounds import keep_up, remind, sweep

__all__ = ["Finding", "examine", "keep_up", "readiness", "remind", "sweep"]
