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
from ..http.readers import RegisterSchema
from ..http.writers import RegisteredSchema, TokenSchema, UserSchema

bp = Blueprint("auth", __name__, url_prefix="/auth")
Answer = dict[str, Any]


@bp.post("/register")
def register() -> tuple[Answer, int]:
    """Create an account, if REGISTRATION allows it."""
    details = RegisterSchema().read_body()
    message = "User registered successfully"
    if not registration.register(**details, address=request.remote_addr or ""):
        message += "; a colleague must enable the account"
    return RegisteredSchema().dump({"message": message, "username": details["username"]}), 201


@bp.post("/login")
def login() -> Answer:
    """Return a token for a username (or e-mail address) and a password."""
    if request.mimetype != "application/x-www-form-urlencoded":
        raise LeadappError(Code.FORM_ENCODED_EXPECTED)
    form = LoginForm(meta={"csrf": False})
    if not form.validate():
        raise InvalidInput(form.errors)
    user = users.authenticate(
        form.username.data, form.password.data or "", request.remote_addr or ""
    )
    lifetime = timedelta(minutes=settings["ACCESS_TOKEN_EXPIRE_MINUTES"])
    login = users.sign_in(user, lifetime)
    token = tokens.sign_bearer(login.id, user.id, login.expires_at)
    return TokenSchema().dump({"access_token": token, "expires_in": int(lifetime.total_seconds())})


@bp.get("/me")
def me() -> Answer:
    """Return the user that the token belongs to."""
    return UserSchema().dump(current_user)
