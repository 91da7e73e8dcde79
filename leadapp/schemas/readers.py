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


class Ruled(fields.Field[Any]):
    """Text that a rule checks; `not_text` is the code for any other kind of value, `described` goes into the docs."""

    def __init__(
        self,
        rule: Callable[[str | None], Any],
        not_text: str = "text_expected",
        required: bool = True,
        **described: Any,
    ) -> None:
        self.rule, self.not_text = rule, not_text
        super().__init__(required=required, metadata=described)

    def deserialize(
        self, value: Any, attr: str | None = None, data: Any = None, **options: Any
    ) -> Any:
        """Let the rule say what is missing, too."""
        if value is missing:
            value = None
        if value is not None and not _is_text(value):
            raise ValidationError([Message(self.not_text)])
        try:
            return self.rule(value)
        except Refused as refusal:
            raise ValidationError([refusal.args[0]]) from refusal


def _is_text(value: object) -> bool:
    """Tell text from other values, and from half a character, which JSON can spell and nothing can store."""
    return isinstance(value, str) and not any(
        "\ud800" <= character <= "\udfff" for character in value
    )


def _status(text: str | None) -> LeadStatus:
    if text is None or text not in LeadStatus.__members__:
        raise Refused("status_unknown")
    return LeadStatus[text]


class RegisterSchema(Reader):
    """Who wants an account."""

    username = Ruled(rules.username, pattern="^[A-Za-z0-9_-]{3,50}$")
    email = Ruled(rules.email, format="email", maxLength=rules.EMAIL_MAX)
    password = Ruled(
        rules.password,
        minLength=rules.PASSWORD_MIN,
        maxLength=rules.PASSWORD_MAX_BYTES,
        description=f"At most {rules.PASSWORD_MAX_BYTES} bytes in UTF-8.",
        pattern="^(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])",
    )


class StatusSchema(Reader):
    """What a lead becomes."""

    status = Ruled(_status, "status_unknown", enum=[*LeadStatus.__members__])


class ArrivalsSchema(Reader):
    """Since when somebody has looked at the list, in seconds of Unix time."""

    since = fields.AwareDateTime(format="timestamp", default_timezone=UTC, required=True)


class QuerySchema(Reader):
    """Which leads, in which order; the same words in the address of a page and of the API."""

    status = Ruled(
        lambda text: _status(text) if text else None, required=False, enum=[*LeadStatus.__members__]
    )
    q = Ruled(rules.search, required=False, maxLength=rules.NAME_MAX)
    sort_by = fields.String(
        validate=validate.OneOf(ORDERS, error=Message("sort_unknown", choices=", ".join(ORDERS)))
    )
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
