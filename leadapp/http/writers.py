"""Schemas that write all JSON responses."""

import functools
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for
from marshmallow import Schema, fields

from ..models.leads import LeadStatus


class Moment(fields.Field[datetime]):
    """A time in UTC, in the format of RFC 3339."""

    def _serialize(
        self, value: datetime | None, attr: str | None, obj: Any, **_options: Any
    ) -> str | None:
        return value.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z" if value else None


class SubmissionSchema(Schema):
    """One submission of a lead."""

    id = fields.UUID()
    first_name = fields.String()
    last_name = fields.String()
    filename = fields.String()
    content_type = fields.String()
    size = fields.Integer()
    sha256 = fields.String()
    resume_path = fields.Function(
        lambda sent: url_for("api.leads.open_resume", lead_id=sent.lead_id, submission_id=sent.id)
    )
    created_at = Moment()


@functools.cache
def _resumes() -> list[str]:
    """Return the two parts of a resume's URL, before and after the lead's id.

    Cached, because building the URL takes longer than writing all other fields of a lead.
    """
    return url_for("api.leads.open_resume", lead_id=UUID(int=0)).split(str(UUID(int=0)))


class LeadSchema(Schema):
    """A lead; `resume_path` is the URL path of its newest resume."""

    id = fields.UUID()
    reference = fields.String()
    first_name = fields.String()
    last_name = fields.String()
    email = fields.String()
    resume_path = fields.Function(lambda lead: str(lead.id).join(_resumes()))
    status = fields.Enum(LeadStatus)
    created_at = Moment()
    updated_at = Moment()
    reached_out_at = Moment(allow_none=True)
    submissions = fields.Nested(SubmissionSchema, many=True)


class Rows(fields.Nested):
    """The rows of a list, with each field looked up once per list.

    Marshmallow looks up every field again for each row, which takes a third longer.
    """

    def _serialize(self, nested_obj: Any, attr: Any, obj: Any, **_options: Any) -> Any:  # type: ignore[override]
        written = self.schema.dump_fields.items()
        columns = [
            (name, field._serialize, not isinstance(field, fields.Function))
            for name, field in written
        ]
        return [
            {
                name: write(getattr(row, name) if stored else None, name, row)
                for name, write, stored in columns
            }
            for row in nested_obj
        ]


class SubmittedSchema(Schema):
    """The public response to a submission.

    It contains only the submitted data, so it is the same for a known and a new e-mail address.
    """

    id = fields.UUID(attribute="lead_id")
    first_name = fields.String()
    last_name = fields.String()
    email = fields.String()
    status = fields.Constant(LeadStatus.PENDING)
    created_at = Moment()


class PageSchema(Schema):
    """One page of leads."""

    items = Rows(LeadSchema, many=True, exclude=["submissions"])
    total = fields.Integer()
    page = fields.Integer(attribute="query.page")
    size = fields.Integer(attribute="query.size")
    pages = fields.Integer()


class UserSchema(Schema):
    """An attorney."""

    id = fields.UUID()
    username = fields.String()
    email = fields.String()
    is_active = fields.Boolean()


class RegisteredSchema(Schema):
    """The response to a registration."""

    message = fields.String()
    username = fields.String()


class TokenSchema(Schema):
    """A bearer token (RFC 6749, section 5.1)."""

    access_token = fields.String()
    token_type = fields.Constant("bearer")
    expires_in = fields.Integer()


class RefusalSchema(Schema):
    """One error in a request; `pointer` is a JSON pointer to its field (RFC 6901)."""

    pointer = fields.String()
    detail = fields.String()
    code = fields.String()


class ProblemSchema(Schema):
    """An error response, as problem details (RFC 9457)."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    instance = fields.String()
    code = fields.String()
    errors = fields.Nested(RefusalSchema, many=True)
