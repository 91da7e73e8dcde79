"""Log lines are readable text at a terminal, and machine-readable elsewhere."""

import io
import json
import logging
import sys
from typing import Any

import pytest

from leadapp import log

TYPED = "Ana Ruiz"


class Screen(io.StringIO):
    """Standard error that reports itself as a terminal."""

    def isatty(self) -> bool:
        return True


def record(message: str, fault: bool = False, **facts: object) -> logging.LogRecord:
    exc_info: Any = None
    if fault:
        try:
            raise ValueError(TYPED)
        except ValueError:
            exc_info = sys.exc_info()
    made = logging.LogRecord("leadapp", logging.WARNING, __file__, 1, message, (), exc_info)
    made.facts = facts
    return made


def test_a_terminal_shows_a_line_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Screen())
    line = log.formatter().format(record("request", status=303, route="/"))
    assert line[2] == line[5] == ":"
    assert line[9:] == "warning request status=303 route=/"


def test_a_terminal_shows_where_a_fault_was_and_not_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", Screen())
    shown = log.formatter().format(record("a fault of ours", fault=True))
    assert "test_log.py" in shown
    assert shown.endswith("ValueError")
    assert TYPED not in shown


def test_elsewhere_a_line_is_one_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    line = log.formatter().format(record("request\nforged", status=303))
    assert "\n" not in line
    told = json.loads(line)
    assert told["level"] == "warning"
    assert told["message"] == "request\nforged"
    assert told["status"] == 303
    assert told["at"].endswith("+00:00")
