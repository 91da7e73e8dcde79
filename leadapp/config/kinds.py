"""The kinds of settings: which values are allowed, in words, and how a text is read."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Generic, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import make_url

from .. import accent

T = TypeVar("T")

BUCKET_NAME = r"[a-z0-9][a-z0-9.-]+[a-z0-9]"
BUCKET_FOLDER = r"(/[\w.-]+)*/?"
BUCKET_OPTION = r"(endpoint=https?://[^?&#@\s]+|region=[a-z0-9-]+)"


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of setting.

    `read` returns the value of a text, or raises ValueError if the text is not allowed. An empty
    text is read only if it is a setting's default.
    """

    allowed: str
    read: Callable[[str], T]


def kind(allowed: str) -> Callable[[Callable[[str], T]], Kind[T]]:
    """Return a decorator that turns a function into a Kind."""

    def make(read: Callable[[str], T]) -> Kind[T]:
        return Kind(allowed, read)

    return make


def integer(low: int, high: int) -> Kind[int]:
    """Return the kind of a number within limits."""

    @kind(f"a whole number from {low} to {high}")
    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return number


def choice(*names: str) -> Kind[str]:
    """Return the kind of a name from a list."""

    @kind(" or ".join(names))
    def name(text: str) -> str:
        if text and text not in names:
            raise ValueError(text)
        return text

    return name


def matching(pattern: str, allowed: str) -> Kind[str]:
    """Return the kind of a text that matches a regular expression."""

    @kind(allowed)
    def match(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return text

    return match


def list_of(part: Kind[T], allowed: str, separator: str = ",") -> Kind[list[T]]:
    """Return the kind of a list with parts of one kind."""

    @kind(allowed)
    def parts(text: str) -> list[T]:
        stripped = [piece.strip() for piece in text.split(separator)]
        values = [part.read(piece) for piece in stripped if piece]
        if text and not values:  # only separators: a mistake
            raise ValueError(text)
        return values

    return parts


any_text = Kind("text", str)
port = integer(1, 65535)
host = matching(r"[\w.-]+", "a host name or an IPv4 address")
origin = matching(r"https?://[^/\s;,'\"]+", "an origin")
origins = list_of(origin, "origins like https://www.example.com, separated by commas")
sentences = list_of(any_text, "sentences, separated by |", separator="|")
bucket_url = matching(
    rf"(s3://{BUCKET_NAME}{BUCKET_FOLDER}(\?(&?{BUCKET_OPTION})+)?)?",
    "s3://BUCKET/FOLDER?endpoint=https://HOST&region=NAME, where only the bucket is required",
)
accent_color = Kind(
    "a color like #1f4e5f with a contrast to white of at least 4.5",
    accent.parse,
)


@kind("true or false")
def boolean(text: str) -> bool:
    """Read a switch."""
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise ValueError(text)


@kind("a time zone like Europe/Lisbon")
def time_zone(text: str) -> ZoneInfo:
    """Read a name of the time zone database."""
    try:
        return ZoneInfo(text)
    except (KeyError, OSError) as error:
        raise ValueError(text) from error


@kind("an address like https://leads.example.com")
def base_url(text: str) -> str:
    """Read the address of a site, without a path."""
    if not text:
        return text
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or url.port == 0:
        raise ValueError(text)
    if url.path.strip("/") or url.query:
        raise ValueError(text)
    url.hostname.encode("idna")  # raises for an empty label, which DNS cannot look up
    return text.rstrip("/")


@kind("a host name or an IP address")
def mail_server(text: str) -> str:
    """Read a host name or an IP address."""
    if text and not re.fullmatch(r"[\w.-]+", text):
        ip_address(text)
    text.encode("idna")  # raises for an empty label, which DNS cannot look up
    return text


@kind("an e-mail address")
def email_address(text: str) -> str:
    """Read an address of the firm.

    An operator's domain may be private, so this check is looser than `validation.email`.
    """
    if not re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", text):
        raise ValueError(text)
    local, _, domain = text.partition("@")
    local.encode("ascii")  # few mail servers accept other characters
    domain.encode("idna")
    return text


email_addresses = list_of(email_address, "e-mail addresses, separated by commas")


@kind("sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
def database_url(text: str) -> str:
    """Read a URL of SQLite or PostgreSQL."""
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", text)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError(text)
    # A database in memory is rejected, because each connection would have its own.
    if url in ("sqlite:///", "sqlite:///:memory:"):
        raise ValueError(text)
    if make_url(url).port == 0:
        raise ValueError(text)
    return url


@kind("memory:// or redis://:PASSWORD@HOST:PORT/NUMBER, rediss:// with TLS")
def counter_url(text: str) -> str:
    """Read the place where requests are counted."""
    if not re.fullmatch("(memory://|rediss?://[^/].*)?", text):
        raise ValueError(text)
    if urlsplit(text).port == 0:
        raise ValueError(text)
    return text
