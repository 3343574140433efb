"""What a resumed run wrote anew counts, and nothing of the thrown-away line is left."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from asrdq.monitoring.lineage import untangle
from asrdq.monitoring.logs import Log, frame
from asrdq.monitoring.run_log import combine
from asrdq.monitoring.sources import Kind


def rows(*points: tuple[int, str, float]) -> pl.DataFrame:
    return frame((step, name, value, None, None) for step, name, value in points)


def kept(found: pl.DataFrame) -> set[tuple[int, str, float]]:
    return set(found.select("step", "name", "value").iter_rows())


def test_a_resumed_run_throws_away_what_came_after_its_checkpoint() -> None:
    first = [(step, "loss", float(step)) for step in range(1, 7)] + [(6, "eval_wer", 0.6)]
    again = [(4, "loss", 40.0), (5, "loss", 50.0)]
    line = untangle(rows((2, "eval_wer", 0.2), *first, *again))
    assert kept(line.rows) == {
        (1, "loss", 1.0), (2, "loss", 2.0), (3, "loss", 3.0), (4, "loss", 40.0), (5, "loss", 50.0),
        (2, "eval_wer", 0.2),
    }  # fmt: skip
    assert set(line.superseded.select("metric", "step").iter_rows()) == {("loss", 6), ("wer", 6)}
    assert line.resumes == 1


def test_metrics_of_one_resumption_are_one() -> None:
    first = [(10, "lr", 1.0), (10, "loss", 1.0), (20, "lr", 1.0), (20, "loss", 1.0)]
    again = [(11, "lr", 2.0), (11, "loss", 2.0), (12, "lr", 2.0), (12, "loss", 2.0)]
    line = untangle(rows(*first, *again))
    assert line.resumes == 1
    assert {step for step, *_ in kept(line.rows)} == {10, 11, 12}


def test_two_resumptions_are_two() -> None:
    line = untangle(rows(*((step, "loss", 0.1 * step) for step in (1, 2, 3, 2, 3, 4, 1, 2))))
    assert line.resumes == 2
    assert {step for step, *_ in kept(line.rows)} == {1, 2}


def test_the_last_of_a_step_that_is_logged_twice_counts() -> None:
    line = untangle(rows((1, "loss", 5.0), (2, "loss", 4.0), (2, "loss", 3.0)))
    assert kept(line.rows) == {(1, "loss", 5.0), (2, "loss", 3.0)}
    assert (line.resumes, line.superseded.height) == (0, 0)


@given(st.lists(st.integers(1, 12), max_size=40))
def test_the_line_is_that_of_following_the_log_by_hand(steps: list[int]) -> None:
    expected: dict[int, float] = {}
    for place, step in enumerate(steps):
        if expected and step < max(expected):
            expected = {own: value for own, value in expected.items() if own < step}
        expected[step] = float(place)
    line = untangle(rows(*((step, "loss", float(place)) for place, step in enumerate(steps))))
    assert kept(line.rows) == {(step, "loss", value) for step, value in expected.items()}
    assert set(line.superseded["step"].to_list()) == set(steps) - set(expected)


def test_a_metric_comes_from_the_log_with_all_its_digits() -> None:
    state = Log("trainer_state.json", rows((10, "loss", 0.12345)))
    bars = Log("train.log", rows((9, "loss", 0.1), (10, "loss", 0.12), (10, "it/s", 2.0)))
    found = combine([(Kind.TRAINER_STATE, state), (Kind.TEXT, bars)])
    assert kept(found.rows) == {(10, "loss", 0.12345), (10, "it/s", 2.0)}


def test_of_states_the_one_that_reaches_farthest_counts() -> None:
    """A run that ended at 4, and was then given more steps, has not ended."""
    ended = Log("checkpoint-4/trainer_state.json", rows((4, "loss", 1.0)), max_steps=4, ended=True)
    more = Log("trainer_state.json", rows((4, "loss", 1.5), (5, "loss", 1.0)), max_steps=9)
    found = combine([(Kind.TRAINER_STATE, more), (Kind.TRAINER_STATE, ended)])
    assert kept(found.rows) == {(4, "loss", 1.5), (5, "loss", 1.0)}
    assert (found.ended, found.max_steps) == (False, 9)
