"""Readers of form bodies, at either edge. Each rule is the domain's, so a refusal carries its words and its code."""

from typing import Any

from flask import request
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.datastructures import CombinedMultiDict, FileStorage, MultiDict
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import ValidationError

from . import rules, tokens
from .errors import InvalidInput, Message, Unreadable
from .intake import Details
from .resumes.inspect import Resume, inspect


def _inspected(upload: FileStorage | None) -> Resume | None:
    return inspect(upload.stream, upload.filename or "") if upload else None


class Form(FlaskForm):
    """A form whose fields take text, and `resume` a file, whatever a client sends in place of either."""

    class Meta:
        def wrap_formdata(self, form: FlaskForm, _formdata: object) -> MultiDict[str, Any] | None:
            """Bring both together."""
            if not form.is_submitted():
                return None
            files = MultiDict(
                [(name, file) for name, file in request.files.items() if name == "resume"]
            )
            return CombinedMultiDict([files, request.form])


class SubmitForm(Form):
    """What a prospect sends."""

    class Meta:
        csrf = False  # strangers get no cookie; the signed form_id stands in for it

    first_name = StringField("First name", filters=[rules.first_name])
    last_name = StringField("Last name", filters=[rules.last_name])
    email = StringField("E-mail", filters=[rules.email])
    resume = FileField("Resume", filters=[_inspected])
    website = StringField()  # people do not see it
    form_id = HiddenField()
    kept = HiddenField()
    again = HiddenField()

    @property
    def sending(self) -> str | None:
        """The one-time id of this form, None if it is missing, foreign or a day old."""
        return tokens.read_form_id(self.form_id.data)

    @property
    def looks_automatic(self) -> bool:
        """Whether a field that people do not see was filled in; whoever then presses send again is a person."""
        return bool(self.website.data) and not self.again.data

    @property
    def good_resume(self) -> Resume | None:
        """The acceptable resume that came with the form, or else the one that it kept before."""
        if isinstance(self.resume.data, Resume):
            return self.resume.data
        kept = tokens.read_upload(self.kept.data, self.form_id.data)
        return Resume(**kept) if kept else None

    def validate_resume(self, field: FileField) -> None:
        """Ask for a resume where neither a good nor a bad one came."""
        if not field.errors and not self.good_resume:
            raise ValidationError(Message("resume_missing"))

    def details(self) -> Details:
        """Return the cleaned fields; raises InvalidInput with everything that is wrong."""
        if not request.form and not request.files:
            raise Unreadable("body_unreadable")  # not one field came, so none is "missing"
        resume = self.good_resume
        if not self.validate() or resume is None:
            raise InvalidInput(self.errors)
        return Details(self.first_name.data, self.last_name.data, self.email.data, resume)


class LoginForm(Form):
    """Who signs in, and the page they wanted."""

    username = StringField("Username or e-mail", filters=[rules.sign_in_name])
    password = PasswordField("Password")
    next = HiddenField()


class PasswordForm(Form):
    """A new password, and the present one of who changes it."""

    present = PasswordField("Present password", filters=[rules.composed_password])
    password = PasswordField("New password", filters=[rules.password])

    def validate_password(self, field: PasswordField) -> None:
        """Ask for another password than the present one."""
        if self.present and field.data and field.data == self.present.data:
            raise ValidationError(Message("password_same"))


class ForgotForm(Form):
    """Who asks for a letter with a link to a new password."""

    email = StringField("E-mail", filters=[rules.email])


class MarkForm(Form):
    """Mark a lead: how many submissions the attorney saw, and where to go then: "next" lead or back to the "list"."""

    submission_count = StringField(filters=[rules.submission_count])
    then = HiddenField()

    def seen(self) -> int:
        """Give the count, or raise InvalidInput."""
        if not self.validate():
            raise InvalidInput(self.errors)
        return self.submission_count.data


class EraseForm(Form):
    """Erase a lead: its reference, typed."""

    reference = StringField("Reference of the lead", filters=[rules.search])
