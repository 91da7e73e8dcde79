"""Checks of settings that are readable but unsafe, such as a secret copied from an example."""

import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import make_url

# The settings that could be read, and the source of each, by name.
Read = Mapping[str, Any]
Sources = Mapping[str, str]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Minimum bytes of SECRET_KEY: a key must be at least as long as the hash (RFC 7518, 3.2).
SECRET_LENGTHS = {"HS256": 32, "HS384": 48, "HS512": 64}
METRICS_TOKEN_LENGTH = 16
PAIRS = (
    ("SMTP_USERNAME", "SMTP_PASSWORD"),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
)
# If the value of the setting starts with the prefix, the package is required.
PACKAGES = (
    ("DATABASE_URL", "postgresql", "psycopg"),
    ("STORAGE_URL", "s3", "obstore"),
    ("RATELIMIT_STORAGE_URI", "redis", "redis"),
)
PASSWORDS = ("METRICS_TOKEN", "SMTP_PASSWORD", "AWS_SECRET_ACCESS_KEY")
URLS_WITH_PASSWORD = ("DATABASE_URL", "RATELIMIT_STORAGE_URI")
KNOWN_EXAMPLES = re.compile(
    "your[-_ ]|change[-_ ]?(me|this)|secret[-_ ]?key|example|generated", re.IGNORECASE
)
EXAMPLE_PASSWORD = re.compile(f"{KNOWN_EXAMPLES.pattern}|^(password|secret)$", re.IGNORECASE)
# Domains that the standards reserve for examples (RFC 2606, RFC 6761).
EXAMPLE_ADDRESS = re.compile(r"[@.](example(\.(com|net|org))?|invalid)$", re.IGNORECASE)
MAKE_ONE = "generate one with: python -c 'import secrets; print(secrets.token_urlsafe(64))'"
RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBORS: set[tuple[str, str]] = set()
for run in RUNS:
    NEIGHBORS.update(pairwise(run))
    NEIGHBORS.update(pairwise(reversed(run)))


def unsafe(values: Read, sources: Sources) -> Iterator[str]:
    """Yield a problem for each unsafe setting; settings that could not be read are skipped."""
    production = values.get("ENVIRONMENT") == "production"
    yield from _secret(values, production)
    if production:
        yield from _base_url(values)
        yield from _metrics_token(values)
        yield from _example_addresses(values, sources)
        yield from _example_passwords(values)
    elif values.get("SMTP_HOST"):
        yield from _missing_addresses(sources)
    yield from _pairs(values)
    yield from _packages(values)


def _secret(values: Read, production: bool) -> Iterator[str]:
    secret = values.get("SECRET_KEY")
    if not secret:
        return
    length = SECRET_LENGTHS[values.get("ALGORITHM", "HS256")]
    weak = len(secret.encode()) < length or KNOWN_EXAMPLES.search(secret)
    if weak or (production and _is_patterned(secret)):
        yield f"SECRET_KEY must have at least {length} random characters; {MAKE_ONE}"


def _is_patterned(text: str) -> bool:
    """Return whether most characters of a text can be guessed from those before them."""
    # A text occurs inside its double, away from both ends, only if it repeats a shorter text.
    is_repetition = text in (text * 2)[1:-1]
    if is_repetition:
        return True
    text = text.lower()
    guessed = sum(_can_be_guessed(text, at) for at in range(1, len(text)))
    return guessed > 0.6 * len(text)


def _can_be_guessed(text: str, at: int) -> bool:
    """Return whether the character at an index repeats a pattern of the text before it.

    It can be guessed if it repeats the one before, is its neighbor in the alphabet or on a
    keyboard, or ends a group of three that occurred earlier. In random text, few characters can be
    guessed.
    """
    before, character = text[at - 1], text[at]
    if before == character or (before, character) in NEIGHBORS:
        return True
    if at == 1:
        return False
    group = text[at - 2 : at + 1]
    return group in text[:at]


def _base_url(values: Read) -> Iterator[str]:
    base_url = values.get("BASE_URL", "")
    url = urlsplit(base_url)
    if url.scheme == "http" and url.hostname not in LOOPBACK:
        yield f"BASE_URL is {base_url!r}: production requires https, except on loopback"


def _metrics_token(values: Read) -> Iterator[str]:
    token = values.get("METRICS_TOKEN")
    if token and len(token) < METRICS_TOKEN_LENGTH:
        yield f"METRICS_TOKEN must have at least {METRICS_TOKEN_LENGTH} characters; {MAKE_ONE}"


def _example_addresses(values: Read, sources: Sources) -> Iterator[str]:
    found = {
        "SMTP_FROM_EMAIL": [values.get("SMTP_FROM_EMAIL", "")],
        "ATTORNEY_EMAIL": values.get("ATTORNEY_EMAIL", []),
    }
    for name, addresses in found.items():
        examples = [address for address in addresses if EXAMPLE_ADDRESS.search(address)]
        if examples and sources[name] != "default":  # a default is reported as missing
            yield f"{name} is {', '.join(examples)}, an example address: set your own"


def _example_passwords(values: Read) -> Iterator[str]:
    passwords = {name: values.get(name) for name in PASSWORDS}
    for name in URLS_WITH_PASSWORD:
        url = values.get(name)
        if url:
            passwords[name] = make_url(url).password
    for name, password in passwords.items():
        if password and EXAMPLE_PASSWORD.search(password):
            yield f"{name} contains an example password: set your own"


def _missing_addresses(sources: Sources) -> Iterator[str]:
    for name in ("SMTP_FROM_EMAIL", "ATTORNEY_EMAIL"):
        if sources.get(name) == "default":
            yield f"{name} must be set when SMTP_HOST is set"


def _pairs(values: Read) -> Iterator[str]:
    for name, other in PAIRS:
        both_read = name in values and other in values
        if both_read and bool(values[name]) != bool(values[other]):
            yield f"{name} and {other} go together: set both or neither"


def _packages(values: Read) -> Iterator[str]:
    for name, prefix, package in PACKAGES:
        value = values.get(name, "")
        if value.startswith(prefix) and not find_spec(package):
            yield f"{name} requires the package {package}: pip install '.[postgres,s3,redis]'"
