"""A run from a bundle to a model: begun, stopped, killed, gone on with, finished."""

from __future__ import annotations

from tests.training.conftest import STEPS, Trial


def test_a_run_learns_and_leaves_model_log_and_information(trial: Trial) -> None:
    result = trial.train()
    assert result.exit_code == 0
    assert result.finished
