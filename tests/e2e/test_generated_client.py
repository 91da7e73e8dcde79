"""A client generated from the API's document works without changes."""

import importlib
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from types import ModuleType

import pytest

from tests import samples
from tests.factories import PASSWORD
from tests.site import Site

# The generator does not know that a PDF is bytes, and it reads only the first type of a file.
CONFIG = "content_type_overrides:\n  application/pdf: application/octet-stream\n"


@pytest.fixture
def generated(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The client's package, generated from the document alone and without warnings."""
    with site.client() as client:
        (tmp_path / "openapi.json").write_bytes(client.get("/openapi.json").content)
    (tmp_path / "config.yaml").write_text(CONFIG)
    programs = Path(sys.executable).parent
    options = (
        "--path openapi.json --config config.yaml --meta none "
        "--output-path leads_client --fail-on-warning"
    )
    command = [str(programs / "openapi-python-client"), "generate"]
    command.extend(options.split())
    # The generator formats with ruff.
    environment = dict(os.environ)
    environment["PATH"] = f"{programs}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("api.auth.login", "api.leads", "models"):
        importlib.import_module(f"leads_client.{name}")
    for name in ("submit_lead", "list_leads", "show_lead", "mark_reached_out", "open_resume"):
        importlib.import_module(f"leads_client.api.leads.{name}")
    return importlib.import_module("leads_client")


def test_a_generated_client_spends_the_day(generated: ModuleType, site: Site) -> None:
    models = generated.models
    leads = generated.api.leads
    auth = generated.api.auth
    resume = generated.types.File(BytesIO(samples.docx()), "cv.docx")
    form = models.SubmitForm(
        first_name="José", last_name="Álvarez", email="jose@example.com", resume=resume
    )
    with generated.Client(site.url, raise_on_unexpected_status=True) as anybody:
        sent = leads.submit_lead.sync(client=anybody, body=form, idempotency_key="once")
        login = models.LoginForm(username="ana", password=PASSWORD)
        token = auth.login.sync(client=anybody, body=login)
        refused = leads.list_leads.sync(client=anybody)
    assert sent.first_name == "José"
    assert sent.status == "PENDING"
    assert refused.code == "not_signed_in"
    with generated.AuthenticatedClient(
        site.url, token.access_token, raise_on_unexpected_status=True
    ) as client:
        pending = models.ListLeadsStatus.PENDING
        page = leads.list_leads.sync(client=client, q="jose", status=pending)
        assert [lead.id for lead in page.items] == [sent.id]
        read = leads.show_lead.sync_detailed(sent.id, client=client)
        change = models.Status(status=models.StatusStatus.REACHED_OUT)
        mark = leads.mark_reached_out.sync
        marked = mark(sent.id, client=client, body=change, if_match=read.headers["ETag"])
        assert marked.reached_out_at > read.parsed.created_at
        stale = mark(sent.id, client=client, body=change, if_match='"stale"')
        assert stale.code == "version_stale"
        assert stale.status == 412
        file = leads.open_resume.sync(sent.id, client=client)
        assert file.payload.read() == samples.docx()
