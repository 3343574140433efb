"""`asrdq watch` and `asrdq checkpoints` as people and schedulers run them."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

FALLING = [{"step": step, "loss": 2.0 - step / 100} for step in range(10, 60, 10)]


def write_run(folder: Path, history: list[dict[str, Any]], max_steps: int = 50) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    step = history[-1]["step"] if history else 0
    state = {"global_step": step, "max_steps": max_steps, "log_history": history}
    (folder / "trainer_state.json").write_text(json.dumps(state))
    return folder


def test_a_sound_run_in_every_format(run_cli: Any, workspace: Workspace, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", FALLING)
    done = run_cli("watch", run, cwd=workspace.root)
    assert "run: ended, step 50 of 50, nothing found" in done.stdout
    assert "█" in done.stdout
    assert "not judged, for nothing of it is logged: overfit" in done.stdout
    assert "asrdq checkpoints" in done.stderr
    document = json.loads(run_cli("watch", run, "-f", "json", cwd=workspace.root).stdout)
    assert document["schema_version"] == 1
    assert document["runs"][0]["last_step"] == 50
    assert document["runs"][0]["added"] == 0
    assert "**run: ended" in run_cli("watch", run, "-f", "markdown", cwd=workspace.root).stdout


def test_a_lost_loss_stops_the_scheduler(
    run_cli: Any, workspace: Workspace, tmp_path: Path
) -> None:
    run = write_run(tmp_path / "run", [*FALLING, {"step": 60, "loss": float("nan")}], 100)
    stop = tmp_path / "STOP"
    for output in ("table", "json", "csv", "markdown"):
        done = run_cli("watch", run, "--stop-file", stop, "-f", output, cwd=workspace.root, code=1)
        assert stop.read_text().startswith("run\tnon_finite_loss\tstep 60\t")
        stop.unlink()
    done = run_cli("watch", run, "-f", "csv", cwd=workspace.root, code=1)
    (row,) = csv.DictReader(done.stdout.splitlines())
    assert (row["rule"], row["level"], row["step"]) == ("non_finite_loss", "stop", "60")


def test_usage_errors(run_cli: Any, workspace: Workspace, tmp_path: Path) -> None:
    assert "no such file" in run_cli("watch", "gone", cwd=workspace.root, code=2).stderr
    run = write_run(tmp_path / "run", FALLING)
    run_cli("watch", run, "--manifest", "train", cwd=workspace.root, code=2)
    (workspace.root / "asrdq.yaml").write_text("watch: {patience: 0, metrics: wer}\n")
    done = run_cli("watch", run, cwd=workspace.root, code=2)
    assert "asrdq.yaml:1: watch.patience" in done.stderr
    assert "unknown key 'metrics': did you mean 'metric'?" in done.stderr
    (workspace.root / "asrdq.yaml").write_text("watch: {stop: [overfit, plateu]}\n")
    assert "did you mean 'plateau'" in run_cli("watch", run, cwd=workspace.root, code=2).stderr


def test_settings_move_the_limits(run_cli: Any, workspace: Workspace, tmp_path: Path) -> None:
    slow = [{"step": 10, "loss": 1.0, "train_samples_per_second": 4.0}]
    run = write_run(tmp_path / "run", slow)
    assert "low_throughput" not in run_cli("watch", run, cwd=workspace.root).stdout
    (workspace.root / "asrdq.yaml").write_text("watch: {samples_per_second_minimum: 5}\n")
    done = run_cli("watch", run, "--fail-on", "warning", cwd=workspace.root, code=1)
    assert "warning low_throughput, step 10: 4 samples a second" in done.stdout


def test_damaged_logs_are_told_with_their_line(
    run_cli: Any, workspace: Workspace, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.csv").write_text("step,train_loss\n1,2.0\nx,1.0\n3,bad\n4,1.0\n")
    done = run_cli("watch", run, cwd=workspace.root)
    assert "metrics.csv:3: has no step" in done.stderr
    assert "metrics.csv:4: train_loss is no number: 'bad'" in done.stderr


def test_checkpoints_of_a_run(run_cli: Any, workspace: Workspace, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for step, wer in ((10, 0.3), (20, 0.2), (30, 0.25)):
        history = [*FALLING[: step // 10], {"step": step, "eval_wer": wer, "eval_loss": wer}]
        folder = write_run(run / f"checkpoint-{step}", history)
        (folder / "model.safetensors").write_bytes(b"w" * 10)
        (folder / "optimizer.pt").write_bytes(b"o" * 20)
    done = run_cli("checkpoints", run, "--keep", 1, cwd=workspace.root)
    assert f"best wer: 0.2 at step 20 ({run}/checkpoint-20)" in done.stdout
    assert f"resume: {run}/checkpoint-30" in done.stdout
    assert "to go back:\n1. copy " in done.stdout
    done = run_cli("checkpoints", run, "--keep", 1, "-f", "json", cwd=workspace.root)
    document = json.loads(done.stdout)
    assert document["freed"] == [f"{run}/checkpoint-10"]
    assert (run / "checkpoint-10" / "model.safetensors").exists()
    assert document["disagree"] is False


@pytest.mark.slow
def test_following_a_run_that_is_written_meanwhile(workspace: Workspace, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", FALLING[:2])
    page = tmp_path / "page.html"
    command = [
        *(sys.executable, "-m", "asrdq", "watch", str(run), "-w", str(workspace.root)),
        *("--follow", "--every", "0.2", "--idle", "60", "--html", str(page), "-f", "json"),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "step 20 of 50" in line:
                break
        write_run(run, FALLING)
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert json.loads(out)["runs"][0]["last_step"] == 50
    assert "step 50 of 50" in err
    assert "<svg" in page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_an_interrupted_watch_says_so(workspace: Workspace, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", FALLING[:2])
    command = [sys.executable, "-m", "asrdq", "watch", str(run), "-w", str(workspace.root)]
    with subprocess.Popen(
        [*command, "--follow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "step 20" in process.stderr.readline()
        time.sleep(0.1)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130
    assert "interrupted" in err
