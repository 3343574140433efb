"""A run in the tables of a workspace, while it trains and after it was resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.training.conftest import STEPS, Trial

from asrdq.errors import ToolError, UsageError
from asrdq.monitoring import WatchPlan, watch
from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow


def rows(workspace: Workspace, sql: str) -> list[dict[str, Any]]:
    return workspace.query(sql).to_pylist()


def test_a_run_is_kept_as_asrdq_watch_would_keep_it(trial: Trial, workspace: Workspace) -> None:
    trial.train(workspace)
    [run] = rows(workspace, "SELECT * FROM train_runs")
    told = {name: run[name] for name in ("run", "state", "last_step", "max_steps", "resumes")}
    assert told == {
        "run": "bundle.run",
        "state": "ended",
        "last_step": STEPS,
        "max_steps": STEPS,
        "resumes": 0,
    }
    assert run["manifest"] is None
    stored = rows(workspace, "SELECT * FROM train_metrics WHERE metric = 'loss' ORDER BY step")
    logged = {
        int(line["step"]): float(line["train_loss"]) for line in trial.log() if line["train_loss"]
    }
    assert {row["step"]: row["value"] for row in stored if row["split"] == "train"} == logged
    assert sum(row["split"] == "validation" for row in stored) == 3
    result = watch(workspace, WatchPlan([trial.run_dir]))
    assert (result.runs[0].added, result.runs[0].state) == (0, "ended")
    assert result.runs[0].max_steps == STEPS
    assert rows(workspace, "SELECT * FROM train_runs") == [
        {
            **run,
            "updated": rows(workspace, "SELECT updated FROM train_runs")[0]["updated"],
            "files": ["metrics.csv", "training_run_info.json"],
        }
    ]


def test_what_a_resumed_run_throws_away_goes(
    trial: Trial, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAL_FAIL_AT", "13")
    with pytest.raises(ToolError):
        trial.train(workspace)
    assert rows(workspace, "SELECT max(step) AS last FROM train_metrics") == [{"last": 13}]
    assert [
        row["state"] for row in rows(workspace, "SELECT state FROM runs WHERE command = 'train'")
    ] == ["failed"]
    monkeypatch.setenv("TRIAL_FAIL_AT", "11")
    with pytest.raises(ToolError):
        trial.train(workspace)
    [run] = rows(workspace, "SELECT last_step, resumes FROM train_runs")
    assert run == {"last_step": 11, "resumes": 1}
    assert rows(workspace, "SELECT max(step) AS last FROM train_metrics") == [{"last": 11}]
    monkeypatch.delenv("TRIAL_FAIL_AT")
    trial.train(workspace)
    counted = "SELECT count(*) AS n, count(DISTINCT step) AS steps FROM train_metrics"
    own = f"{counted} WHERE name = 'train_loss'"
    assert rows(workspace, own) == [{"n": STEPS, "steps": STEPS}]


def test_a_name_that_another_run_has_is_refused_before_it_trains(
    trial: Trial, workspace: Workspace, tmp_path: Path
) -> None:
    trial.train(workspace, max_steps=1)
    other = tmp_path / "elsewhere" / "bundle.run"
    with pytest.raises(UsageError, match=r"the name 'bundle\.run' belongs to the run at"):
        trial.train(workspace, run_dir=other, max_steps=1)
    assert not (other / "metrics.csv").exists()
    assert trial.train(workspace, run_dir=other, max_steps=1, name="second").finished
    names = rows(workspace, "SELECT run FROM train_runs ORDER BY run")
    assert names == [{"run": "bundle.run"}, {"run": "second"}]


def test_tables_that_cannot_be_written_do_not_end_a_run(
    trial: Trial,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = Path(str(workspace.root)) / "tables" / "train_metrics"
    trial.train(workspace, max_steps=1, run_dir=trial.folder / "first")
    logs = sorted((table / "_delta_log").glob("*.json"))
    logs[-1].write_text("no JSON\n")
    result = trial.train(workspace)
    assert result.finished
    assert "the tables lag behind" in capsys.readouterr().err
    assert json.loads((trial.run_dir / "training_run_info.json").read_text())["steps"] == STEPS


def test_the_run_stands_in_the_table_of_runs(trial: Trial, workspace: Workspace) -> None:
    trial.train(workspace, max_steps=2)
    [run] = rows(workspace, "SELECT state, parameters FROM runs WHERE command = 'train'")
    assert run["state"] == "done"
    told = json.loads(run["parameters"])
    assert (told["bundle_id"], told["backend"]) == (trial.info()["bundle_id"], "line")
    trial.train(workspace, max_steps=2)
    assert (
        len(rows(workspace, "SELECT 1 AS one FROM runs WHERE command = 'train' AND state = 'done'"))
        == 1
    )
