"""The docs are correct: blocks are run; targets, commands, tables and links exist."""

import re
import tomllib
from pathlib import Path

import click
import pytest

from leadapp import create_app
from leadapp.extensions import db
from tests.servers import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))
PAGES.insert(0, ROOT / "README.md")
# Tests run every `sh` block of these pages.
TYPED = {"README.md", "docs/api.md", "docs/operations.md"}
KINDS = {"sh", "sh docker", "python", "ini", "html", "cron"}
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("document", PAGES, ids=name)
def test_every_command_block_is_typed_by_a_test_or_needs_docker(document: Path) -> None:
    for kind, block in BLOCK.findall(document.read_text()):
        assert kind in KINDS, block
        if kind == "sh":
            assert name(document) in TYPED, block
        if kind == "sh docker":
            assert re.search(r"^docker |^make docker-", block, re.MULTILINE), block


def anchors(page: Path) -> set[str]:
    """Return the fragments under which GitHub shows the headings of a page."""
    found = set()
    for title in re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE):
        words = re.sub(r"[^\w -]", "", title.lower())
        found.add(words.replace(" ", "-"))
    return found


@pytest.mark.parametrize("document", PAGES, ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", document.read_text()):
        path, _, anchor = target.partition("#")
        there = document
        if path:
            there = document.parent / path
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


@pytest.mark.parametrize("document", PAGES, ids=name)
def test_make_targets_and_flask_commands_are_there(document: Path, tmp_path: Path) -> None:
    text = document.read_text()
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]+):", makefile, re.MULTILINE))
    named = re.findall(r"(?:^|`|&& )make (?!PYTHON)([a-z][a-z-]+)", text, re.MULTILINE)
    assert set(named) <= targets
    commands = create_app({"INSTANCE_PATH": str(tmp_path), "RATELIMIT_ENABLED": "false"}).cli
    for words in re.findall(r"(?:`|bin/|api )flask ([a-z][a-z -]*[a-z])", text):
        found: click.Command | None = commands
        for word in words.split(" --")[0].split():
            if word in ("run", "config") or not isinstance(found, click.Group):
                break
            found = found.get_command(click.Context(found), word)
            assert found, words


def test_the_architecture_names_every_table() -> None:
    text = (ROOT / "docs/architecture.md").read_text().partition("| Table |")[2]
    named = re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)
    assert set(named) == set(db.metadata.tables)


def test_the_architecture_names_the_rooms_as_the_import_contract_orders_them() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    rooms = text.partition("| Room | Purpose |")[2].partition("\n\n")[0]
    first_cells = [row.split("|")[1] for row in rooms.splitlines()[2:]]
    rows = [re.findall(r"`([a-z]+)`", cell) for cell in first_cells]
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = pyproject["tool"]["importlinter"]["contracts"][0]["layers"]
    assert rows == [layer.split(" | ") for layer in layers]
    for room in re.findall(r"`([a-z]+/[a-z]+\.py)`", text):
        assert (ROOT / "leadapp" / room).exists(), room
