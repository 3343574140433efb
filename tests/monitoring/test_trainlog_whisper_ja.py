"""A real run of 5,000 steps, replayed: its validation loss rises from the first evaluation on."""

from __future__ import annotations

from pathlib import Path

import pytest

from asrdq.monitoring import WatchPlan, choose_checkpoints
from asrdq.monitoring.findings import Finding
from asrdq.monitoring.judging import judge
from asrdq.monitoring.run_log import LogReader, RunLog
from asrdq.monitoring.series import Curves, curves_of
from asrdq.watch_settings import WatchSettings
from asrdq.workspace import Workspace

EVALUATIONS = (1000, 2000, 3000, 4000, 5000)


@pytest.fixture(scope="module")
def log(shared_data: Path) -> RunLog:
    return LogReader(shared_data / "trainlog_whisper_ja").read()


@pytest.fixture(scope="module")
def curves(log: RunLog) -> Curves:
    return curves_of(log.rows, "ja", max_steps=log.max_steps)


def overfit(curves: Curves) -> list[Finding]:
    findings, _ = judge(curves, WatchSettings())
    return [item for item in findings if item.rule == "overfit"]


def test_the_seven_states_are_one_history(log: RunLog) -> None:
    counts = log.rows.group_by("split", "metric").len()
    found = {(str(split), str(metric)): count for split, metric, count in counts.iter_rows()}
    assert found["train", "loss"] == found["train", "learning_rate"] == 200
    assert found["validation", "wer"] == found["validation", "loss"] == 5
    assert (log.max_steps, log.ended, log.unreadable) == (5000, True, 0)


def test_overfitting_is_called_at_step_5000_and_not_before(curves: Curves) -> None:
    """WER falls until step 3000; it is 0.7432, 0.7443, 0.7449 at 3000, 4000 and 5000."""
    wer = curves.get("validation", "wer")
    assert wer is not None
    assert wer.values.round(4).tolist() == [0.7888, 0.7478, 0.7432, 0.7443, 0.7449]
    steps = sorted({int(step) for curve in curves.by_name.values() for step in curve.steps})
    assert len(steps) == 200
    first = next(step for step in steps if overfit(curves.until(step)))
    assert first == 5000
    (finding,) = overfit(curves)
    assert finding.step == 5000
    assert {item.step for item in finding.evidence} == {3000, 4000, 5000}


def test_each_state_as_it_was_saved_says_the_same(shared_data: Path) -> None:
    called = []
    for step in EVALUATIONS:
        file = shared_data / "trainlog_whisper_ja" / "history" / f"trainer_state_step{step}.json"
        log = LogReader(file).read()
        called.append(bool(overfit(curves_of(log.rows, "ja", max_steps=log.max_steps))))
    assert called == [False, False, False, False, True]


def test_loss_and_error_rate_disagree_from_step_3000_on(curves: Curves) -> None:
    told = []
    for step in EVALUATIONS:
        findings, _ = judge(curves.until(step), WatchSettings())
        told.append([item.rule for item in findings if item.rule == "loss_and_rate_disagree"])
    assert [bool(rules) for rules in told] == [False, False, True, True, True]


def test_by_loss_alone_the_run_would_have_been_stopped_at_its_best(curves: Curves) -> None:
    findings, _ = judge(curves, WatchSettings(metric="loss"))
    (finding,) = [item for item in findings if item.rule == "overfit"]
    assert finding.step == 3000


def test_slow_evaluation_is_no_slow_training(curves: Curves) -> None:
    """2.6 samples a second are those of the evaluation; the training made 3.2."""
    findings, _ = judge(curves, WatchSettings())
    assert {item.rule for item in findings} == {"overfit", "plateau", "loss_and_rate_disagree"}


def test_the_best_checkpoint_is_that_of_step_3000(workspace: Workspace, shared_data: Path) -> None:
    run = shared_data / "trainlog_whisper_ja"
    result = choose_checkpoints(workspace, WatchPlan([run]))
    assert result.metric == "wer"
    assert result.best is not None
    assert result.best_by_loss is not None
    assert (result.best.step, round(result.best.value, 4)) == (3000, 0.7432)
    assert result.best.path == str(run / "history" / "trainer_state_step3000.json")
    assert (result.best_by_loss.step, round(result.best_by_loss.value, 4)) == (1000, 0.3210)
    assert result.disagree
    assert result.deploy is None  # only the states were kept, without weights
    assert result.freed == ()
