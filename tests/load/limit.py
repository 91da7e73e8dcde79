"""The limit: a bare WSGI application that does the least work for the same durability.

No careful application can be much faster. A submit parses the multipart body, syncs the file and
its folder, and commits one row. A list reads rows by an index. The kernel sends a download.
There is no validation, e-mail, history, sign-in or log.

If ROWS names a file of statements, a submit writes the same rows and indexes as leadapp instead of
its one row (see `limit_rows`).
"""

import html
import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

PIECE = 256 * 1024
TABLE = """CREATE TABLE IF NOT EXISTS leads (id VARCHAR(36) PRIMARY KEY, first_name VARCHAR(100),
last_name VARCHAR(100), email VARCHAR(254) UNIQUE, path VARCHAR(300), size INTEGER,
status VARCHAR(20), created_at VARCHAR(40))"""
INDEX = "CREATE INDEX IF NOT EXISTS ix_leads ON leads (status, created_at, id)"
INSERT = "INSERT INTO leads VALUES (?, ?, ?, ?, ?, ?, 'PENDING', ?)"
LIST = """SELECT id, first_name, last_name, email, status, created_at FROM leads
WHERE status = 'PENDING' ORDER BY created_at DESC, id DESC LIMIT 25 OFFSET ?"""
COUNT = "SELECT count(*) FROM leads WHERE status = 'PENDING'"
BEGIN = "BEGIN IMMEDIATE"
if os.environ.get("DATABASE_URL", "").startswith("postgresql"):
    BEGIN = "BEGIN"
FILE = "SELECT path, size FROM leads WHERE id = ?"

MARK = "\0fresh "  # begins a value that each submit replaces by a fresh one

mine = threading.local()
Start = Callable[[str, list[tuple[str, str]]], Any]


def connect(url: str) -> Any:
    """Open a connection that commits each statement and syncs it to disk."""
    if url.startswith("postgresql"):
        # Only PostgreSQL needs this import.
        from psycopg import connect as connect_postgres  # noqa: PLC0415

        return connect_postgres(url, autocommit=True)
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def run(statement: str, *values: object) -> Any:
    """Run a statement on this thread's connection."""
    if not hasattr(mine, "connection"):
        mine.connection = connect(os.environ["DATABASE_URL"])
    return run_on(mine.connection, statement, *values)


def run_on(connection: Any, statement: str, *values: object) -> Any:
    """Run a statement with the placeholders of the connection's driver."""
    if not isinstance(connection, sqlite3.Connection):
        statement = statement.replace("?", "%s")
    return connection.execute(statement, values)


def read_statements() -> list[tuple[str, list[Any]]]:
    """Return the statements of the file that ROWS names; empty without one."""
    if "ROWS" not in os.environ:
        return []
    with open(os.environ["ROWS"]) as file:
        statements: list[tuple[str, list[Any]]] = json.load(file)
    return statements


STATEMENTS = read_statements()


def copy_rows(email: str) -> None:
    """Write a copy of leadapp's rows, with fresh keys, in one transaction."""
    fresh = {f"{MARK}email": email, f"{MARK}reference": f"LD-{uuid.uuid4().hex[:9]}"}

    def filled(value: object) -> object:
        if isinstance(value, str) and value.startswith(MARK):
            return fresh.setdefault(value, uuid.uuid4().hex)
        return value

    run(BEGIN)
    for statement, values in STATEMENTS:
        run(statement, *map(filled, values))
    run("COMMIT")


def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """Answer those paths of leadapp that the scenarios compare."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if method == "POST":
        status, kind, body = "201 Created", "application/json", submit(environ)
    elif path.endswith("/resume"):
        return download(environ, path.split("/")[-2], start)
    elif path == "/health":
        status, kind, body = "200 OK", "text/plain", b"ok"
    else:
        status = "200 OK"
        kind, body = listed(environ, path)
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    start(status, headers)
    return [body]


def submit(environ: dict[str, Any]) -> bytes:
    """Store a file and a row, both synced before the answer."""
    folder = os.environ["UPLOAD_DIR"]
    lead = str(uuid.uuid4())
    place = os.path.join(folder, lead)
    typed: dict[str, str] = {}
    size = 0
    boundary = environ["CONTENT_TYPE"].partition("boundary=")[2].encode()
    for name, is_file, pieces in parts(environ["wsgi.input"].read, boundary):
        if not is_file:
            typed[name] = b"".join(pieces).decode()
            continue
        with open(place, "xb", buffering=0) as file:
            size = sum(file.write(piece) for piece in pieces)
            os.fsync(file.fileno())
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    at = datetime.now(UTC).isoformat()
    first_name, last_name, email = typed["first_name"], typed["last_name"], typed["email"]
    if STATEMENTS:
        copy_rows(email)
    else:
        run(INSERT, lead, first_name, last_name, email, place, size, at)
    answer = {"id": lead}
    answer.update(typed)
    answer.update(status="PENDING", created_at=at)
    return json.dumps(answer).encode()


def listed(environ: dict[str, Any], path: str) -> tuple[str, bytes]:
    """Return the content type and body of a page of 25: JSON under /api, otherwise HTML."""
    query = parse_qs(environ["QUERY_STRING"])
    page = int(query.get("page", ["1"])[0])
    total = run(COUNT).fetchone()[0]
    rows = run(LIST, (page - 1) * 25).fetchall()
    if path.startswith("/api"):
        names = ("id", "first_name", "last_name", "email", "status", "created_at")
        items = [dict(zip(names, row, strict=True)) for row in rows]
        answer = {
            "items": items,
            "total": total,
            "page": page,
            "size": 25,
            "pages": -(-total // 25),
        }
        return "application/json", json.dumps(answer).encode()
    lines = "".join(
        f"<tr><td><a href='/leads/{row[0]}'>{html.escape(f'{row[1]} {row[2]}')}</a>"
        f"<td>{html.escape(row[3])}<td>{row[4]}<td>{row[5]}"
        for row in rows
    )
    return (
        "text/html",
        f"<!doctype html><title>Leads</title><p>{total} leads<table>{lines}</table>".encode(),
    )


def download(environ: dict[str, Any], lead: str, start: Start) -> Iterable[bytes]:
    """Return the resume as a file that the kernel sends."""
    path, size = run(FILE, lead).fetchone()
    headers = [("Content-Type", "application/pdf"), ("Content-Length", str(size))]
    start("200 OK", headers)
    # Gunicorn closes the file.
    answer: Iterable[bytes] = environ["wsgi.file_wrapper"](open(path, "rb"), PIECE)  # noqa: SIM115
    return answer


def parts(
    read: Callable[[int], bytes], boundary: bytes
) -> Iterator[tuple[str, bool, Iterator[bytes]]]:
    """Split a multipart body; yield each part's name, whether it is a file, and its content."""
    held = b"\r\n"

    def until(mark: bytes) -> Iterator[bytes]:
        nonlocal held
        while (place := held.find(mark)) < 0:
            kept = max(0, len(held) - len(mark) + 1)
            # Callers only write or join the pieces, so a memoryview serves as bytes.
            yield memoryview(held)[:kept]  # type: ignore[misc]
            if not (more := read(PIECE)):
                raise ValueError("the body ends too early")
            held = held[kept:] + more
        yield held[:place]
        held = held[place + len(mark) :]

    for _ in until(b"\r\n--" + boundary):
        pass
    while (head := b"".join(until(b"\r\n"))) != b"--":
        head = b"".join(until(b"\r\n\r\n"))
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        yield name, b'filename="' in head, until(b"\r\n--" + boundary)
