"""A careful FastAPI application of the seed's contract, written as its documentation teaches.

Async throughout: SQLAlchemy's async session, blocking work (files, bcrypt) in threads, letters in BackgroundTasks, one
row a lead. It checks what was typed and what kind of file came; it has no history, no replays, no repeated addresses.
"""
