"""Readers of JSON bodies and query strings, and the only writers of JSON (marshmallow)."""

from .readers import QuerySchema, RegisterSchema, StatusSchema
from .writers import (
    LeadSchema,
    PageSchema,
    ProblemSchema,
    RegisteredSchema,
    SubmittedSchema,
    TokenSchema,
    UserSchema,
)

__all__ = [
    "LeadSchema",
    "PageSchema",
    "ProblemSchema",
    "QuerySchema",
    "RegisterSchema",
    "RegisteredSchema",
    "StatusSchema",
    "SubmittedSchema",
    "TokenSchema",
    "UserSchema",
]
