"""Whether the process is alive, and whether everything it depends on works."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from .. import upkeep

bp = Blueprint("health", __name__)


@bp.get("/health")
def health() -> dict[str, str]:
    """Answer, without asking anything else."""
    return {"status": "healthy"}


@bp.get("/ready")
def ready() -> ResponseReturnValue:
    """Tell which parts work, for whoever watches; never why one does not, since strangers read this."""
    parts = {name: "ok" if works else "fail" for name, works in upkeep.readiness().items()}
    if "fail" in parts.values():
        return {"status": "not ready", "checks": parts}, 503, {"Retry-After": "60"}
    return {"status": "ready", "checks": parts}
