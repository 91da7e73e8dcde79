"""Finds and runs the commands and code that the docs contain."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.servers import ROOT

THEIRS = "http://127.0.0.1:8000"  # address of the site in the docs


def blocks(name: str, language: str = "sh") -> list[str]:
    """Return the blocks of one language in a page of the docs, in order."""
    text = (ROOT / name).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def type_in(script: str, url: str, folder: Path, language: str = "sh", **known: str) -> str:
    """Run a script against the site at `url` with these variables, and return its output.

    Fails the test if the script fails.
    """
    words = "".join(f"{name} = {value!r}\n" for name, value in known.items())
    script = script.replace(THEIRS, url)
    command = ["bash", "-c", f"set -euo pipefail\n{script}"]
    if language == "python":
        command = [sys.executable, "-c", words + script]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | known,
        capture_output=True,
        text=True,
        timeout=240,  # a few commands, each of which may take seconds on a busy machine
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout
