"""Everything signed: form ids, kept uploads, the page after sending, links to a new password, bearer tokens."""

import hmac
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

import jwt
from itsdangerous import BadData, SignatureExpired, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

from .config import current
from .errors import Gone, NotFound, NotSignedIn
from .wording import now

# The clocks of two machines may be this far apart.
LEEWAY = timedelta(seconds=10)
FORM_LIFETIME = 24 * 3600
KEPT_LIFETIME = 3600
RESET_LIFETIME = 3600
# A receipt ends when the lead is erased.
PAGE_LIFETIMES = {"submitted": 30 * 24 * 3600, "receipt": None}


class LeewaySigner(TimestampSigner):
    """Compares times with LEEWAY; itsdangerous refuses a time one second ahead of this machine."""

    def unsign(
        self,
        signed_value: str | bytes,
        max_age: int | None = None,
        return_timestamp: bool = False,
    ) -> Any:
        """Return the signed value, or raise SignatureExpired if it is too old or from the future."""
        value, signed_at = super().unsign(signed_value, return_timestamp=True)
        if max_age is not None:
            age = now() - signed_at
            if not -LEEWAY <= age <= timedelta(seconds=max_age) + LEEWAY:
                raise SignatureExpired(f"Signed {age} ago", payload=value, date_signed=signed_at)
        return (value, signed_at) if return_timestamp else value


class URLSerializer(URLSafeTimedSerializer):
    """Signs what goes into a URL.

    itsdangerous compresses a long payload and marks it with a leading dot, but common proxy rules
    deny paths that begin with a dot. So nothing is compressed. Older links are still read.
    """

    default_signer = LeewaySigner

    def dump_payload(self, obj: Any) -> bytes:
        """Return the payload without compressing it."""
        return base64_encode(self.serializer.dumps(obj))


def _signer(purpose: str) -> URLSerializer:
    return URLSerializer(current["SECRET_KEY"], salt=f"leadapp.{purpose}")


def _read(purpose: str, token: str | None, seconds: int) -> Any:
    """Give back what was signed for this purpose, or None."""
    try:
        return _signer(purpose).loads(token or "", max_age=seconds)
    except BadData:
        return None


def new_form() -> str:
    """Sign a one-time id for a public form; it stands in for a CSRF token, since strangers get no cookie."""
    return str(_signer("form").dumps(secrets.token_hex(16)))


def read_form_id(token: str | None) -> str | None:
    """Tell the id in a form's token; None if it is missing, foreign or a day old."""
    return _read("form", token, FORM_LIFETIME)


def keep_upload(resume: dict[str, Any], form: str) -> str:
    """Sign what is known of a stored resume, for the one form that keeps it."""
    return str(_signer("kept").dumps(resume | {"form": read_form_id(form)}))


def read_upload(token: str | None, form: str | None) -> dict[str, Any] | None:
    """Give what is known of the resume that this form kept; None if there is none, or its hour is over.

    The hour counts from the first form that kept it: the file's own age decides when it is swept.
    """
    kept = _read("kept", token, KEPT_LIFETIME)
    if not kept or kept.pop("form") != read_form_id(form):
        return None
    # An older leadapp did not sign when the file was kept.
    kept_for = now().timestamp() - kept.get("kept_at", 0)
    if kept_for > KEPT_LIFETIME + LEEWAY.total_seconds():
        return None
    return dict(kept)


def page(purpose: str, submission_id: uuid.UUID) -> str:
    """Sign the address of a page that belongs to whoever holds it: `submitted` or `receipt`."""
    return str(_signer(purpose).dumps(submission_id.hex))


def read_page(purpose: str, token: str) -> uuid.UUID:
    """Tell whose page it is: NotFound if it is nobody's, Gone after its lifetime."""
    try:
        return uuid.UUID(_signer(purpose).loads(token, max_age=PAGE_LIFETIMES[purpose]))
    except SignatureExpired as error:
        raise Gone("receipt_expired") from error
    except BadData as error:
        raise NotFound("receipt_unknown") from error


def digest(purpose: str, text: str) -> str:
    """Name something for this purpose without telling it."""
    return hmac.digest(current["SECRET_KEY"].encode(), f"{purpose}:{text}".encode(), "sha256").hex()


def reset(user_id: uuid.UUID, hashed_password: str) -> str:
    """Sign a link to a new password; the present one's digest in it makes it good for one use."""
    return str(_signer("reset").dumps([user_id.hex, digest("password", hashed_password)]))


def read_reset(token: str) -> tuple[uuid.UUID | None, str]:
    """Tell whose password a link may set, and the digest of the one it was made for; nobody's after its hour."""
    user_id, was = _read("reset", token, RESET_LIFETIME) or (None, "")
    return user_id and uuid.UUID(user_id), was


def bearer(login_id: uuid.UUID, user_id: uuid.UUID, expires_at: datetime) -> str:
    """Make the API token of a login (RFC 7519); `jti` names the login, so deleting its row ends the token."""
    claims = {"jti": str(login_id), "sub": str(user_id), "iat": now(), "exp": expires_at}
    return jwt.encode(claims, current["SECRET_KEY"], algorithm=current["ALGORITHM"])


def read_bearer(token: str) -> str:
    """Tell the login of an API token, or raise NotSignedIn."""
    try:
        claims = jwt.decode(
            token,
            current["SECRET_KEY"],
            algorithms=[current["ALGORITHM"]],
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "sub", "jti"]},
        )
    except jwt.InvalidTokenError as error:
        raise NotSignedIn("token_invalid") from error
    return str(claims["jti"])
