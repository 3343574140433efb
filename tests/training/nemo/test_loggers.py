"""The loggers of a recipe really write, and one that cannot is told before the first step."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.training.nemo.conftest import Rows, make_job

from asrdq.errors import ToolError
from asrdq.monitoring.readers.events import read_events
from asrdq.training.nemo.backend import NemoBackend
from asrdq.training.nemo.tiny import tiny_model
from asrdq.training.run_writer import RunWriter

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def base(digits: Rows, tmp_path: Path) -> Path:
    return tiny_model("ctc", [row["text"] for row in digits], tmp_path / "base")


def test_tensorboard_and_wandb_write_below_the_run(
    digits: Rows, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    job = make_job(tmp_path / "job", digits, base, steps=2, loggers=["tensorboard", "wandb"])
    with RunWriter(job) as log:
        NemoBackend().train(job, log)
    [run] = job.run_dir.glob("wandb/offline-run-*/run-*.wandb")
    assert run.stat().st_size > 1000
    [events] = job.run_dir.glob("tensorboard/events.out.tfevents.*")
    rows = read_events(events, events.name).rows
    assert set(rows.filter(rows["metric"] == "loss")["step"]) >= {0, 1}


def test_mlflow_keeps_its_runs_in_a_file_below_the_run(
    digits: Rows, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    job = make_job(tmp_path / "job", digits, base, steps=2, loggers=["mlflow"])
    with RunWriter(job) as log:
        NemoBackend().train(job, log)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{job.run_dir / 'mlflow' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("asrdq")
    assert experiment.artifact_location.startswith(str(job.run_dir))
    [run] = client.search_runs(experiment.experiment_id)
    assert len(client.get_metric_history(run.info.run_id, "train_loss")) == 2


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_logger_that_cannot_write_is_named(
    name: str, digits: Rows, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow without a server it knows, W&B without a key."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nowhere://at-all")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    job = make_job(tmp_path / "job", digits, base, steps=2, loggers=[name])
    with RunWriter(job) as log, pytest.raises(ToolError, match=f"the logger {name} cannot be used"):
        NemoBackend().train(job, log)
    assert not (job.run_dir / "checkpoints").exists()
