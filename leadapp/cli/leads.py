"""Commands that list, export and erase leads."""

import json
import uuid
from typing import Any

import click
from flask.cli import AppGroup

from ..clock import now
from ..formatting import span
from ..http.readers import PAGE_MAX, SIZE_MAX, STATUSES, QuerySchema
from ..http.writers import LeadSchema
from ..leads import detail, erasure, export, search
from ..models.leads import LeadStatus
from .console import ask, json_option, prints_result, reports_errors

lead_commands = AppGroup("lead", help="List, export and erase leads.")
JSON_FIELDS = (
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
status_option = click.option("--status", type=click.Choice(STATUSES))
q_option = click.option(
    "--q", default="", help="Find words of names, e-mail addresses, @domains or references."
)


@lead_commands.command("list")
@status_option
@q_option
@click.option(
    "--page",
    default=1,
    type=click.IntRange(1, PAGE_MAX),
    show_default=True,
)
@click.option(
    "--size",
    default=100,
    type=click.IntRange(1, SIZE_MAX),
    show_default=True,
    help="Leads per page.",
)
@json_option
@reports_errors
def list_leads(as_json: bool, **options: Any) -> None:
    """List leads, newest first.

    The columns are id, reference, status, waiting time, name and e-mail address.
    """
    page = search.search(QuerySchema().read(options))
    if as_json:
        rows = LeadSchema(only=JSON_FIELDS, many=True).dump(page.items)
        click.echo(json.dumps(rows))
    else:
        for lead in page.items:
            waits = "-"
            if lead.status == LeadStatus.PENDING:
                waits = span(now() - lead.pending_since)
            click.echo(
                f"{lead.id}\t{lead.reference}\t{lead.status}\t{waits}\t"
                f"{lead.full_name}\t{lead.email}"
            )
    place = f"page {page.query.page}"
    if page.total.is_exact:
        place += f" of {page.pages}"
    click.echo(f"{place}, {page.total} in total", err=True)


@lead_commands.command("export")
@status_option
@q_option
@reports_errors
def export_leads(**options: Any) -> None:
    """Print leads as CSV."""
    query = QuerySchema().read(options)
    for row in export.export_csv(query, by=None):
        click.echo(row, nl=False)


@lead_commands.command("erase")
@click.argument("lead_id", type=click.UUID)
@click.option("--reference", help="The lead's reference, as confirmation.")
@prints_result
def erase_lead(lead_id: uuid.UUID, reference: str | None) -> dict[str, str]:
    """Erase a lead for good, with its details, e-mails and history.

    The next sweep deletes its files.
    """
    lead = detail.read(lead_id)
    if not reference:
        question = f"To erase {lead.full_name}, type {lead.reference}"
        reference = ask(question, "--reference")
    erasure.erase_by_reference(lead_id, None, reference)
    return {"erased": lead.reference}
