"""Checks of settings that are readable but unsafe, such as a secret copied from an example."""

import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import make_url

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Minimum bytes of SECRET_KEY: a key must be at least as long as the hash (RFC 7518, 3.2).
SECRET_LENGTHS = {"HS256": 32, "HS384": 48, "HS512": 64}
METRICS_TOKEN_LENGTH = 16
PAIRS = (("SMTP_USERNAME", "SMTP_PASSWORD"), ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
PACKAGES = {"DATABASE_URL": "psycopg", "STORAGE_URL": "obstore", "RATELIMIT_STORAGE_URI": "redis"}
KNOWN_EXAMPLES = re.compile(
    "your[-_ ]|change[-_ ]?(me|this)|secret[-_ ]?key|example|generated", re.IGNORECASE
)
EXAMPLE_PASSWORD = re.compile(f"{KNOWN_EXAMPLES.pattern}|^(password|secret)$", re.IGNORECASE)
# Domains that the standards reserve for examples (RFC 2606, RFC 6761).
EXAMPLE_ADDRESS = re.compile(r"[@.](example(\.(com|net|org))?|invalid)$", re.IGNORECASE)
MAKE_ONE = "generate one with: python -c 'import secrets; print(secrets.token_urlsafe(64))'"
RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBORS = {pair for run in RUNS for pair in pairwise(run)}


def unsafe(values: Mapping[str, Any], sources: Mapping[str, str]) -> Iterator[str]:
    """Yield a problem for each unsafe setting; settings that could not be read are skipped."""
    production = values.get("ENVIRONMENT") == "production"
    yield from _secret(values.get("SECRET_KEY"), values.get("ALGORITHM"), production)
    if production:
        yield from _base_url(values.get("BASE_URL", ""))
        yield from _metrics_token(values.get("METRICS_TOKEN"))
        yield from _example_addresses(values, sources)
        yield from _example_passwords(values)
    elif values.get("SMTP_HOST"):
        yield from _missing_addresses(sources)
    yield from _pairs(values)
    yield from _packages(values)


def _secret(secret: str | None, algorithm: str | None, production: bool) -> Iterator[str]:
    if not secret:
        return
    length = SECRET_LENGTHS[algorithm or "HS256"]
    weak = len(secret.encode()) < length or KNOWN_EXAMPLES.search(secret)
    if weak or (production and _is_patterned(secret)):
        yield f"SECRET_KEY must have at least {length} random characters; {MAKE_ONE}"


def _is_patterned(text: str) -> bool:
    """Return whether most characters of a text can be guessed from those before them.

    A character can be guessed if it repeats the one before, is its neighbor in the alphabet or on a
    keyboard, or ends a group of three that occurred earlier. In random text, few characters can be
    guessed.
    """
    if text in (text * 2)[1:-1]:  # the same characters repeated
        return True
    text, guessed = text.lower(), 0
    for end in range(1, len(text)):
        before, character = text[end - 1], text[end]
        beside = (before, character) in NEIGHBORS or (character, before) in NEIGHBORS
        seen = end > 1 and text[end - 2 : end + 1] in text[:end]
        guessed += before == character or beside or seen
    return guessed > 0.6 * len(text)


def _base_url(base_url: str) -> Iterator[str]:
    url = urlsplit(base_url)
    if url.scheme == "http" and url.hostname not in LOOPBACK:
        yield f"BASE_URL is {base_url!r}: production requires https, except on loopback"


def _metrics_token(token: str | None) -> Iterator[str]:
    if token and len(token) < METRICS_TOKEN_LENGTH:
        yield f"METRICS_TOKEN must have at least {METRICS_TOKEN_LENGTH} characters; {MAKE_ONE}"


def _example_addresses(values: Mapping[str, Any], sources: Mapping[str, str]) -> Iterator[str]:
    found = {
        "SMTP_FROM_EMAIL": [values.get("SMTP_FROM_EMAIL", "")],
        "ATTORNEY_EMAIL": values.get("ATTORNEY_EMAIL", []),
    }
    for name, addresses in found.items():
        examples = [address for address in addresses if EXAMPLE_ADDRESS.search(address)]
        if examples and sources[name] != "default":  # a default is reported as missing
            yield f"{name} is {', '.join(examples)}, an example address: set your own"


def _example_passwords(values: Mapping[str, Any]) -> Iterator[str]:
    passwords = {
        name: values.get(name)
        for name in ("METRICS_TOKEN", "SMTP_PASSWORD", "AWS_SECRET_ACCESS_KEY")
    }
    for name in ("DATABASE_URL", "RATELIMIT_STORAGE_URI"):
        if url := values.get(name):
            passwords[name] = make_url(url).password
    for name, password in passwords.items():
        if password and EXAMPLE_PASSWORD.search(password):
            yield f"{name} contains an example password: set your own"


def _missing_addresses(sources: Mapping[str, str]) -> Iterator[str]:
    for name in ("SMTP_FROM_EMAIL", "ATTORNEY_EMAIL"):
        if sources.get(name) == "default":
            yield f"{name} must be set when SMTP_HOST is set"


def _pairs(values: Mapping[str, Any]) -> Iterator[str]:
    for name, other in PAIRS:
        both_read = name in values and other in values
        if both_read and bool(values[name]) != bool(values[other]):
            yield f"{name} and {other} go together: set both or neither"


def _packages(values: Mapping[str, Any]) -> Iterator[str]:
    for name, package in PACKAGES.items():
        chosen = values.get(name, "").startswith(("postgresql", "s3", "redis"))
        if chosen and not find_spec(package):
            yield f"{name} requires the package {package}: pip install '.[postgres,s3,redis]'"
