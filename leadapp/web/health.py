"""Is the process alive."""

from flask import Blueprint

bp = Blueprint("health", __name__)


@bp.get("/health")
def health() -> dict[str, str]:
    """Answer, without asking anything else."""
    return {"status": "healthy"}
