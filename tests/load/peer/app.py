"""The peer's endpoints."""

import os
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import bcrypt
import jwt
from fastapi import BackgroundTasks, Depends, FastAPI, Form, HTTPException, Query, Response, UploadFile
from fastapi.responses import FileResponse
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel, ConfigDict, EmailStr
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool

from .files import keep, write_to
from .tables import DB, Lead, User

KEY = os.environ["SECRET_KEY"]
NOBODY = bcrypt.gensalt().decode()
Status = Literal["PENDING", "REACHED_OUT"]
Name = Annotated[str, Form(min_length=1, max_length=100)]
app = FastAPI()


class Submitted(BaseModel):
    """What a prospect gets back."""

    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    first_name: str
    last_name: str
    email: str
    status: Status
    created_at: datetime


class Detail(Submitted):
    """What an attorney reads."""

    resume_path: str
    updated_at: datetime
    reached_out_at: datetime | None


class Page(BaseModel):
    """A page of leads."""

    items: list[Detail]
    total: int
    page: int
    size: int
    pages: int


class Change(BaseModel):
    """What a lead becomes."""

    status: Literal["REACHED_OUT"]


async def current_user(db: DB, token: Annotated[str, Depends(OAuth2PasswordBearer("api/v1/auth/login"))]) -> User:
    """Find who asks."""
    try:
        claims = jwt.decode(token, KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from error
    user = await db.scalar(select(User).where(User.username == claims["sub"]))
    if user is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return user


async def wanted(db: DB, lead_id: uuid.UUID, _user: Annotated[User, Depends(current_user)]) -> Lead:
    """Find the lead of an address, for an attorney."""
    if (lead := await db.get(Lead, lead_id)) is None:
        raise HTTPException(404)
    return lead


Wanted = Annotated[Lead, Depends(wanted)]


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.post("/api/v1/auth/login")
async def login(db: DB, form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    user = await db.scalar(select(User).where(User.username == form.username))
    hashed = user.hashed_password if user else NOBODY
    fits = await run_in_threadpool(bcrypt.checkpw, form.password.encode(), hashed.encode())
    if not (user and fits):
        raise HTTPException(401)
    claims = {"sub": user.username, "exp": datetime.now(UTC) + timedelta(days=1)}
    return {"access_token": jwt.encode(claims, KEY, algorithm="HS256"), "token_type": "bearer"}


@app.post("/api/v1/leads", status_code=201)
async def submit(
    db: DB,
    tasks: BackgroundTasks,
    first_name: Name,
    last_name: Name,
    email: Annotated[EmailStr, Form()],
    resume: UploadFile,
) -> Submitted:
    place, digest = await keep(resume)
    lead = Lead(first_name=first_name, last_name=last_name, email=email.lower(), resume_path=str(place), sha256=digest)
    db.add(lead)
    try:
        await db.commit()
    except IntegrityError as error:
        raise HTTPException(409) from error
    tasks.add_task(write_to, lead)
    return Submitted.model_validate(lead)


@app.get("/api/v1/leads")
async def list_leads(  # noqa: PLR0913, PLR0917  # FastAPI takes what it reads as arguments
    db: DB,
    _user: Annotated[User, Depends(current_user)],
    page: Annotated[int, Query(ge=1)] = 1,
    size: Annotated[int, Query(ge=1, le=100)] = 10,
    status: Status | None = None,
    sort_by: Literal["created_at", "last_name"] = "created_at",
    sort_desc: bool = True,
    q: str = "",
) -> Page:
    chosen = [Lead.status == status] if status else []
    if q:
        chosen.append(Lead.last_name.startswith(q) | Lead.first_name.startswith(q) | Lead.email.startswith(q))
    column = getattr(Lead, sort_by)
    order = (column.desc(), Lead.id.desc()) if sort_desc else (column, Lead.id)
    total = await db.scalar(select(func.count()).select_from(Lead).where(*chosen)) or 0
    listing = select(Lead).where(*chosen).order_by(*order).limit(size).offset((page - 1) * size)
    items = [Detail.model_validate(lead) for lead in await db.scalars(listing)]
    return Page(items=items, total=total, page=page, size=size, pages=-(-total // size))


@app.get("/api/v1/leads/{lead_id}")
async def show_lead(lead: Wanted) -> Detail:
    return Detail.model_validate(lead)


@app.patch("/api/v1/leads/{lead_id}")
async def mark(db: DB, lead: Wanted, change: Change) -> Detail:
    at = datetime.now(UTC)
    waiting = update(Lead).where(Lead.id == lead.id, Lead.status == "PENDING")
    await db.execute(waiting.values(status=change.status, reached_out_at=at, updated_at=at))
    await db.commit()
    await db.refresh(lead)
    return Detail.model_validate(lead)


@app.get("/api/v1/leads/{lead_id}/resume")
async def download(lead: Wanted) -> Response:
    return FileResponse(lead.resume_path, media_type="application/pdf", filename="resume.pdf")
