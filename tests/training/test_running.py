"""A run from a bundle to a model: begun, stopped, killed, gone on with, finished."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import cli_environment
from tests.training.conftest import STEPS, Trial, clips, write_bundle

from asrdq.errors import DataError, ToolError, UsageError
from asrdq.training import TrainingResult
from asrdq.workspace.locks import LifeSign

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The weights of a run that nothing disturbed, worked out anew in a few lines."""
    folder = tmp_path_factory.mktemp("undisturbed")
    rows = clips(folder, "train", 40)
    known = np.array([[row["duration"], len(row["text"])] for row in rows])
    weights, momentum = np.zeros(2), np.zeros(2)
    for epoch in range(3):
        order = np.random.default_rng([42, epoch]).permutation(40)
        for batch in known[order].reshape(10, 4, 2):
            missed = weights[0] + weights[1] * batch[:, 0] - batch[:, 1]
            slope = np.array([missed.mean(), (missed * batch[:, 0]).mean()])
            momentum = 0.5 * momentum - 0.01 * slope
            weights = weights + momentum
    return weights


def weights_of(trial: Trial) -> np.ndarray:
    with np.load(trial.run_dir / "adapted_model.npz") as found:
        weights: np.ndarray = found["weights"]
    return weights


def command(
    trial: Trial, path: str, *more: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    words = ["train", str(trial.bundle), "--backend", "line", "--run-dir", str(trial.run_dir)]
    known = cli_environment()
    python_path = ":".join([path, known.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "asrdq", *words, *more],
        env={**known, "PYTHONPATH": python_path, **environment},
        cwd=trial.folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_learns_and_leaves_model_log_and_information(
    trial: Trial, undisturbed: np.ndarray
) -> None:
    result = trial.train()
    assert (result.exit_code, result.finished, result.already) == (0, True, False)
    assert weights_of(trial) == pytest.approx(undisturbed, rel=1e-12)
    log = trial.log()
    steps = [int(line["step"]) for line in log if line["train_loss"]]
    assert steps == list(range(1, STEPS + 1))
    validation = [float(line["val_loss"]) for line in log if line.get("val_loss")]
    assert len(validation) == 3
    assert validation[-1] < validation[0] / 3
    info = trial.info()
    model = (trial.run_dir / "adapted_model.npz").read_bytes()
    assert info["model"]["sha256"] == {"adapted_model.npz": hashlib.sha256(model).hexdigest()}
    assert info["model"]["bytes"] == len(model)
    told = {name: info[name] for name in ("state", "steps", "total_steps", "epochs", "seed")}
    assert told == {"state": "finished", "steps": 30, "total_steps": 30, "epochs": 3.0, "seed": 42}
    assert (
        info["bundle_id"]
        == hashlib.sha256((trial.bundle / "provenance.json").read_bytes()).hexdigest()
    )
    assert info["train"]["fingerprint"] == "of train@0"
    assert info["train"]["used"] == info["train"]["expected"]
    assert info["train"]["used"]["rows"] == 40
    assert info["versions"]["numpy"] == np.__version__
    [attempt] = info["attempts"]
    assert attempt["ended"] > attempt["started"]
    assert attempt["wall_s"] == info["wall_s"] > 0


def test_a_finished_run_says_so_and_does_nothing(trial: Trial) -> None:
    trial.train()
    before = {path: path.stat().st_mtime_ns for path in trial.run_dir.rglob("*")}
    again = trial.train()
    assert (again.exit_code, again.already) == (0, True)
    assert "was finished before, nothing to do" in again.summary()
    assert {path: path.stat().st_mtime_ns for path in trial.run_dir.rglob("*")} == before


@pytest.mark.slow
@pytest.mark.parametrize("at", ["3", "17", "30"])
def test_a_run_that_was_killed_goes_on_to_the_same_end(
    trial: Trial, trial_backends: str, undisturbed: np.ndarray, at: str
) -> None:
    killed = command(trial, trial_backends, TRIAL_KILL_AT=at)
    assert killed.returncode == -9
    assert trial.info()["state"] == "running"
    assert not (trial.run_dir / "adapted_model.npz").exists()
    done = command(trial, trial_backends)
    assert done.returncode == 0, done.stderr
    assert weights_of(trial) == pytest.approx(undisturbed, rel=1e-12)
    steps = [int(line["step"]) for line in trial.log() if line["train_loss"]]
    assert steps == list(range(1, STEPS + 1))
    info = trial.info()
    resumed = {"3": None, "17": 15, "30": 30}[at]
    assert info["resumed_from"] == resumed
    assert [one["ended"] is None for one in info["attempts"]] == [True, False]


@pytest.mark.slow
def test_sigterm_leaves_a_checkpoint_and_the_same_command_goes_on(
    trial: Trial, trial_backends: str, undisturbed: np.ndarray
) -> None:
    stopped = command(trial, trial_backends, TRIAL_TERM_AT="7")
    assert stopped.returncode == 143
    assert "SIGTERM: the run stops after this step, with a checkpoint" in stopped.stderr
    assert f"next: asrdq train {trial.bundle}" in stopped.stderr
    assert "stopped by signal, 7 of 30 steps" in stopped.stdout
    assert (trial.info()["state"], trial.info()["stopped_by"]) == ("stopped", "signal")
    done = command(trial, trial_backends)
    assert done.returncode == 0, done.stderr
    assert trial.info()["resumed_from"] == 7
    assert weights_of(trial) == pytest.approx(undisturbed, rel=1e-12)


def test_a_stop_file_stops_a_run_until_it_is_gone(trial: Trial, undisturbed: np.ndarray) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIAL_FAIL_AT", "12")
        with pytest.raises(ToolError, match="no memory left"):
            trial.train()
    info = trial.info()
    assert (info["state"], info["attempts"][0]["error"]) == (
        "failed",
        "ToolError: the machine has no memory left",
    )
    stop = trial.run_dir / "STOP"
    stop.write_text("bundle.run\toverfit\tstep 12\tit is worse\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a stop file is there: bundle\.run\toverfit"):
        trial.train()
    stop.unlink()
    assert trial.train().exit_code == 0
    assert trial.info()["resumed_from"] == 10
    assert weights_of(trial) == pytest.approx(undisturbed, rel=1e-12)


def test_a_stop_file_that_comes_while_it_trains_stops_it(trial: Trial) -> None:
    (trial.run_dir).mkdir()
    result = _stopped_by_file(trial)
    assert result.exit_code == 1
    assert result.info.stopped_by == "stop_file"
    assert result.info.state == "stopped"
    assert (trial.run_dir / "checkpoints" / "last.npz").exists()


def _stopped_by_file(trial: Trial) -> TrainingResult:
    import threading

    def stop() -> None:
        while not (trial.run_dir / "metrics.csv").exists():
            pass
        (trial.run_dir / "STOP").touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIAL_STEP_S", "0.1")
        other = threading.Thread(target=stop)
        other.start()
        result = trial.train()
        other.join()
    return result


def test_a_rule_stops_a_run_and_the_same_command_does_not_go_on(
    tmp_path: Path, trial_backends: str
) -> None:
    bundle = write_bundle(tmp_path / "bundle", recipe={"optimiser": {"lr": 1e30}})
    trial = Trial(tmp_path, bundle)
    allowed = frozenset({"lr-too-high"})
    result = trial.train(allow=allowed)
    assert result.exit_code == 1
    assert result.info.stopped_by == "watch:non_finite_loss"
    assert "stop non_finite_loss, step" in result.summary()
    assert result.info.steps is not None and result.info.steps < STEPS
    with pytest.raises(DataError, match=r"stopped by the rule non_finite_loss at step \d"):
        trial.train(allow=allowed)
    on = trial.train(allow=allowed | {"non_finite_loss"})
    assert on.exit_code == 0
    assert on.info.asked == ("lr-too-high", "non_finite_loss")


def test_what_the_loader_uses_is_held_against_the_hand_off(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """41 lengths from 1 to 3 s in steps of 0.05: of the first 40 clips one has 2.65 s … 3 s."""
    monkeypatch.setenv("TRIAL_LONGEST_S", "2.95")
    lost = sum(1.0 + 0.05 * (number * 7 % 41) > 2.95 for number in range(40))
    assert lost == 1
    with pytest.raises(DataError, match="does not use what was handed off for train") as caught:
        trial.train()
    told = [problem.message for problem in caught.value.problems]
    assert told[:2] == [
        "39 rows, and 40 were to be left: 1 apart",
        "too_long: 1 dropped, 0 expected",
    ]
    assert not (trial.run_dir / "metrics.csv").exists()
    assert trial.info()["train"]["used"]["rows"] == 39
    assert trial.train(loader_tolerance=0.05).exit_code == 0
    assert trial.info()["loader_tolerance"] == 0.05


def test_rows_that_the_recipe_drops_are_expected_to_be_dropped(
    tmp_path: Path, trial_backends: str
) -> None:
    data = {"batch_size": 4, "max_duration_s": 2.5}
    trial = Trial(tmp_path, write_bundle(tmp_path / "bundle", recipe={"data": data}))
    expected = sum(1.0 + 0.05 * (number * 7 % 41) > 2.5 for number in range(40))
    result = trial.train()
    assert result.exit_code == 0
    assert f"dropped as handed off: {expected} too_long" in result.summary()


def test_a_folder_that_belongs_to_another_run_is_refused(trial: Trial, tmp_path: Path) -> None:
    trial.train()
    other = write_bundle(tmp_path / "other", recipe={"name": "another"})
    with pytest.raises(UsageError, match="another bundle_id"):
        trial.train(bundle=other)
    with pytest.raises(UsageError, match="another base"):
        trial.train(base="other.nemo")
    with pytest.raises(UsageError, match="another max_steps: None, not 7"):
        trial.train(max_steps=7)
    with pytest.raises(UsageError, match="writes nothing into its bundle"):
        trial.train(run_dir=trial.bundle / "run")


def test_a_run_that_failed_before_its_first_step_binds_nobody(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAL_LONGEST_S", "2.95")
    with pytest.raises(DataError, match="does not use what was handed off"):
        trial.train(base="other.nemo")
    assert trial.info()["state"] == "failed"
    monkeypatch.delenv("TRIAL_LONGEST_S")
    assert trial.train(max_steps=1).finished
    assert trial.info()["base"] != "other.nemo"


def test_a_folder_with_something_else_is_refused(trial: Trial) -> None:
    trial.run_dir.mkdir()
    (trial.run_dir / "console.log").write_text("of a shell\n")
    (trial.run_dir / "thesis.tex").write_text("years of work\n")
    with pytest.raises(UsageError, match=r"something else in the folder of the run: thesis\.tex"):
        trial.train()
    (trial.run_dir / "thesis.tex").unlink()
    assert trial.train(max_steps=1).finished


def test_a_folder_in_which_another_process_trains_is_refused(trial: Trial) -> None:
    sign = LifeSign(trial.run_dir / ".training")
    with pytest.raises(UsageError, match="another process trains in this folder"):
        trial.train()
    sign.fall_silent()
    assert trial.train(max_steps=1).finished


def test_information_that_is_broken_is_not_written_over(trial: Trial) -> None:
    trial.run_dir.mkdir()
    file = trial.run_dir / "training_run_info.json"
    file.write_text('{"state": "finis', encoding="utf-8")
    with pytest.raises(ToolError, match="cannot be understood"):
        trial.train()
    assert file.read_text(encoding="utf-8") == '{"state": "finis'


def test_a_run_may_end_early(trial: Trial) -> None:
    result = trial.train(max_steps=12)
    assert result.finished
    assert (result.info.steps, result.info.total_steps, result.info.max_steps) == (12, 12, 12)


def test_a_bundle_that_was_changed_is_not_trained(trial: Trial) -> None:
    file = trial.bundle / "data" / "train.jsonl"
    file.write_text(file.read_text().replace("abcde", "abcdf", 1))
    with pytest.raises(DataError, match=r"not what was handed off: 1 difference\n") as caught:
        trial.train()
    assert [p.message for p in caught.value.problems] == [
        "changed data/train.jsonl: has other content"
    ]
    assert not trial.run_dir.exists()


def test_audio_that_is_gone_stops_the_run_before_it_begins(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "audio" / "train7.wav").unlink()
    with pytest.raises(DataError, match=r"audio_missing .*train7\.wav"):
        trial.train()


def test_a_bundle_with_another_id_is_not_trained(trial: Trial, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not the expected 000"):
        trial.train(bundle_id="0" * 64)
    with pytest.raises(ToolError, match="no such folder"):
        trial.train(bundle=tmp_path / "nowhere")


def test_a_bundle_of_another_version_is_told(tmp_path: Path, trial_backends: str) -> None:
    bundle = write_bundle(tmp_path / "bundle", figures={"steps": "many"})
    with pytest.raises(ToolError, match="cannot be understood") as caught:
        Trial(tmp_path, bundle).train()
    assert caught.value.hint is not None and "hand off again" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("qwen", UsageError, "handed to nemo, not to qwen"),
        ("lines", UsageError, "did you mean 'line'"),
        ("nothing", ToolError, "is no backend for training"),
        ("broken", ToolError, "libcuda.so.1: cannot open shared object file"),
    ],
)
def test_a_backend_that_cannot_train_is_told(
    trial: Trial, name: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        trial.train(backend=name)
    assert not trial.run_dir.exists()


def test_what_the_backend_cannot_do_is_told_before_the_folder_is_made(trial: Trial) -> None:
    with pytest.raises(ToolError, match="a line is drawn on the CPU"):
        trial.train(device="cuda")
    assert not trial.run_dir.exists()


class TestSeveralProcesses:
    def test_only_the_first_writes(self, trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RANK", "1")
        monkeypatch.setenv("LOCAL_RANK", "1")
        assert trial.train(max_steps=2).info.steps == 2
        assert not (trial.run_dir / "metrics.csv").exists()
        assert not (trial.run_dir / "training_run_info.json").exists()

    def test_another_number_than_that_of_the_recipe_is_refused(
        self, trial: Trial, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WORLD_SIZE", "2")
        with pytest.raises(UsageError, match="2 processes train, and the recipe is for 1 GPUs"):
            trial.train()
        result = trial.train(allow=frozenset({"effective-batch-changed"}), max_steps=1)
        assert [each.rule for each in result.info.allowed] == ["effective-batch-changed"]

    def test_one_process_rehearses(self, trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WORLD_SIZE", "2")
        with pytest.raises(UsageError, match="one process rehearses"):
            trial.train(rehearse=True)

    def test_a_rank_that_is_none(self, trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RANK", "first")
        with pytest.raises(UsageError, match="RANK is 'first'"):
            trial.train()


class TestRehearsal:
    def test_a_few_steps_and_no_model_in_a_folder_of_its_own(self, trial: Trial) -> None:
        result = trial.train(rehearse=True)
        assert (result.exit_code, result.info.steps, result.info.model) == (0, 4, None)
        assert "the rehearsal went through" in result.summary()
        assert result.info.base.endswith("bundle.run.rehearsal/tiny.npz")
        assert not trial.run_dir.exists()
        assert trial.train(rehearse=True).info.steps == 4
        assert trial.train().info.steps == STEPS

    def test_it_checks_the_loader_too(self, trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TRIAL_LONGEST_S", "2")
        with pytest.raises(DataError, match="does not use what was handed off"):
            trial.train(rehearse=True)

    def test_it_deletes_nothing_of_others(self, trial: Trial) -> None:
        folder = trial.folder / "bundle.run.rehearsal"
        folder.mkdir()
        (folder / "thesis.tex").write_text("years of work\n")
        with pytest.raises(UsageError, match="something else"):
            trial.train(rehearse=True)
        assert (folder / "thesis.tex").exists()


@pytest.mark.slow
def test_the_command(trial: Trial, trial_backends: str) -> None:
    done = command(trial, trial_backends, "--format", "json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["schema_version"] == 1
    assert told["info"]["steps"] == 30
    model = trial.run_dir / "adapted_model.npz"
    assert f"next: asrdq transcribe val@0 --with line:{model}" in done.stderr
    assert "train: 30 of 30 steps" in done.stderr
    again = command(trial, trial_backends)
    assert "was finished before" in again.stdout
    refused = command(trial, trial_backends, "--max-steps", "3", "--format", "json")
    assert refused.returncode == 2
    assert "max_steps" in json.loads(refused.stdout)["error"]["message"]
