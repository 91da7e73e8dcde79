"""The forms of the API, as the OpenAPI document describes them; `http/forms.py` reads them."""

from typing import Any

from marshmallow import Schema, fields

from .. import validation

NAME = {
    "description": f"1 to {validation.NAME_MAX} characters, without leading and trailing spaces.",
    "minLength": 1,
    "pattern": validation.NAME_PATTERN,
}


class SubmitFormSchema(Schema):
    """A submission."""

    first_name = fields.String(metadata={**NAME, "examples": ["José"]})
    last_name = fields.String(metadata={**NAME, "examples": ["Álvarez"]})
    email = fields.String(
        metadata={
            "format": "email",
            "maxLength": validation.EMAIL_MAX,
            "examples": ["jose@example.com"],
        }
    )
    resume = fields.String(metadata={"format": "binary", "description": "A PDF, DOC or DOCX file."})


class LoginFormSchema(Schema):
    """The credentials of a user."""

    username = fields.String(
        metadata={
            "description": "A username or an e-mail address.",
            "pattern": r"\S",
            "examples": ["ana"],
        }
    )
    password = fields.String(metadata={"format": "password", "examples": ["Counsel4You"]})


def example(schema: Schema) -> dict[str, Any]:
    """Return an object with the example of each field that has one."""
    values: dict[str, Any] = {}
    for name, field in schema.fields.items():
        if isinstance(field, fields.Nested):
            values[name] = [example(field.schema)]
        elif isinstance(field, fields.Constant):
            values[name] = str(field.constant)
        elif "examples" in field.metadata:
            values[name] = field.metadata["examples"][0]
    return values
