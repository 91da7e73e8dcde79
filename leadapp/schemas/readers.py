"""Readers of JSON bodies and query strings."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import request
from marshmallow import RAISE, Schema, ValidationError, fields, missing, post_load, pre_load, validate

from .. import rules
from ..errors import InvalidInput, Message, Refused, Unreadable, WrongMediaType
from ..models import LeadStatus
from ..triage import ORDERS, Query

PAGE_MAX = 1_000_000
SIZE_MAX = 100


class Reader(Schema):
    """Input: every field that is not named here is refused."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": Message("field_unknown")}

    def read(self, data: Mapping[str, Any]) -> Any:
        """Give the clean values, or raise InvalidInput with all that is wrong."""
        try:
            return self.load(data)
        except ValidationError as error:
            raise InvalidInput(error.messages_dict) from error

    def read_body(self) -> Any:
        """Read the JSON object that the request carries."""
        if request.mimetype != "application/json":
            raise WrongMediaType("json_expected")
        try:
            body = json.loads(request.get_data())
        except (ValueError, RecursionError) as error:
            raise Unreadable("json_unreadable") from error
        if not isinstance(body, dict):
            raise Unreadable("json_unreadable")
        return self.read(body)


class Ruled(fields.Field[str]):
    """Text that one of the domain's rules checks."""

    def __init__(self, rule: Callable[[str | None], str], **options: Any) -> None:
        self.rule = rule
        super().__init__(**options)

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **options: Any) -> str:
        """Let the rule say what is missing, too."""
        if value is missing:
            value = None
        if not isinstance(value, str | None):
            raise ValidationError([Message("text_expected")])
        try:
            return self.rule(value)
        except Refused as refusal:
            raise ValidationError([refusal.args[0]]) from refusal


def _status(**options: Any) -> fields.Enum[LeadStatus]:
    words = Message("status_unknown")
    return fields.Enum(
        LeadStatus, error_messages=dict.fromkeys(("unknown", "required", "null", "invalid"), words), **options
    )


class RegisterSchema(Reader):
    """Who wants an account."""

    username = Ruled(rules.username)
    email = Ruled(rules.email)
    password = Ruled(rules.password)


class StatusSchema(Reader):
    """What a lead becomes."""

    status = _status(required=True)


class QuerySchema(Reader):
    """Which leads, in which order; the same words in the address of a page and of the API."""

    status = _status()
    q = Ruled(rules.search)
    sort_by = fields.String(validate=validate.OneOf(ORDERS, error=Message("sort_unknown", choices=", ".join(ORDERS))))
    sort_desc = fields.Boolean(error_messages={"invalid": Message("sort_desc_unknown")})
    page = fields.Integer(
        validate=validate.Range(1, PAGE_MAX, error=Message("page_number", limit=PAGE_MAX)),
        error_messages={"invalid": Message("page_number", limit=PAGE_MAX)},
    )
    size = fields.Integer(
        validate=validate.Range(1, SIZE_MAX, error=Message("page_size")),
        error_messages={"invalid": Message("page_size")},
    )

    @pre_load
    def _without_empty(self, data: Mapping[str, str], **_options: Any) -> dict[str, str]:
        return {name: value for name, value in data.items() if value != ""}

    @post_load
    def _query(self, data: dict[str, Any], **_options: Any) -> Query:
        return Query(**data)
