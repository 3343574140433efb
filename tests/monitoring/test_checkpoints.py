"""Which saved state is good for what; nothing is deleted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import ExitCode
from asrdq.monitoring import WatchPlan, choose_checkpoints
from asrdq.monitoring.checkpoints import CheckpointsResult
from asrdq.workspace import Workspace

WER = {100: 0.30, 200: 0.20, 300: 0.25, 400: 0.22}
LOSS = {100: 0.5, 200: 0.6, 300: 0.4, 400: 0.7}


def history(until: int, more: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for step, wer in WER.items():
        if step <= until:
            made.append({"step": step, "loss": 1.0})
            made.append({"step": step, "eval_loss": LOSS[step], "eval_wer": wer})
    return [*made, *(dict(entry) for entry in more)]


def save(run: Path, step: int, *, weights: int = 1000, optimiser: bool = True) -> Path:
    folder = run / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    state = {"global_step": step, "max_steps": 1000, "log_history": history(step)}
    (folder / "trainer_state.json").write_text(json.dumps(state))
    if weights:
        (folder / "model.safetensors").write_bytes(b"w" * weights)
    if optimiser:
        (folder / "optimizer.pt").write_bytes(b"o" * 2 * weights)
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    for step in WER:
        save(folder, step)
    return folder


def everything(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def name_of(path: str | None) -> str | None:
    return None if path is None else Path(path).name


def choose(workspace: Workspace, run: Path, **options: Any) -> CheckpointsResult:
    return choose_checkpoints(workspace, WatchPlan([run]), **options)


def test_the_best_by_the_rate_and_by_loss(workspace: Workspace, run: Path) -> None:
    result = choose(workspace, run)
    assert result.best is not None
    assert result.best_by_loss is not None
    assert (result.best.step, result.best.value) == (200, 0.20)
    assert (result.best_by_loss.step, result.best_by_loss.value) == (300, 0.4)
    assert result.disagree
    assert name_of(result.deploy) == "checkpoint-200"
    assert name_of(result.resume) == "checkpoint-400"
    assert result.exit_code is ExitCode.OK


def test_what_could_be_freed_is_listed_and_still_there(workspace: Workspace, run: Path) -> None:
    before = everything(run)
    result = choose(workspace, run, keep=1)
    assert {Path(path).name: why for path, why in result.keep.items()} == {
        "checkpoint-200": ("wer number 1",),
        "checkpoint-300": ("best loss",),
        "checkpoint-400": ("resume",),
    }
    assert [Path(path).name for path in result.freed] == ["checkpoint-100"]
    state = (run / "checkpoint-100" / "trainer_state.json").stat().st_size
    assert result.freed_bytes == 3000 + state
    assert everything(run) == before


def test_the_best_evaluation_may_not_have_been_saved(workspace: Workspace, run: Path) -> None:
    for name in ("trainer_state.json", "model.safetensors", "optimizer.pt"):
        (run / "checkpoint-200" / name).unlink()
    (run / "checkpoint-200").rmdir()
    result = choose(workspace, run)
    assert result.best is not None
    assert (result.best.step, result.best.path) == (200, None)
    assert name_of(result.deploy) == "checkpoint-400"  # 0.22 is the best that is here
    assert "not saved, or removed" in result.summary()


def test_a_state_without_weights_is_not_deployed_and_one_without_optimiser_not_resumed(
    workspace: Workspace, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    save(run, 200, weights=0)
    save(run, 300)
    save(run, 400, optimiser=False)
    result = choose(workspace, run)
    assert name_of(result.deploy) == "checkpoint-400"
    assert name_of(result.resume) == "checkpoint-300"


def test_training_goes_on_before_the_loss_was_lost(workspace: Workspace, run: Path) -> None:
    lost = [{"step": 350, "loss": float("nan")}]
    state = {"global_step": 400, "max_steps": 1000, "log_history": history(400, lost)}
    (run / "checkpoint-400" / "trainer_state.json").write_text(json.dumps(state))
    result = choose(workspace, run)
    assert name_of(result.resume) == "checkpoint-300"
    assert any(reason.startswith("non_finite_loss") for reason in result.rollback.reasons)


def test_a_nan_is_never_the_best(workspace: Workspace, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    entries = [{"step": 1, "eval_wer": float("nan")}, {"step": 2, "eval_wer": 0.5}]
    (run / "trainer_state.json").write_text(json.dumps({"log_history": entries}))
    best = choose(workspace, run).best
    assert best is not None
    assert best.step == 2


def test_files_of_lightning_know_their_values(workspace: Workspace, tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    text = "epoch,step,train_loss,val_wer\n0,100,1.0,\n0,100,,0.30004\n1,200,,0.20004\n"
    (run / "metrics.csv").write_text(text)
    for name in (
        "an4--val_wer=0.3000-epoch=0.ckpt",
        "an4--val_wer=0.2000-epoch=1.ckpt",
        "an4--val_wer=0.2000-epoch=1-last.ckpt",
        "epoch=0-step=100.ckpt",
        "an4.nemo",
    ):
        (run / "checkpoints" / name).write_bytes(b"x")
    result = choose(workspace, run)
    steps = {state.path.name: state.step for state in result.saved}
    assert steps == {
        "an4--val_wer=0.3000-epoch=0.ckpt": 100,
        "an4--val_wer=0.2000-epoch=1.ckpt": 200,
        "an4--val_wer=0.2000-epoch=1-last.ckpt": 200,
        "epoch=0-step=100.ckpt": 100,
        "an4.nemo": None,
    }
    assert result.deploy is not None
    assert "0.2000" in result.deploy
    assert name_of(result.resume) == "an4--val_wer=0.2000-epoch=1-last.ckpt"
    assert "an4.nemo" not in {Path(path).name for path in result.freed}  # of which step, none knows


def test_without_validation_no_state_is_the_best(workspace: Workspace, tmp_path: Path) -> None:
    run = tmp_path / "run"
    folder = save(run, 200)
    (folder / "trainer_state.json").write_text(
        json.dumps({"global_step": 200, "log_history": [{"step": 200, "loss": 1.0}]})
    )
    result = choose(workspace, run)
    assert (result.best, result.deploy, result.freed) == (None, None, ())
    assert name_of(result.resume) == "checkpoint-200"
    assert result.exit_code is ExitCode.UNDECIDED


class TestRollback:
    ROWS = (
        {"text": "one two three four", "heard": "one two three four"},
        {"text": "one two three four", "heard": "one two tree"},
    )

    def test_the_previous_model_with_its_scores(
        self, workspace: Workspace, run: Path, score_rows: Any
    ) -> None:
        """2 errors in 8 words."""
        score_rows([dict(row) for row in self.ROWS], "r1")
        plan = choose(workspace, run, previous="r1").rollback
        rates = {score.metric: score.rate for score in plan.scores}
        assert rates["wer"] == 0.25
        assert {score.manifest for score in plan.scores} == {"eval@0"}
        assert plan.remark is None
        assert any("go back to r1: " in step and "WER 25.00 %" in step for step in plan.steps())

    def test_a_previous_model_without_scores_is_said(
        self, workspace: Workspace, run: Path, score_rows: Any
    ) -> None:
        score_rows([dict(row) for row in self.ROWS], "r1")
        plan = choose(workspace, run, previous="r0").rollback
        assert plan.scores == ()
        assert plan.remark is not None
        assert "'r0' was not scored; scored sets of hypotheses: r1" in plan.remark
        assert choose(workspace, run).rollback.remark is not None

    def test_what_to_preserve(self, workspace: Workspace, run: Path) -> None:
        for name in ("config.json", "train.log", "recipe.yaml"):
            (run / name).touch()
        plan = choose(workspace, run).rollback
        names = [Path(path).name for path in plan.preserve]
        assert names == ["checkpoint-200", "config.json", "recipe.yaml", "train.log"]
        assert plan.steps()[0].startswith("copy ")
