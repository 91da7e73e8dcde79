"""A careful FastAPI application with the same contract as leadapp's API.

It follows the documentation of FastAPI and SQLAlchemy and is async throughout: an async session,
blocking work (files, bcrypt) in threads, e-mails in BackgroundTasks. Like leadapp it keeps
submissions, history, replays and warnings, but it holds unsent e-mails in memory only.
"""
