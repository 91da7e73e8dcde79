"""Signed values: form ids, kept uploads, page addresses, password-reset links and bearer tokens."""

import hmac
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

import jwt
from itsdangerous import BadData, SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

from .clock import now
from .codes import Code
from .config import settings
from .errors import LeadappError, NotFound, NotSignedIn

# The clocks of two machines may be this far apart.
LEEWAY = timedelta(seconds=10)
# Lifetimes in seconds.
FORM_LIFETIME = 24 * 3600
KEPT_LIFETIME = 3600
RESET_LIFETIME = 3600
PAGE_LIFETIMES = {"submitted": 30 * 24 * 3600, "receipt": None}  # an erased lead has no receipt
# The data of a kept resume, by name: a token contains them as JSON.
Kept = dict[str, Any]


class LeewaySigner(TimestampSigner):
    """Compares times with LEEWAY; itsdangerous rejects a time one second ahead of this machine."""

    def unsign(
        self,
        signed_value: str | bytes,
        max_age: int | None = None,
        return_timestamp: bool = False,
    ) -> Any:
        """Return the signed value, or raise SignatureExpired if too old or from the future."""
        value, signed_at = super().unsign(signed_value, return_timestamp=True)
        if max_age is not None:
            age = now() - signed_at
            oldest = timedelta(seconds=max_age) + LEEWAY
            if not -LEEWAY <= age <= oldest:
                raise SignatureExpired(f"Signed {age} ago", payload=value, date_signed=signed_at)
        if return_timestamp:
            return value, signed_at
        return value


class URLSerializer(URLSafeTimedSerializer):
    """Signs values that go into a URL.

    itsdangerous compresses a long payload and marks it with a leading dot, but common proxy rules
    deny paths that begin with a dot. So this class compresses nothing. It still reads older links.
    """

    default_signer = LeewaySigner

    def dump_payload(self, obj: Any) -> bytes:
        """Return the payload without compressing it."""
        return base64_encode(self.serializer.dumps(obj))


def _signer(purpose: str) -> URLSerializer:
    return URLSerializer(settings.SECRET_KEY, salt=f"leadapp.{purpose}")


def _read(purpose: str, token: str | None, seconds: int) -> Any:
    """Return the value that was signed for this purpose, or None."""
    try:
        return _signer(purpose).loads(token or "", max_age=seconds)
    except BadData:
        return None


def sign_form_id() -> str:
    """Sign a one-time id for a public form.

    It replaces a CSRF token, because visitors of a public form get no cookie.
    """
    return str(_signer("form").dumps(secrets.token_hex(16)))


def verify_form_id(token: str | None) -> str | None:
    """Return the id in a form's token, or None if the token is missing, invalid or a day old."""
    return _read("form", token, FORM_LIFETIME)


def sign_upload(resume: Kept, form: str) -> str:
    """Sign the data of a stored resume, for the one form that keeps it."""
    kept = dict(resume, form=verify_form_id(form))
    return str(_signer("kept").dumps(kept))


def verify_upload(token: str | None, form: str | None) -> Kept | None:
    """Return the data of the resume that this form kept, or None if there is none or it expired.

    The hour starts with the first form that kept the file, because the sweep deletes a file by the
    file's own age.
    """
    kept = _read("kept", token, KEPT_LIFETIME)
    if not kept or kept.pop("form") != verify_form_id(form):
        return None
    # Older versions of leadapp did not sign the time at which the file was kept.
    kept_for = now().timestamp() - kept.get("kept_at", 0)
    if kept_for > KEPT_LIFETIME + LEEWAY.total_seconds():
        return None
    return kept


def sign_page(purpose: str, submission_id: uuid.UUID) -> str:
    """Sign the address of a `submitted` or `receipt` page; anyone with the address may open it."""
    return str(_signer(purpose).dumps(submission_id.hex))


def verify_page(purpose: str, token: str) -> uuid.UUID:
    """Return the submission of a page.

    Raises RECEIPT_UNKNOWN, or RECEIPT_EXPIRED after the page's lifetime.
    """
    try:
        submission_id = _signer(purpose).loads(token, max_age=PAGE_LIFETIMES[purpose])
        return uuid.UUID(submission_id)
    except SignatureExpired as error:
        raise LeadappError(Code.RECEIPT_EXPIRED) from error
    except BadData as error:
        raise NotFound(Code.RECEIPT_UNKNOWN) from error


def digest(purpose: str, text: str) -> str:
    """Return a keyed hash of a text, different for each purpose."""
    key = settings.SECRET_KEY.encode()
    message = f"{purpose}:{text}".encode()
    return hmac.digest(key, message, "sha256").hex()


def sign_reset(user_id: uuid.UUID, hashed_password: str) -> str:
    """Sign a password-reset token.

    It contains a digest of the current password hash, so it works only until the password changes.
    """
    password_digest = digest("password", hashed_password)
    return str(_signer("reset").dumps([user_id.hex, password_digest]))


def verify_reset(token: str) -> tuple[uuid.UUID | None, str]:
    """Return the user id and the password digest in a password-reset token.

    The user id is None if the token is invalid or more than an hour old.
    """
    signed = _read("reset", token, RESET_LIFETIME)
    if signed is None:
        return None, ""
    user_id, password_digest = signed
    return uuid.UUID(user_id), password_digest


def sign_bearer(login_id: uuid.UUID, user_id: uuid.UUID, expires_at: datetime) -> str:
    """Return the API token (RFC 7519) of a login.

    `jti` is the login's id, so deleting the login's row ends the token.
    """
    claims = {
        "jti": str(login_id),
        "sub": str(user_id),
        "iat": now(),
        "exp": expires_at,
    }
    return jwt.encode(claims, settings.SECRET_KEY, algorithm=settings.ALGORITHM)


def verify_bearer(token: str) -> str:
    """Return the login id in an API token, or raise NotSignedIn."""
    try:
        claims = jwt.decode(
            token,
            settings.SECRET_KEY,
            algorithms=[settings.ALGORITHM],
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "sub", "jti"]},
        )
    except jwt.InvalidTokenError as error:
        raise NotSignedIn(Code.TOKEN_INVALID) from error
    return str(claims["jti"])
