"""A careful FastAPI application with the same contract as leadapp's API.

It follows the documentation of FastAPI and SQLAlchemy and is async throughout: an async session,
blocking work (files, bcrypt) in threads, e-mails in BackgroundTasks. Like leadapp it keeps
submissions, history, replays and warnings, but it holds unsent e-mails in memory only.

These choices make it as fast as its authors would:

- uvloop and httptools, which `uvicorn[standard]` installs, and two workers as leadapp has.
- asyncpg on PostgreSQL: it prepares each statement once for a connection, and a rollback keeps it.
  aiosqlite on SQLite, the driver that SQLAlchemy documents for async sessions.
- Return types as response models: FastAPI lets pydantic write their JSON directly. It deprecated
  ORJSONResponse because this is faster.
- One SMTP connection carries the e-mails of many tasks, since a new one costs more than an e-mail.
- The same indexes as its lists need, and no others.
"""
