"""Texts that list all settings: `.env.example`, and the table in docs/configuration.md."""

from typing import Any

from .setting import Setting
from .table import SETTINGS

HEADING = """\
# Copy this file to .env, and remove the # from each setting that you change.
# To read a secret from a file, set NAME_FILE to the path of the file.
"""
COLUMNS = """\
| Variable | Allowed | Default | What it does | In production |
|---|---|---|---|---|
"""


def example() -> str:
    """Return the text of `.env.example`: every setting with its help and its default."""
    entries = [f"\n# {row.help}\n# {row.name}={row.default}\n" for row in SETTINGS]
    return HEADING + "".join(entries)


def markdown() -> str:
    """Return the table in docs/configuration.md."""
    return COLUMNS + "".join(_table_row(setting) for setting in SETTINGS)


def _table_row(setting: Setting[Any]) -> str:
    name = f"`{setting.name}`"
    if setting.secret:
        name += " (secret)"
    allowed = setting.kind.allowed.replace("|", "&#124;")
    default = ""
    if setting.default:
        default = "`" + setting.default.replace("|", "\\|") + "`"
    needed = "required" if setting.needed else ""
    return f"| {name} | {allowed} | {default} | {setting.help} | {needed} |\n"
