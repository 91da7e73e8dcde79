"""What each endpoint takes and gives, as far as its route, its view and its schemas do not say it."""

from dataclasses import dataclass, field

Codes = dict[int, list[str]]  # of problems, by status
Refusals = dict[str, list[str]]  # codes of what a 422 lists, by field; * is a field that is not there

JSON, FORM, UPLOAD = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
BY_TOKEN: Codes = {401: ["not_signed_in", "token_invalid"]}
EVERYWHERE: Codes = {500: ["http_500"], 503: ["database_unavailable"]}
NO_LEAD: Codes = {404: ["lead_unknown", "http_404"]}
NOT_JSON: Codes = {400: ["json_unreadable", "http_400"], 413: ["http_413"], 415: ["json_expected"], 422: ["http_422"]}
NOT_FORM: Codes = {400: ["http_400"], 413: ["http_413"], 422: ["http_422"], 429: ["http_429"]}
EMAIL = ["email_missing", "email_format", "email_too_long"]
SUBMITTED: Refusals = {
    "first_name": ["first_name_missing", "first_name_too_long", "first_name_characters"],
    "last_name": ["last_name_missing", "last_name_too_long", "last_name_characters"],
    "email": EMAIL,
    "resume": ["resume_missing", "resume_type", "resume_too_large", "resume_empty"],
    "Idempotency-Key": ["idempotency_key_format"],
}
REGISTERED: Refusals = {
    "username": ["username_missing", "username_format", "username_taken", "text_expected"],
    "email": [*EMAIL, "email_taken", "text_expected"],
    "password": ["password_missing", "password_length", "password_characters", "password_common", "text_expected"],
    "*": ["field_unknown"],
}
LISTED: Refusals = {
    "status": ["status_unknown"],
    "q": ["query_too_long"],
    "sort_by": ["sort_unknown"],
    "sort_desc": ["sort_desc_unknown"],
    "page": ["page_number"],
    "size": ["page_size"],
    "*": ["field_unknown"],
}


@dataclass(frozen=True)
class Operation:
    """One endpoint. Schemas are named; an answer without one is a file."""

    gives: dict[int, str]
    fails: Codes
    schema: str | None = None
    body: tuple[str, str] | None = None  # media type and schema
    headers: list[str] = field(default_factory=list)  # of what it gives
    refuses: Refusals = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)  # request headers it heeds
    is_open: bool = False


def resume(unknown: str) -> Operation:
    """Describe a download."""
    return Operation(
        {200: "The file.", 206: "The part of it that Range asks for.", 304: "You have it already."},
        BY_TOKEN | {404: [unknown, "resume_gone", "http_404"], 416: ["http_416"]},
        headers=["ETag"],
        conditions=["If-None-Match", "Range"],
    )


# By operation id: the name of the view, or where a view has a second address a name for that.
OPERATIONS = {
    "submit_lead": Operation(
        {201: "The submission is stored; its letters are on their way."},
        NOT_FORM | {415: ["form_expected"], 422: ["http_422", "idempotency_key_reused"], 503: ["storage_unavailable"]},
        "Submitted",
        (UPLOAD, "SubmitForm"),
        headers=["Location", "Idempotency-Replayed"],
        refuses=SUBMITTED,
        conditions=["Idempotency-Key"],
        is_open=True,
    ),
    "list_leads": Operation(
        {200: "One page, and how many there are."},
        BY_TOKEN | {422: ["http_422"]},
        "Page",
        headers=["Link"],
        refuses=LISTED,
    ),
    "show_lead": Operation(
        {200: "The lead and its submissions, newest first.", 304: "You have this version already."},
        BY_TOKEN | NO_LEAD,
        "Lead",
        headers=["ETag"],
        conditions=["If-None-Match"],
    ),
    "mark_reached_out": Operation(
        {200: "The lead is marked; `reached_out_at` is when that was first done."},
        BY_TOKEN | NO_LEAD | NOT_JSON | {409: ["status_transition", "submission_newer"], 412: ["version_stale"]},
        "MarkedLead",
        (JSON, "Status"),
        headers=["ETag"],
        refuses={"status": ["status_unknown"], "*": ["field_unknown"]},
        conditions=["If-Match"],
    ),
    "open_resume": resume("lead_unknown"),
    "open_submission_resume": resume("submission_unknown"),
    "register": Operation(
        {201: "The account is made; a colleague may have to enable it."},
        NOT_JSON | {403: ["registration_closed"]},
        "Registered",
        (JSON, "Register"),
        refuses=REGISTERED,
        is_open=True,
    ),
    "login": Operation(
        {200: "A token for the header `Authorization: Bearer`."},
        NOT_FORM | {401: ["bad_credentials"], 403: ["account_inactive"], 415: ["form_encoded_expected"]},
        "Token",
        (FORM, "LoginForm"),
        refuses={"username": ["sign_in_name_missing"]},
        is_open=True,
    ),
    "me": Operation({200: "The account of this token."}, BY_TOKEN, "User"),
}
