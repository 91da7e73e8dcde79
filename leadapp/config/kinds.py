"""The settings defined in settings.toml, the kinds of their values, and texts that list them."""

import re
import tomllib
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import make_url

from .. import accent


class Kind(NamedTuple):
    """A kind of setting: the allowed values in words, and the function that reads the text.

    The function raises ValueError or KeyError if the value is not allowed.
    """

    allowed: str
    read: Callable[[str], Any] = str


def _number(low: int, high: int) -> Kind:
    def read(text: str) -> int:
        if not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return Kind(f"a whole number from {low} to {high}", read)


def _choice(*names: str) -> Kind:
    return Kind(" or ".join(names), lambda text: text and names[names.index(text)])


def _list_of(allowed: str, read: Callable[[str], Any], separator: str = ",") -> Kind:
    def read_all(text: str) -> list[Any]:
        parts = [read(part.strip()) for part in text.split(separator) if part.strip()]
        if text and not parts:  # only separators: a mistake
            raise ValueError(text)
        return parts

    return Kind(allowed, read_all)


def _yes_no(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def _shaped(allowed: str, shape: str) -> Kind:
    def read(text: str) -> str:
        if not re.fullmatch(shape, text):
            raise ValueError(text)
        return text

    return Kind(allowed, read)


def _base_url(text: str) -> str:
    url = urlsplit(text)
    beside = url.path.strip("/") or url.query or url.port == 0
    (url.hostname or "").encode("idna")  # raises for an empty label, which DNS cannot look up
    if text and (url.scheme not in ("http", "https") or not url.hostname or beside):
        raise ValueError(text)
    return text.rstrip("/")


def _mail_server(text: str) -> str:
    if text and not re.fullmatch(r"[\w.-]+", text):
        ip_address(text)
    text.encode("idna")  # raises for an empty label, which DNS cannot look up
    return text


def _address(text: str) -> str:
    local, _, domain = text.partition("@")
    if not re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", text):
        raise ValueError(text)
    local.encode("ascii")  # few mail servers accept other characters
    domain.encode("idna")
    return text


def _database(text: str) -> str:
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", text)
    # A database in memory is rejected, because each connection would have its own.
    in_memory = url in ("sqlite:///", "sqlite:///:memory:")
    if in_memory or not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError(text)
    if make_url(url).port == 0:
        raise ValueError(text)
    return url


def _counter(text: str) -> str:
    if not re.fullmatch("(memory://|rediss?://[^/].*)?", text) or urlsplit(text).port == 0:
        raise ValueError(text)
    return text


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, OSError) as error:
        raise ValueError(text) from error


# An operator's domain may be private, so this check is looser than rules.email.
ADDRESS = Kind("an e-mail address", _address)
ORIGIN = _shaped("an origin", r"https?://[^/\s;,'\"]+")
BUCKET = _shaped(
    "s3://BUCKET/FOLDER?endpoint=https://HOST&region=NAME, where only the bucket is required",
    r"(s3://[a-z0-9][a-z0-9.-]+[a-z0-9](/[\w.-]+)*/?(\?(&?(endpoint=https?://[^?&#@\s]+|region=[a-z0-9-]+))+)?)?",
)

KINDS: dict[str, Callable[..., Kind]] = {
    "number": _number,
    "choice": _choice,
    "text": lambda: Kind("text"),
    "yes_no": lambda: Kind("true or false", _yes_no),
    "port": lambda: _number(1, 65535),
    "host": lambda: _shaped("a host name or an IPv4 address", r"[\w.-]+"),
    "mail_server": lambda: Kind("a host name or an IP address", _mail_server),
    "zone": lambda: Kind("a time zone like Europe/Lisbon", _zone),
    "base_url": lambda: Kind("an address like https://leads.example.com", _base_url),
    "database": lambda: Kind("sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME", _database),
    "bucket": lambda: BUCKET,
    "counter": lambda: Kind(
        "memory:// or redis://:PASSWORD@HOST:PORT/NUMBER, rediss:// with TLS", _counter
    ),
    "address": lambda: ADDRESS,
    "addresses": lambda: _list_of("e-mail addresses, separated by commas", ADDRESS.read),
    "origins": lambda: _list_of(
        "origins like https://www.example.com, separated by commas", ORIGIN.read
    ),
    "sentences": lambda: _list_of("sentences, separated by |", str, "|"),
    "colour": lambda: Kind(
        "a color like #1f4e5f with a contrast to white of at least 4.5", accent.parse
    ),
}


class Setting(NamedTuple):
    """One row of settings.toml."""

    name: str
    kind: Kind
    default: str
    help: str
    needed: bool = False
    secret: bool = False


def _setting(name: str, kind: str, among: Sequence[Any] = (), **row: Any) -> Setting:
    return Setting(name, KINDS[kind](*among), **row)


SETTINGS = tuple(
    _setting(name, **row)
    for name, row in tomllib.loads(Path(__file__).with_name("settings.toml").read_text()).items()
)


def example() -> str:
    """Return the text of `.env.example`: every setting with its help and its default."""
    heading = (
        "# Copy this file to .env, and remove the # from each setting that you change.\n"
        "# To read a secret from a file, set NAME_FILE to the path of the file.\n"
    )
    return heading + "".join(
        f"\n# {setting.help}\n# {setting.name}={setting.default}\n" for setting in SETTINGS
    )


def markdown() -> str:
    """Return the table in docs/configuration.md."""
    rows = [
        "| Variable | Allowed | Default | What it does | In production |",
        "|---|---|---|---|---|",
    ]
    for setting in SETTINGS:
        default = f"`{setting.default}`".replace("|", "\\|") if setting.default else ""
        needed = "required" if setting.needed else ""
        name = f"`{setting.name}`" + (" (secret)" if setting.secret else "")
        rows.append(
            f"| {name} | {setting.kind.allowed.replace('|', '&#124;')} | {default} | {setting.help} | {needed} |"
        )
    return "\n".join(rows) + "\n"
