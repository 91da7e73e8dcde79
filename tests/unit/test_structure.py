"""The code keeps its structure and reads well: import rules, sizes, docstrings, figures."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import readability

ROOT = Path(__file__).parents[2]
APPLICATION = sorted((ROOT / "leadapp").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MODULE_MAX, FUNCTION_MAX, HANDLER_MAX = 250, 40, 20
TEST_MODULE_MAX, TEST_MAX = 300, 40


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield node


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def length(node: ast.FunctionDef) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def too_long(paths: list[Path], limit: int, start: str = "") -> list[str]:
    found = []
    for path in paths:
        for node in functions(path):
            if node.name.startswith(start) and length(node) > limit:
                found.append(f"{relative(path)}: {node.name} has {length(node)} lines")
    return found


def test_imports_go_down() -> None:
    # Run in a separate process, because it disables every logger that it finds.
    program = str(Path(sys.executable).with_name("lint-imports"))
    lint = [program, "--no-logo", "--no-cache"]
    done = subprocess.run(lint, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", APPLICATION + TESTS, ids=relative)
def test_a_module_fits_on_a_few_screens(path: Path) -> None:
    limit = MODULE_MAX
    if path in TESTS:
        limit = TEST_MODULE_MAX
    assert len(path.read_text().splitlines()) <= limit


@pytest.mark.parametrize("path", APPLICATION, ids=relative)
def test_a_module_says_in_one_line_what_it_answers_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert (docstring or "").partition("\n")[0].endswith((".", ":"))


def test_functions_are_short() -> None:
    assert too_long(APPLICATION, FUNCTION_MAX) == []


def test_route_handlers_are_shorter() -> None:
    edges = [path for path in APPLICATION if path.parent.name in ("web", "api")]
    assert too_long(edges, HANDLER_MAX) == []


def test_tests_are_short() -> None:
    assert too_long(TESTS, TEST_MAX, start="test_") == []


def test_the_application_reads_well() -> None:
    figures = readability.measure([*APPLICATION, ROOT / "gunicorn.conf.py"]).figures()
    assert too_high(figures, readability.AIMS) == []


def test_the_tests_read_well() -> None:
    assert too_high(readability.measure(TESTS).figures(), readability.TESTS_AIMS) == []


def too_high(figures: dict[str, float], aims: dict[str, float]) -> list[str]:
    return [f"{name}: {figures[name]:.1f}" for name in aims if figures[name] > aims[name]]
