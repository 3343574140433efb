"""metrics.csv: whole lines, new columns, and what a resumed run throws away."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from asrdq.errors import ToolError
from asrdq.training.metrics_file import MetricsFile


@pytest.fixture
def file(tmp_path: Path) -> MetricsFile:
    return MetricsFile(tmp_path / "run" / "metrics.csv")


def test_lines_and_columns_come_as_they_come(file: MetricsFile) -> None:
    file.append(1, {"train_loss": 2.5}, 0.5, 1000.0)
    file.append(2, {"train_loss": math.nan}, None, 1001.0)
    file.append(2, {"val_wer": 0.25}, 1.0, 1002.0)
    assert file.path.read_text() == (
        "step,epoch,wall_time,train_loss,val_wer\n"
        "1,0.5,1000.000,2.5,\n"
        "2,,1001.000,nan,\n"
        "2,1.0,1002.000,,0.25\n"
    )


def test_what_was_written_is_read_with_its_times(file: MetricsFile) -> None:
    file.append(7, {"val_wer": 0.25, "train_loss": math.inf}, 0.5, 1_700_000_000.25)
    rows = file.read().rows.to_dicts()
    assert [(row["split"], row["metric"], row["value"]) for row in rows] == [
        ("validation", "wer", 0.25),
        ("train", "loss", math.inf),
    ]
    assert {(row["step"], row["epoch"], row["wall_time"]) for row in rows} == {
        (7, 0.5, 1_700_000_000.25)
    }


def test_a_cut_drops_later_steps_and_a_line_that_was_never_finished(file: MetricsFile) -> None:
    for step in range(1, 6):
        file.append(step, {"train_loss": step / 2}, None, 1000.0 + step)
    with file.path.open("a") as log:
        log.write("6,,1006.0")
    again = MetricsFile(file.path)
    again.cut(3)
    again.append(4, {"train_loss": 9.0}, None, 2000.0)
    again.append(4, {"val_loss": 8.0}, None, 2001.0)
    assert again.path.read_text() == (
        "step,epoch,wall_time,train_loss,val_loss\n"
        "1,,1001.000,0.5,\n2,,1002.000,1.0,\n3,,1003.000,1.5,\n"
        "4,,2000.000,9.0,\n4,,2001.000,,8.0\n"
    )


def test_nothing_was_logged(file: MetricsFile) -> None:
    assert file.read().rows.height == 0
    file.cut(10)
    assert file.read().rows.height == 0


@pytest.mark.parametrize("name", ["loss,train", "", "step", 'a"b', "two\nlines"])
def test_a_name_that_is_no_column_is_a_mistake_of_the_program(file: MetricsFile, name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a metric"):
        file.append(1, {name: 1.0}, None, 0.0)


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").mkdir()
    file = MetricsFile(tmp_path / "metrics.csv")
    with pytest.raises(ToolError, match="cannot be read"):
        file.append(1, {"train_loss": 1.0}, None, 0.0)
