"""Health checks: /health for the process, /ready for the parts it depends on."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from ..http.marks import public
from ..operations import doctor

bp = Blueprint("health", __name__)


@bp.get("/health")
@public
def health() -> dict[str, str]:
    """Report that the process is alive, without checking anything else."""
    return {"status": "healthy"}


@bp.get("/ready")
@public
def ready() -> ResponseReturnValue:
    """Report which parts work, for monitoring.

    Never shows the cause of a failure, because this page is public.
    """
    readiness = doctor.readiness()
    parts = {name: "ok" if works else "fail" for name, works in readiness.items()}
    if all(readiness.values()):
        return {"status": "ready", "checks": parts}
    return {"status": "not ready", "checks": parts}, 503, {"Retry-After": "60"}
