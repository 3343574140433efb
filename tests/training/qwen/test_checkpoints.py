"""Only what is whole is gone on from, and the best weights are kept by what is reported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from asrdq.errors import ToolError
from asrdq.training.qwen.checkpoints import (
    FOLDER,
    RunState,
    best_weights,
    keep_best,
    newest,
    prune,
    seal,
)


def checkpoint(run: Path, step: int, state: RunState | None = None) -> Path:
    folder = run / FOLDER / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights" * step)
    if state is not None:
        seal(folder, state)
    return folder


def test_the_newest_whole_checkpoint_is_found_with_its_state(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    state = RunState(best=0.25, best_step=900, waited=2, pieces=4)
    checkpoint(tmp_path, 900, RunState())
    whole = checkpoint(tmp_path, 1000, state)
    checkpoint(tmp_path, 1100)  # a kill while it was written
    assert newest(tmp_path) == (whole, state)


def test_a_checkpoint_that_lost_a_part_is_not_gone_on_from(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, 10, RunState())
    (folder / "model.safetensors").write_bytes(b"short")
    with pytest.raises(ToolError, match=r"was changed: model\.safetensors"):
        newest(tmp_path)


def test_older_ones_go_but_those_before_a_switch(tmp_path: Path) -> None:
    for step in (2, 4, 6, 8):
        checkpoint(tmp_path, step, RunState())
    checkpoint(tmp_path, 10)
    prune(tmp_path, frozenset({4}))
    left = sorted(folder.name for folder in (tmp_path / FOLDER).iterdir())
    assert left == ["checkpoint-10", "checkpoint-4", "checkpoint-8"]


class Weights:
    def save_pretrained(self, folder: Path, safe_serialization: bool) -> None:
        assert safe_serialization
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"weights")


def keep(run: Path, step: int, value: float) -> bool:
    found = keep_best(run, Weights(), "val_wer", step, value, most=2, highest=False)
    return found is not None


def test_the_best_two_are_kept_and_of_equal_ones_the_earlier(tmp_path: Path) -> None:
    told = [keep(tmp_path, step, wer) for step, wer in ((1, 0.5), (2, 0.4), (3, 0.45), (4, 0.45))]
    assert told == [True, True, True, False]
    assert [each.step for each in best_weights(tmp_path, highest=False)] == [2, 3]
    names = sorted(folder.name for folder in (tmp_path / "best").iterdir())
    assert names == ["step=2-val_wer=0.400000", "step=3-val_wer=0.450000"]


def test_an_evaluation_that_is_made_again_after_a_kill_changes_nothing(tmp_path: Path) -> None:
    assert keep(tmp_path, 1, 0.5)
    assert keep(tmp_path, 1, 0.5)
    assert len(best_weights(tmp_path, highest=False)) == 1


def test_evaluations_without_a_better_value_are_counted() -> None:
    state = RunState()
    for step, value in enumerate((0.5, 0.6, 0.5, 0.4, 0.45), 1):
        state = state.judged(value, step, highest=False)
    assert state == replace(RunState(), best=0.4, best_step=4, waited=1)
