"""The peer's response models, and the dependency that finds the signed-in user."""

import os
import uuid
from datetime import datetime
from typing import Annotated, Literal

import jwt
from fastapi import Depends, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from .tables import DB, User

KEY = os.environ["SECRET_KEY"]
Status = Literal["PENDING", "REACHED_OUT"]


class Submitted(BaseModel):
    """The response to a submit."""

    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    first_name: str
    last_name: str
    email: str
    status: Status
    created_at: datetime


class Listed(Submitted):
    """A row of the list."""

    resume_path: str
    updated_at: datetime
    reached_out_at: datetime | None


class Sent(BaseModel):
    """One submission of a lead."""

    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    first_name: str
    last_name: str
    filename: str
    size: int
    sha256: str
    created_at: datetime


class Detail(Listed):
    """A lead with all its submissions."""

    submissions: list[Sent]


class Page(BaseModel):
    """A page of leads."""

    items: list[Listed]
    total: int
    page: int
    size: int
    pages: int


class Change(BaseModel):
    """The new status of a lead."""

    status: Literal["REACHED_OUT"]


async def current_user(
    db: DB, token: Annotated[str, Depends(OAuth2PasswordBearer("api/v1/auth/login"))]
) -> User:
    """Return the user that the token names; raise a 401 error if there is none."""
    try:
        claims = jwt.decode(token, KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from error
    user = await db.scalar(select(User).where(User.username == claims["sub"]))
    if user is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return user


Attorney = Annotated[User, Depends(current_user)]
