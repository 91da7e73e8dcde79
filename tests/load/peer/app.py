"""The peer's endpoints."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, cast

import bcrypt
import jwt
from fastapi import (
    BackgroundTasks,
    Depends,
    FastAPI,
    Form,
    Header,
    HTTPException,
    Query,
    Response,
    UploadFile,
)
from fastapi.responses import FileResponse
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import EmailStr
from sqlalchemy import CursorResult, func, or_, select, update
from sqlalchemy.orm import selectinload
from starlette.concurrency import run_in_threadpool

from . import mail
from .answers import KEY, Attorney, Change, Detail, Listed, Page, Status, Submitted
from .files import keep
from .tables import DB, Event, Lead, Submission, User, now

NOBODY = bcrypt.gensalt().decode()
Name = Annotated[str, Form(min_length=1, max_length=100)]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield
    await mail.close()


app = FastAPI(lifespan=lifespan)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "healthy"}


@app.post("/api/v1/auth/login")
async def login(db: DB, form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    user = await db.scalar(select(User).where(User.username == form.username))
    hashed = NOBODY
    if user:
        hashed = user.hashed_password
    fits = await run_in_threadpool(bcrypt.checkpw, form.password.encode(), hashed.encode())
    if not (user and fits):
        raise HTTPException(401)
    claims = {"sub": user.username, "exp": datetime.now(UTC) + timedelta(days=1)}
    return {"access_token": jwt.encode(claims, KEY, algorithm="HS256"), "token_type": "bearer"}


@app.post("/api/v1/leads", status_code=201)
async def submit(  # noqa: PLR0913, PLR0917  # FastAPI passes each field as an argument
    db: DB,
    tasks: BackgroundTasks,
    first_name: Name,
    last_name: Name,
    email: Annotated[EmailStr, Form()],
    resume: UploadFile,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Submitted:
    if idempotency_key:
        sent = select(Lead).join(Submission).where(Submission.idempotency_key == idempotency_key)
        if first := await db.scalar(sent):
            return Submitted.model_validate(first)
    described = await keep(resume)
    lead, number = await _joined(db, first_name, last_name, email.lower())
    row = Submission(
        lead_id=lead.id,
        number=number,
        first_name=first_name,
        last_name=last_name,
        idempotency_key=idempotency_key,
        **described,
    )
    kind = "resubmitted"
    if number == 1:
        kind = "submitted"
    db.add_all([row, Event(lead_id=lead.id, kind=kind)])
    await db.commit()
    tasks.add_task(mail.write_to, lead)
    return Submitted.model_validate(lead)


async def _joined(db: DB, first_name: str, last_name: str, email: str) -> tuple[Lead, int]:
    """Return the lead of an e-mail address and the number of this submission.

    A known lead becomes pending again; a new address gets a new lead.
    """
    lead = await db.scalar(select(Lead).where(Lead.email == email))
    if lead is None:
        lead = Lead(first_name=first_name, last_name=last_name, email=email)
        db.add(lead)
        await db.flush()
        return lead, 1
    lead.status = "PENDING"
    lead.reached_out_at = None
    lead.updated_at = now()
    newest = await db.scalar(
        select(func.max(Submission.number)).where(Submission.lead_id == lead.id)
    )
    return lead, (newest or 0) + 1


@app.get("/api/v1/leads")
async def list_leads(  # noqa: PLR0913, PLR0917
    db: DB,
    _user: Attorney,
    page: Annotated[int, Query(ge=1)] = 1,
    size: Annotated[int, Query(ge=1, le=100)] = 10,
    status: Status | None = None,
    sort_by: Literal["created_at", "last_name"] = "created_at",
    sort_desc: bool = True,
    q: str = "",
) -> Page:
    chosen = []
    if status:
        chosen.append(Lead.status == status)
    if q:
        chosen.append(
            or_(
                Lead.last_name.startswith(q),
                Lead.first_name.startswith(q),
                Lead.email.startswith(q),
            )
        )
    counting = select(func.count()).select_from(Lead).where(*chosen)
    total = await db.scalar(counting) or 0
    column: Any = getattr(Lead, sort_by)
    tiebreak: Any = Lead.id
    if sort_desc:
        column, tiebreak = column.desc(), tiebreak.desc()
    listing = select(Lead).where(*chosen).order_by(column, tiebreak)
    listing = listing.limit(size).offset((page - 1) * size)
    items = [Listed.model_validate(lead) for lead in await db.scalars(listing)]
    pages = -(-total // size)
    return Page(items=items, total=total, page=page, size=size, pages=pages)


async def _wanted(db: DB, lead_id: uuid.UUID) -> Lead:
    lead = await db.scalar(
        select(Lead).options(selectinload(Lead.submissions)).where(Lead.id == lead_id)
    )
    if lead is None:
        raise HTTPException(404)
    return lead


@app.get("/api/v1/leads/{lead_id}")
async def show_lead(db: DB, user: Attorney, lead_id: uuid.UUID, answer: Response) -> Detail:
    lead = await _wanted(db, lead_id)
    db.add(Event(lead_id=lead_id, user_id=user.id, kind="viewed"))
    await db.commit()
    answer.headers["ETag"] = f'"{len(lead.submissions)}.{lead.updated_at.timestamp()}"'
    return Detail.model_validate(lead)


@app.patch("/api/v1/leads/{lead_id}")
async def mark(db: DB, user: Attorney, lead_id: uuid.UUID, change: Change) -> Listed:
    waiting = update(Lead).where(Lead.id == lead_id, Lead.status == "PENDING")
    marked = await db.execute(
        waiting.values(status=change.status, reached_out_at=now(), updated_at=now())
    )
    if cast("CursorResult[Any]", marked).rowcount:
        db.add(Event(lead_id=lead_id, user_id=user.id, kind="marked"))
    await db.commit()
    return Listed.model_validate(await _wanted(db, lead_id))


@app.get("/api/v1/leads/{lead_id}/resume")
async def download(db: DB, user: Attorney, lead_id: uuid.UUID) -> Response:
    theirs = (
        select(Submission).where(Submission.lead_id == lead_id).order_by(Submission.number.desc())
    )
    if (sent := await db.scalar(theirs.limit(1))) is None:
        raise HTTPException(404)
    db.add(Event(lead_id=lead_id, user_id=user.id, kind="downloaded"))
    await db.commit()
    return FileResponse(sent.place, media_type="application/pdf", filename=sent.filename)
