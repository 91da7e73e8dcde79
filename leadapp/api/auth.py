"""Accounts and tokens in the JSON API."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, request
from flask_login import current_user

from .. import tokens
from ..accounts import registration, users
from ..codes import Code
from ..config import settings
from ..errors import InvalidInput, LeadappError
from ..http.forms import LoginForm
from ..http.marks import public
from ..http.readers import RegisterSchema
from ..http.writers import RegisteredSchema, TokenSchema, UserSchema
from .contract import JSON, URLENCODED, accepts, answers, fails, refuses
from .schemas import LoginFormSchema

bp = Blueprint("auth", __name__, url_prefix="/auth")
Json = dict[str, Any]


@bp.post("/register")
@public
@accepts(JSON, RegisterSchema)
@answers(
    201,
    RegisteredSchema,
    "The account is created or requested. If an administrator must enable it, the response is the "
    "same for a taken username or e-mail address.",
)
@fails(Code.REGISTRATION_CLOSED, Code.HTTP_429, Code.SIGN_IN_BUSY)
@refuses(
    {
        "username": [Code.USERNAME_TAKEN],
        "email": [Code.EMAIL_TAKEN],
        "*": [Code.FIELD_UNKNOWN],
    }
)
def register() -> tuple[Json, int]:
    """Create an account, if REGISTRATION allows it."""
    details = RegisterSchema().read_body()
    message = "User registered successfully"
    if not registration.register(**details, address=request.remote_addr or ""):
        message += "; a colleague must enable the account"
    response = {"message": message, "username": details["username"]}
    return RegisteredSchema().dump(response), 201


@bp.post("/login")
@public
@accepts(URLENCODED, LoginFormSchema)
@answers(200, TokenSchema, "A token for the `Authorization: Bearer` header.")
@fails(Code.BAD_CREDENTIALS, Code.ACCOUNT_INACTIVE, Code.SIGN_IN_THROTTLED, Code.SIGN_IN_BUSY)
@refuses({"username": [Code.SIGN_IN_NAME_MISSING]})
def login() -> Json:
    """Return a token for a username (or e-mail address) and a password."""
    if request.mimetype != URLENCODED:
        raise LeadappError(Code.FORM_ENCODED_EXPECTED)
    form = LoginForm(meta={"csrf": False})
    if not form.validate():
        raise InvalidInput(form.errors)
    user = users.authenticate(
        form.username.data, form.password.data or "", request.remote_addr or ""
    )
    lifetime = timedelta(minutes=settings.ACCESS_TOKEN_EXPIRE_MINUTES)
    login = users.sign_in(user, lifetime)
    token = tokens.sign_bearer(login.id, user.id, login.expires_at)
    seconds = int(lifetime.total_seconds())
    return TokenSchema().dump({"access_token": token, "expires_in": seconds})


@bp.get("/me")
@answers(200, UserSchema, "The user that the token belongs to.")
def me() -> Json:
    """Return the user that the token belongs to."""
    return UserSchema().dump(current_user)
