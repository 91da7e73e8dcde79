"""A careful FastAPI application of the same contract, written as FastAPI's and SQLAlchemy's documentation teach.

Async throughout: SQLAlchemy's async session, blocking work (files, bcrypt) in threads, letters in BackgroundTasks. It
keeps what leadapp's API promises, submissions, history, replays and warnings too; but letters wait in memory only.
"""
