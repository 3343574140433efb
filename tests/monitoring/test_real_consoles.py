"""Consoles that trainers wrote, against what the same trainers logged with all digits."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from asrdq.monitoring.readers.metrics_csv import read_metrics_csv
from asrdq.monitoring.readers.text_log import read_text_log
from asrdq.monitoring.readers.trainer_state import read_trainer_state
from asrdq.monitoring.run_log import LogReader, combine
from asrdq.monitoring.sources import Kind

LOGS = Path(__file__).parent / "logs"


def values(rows: pl.DataFrame, split: str, metric: str) -> dict[int, float]:
    text = pl.col("split", "metric").cast(pl.String)
    own = rows.with_columns(text).filter(pl.col("split") == split, pl.col("metric") == metric)
    return dict(zip(own["step"].to_list(), own["value"].to_list(), strict=True))


@pytest.mark.parametrize("metric", ["loss", "grad_norm", "learning_rate"])
def test_what_the_trainer_prints_is_what_its_state_has(metric: str) -> None:
    state = read_trainer_state(LOGS / "trainer" / "trainer_state.json", "state")
    console = read_text_log(LOGS / "trainer" / "console.out", "console")
    expected = values(state.rows, "train", metric)
    assert len(expected) == 12
    assert values(console.rows, "train", metric) == pytest.approx(expected, rel=1e-3)
    assert (console.ended, console.max_steps, console.unreadable) == (True, 60, 0)


@pytest.mark.parametrize("metric", ["loss", "wer"])
def test_evaluations_that_the_trainer_prints(metric: str) -> None:
    state = read_trainer_state(LOGS / "trainer" / "trainer_state.json", "state")
    console = read_text_log(LOGS / "trainer" / "console.out", "console")
    expected = values(state.rows, "validation", metric)
    assert list(expected) == [20, 40, 60]
    assert values(console.rows, "validation", metric) == expected


def test_the_bars_of_lightning_are_what_its_csv_has() -> None:
    """The CSV counts steps from 0 and has every fifth; a bar counts from 1 and has three digits."""
    log = read_text_log(LOGS / "lightning" / "console.out", "console")
    console = combine([(Kind.TEXT, log)])
    assert (log.ended, log.max_steps, console.resumes) == (True, 60, 0)
    bars = values(console.rows, "train", "loss")
    assert list(bars) == list(range(1, 61))
    parts = [LOGS / "lightning" / f"version_{part}" / "metrics.csv" for part in (0, 1)]
    csv = combine([(Kind.CSV, read_metrics_csv(part, part.parent.name)) for part in parts])
    logged = values(csv.rows, "train", "loss")
    assert list(logged) == list(range(4, 60, 5))
    assert [bars[step + 1] for step in logged] == pytest.approx(list(logged.values()), rel=5e-3)
    rates = values(csv.rows, "validation", "wer")
    assert list(rates) == [7, 15, 23, 31, 39, 47, 55]
    told = values(console.rows, "validation", "wer")
    assert [told[step + 1] for step in rates] == pytest.approx(list(rates.values()), rel=1e-4)


def test_all_logs_of_a_run_together_have_each_step_once() -> None:
    log = LogReader(LOGS / "lightning").read()
    counted = log.rows.group_by("split", "metric", "step").len()
    assert counted["len"].max() == 1
    assert list(values(log.rows, "train", "loss")) == list(range(4, 60, 5))
    assert max(values(log.rows, "train", "steps_per_second")) == 60  # only the bars have it
