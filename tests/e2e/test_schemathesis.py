"""Every check of schemathesis confirms that the API keeps the promises of its document."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.servers import ROOT
from tests.site import Site

# The password in the document's examples, so that signing in succeeds.
PASSWORD = "Counsel4You"


def test_the_api_keeps_every_promise_of_its_document(
    start_site: Callable[..., Site], tmp_path: Path
) -> None:
    site = start_site()
    site.create_user("ana", PASSWORD)
    options = "--checks all --max-examples 10 --generation-deterministic --no-color"
    header = f"Authorization: Bearer {site.token('ana', PASSWORD)}"
    program = str(Path(sys.executable).parent / "st")
    command = [program, "run", f"{site.url}/openapi.json", "--header", header]
    command.extend(options.split())
    environment = dict(os.environ)
    environment.update(SCHEMATHESIS_HOOKS="tests.e2e.contract", PYTHONPATH=str(ROOT))
    done = subprocess.run(
        command,
        # schemathesis writes files to its working directory.
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    told = done.stdout + done.stderr + site.server.log()[-2000:]
    assert done.returncode == 0, told
    assert "Tested: 10" in done.stdout
