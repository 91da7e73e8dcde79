"""The forms of the API, as the OpenAPI document describes them; `http/forms.py` reads them."""

from typing import Any

from marshmallow import Schema, fields
from wtforms.fields.core import UnboundField

from ..http.forms import AcceptedFile, Form, Rule


class FormSchema(Schema):
    """A form. A field that is not declared as required may be left out."""


def of_form(form: type[Form]) -> type[Schema]:
    """Return the schema of a form, from the validators of its fields.

    A field without a Rule or an AcceptedFile is only for pages.
    """
    described: dict[str, fields.Field[Any]] = {}
    for name, field in vars(form).items():
        if not isinstance(field, UnboundField):
            continue
        for validator in field.kwargs.get("validators", []):
            if isinstance(validator, (Rule, AcceptedFile)):
                described[name] = fields.String(
                    required=validator.required, metadata=validator.metadata
                )
    return FormSchema.from_dict(described, name=form.__name__)


class LoginFormSchema(FormSchema):
    """The credentials of a user."""

    username = fields.String(
        required=True,
        metadata={
            "description": "A username or an e-mail address.",
            "pattern": r"\S",
            "examples": ["ana"],
        },
    )
    password = fields.String(
        required=True, metadata={"format": "password", "examples": ["Counsel4You"]}
    )


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
