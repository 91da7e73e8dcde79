"""Readers of JSON bodies and query strings."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from flask import request
from marshmallow import (
    RAISE,
    Schema,
    ValidationError,
    fields,
    missing,
    post_load,
    pre_load,
    validate,
)

from .. import validation
from ..codes import Code
from ..errors import InvalidInput, LeadappError, Message, Refused
from ..leads.search import ORDERS, Query
from ..models.leads import LeadStatus

PAGE_MAX = 1_000_000
SIZE_MAX = 100
STATUSES = list(LeadStatus.__members__)
SORT_UNKNOWN = Message(Code.SORT_UNKNOWN, choices=", ".join(ORDERS))
PAGE_NUMBER = Message(Code.PAGE_NUMBER, limit=PAGE_MAX)
PAGE_SIZE = Message(Code.PAGE_SIZE, limit=SIZE_MAX)


class Reader(Schema):
    """Base class of input schemas, which reject unknown fields."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": Message(Code.FIELD_UNKNOWN)}

    def read(self, data: Mapping[str, Any]) -> Any:
        """Return the cleaned values, or raise InvalidInput with all errors."""
        try:
            return self.load(data)
        except ValidationError as error:
            raise InvalidInput(error.messages_dict) from error

    def read_body(self) -> Any:
        """Read the JSON object in the request body."""
        if request.mimetype != "application/json":
            raise LeadappError(Code.JSON_EXPECTED)
        try:
            body = json.loads(request.get_data())
        except (ValueError, RecursionError) as error:
            raise LeadappError(Code.JSON_UNREADABLE) from error
        if not isinstance(body, dict):
            raise LeadappError(Code.JSON_UNREADABLE)
        return self.read(body)


class Ruled(fields.Field[Any]):
    """A text field that a rule checks.

    `not_text` is the error code for a value that is not text. `described` goes into the API docs.
    """

    def __init__(
        self,
        rule: Callable[[str | None], Any],
        not_text: Code = Code.TEXT_EXPECTED,
        required: bool = True,
        **described: Any,
    ) -> None:
        self.rule = rule
        self.not_text = not_text
        metadata = {"type": "string", **validation.metadata_of(rule), **described}
        if metadata["refusals"]:
            metadata["refusals"] = metadata["refusals"] + [not_text]
        super().__init__(required=required, metadata=metadata)

    def deserialize(
        self, value: Any, attr: str | None = None, data: Any = None, **options: Any
    ) -> Any:
        """Apply the rule, which also decides whether a missing value is an error."""
        if value is missing:
            value = None
        if value is not None and not _is_text(value):
            raise ValidationError([Message(self.not_text)])
        try:
            return self.rule(value)
        except Refused as refusal:
            raise ValidationError([refusal.args[0]]) from refusal


def _is_text(value: object) -> bool:
    """Return whether a value is text without lone surrogates.

    JSON can encode a lone surrogate, but UTF-8 cannot, so it cannot be stored.
    """
    return isinstance(value, str) and not any(
        "\ud800" <= character <= "\udfff" for character in value
    )


def _status(text: str | None) -> LeadStatus:
    if text is None or text not in LeadStatus.__members__:
        raise Refused(Code.STATUS_UNKNOWN)
    return LeadStatus[text]


def _status_or_any(text: str | None) -> LeadStatus | None:
    if not text:
        return None
    return _status(text)


class RegisterSchema(Reader):
    """A request for an account."""

    username = Ruled(validation.username)
    email = Ruled(validation.email, examples=["ben@example.com"])
    password = Ruled(validation.password)


class StatusSchema(Reader):
    """The new status of a lead."""

    status = Ruled(
        _status, Code.STATUS_UNKNOWN, enum=STATUSES, examples=[LeadStatus.REACHED_OUT.value]
    )


class ArrivalsSchema(Reader):
    """The time when the list was shown, in Unix seconds."""

    since = fields.AwareDateTime(format="timestamp", default_timezone=UTC, required=True)


class PageNumberSchema(Reader):
    """The number of a page of a long list."""

    page = fields.Integer(
        validate=validate.Range(1, PAGE_MAX, error=PAGE_NUMBER),
        error_messages={"invalid": PAGE_NUMBER},
    )

    @pre_load
    def _without_empty(self, data: Mapping[str, str], **_: Any) -> dict[str, str]:
        return {name: value for name, value in data.items() if value != ""}


class PagingSchema(PageNumberSchema):
    """The number and the size of a page of a long list."""

    size = fields.Integer(
        validate=validate.Range(1, SIZE_MAX, error=PAGE_SIZE),
        error_messages={"invalid": PAGE_SIZE},
    )


class LeadPartSchema(PageNumberSchema):
    """A page of a lead's history or submissions.

    `back` is the query string of the list from which the lead was opened.
    """

    back = fields.String()


class QuerySchema(PagingSchema):
    """A query for leads; pages and the API use the same URL parameters."""

    status = Ruled(_status_or_any, required=False, enum=STATUSES)
    q = Ruled(validation.search, required=False, maxLength=validation.NAME_MAX)
    sort_by = fields.String(validate=validate.OneOf(ORDERS, error=SORT_UNKNOWN))
    sort_desc = fields.Boolean(error_messages={"invalid": Message(Code.SORT_DESC_UNKNOWN)})

    @post_load
    def _query(self, data: dict[str, Any], **_: Any) -> Query:
        return Query(**data)
