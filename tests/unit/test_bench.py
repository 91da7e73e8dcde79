"""The arithmetic of the benchmark: ratios, percentiles and verdicts."""

import pytest

from tests.load import report
from tests.load.crowd import Crowd
from tests.load.goals import GOALS, Goal, verdict
from tests.load.measure import Cost

AT_MOST = Goal("cpu", "list", "CPU / peer", 0.75, 0.9)
AT_LEAST = Goal("rate", "lists a second", "rate / peer", 1, at_least=True)


def test_a_ratio_compares_both_sides_of_each_round() -> None:
    cost = Cost({"leadapp": [1.0, 10.0, 3.0], "peer": [2.0, 20.0, 3.0]})
    assert cost.ratio("leadapp", "peer") == 0.5
    assert cost.of("leadapp") == 3.0


def test_a_percentile_is_a_measured_value_or_between_two() -> None:
    crowd = Crowd([float(number) for number in range(101)])
    assert crowd.percentile(50) == 50
    assert crowd.percentile(99) == 99


@pytest.mark.parametrize(
    ("goal", "sqlite", "postgres", "words"),
    [
        (AT_MOST, 0.75, 0.9, "reached"),
        (AT_MOST, 0.76, 0.9, "MISSED on SQLite"),
        (AT_MOST, 0.75, 0.91, "MISSED on PostgreSQL"),
        (AT_MOST, 0.8, 1.0, "MISSED"),
        (AT_LEAST, 1.0, 2.0, "reached"),
        (AT_LEAST, 0.9, 1.0, "MISSED on SQLite"),
    ],
)
def test_a_verdict_names_the_database_that_misses(
    goal: Goal, sqlite: float, postgres: float, words: str
) -> None:
    assert (
        verdict(goal, {"SQLite": {goal.key: sqlite}, "PostgreSQL": {goal.key: postgres}}) == words
    )


def test_a_row_without_a_figure_is_not_measured() -> None:
    assert verdict(AT_MOST, {"SQLite": {}, "PostgreSQL": {}}) == "not measured"


def test_a_run_of_some_parts_leaves_the_other_rows_out() -> None:
    figures = {"SQLite": {GOALS[0].key: 12.0}}
    assert len(report.goals(figures).splitlines()) == len(GOALS) + 2
    assert len(report.goals(figures, whole=False).splitlines()) == 3


def test_each_goal_has_its_own_key() -> None:
    keys = [goal.key for goal in GOALS]
    # Two rows of the table show the same figure of a scenario only by different keys.
    assert len(set(keys)) == len(keys)


def test_the_table_and_the_picture_fit_into_sixty_lines_of_the_page() -> None:
    assert len(report.goals({}).splitlines()) + 2 <= 60
