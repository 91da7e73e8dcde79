"""The tables, their column types, and the rules inside one row."""

from . import accounts, columns, leads, letters

__all__ = ["accounts", "columns", "leads", "letters"]
