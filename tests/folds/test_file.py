"""The file of the folds is read as it was written, and says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from asrdq.errors import UsageError
from asrdq.folds import FOLDS_FILE, FoldModel, read_folds
from asrdq.folds.file import write_folds


def test_what_was_written_is_read_and_models_move_along(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    elsewhere = tmp_path / "m.nemo"
    folds = [
        FoldModel("fold-1", ("ann", "no", "12"), here / "fold-1/run"),
        FoldModel("fold-2", ("ben",), elsewhere),
    ]
    write_folds(here / FOLDS_FILE, folds)
    assert read_folds(here) == read_folds(here / FOLDS_FILE) == folds
    moved = here.rename(tmp_path / "moved")
    assert [fold.model for fold in read_folds(moved)] == [moved / "fold-1/run", elsewhere]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("folds: []\n", "folds.yaml:1"),
        ("folds:\n- {name: a, speakers: [], model: m}\n", "folds.yaml:2"),
        ("folds:\n- {name: a, speakers: [x]}\n", "model"),
        (
            "folds:\n- name: a\n  speakers: [x, 1089]\n  model: m\n",
            "is a number: put it in quotes, as in '1089'",
        ),
        ("folds:\n- {name: a, speakers: [x], model: m, made: up}\n", "made"),
        (
            "folds:\n- {name: a, speakers: [x], model: m}\n- {name: a, speakers: [y], model: m}\n",
            "two folds have one name",
        ),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / FOLDS_FILE).write_text(text)
    with pytest.raises(UsageError) as refused:
        read_folds(tmp_path)
    assert told in str(refused.value)


def test_a_folder_without_a_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file of folds"):
        read_folds(tmp_path)
