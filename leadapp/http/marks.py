"""Markers for views. The guard of the pages and their sessions read them."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, request

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Open a page to visitors. Every page without this marker requires a sign-in."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def polled(view: View) -> View:
    """Mark a view that a page requests by itself. Its requests do not extend the session."""
    view.is_polled = True  # type: ignore[attr-defined]
    return view


def open_before_password_change(view: View) -> View:
    """Open a page to a user who must change the password first."""
    view.is_open_before_password_change = True  # type: ignore[attr-defined]
    return view


def is_public(view: Callable[..., Any]) -> bool:
    """Return whether a view is open to visitors."""
    return getattr(view, "is_public", False)


def has_mark(name: str) -> bool:
    """Return whether the view of this request has a marker; an unknown URL has none."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, name, False)
