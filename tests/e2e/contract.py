"""Hooks for schemathesis: valid resumes, and the refusals that no schema can express."""

from typing import Any

import schemathesis
from email_validator import SPECIAL_USE_DOMAIN_NAMES
from hypothesis import strategies
from schemathesis.openapi.checks import RejectedPositiveData

from leadapp.validation import PASSWORD_MAX_BYTES
from tests import samples

# A schema cannot express that a name is free, that a password is rare, that a file is a resume,
# or that a version or a range exists.
BEYOND_A_SCHEMA = {
    "username_taken",
    "email_taken",
    "password_common",
    "resume_type",
    "resume_misnamed",
    "idempotency_key_reused",
    "version_stale",
    "http_416",
}

schemathesis.openapi.format("binary", strategies.just(samples.pdf()))


def codes(response: Any) -> set[str]:
    """Return the error codes of a problem: one for each value it names, else its own code."""
    problem = response.json()
    return {error["code"] for error in problem.get("errors", [problem])}


def is_beyond_a_schema(code: str, case: Any) -> bool:
    """Return whether no schema could have predicted this refusal."""
    body = getattr(case.body, "body", case.body)
    if code == "email_format":
        special = tuple(f".{name}" for name in SPECIAL_USE_DOMAIN_NAMES)
        return str(body["email"]).endswith(special)
    if code == "password_length":
        return len(str(body["password"]).encode()) > PASSWORD_MAX_BYTES
    return code in BEYOND_A_SCHEMA


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Report every failure except refusals that no schema can express."""
    if not isinstance(failure, RejectedPositiveData):
        return True
    return not all(is_beyond_a_schema(code, case) for code in codes(response))


@schemathesis.check
def a_problem_is_one_that_the_document_names(_ctx: Any, response: Any, case: Any) -> None:
    """Check that an operation answers only with error codes that its documentation lists."""
    if response.status_code < 400 or response.status_code == 405:
        return
    documented = case.operation.definition.raw["responses"][str(response.status_code)]
    known = set(documented["content"]["application/problem+json"]["examples"])
    for refusals in documented.get("x-refusals", {}).values():
        known.update(refusals)
    assert codes(response) <= known, f"{codes(response)} is not documented: {known}"
