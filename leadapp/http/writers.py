"""Schemas that write all JSON responses; their examples are for the API's documents."""

from datetime import datetime
from typing import Any

from flask import url_for
from marshmallow import Schema, fields

from ..models.leads import LeadStatus
from ..resumes.formats import PDF

LEAD = "0b8f6a52-3c1d-4c0e-9a57-6d1f2e7c9b40"
SUBMISSION = "7d0c1c0e-52f5-4f0b-8a44-93b2f0a6d5e1"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
# A format, because 25 calls of url_for take a quarter of the time of writing a page.
RESUME_PATH = "/api/v1/leads/{}/resume"
SUBMITTED_AT = "2026-11-20T10:04:00.000Z"
MARKED_AT = "2026-11-20T11:30:00.000Z"


class Moment(fields.DateTime):
    """A time in UTC, in the format of RFC 3339."""

    def _serialize(
        self, value: datetime | None, attr: str | None, obj: Any, **_: Any
    ) -> str | None:
        if value is None:
            return None
        return value.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


class SubmissionSchema(Schema):
    """One submission of a lead."""

    id = fields.UUID(metadata={"examples": [SUBMISSION]})
    first_name = fields.String(metadata={"examples": ["José"]})
    last_name = fields.String(metadata={"examples": ["Álvarez"]})
    filename = fields.String(metadata={"examples": ["cv.pdf"]})
    content_type = fields.String(metadata={"examples": [PDF]})
    size = fields.Integer(metadata={"examples": [122880]})
    sha256 = fields.String(metadata={"examples": [SHA256]})
    resume_path = fields.Function(
        lambda submission: url_for(
            "api.leads.open_submission_resume",
            lead_id=submission.lead_id,
            submission_id=submission.id,
        ),
        metadata={
            "type": "string",
            "format": "uri-reference",
            "examples": [f"/api/v1/leads/{LEAD}/submissions/{SUBMISSION}/resume"],
        },
    )
    created_at = Moment(metadata={"examples": [SUBMITTED_AT]})


class ListedLeadSchema(Schema):
    """A lead in a list; `resume_path` is the URL path of its newest resume."""

    id = fields.UUID(metadata={"examples": [LEAD]})
    reference = fields.String(metadata={"examples": ["LD-7K4M-92QX"]})
    first_name = fields.String(metadata={"examples": ["José"]})
    last_name = fields.String(metadata={"examples": ["Álvarez"]})
    email = fields.String(metadata={"examples": ["jose@example.com"]})
    resume_path = fields.Function(
        lambda lead: RESUME_PATH.format(lead.id),
        metadata={
            "type": "string",
            "format": "uri-reference",
            "examples": [RESUME_PATH.format(LEAD)],
        },
    )
    status = fields.Enum(LeadStatus, metadata={"examples": ["PENDING"]})
    created_at = Moment(metadata={"examples": [SUBMITTED_AT]})
    updated_at = Moment(metadata={"examples": [SUBMITTED_AT]})
    reached_out_at = Moment(allow_none=True, metadata={"examples": [None]})

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Return a column of a lead.

        Marshmallow first tries whether the object is a mapping. That takes a tenth of the time of
        a request for 25 leads.
        """
        return getattr(obj, attr, default)


class LeadSchema(ListedLeadSchema):
    """A lead with its latest submissions; `submissions_path` is the URL path of all of them."""

    submissions = fields.Nested(SubmissionSchema, many=True, attribute="latest")
    submission_count = fields.Integer(metadata={"examples": [1]})
    submissions_path = fields.Function(
        lambda lead: url_for("api.leads.list_submissions", lead_id=lead.id),
        metadata={
            "type": "string",
            "format": "uri-reference",
            "examples": [f"/api/v1/leads/{LEAD}/submissions"],
        },
    )


class MarkedLeadSchema(Schema):
    """A lead that is marked as reached out."""

    id = fields.UUID(metadata={"examples": [LEAD]})
    status = fields.Enum(LeadStatus, metadata={"examples": ["REACHED_OUT"]})
    reached_out_at = Moment(allow_none=True, metadata={"examples": [MARKED_AT]})


class SubmittedSchema(Schema):
    """The public response to a submission.

    It contains only the submitted data, so it is the same for a known and a new e-mail address.
    """

    id = fields.UUID(attribute="lead_id", metadata={"examples": [LEAD]})
    first_name = fields.String(metadata={"examples": ["José"]})
    last_name = fields.String(metadata={"examples": ["Álvarez"]})
    email = fields.String(metadata={"examples": ["jose@example.com"]})
    status = fields.Constant(LeadStatus.PENDING)
    created_at = Moment(metadata={"examples": [SUBMITTED_AT]})


class PageSchema(Schema):
    """One page of leads."""

    items = fields.Nested(ListedLeadSchema, many=True)
    total = fields.Integer(attribute="total.number", metadata={"examples": [17]})
    total_is_exact = fields.Boolean(
        attribute="total.is_exact",
        metadata={
            "description": "Only with `q`; false if there are more matches than `total`. "
            "Follow `Link` to read all of them.",
            "examples": [True],
        },
    )
    page = fields.Integer(attribute="query.page", metadata={"examples": [1]})
    size = fields.Integer(attribute="query.size", metadata={"examples": [1]})
    pages = fields.Integer(metadata={"examples": [17]})


class SubmissionPageSchema(Schema):
    """One page of a lead's submissions."""

    items = fields.Nested(SubmissionSchema, many=True)
    total = fields.Integer(metadata={"examples": [31]})
    page = fields.Integer(metadata={"examples": [1]})
    size = fields.Integer(metadata={"examples": [1]})
    pages = fields.Integer(metadata={"examples": [31]})


class UserSchema(Schema):
    """An attorney."""

    id = fields.UUID(metadata={"examples": ["3e1b7c54-90de-4a6f-b0d3-2f4c8a1e5d77"]})
    username = fields.String(metadata={"examples": ["ana"]})
    email = fields.String(metadata={"examples": ["ana@example.com"]})
    is_active = fields.Boolean(metadata={"examples": [True]})


class RegisteredSchema(Schema):
    """The response to a registration."""

    message = fields.String(metadata={"examples": ["User registered successfully"]})
    username = fields.String(metadata={"examples": ["ben"]})


class TokenSchema(Schema):
    """A bearer token (RFC 6749, section 5.1)."""

    access_token = fields.String(metadata={"examples": ["eyJhbGciOiJIUzI1NiIs..."]})
    token_type = fields.Constant("bearer")
    expires_in = fields.Integer(metadata={"examples": [86400]})


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
