"""Commands that list, export and erase leads."""

import json
import uuid
from typing import Any

import click
from flask.cli import AppGroup

from ..clock import now
from ..formatting import span
from ..http.readers import PAGE_MAX, SIZE_MAX, QuerySchema
from ..http.writers import LeadSchema
from ..leads import detail, erasure, export, search
from ..models.leads import LeadStatus
from .console import ask, counted, mendable, reporting

lead_commands = AppGroup("lead", help="List, export and erase leads.")
SHOWN = (
    "id",
    "reference",
    "first_name",
    "last_name",
    "email",
    "status",
    "created_at",
    "updated_at",
    "reached_out_at",
)
status = click.option("--status", type=click.Choice([*LeadStatus.__members__]))
q = click.option(
    "--q", default="", help="Find names, e-mail addresses or references that start with this."
)


@lead_commands.command("list")
@status
@q
@click.option("--page", default=1, type=click.IntRange(1, PAGE_MAX), show_default=True)
@click.option(
    "--size",
    default=100,
    type=click.IntRange(1, SIZE_MAX),
    show_default=True,
    help="Leads per page.",
)
@reporting
def list_leads(as_json: bool, **typed: Any) -> None:
    """List leads, newest first: id, reference, status, waiting time, name, e-mail address."""
    page = search.search(QuerySchema().read(typed))
    if as_json:
        click.echo(json.dumps(LeadSchema(only=SHOWN, many=True).dump(page.items)))
    else:
        for lead in page.items:
            waits = span(now() - lead.pending_since) if lead.status == "PENDING" else "-"
            click.echo(
                "\t".join(
                    (str(lead.id), lead.reference, lead.status, waits, lead.full_name, lead.email)
                )
            )
    click.echo(f"page {page.query.page} of {page.pages}, {page.total} in total", err=True)


@lead_commands.command("export")
@status
@q
@mendable
def export_leads(**typed: Any) -> None:
    """Print leads as CSV."""
    for row in export.export_csv(QuerySchema().read(typed), by=None):
        click.echo(row, nl=False)


@lead_commands.command("erase")
@click.argument("lead_id", type=click.UUID)
@click.option("--reference", help="The lead's reference, as confirmation.")
@counted
def erase_lead(lead_id: uuid.UUID, reference: str | None) -> dict[str, str]:
    """Erase a lead for good, with its details, e-mails and history.

    The next sweep deletes its files.
    """
    lead = detail.read(lead_id)
    erasure.erase_by_reference(
        lead_id,
        None,
        reference or ask(f"To erase {lead.full_name}, type {lead.reference}", "--reference"),
    )
    return {"erased": lead.reference}
