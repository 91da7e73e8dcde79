"""The commands of the README work in a copy of the repository."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.blocks import blocks, type_in
from tests.servers import ROOT
from tests.servers.ports import free_port


@pytest.fixture
def running(clone: Path) -> Iterator[str]:
    """`make run` on a free port."""
    port = str(free_port())
    environment = dict(os.environ)
    environment["PORT"] = port
    server = subprocess.Popen(["make", "run"], cwd=clone, env=environment, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            httpx.get(f"{url}/health")
            break
        except httpx.TransportError:
            time.sleep(0.1)
    yield url
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(30)


def test_the_first_lead_in_five_minutes(clone: Path, running: str) -> None:
    commands = blocks("README.md")
    assert commands[:2] == ["make run\n", "make test\n"]
    said = type_in("".join(commands[2:]), running, clone)
    marked = json.loads(said.splitlines()[-1])
    assert marked["status"] == "REACHED_OUT"
    assert (clone / "resume.pdf").read_bytes() == (clone / "cv.pdf").read_bytes()


def test_the_first_screen_is_one_sentence_one_picture_two_commands() -> None:
    first = (ROOT / "README.md").read_text().split("## ")[0]
    assert first.count("```sh") == 2
    [picture] = re.findall(r"!\[.+\]\((.+)\)", first)
    assert (ROOT / picture).stat().st_size > 10_000
