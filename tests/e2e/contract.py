"""What schemathesis is told of this API when it runs: files that are resumes, and what no schema can say."""

from typing import Any

import schemathesis
from hypothesis import strategies

from tests import samples

# A schema cannot say that a name is free, a password is rare, a file is a resume, or a version and a range are there.
BEYOND_A_SCHEMA = {
    "username_taken",
    "email_taken",
    "password_common",
    "resume_type",
    "idempotency_key_reused",
    "version_stale",
    "http_416",
}

schemathesis.openapi.format("binary", strategies.just(samples.pdf()))


def codes(response: Any) -> set[str]:
    """What a problem says was wrong: of each value if it names them, else of the whole."""
    problem = response.json()
    return {error["code"] for error in problem.get("errors", [problem])}


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, _case: Any, response: Any) -> bool:
    """Report every failure but the refusal of what no schema can describe."""
    refused = isinstance(failure, schemathesis.core.failures.Failure) and "Schema-valid" in failure.title
    return not (refused and codes(response) <= BEYOND_A_SCHEMA)


@schemathesis.check
def a_problem_is_one_that_the_document_names(_ctx: Any, response: Any, case: Any) -> None:
    if response.status_code < 400 or response.status_code == 405:
        return
    documented = case.operation.definition.raw["responses"][str(response.status_code)]
    known = {*documented["content"]["application/problem+json"]["examples"]}
    known |= {code for field in documented.get("x-refusals", {}).values() for code in field}
    assert codes(response) <= known, f"{codes(response)} is not documented: {known}"
