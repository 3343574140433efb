"""Figures of audit and gate, as TensorBoard shows them beside the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asrdq.errors import ToolError, UndecidedError, UsageError
from asrdq.monitoring import audit_figures, log_figures
from asrdq.monitoring.readers.events import read_events
from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

FIGURES = {"phase0/low_quality_percentage": 7.5, "phase0/noisy/mean_coverage": 0.75}


def test_figures_reach_tensorboard(tmp_path: Path) -> None:
    log_figures(FIGURES, tmp_path / "run", step=3)
    (file,) = (tmp_path / "run").iterdir()
    log = read_events(file, file.name)
    rows = log.rows.select("name", "step", "value").iter_rows()
    assert {name: (step, value) for name, step, value in rows} == {
        "phase0/low_quality_percentage": (3, 7.5),
        "phase0/noisy/mean_coverage": (3, 0.75),
    }  # fmt: skip


def test_a_logger_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tensorbord") as caught:
        log_figures(FIGURES, tmp_path, to="tensorbord")
    assert "did you mean 'tensorboard'" in str(caught.value)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ToolError, match="cannot be written"):
        log_figures(FIGURES, tmp_path / "file")


def test_a_manifest_that_was_not_audited_has_no_figures(workspace: Workspace, ingest: Any) -> None:
    ingest([{"audio_filepath": "a.wav", "duration": 1.0, "text": "a"}])
    with pytest.raises(UndecidedError, match="no figures of data@0") as caught:
        audit_figures(workspace, "data")
    assert "asrdq audit data" in str(caught.value)


@pytest.mark.filterwarnings("default")  # those of its own database layer
def test_mlflow_keeps_figures_in_a_file(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    log_figures(FIGURES, tmp_path, to="mlflow", step=3)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("asrdq")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.metrics == FIGURES


@pytest.mark.filterwarnings("default")
def test_wandb_keeps_figures_offline(tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed")
    log_figures(FIGURES, tmp_path, to="wandb")
    assert list(tmp_path.glob("wandb/offline-run-*/*.wandb"))
