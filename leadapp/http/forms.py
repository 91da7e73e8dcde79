"""Forms, for the pages and for the API.

Validators apply the rules of the domain, so each error carries the domain's message and code.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from flask import request
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.datastructures import CombinedMultiDict, FileStorage, MultiDict
from wtforms import Field, HiddenField, PasswordField, StringField
from wtforms.validators import ValidationError

from .. import tokens, validation
from ..codes import Code
from ..errors import InvalidInput, LeadappError, Message, Refused
from ..leads.submit import Details
from ..resumes.inspect import Resume, inspect


class Rule:
    """Applies a rule of `leadapp.validation`. The field then holds the cleaned value.

    The rule decides whether a missing value is an error. `required` and `metadata` go into the API
    docs.
    """

    def __init__(self, rule: Callable[[str | None], Any], required: bool = True) -> None:
        self.rule = rule
        self.required = required
        self.metadata = validation.metadata_of(rule)

    def __call__(self, _form: FlaskForm, field: Field) -> None:
        """Check and clean the typed text."""
        try:
            field.data = self.rule(field.data)
        except Refused as refusal:
            raise ValidationError(refusal.args[0]) from refusal


class AcceptedFile:
    """Inspects the type, the size and the content of a file. The field then holds the Resume."""

    required = True
    metadata: ClassVar = {"format": "binary", "description": "A PDF, DOC or DOCX file."}

    def __call__(self, _form: FlaskForm, field: Field) -> None:
        """Inspect the uploaded file, if there is one."""
        upload = field.data
        if not upload:
            return
        try:
            field.data = inspect(upload.stream, upload.filename or "")
        except Refused as refusal:
            raise ValidationError(refusal.args[0]) from refusal


class Form(FlaskForm):
    """Base class of the forms.

    Only `resume` accepts a file, and every other field accepts only text.
    """

    class Meta:
        def wrap_formdata(self, form: FlaskForm, _formdata: object) -> MultiDict[str, Any] | None:
            """Combine the text fields with the `resume` file."""
            if not form.is_submitted():
                return None
            files: MultiDict[str, FileStorage] = MultiDict()
            if "resume" in request.files:
                files["resume"] = request.files["resume"]
            return CombinedMultiDict([files, request.form])


class SubmitForm(Form):
    """The public form for prospects."""

    class Meta:
        csrf = False  # prospects get no cookie; the signed form_id replaces the token

    first_name = StringField("First name", validators=[Rule(validation.first_name)])
    last_name = StringField("Last name", validators=[Rule(validation.last_name)])
    email = StringField("E-mail", validators=[Rule(validation.email)])
    resume = FileField("Resume", validators=[AcceptedFile()])
    website = StringField()  # honeypot, hidden from people
    form_id = HiddenField()
    kept = HiddenField()
    again = HiddenField()

    @property
    def sending(self) -> str | None:
        """The one-time id of this form, or None if it is missing, forged or over a day old."""
        return tokens.verify_form_id(self.form_id.data)

    @property
    def looks_automatic(self) -> bool:
        """Whether the hidden field was filled in.

        A second press of Send, after the warning, counts as a person.
        """
        return bool(self.website.data) and not self.again.data

    @property
    def good_resume(self) -> Resume | None:
        """The valid resume in this request, or the one kept from an earlier attempt, or None.

        Known only after the form has been validated.
        """
        if isinstance(self.resume.data, Resume):
            return self.resume.data
        kept = tokens.verify_upload(self.kept.data, self.form_id.data)
        if kept is None:
            return None
        return Resume(**kept)

    def validate_resume(self, field: FileField) -> None:
        """Require a resume, unless the field already has an error."""
        if not field.errors and not self.good_resume:
            raise ValidationError(Message(Code.RESUME_MISSING))

    def details(self) -> Details:
        """Return the cleaned fields, or raise InvalidInput with all errors."""
        if not request.form and not request.files:
            # No field arrived at all, so "missing" would be the wrong error for each.
            raise LeadappError(Code.BODY_UNREADABLE)
        is_valid = self.validate()
        resume = self.good_resume
        if not is_valid or resume is None:
            raise InvalidInput(self.errors)
        return Details(self.first_name.data, self.last_name.data, self.email.data, resume)


class LoginForm(Form):
    """Sign-in credentials, and the page to open afterward."""

    username = StringField("Username or e-mail", validators=[Rule(validation.sign_in_name)])
    password = PasswordField("Password")
    next = HiddenField()


class PasswordForm(Form):
    """A new password, and the user's current password."""

    present = PasswordField("Current password", filters=[validation.composed_password])
    password = PasswordField("New password", validators=[Rule(validation.password)])

    def validate_password(self, field: PasswordField) -> None:
        """Require a password different from the current one."""
        if self.present and field.data and field.data == self.present.data:
            raise ValidationError(Message(Code.PASSWORD_SAME))


class ForgotForm(Form):
    """The address that requests a password-reset e-mail."""

    email = StringField("E-mail", validators=[Rule(validation.email)])


class MarkForm(Form):
    """Marks a lead as reached out.

    `submission_count` is the number of submissions that the attorney saw. `then` is the page to
    open afterward: "next" for the next lead, "list" for the list.
    """

    submission_count = StringField(validators=[Rule(validation.submission_count)])
    then = HiddenField()

    def seen(self) -> int:
        """Return the submission count, or raise InvalidInput."""
        if not self.validate():
            raise InvalidInput(self.errors)
        return self.submission_count.data


class EraseForm(Form):
    """Erases a lead after the attorney types its reference."""

    reference = StringField("Lead reference")
