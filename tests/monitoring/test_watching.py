"""Logs become tables, once or live; the same logs add nothing, a killed watch loses nothing."""

from __future__ import annotations

import json
import math
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import RunCli

from asrdq.errors import ExitCode, UndecidedError, UsageError
from asrdq.monitoring import Level, WatchPlan, follow, watch, write_stop_file
from asrdq.monitoring.tables import METRICS_TABLE, RUNS_TABLE, TRAIN_METRICS, TRAIN_RUNS
from asrdq.watch_settings import WatchSettings
from asrdq.workspace import Workspace

FIRST = [{"step": step, "epoch": step / 10, "loss": 2.0 - step / 10} for step in range(1, 6)]
MORE = [{"step": step, "epoch": step / 10, "loss": 2.0 - step / 10} for step in range(6, 11)]


def stored(workspace: Workspace) -> list[dict[str, Any]]:
    return workspace.read(METRICS_TABLE, schema=TRAIN_METRICS).sort_by("step").to_pylist()


def versions(workspace: Workspace) -> list[int]:
    return [workspace.store.open(name).version() for name in (METRICS_TABLE, RUNS_TABLE)]


def test_a_run_becomes_rows(workspace: Workspace, write_state: Any) -> None:
    run = write_state(FIRST, max_steps=10)
    result = watch(workspace, WatchPlan([run]))
    assert [row["value"] for row in stored(workspace)] == pytest.approx([1.9, 1.8, 1.7, 1.6, 1.5])
    row = stored(workspace)[0]
    assert (row["run"], row["split"], row["metric"], row["name"]) == (
        "run",
        "train",
        "loss",
        "loss",
    )
    assert (row["epoch"], row["wall_time"], row["file"]) == (0.1, None, "trainer_state.json")
    (known,) = workspace.read(RUNS_TABLE, schema=TRAIN_RUNS).to_pylist()
    assert (known["state"], known["last_step"], known["max_steps"]) == ("running", 5, 10)
    assert result.runs[0].added == 5


def test_the_same_logs_again_add_nothing(workspace: Workspace, write_state: Any) -> None:
    run = write_state([*FIRST, {"step": 6, "loss": math.nan}])
    watch(workspace, WatchPlan([run]))
    before, rows = versions(workspace), stored(workspace)
    result = watch(workspace, WatchPlan([run]))
    assert result.runs[0].added == 0
    assert versions(workspace) == before
    assert repr(stored(workspace)) == repr(rows)


def test_new_steps_are_appended(workspace: Workspace, write_state: Any) -> None:
    watch(workspace, WatchPlan([write_state(FIRST)]))
    result = watch(workspace, WatchPlan([write_state([*FIRST, *MORE])]))
    assert result.runs[0].added == 5
    assert [row["step"] for row in stored(workspace)] == list(range(1, 11))


def test_what_a_half_written_state_lacks_stays(workspace: Workspace, write_state: Any) -> None:
    run = write_state([*FIRST, *MORE])
    watch(workspace, WatchPlan([run]))
    file = run / "trainer_state.json"
    file.write_bytes(file.read_bytes()[:200])
    result = watch(workspace, WatchPlan([run]))
    assert result.runs[0].unreadable == 1
    assert [row["step"] for row in stored(workspace)] == list(range(1, 11))


def test_what_a_resumed_run_threw_away_goes(workspace: Workspace, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    text = "step,train_loss\n1,3.0\n2,2.0\n3,9.0\n"
    (run / "metrics.csv").write_text(text)
    watch(workspace, WatchPlan([run]))
    (run / "metrics.csv").write_text(text + "2,1.5\n")
    result = watch(workspace, WatchPlan([run]))
    assert [(row["step"], row["value"]) for row in stored(workspace)] == [(1, 3.0), (2, 1.5)]
    assert (result.runs[0].added, result.runs[0].resumes, result.runs[0].last_step) == (1, 1, 2)


def test_runs_are_kept_apart_by_name(
    workspace: Workspace, write_state: Any, tmp_path: Path
) -> None:
    one, two = write_state(FIRST, tmp_path / "a"), write_state(MORE, tmp_path / "b")
    watch(workspace, WatchPlan([one, two]))
    steps = workspace.query(
        "SELECT run, count(*) AS n FROM train_metrics GROUP BY run ORDER BY run"
    )
    assert steps.to_pylist() == [{"run": "a", "n": 5}, {"run": "b", "n": 5}]
    other = write_state(FIRST, tmp_path / "elsewhere" / "a")
    with pytest.raises(UsageError, match="the name 'a' belongs to the run at"):
        watch(workspace, WatchPlan([other]))
    watch(workspace, WatchPlan([other], name="other"))
    with pytest.raises(UsageError, match="several runs are called 'a'"):
        watch(workspace, WatchPlan([one, other]))
    with pytest.raises(UsageError, match="one name"):
        watch(workspace, WatchPlan([one, two], name="x"))


def test_what_the_logs_do_not_say_can_be_told(workspace: Workspace, write_state: Any) -> None:
    run = write_state(FIRST)
    watch(workspace, WatchPlan([run], max_steps=50, unfreezes=[3]))
    watch(workspace, WatchPlan([run], unfreezes=[3]))
    (known,) = workspace.read(RUNS_TABLE, schema=TRAIN_RUNS).to_pylist()
    assert (known["max_steps"], known["unfreezes"]) == (50, [3])


def test_exit_codes(workspace: Workspace, write_state: Any, tmp_path: Path) -> None:
    fine = watch(workspace, WatchPlan([write_state(FIRST, tmp_path / "fine")]))
    assert fine.exit_code() is ExitCode.OK
    lost = [*FIRST, {"step": 6, "loss": math.nan}]
    stopped = watch(workspace, WatchPlan([write_state(lost, tmp_path / "lost")]))
    assert stopped.exit_code() is ExitCode.FAILED
    long = [{"step": 1, "epoch": 31.0, "loss": 1.0}]
    warned = watch(workspace, WatchPlan([write_state(long, tmp_path / "long")]))
    assert (warned.exit_code(), warned.exit_code("warning")) == (ExitCode.OK, ExitCode.FAILED)
    nothing = watch(workspace, WatchPlan([write_state([], tmp_path / "nothing")]))
    assert nothing.exit_code() is ExitCode.UNDECIDED


def test_the_stop_file_says_why(workspace: Workspace, write_state: Any, tmp_path: Path) -> None:
    stop = tmp_path / "flags" / "STOP"
    result = watch(workspace, WatchPlan([write_state(FIRST, tmp_path / "a")]))
    assert not write_stop_file(result, stop)
    assert not stop.exists()
    lost = [*FIRST, {"step": 6, "loss": math.inf}]
    result = watch(workspace, WatchPlan([write_state(lost, tmp_path / "b")]))
    assert write_stop_file(result, stop)
    assert stop.read_text() == "b\tnon_finite_loss\tstep 6\tthe train loss is inf at step 6\n"


class TestFollow:
    def test_until_the_run_ends(self, workspace: Workspace, write_state: Any) -> None:
        """The log grows between two looks: by five steps, by nothing, and by the last ones."""
        histories = [FIRST, [*FIRST, *MORE[:2]], [*FIRST, *MORE[:2]], [*FIRST, *MORE]]
        run = write_state(histories[0], max_steps=10)
        looks = iter(histories[1:])

        def pause(_seconds: float) -> None:
            write_state(next(looks), max_steps=10)

        found = list(follow(workspace, WatchPlan([run]), pause=pause))
        assert [(r.runs[0].last_step, r.runs[0].state) for r in found] == [
            (5, "running"), (7, "running"), (10, "ended"),
        ]  # fmt: skip
        assert not found[-1].quiet
        assert len(stored(workspace)) == 10

    def test_until_a_rule_stops_it(self, workspace: Workspace, write_state: Any) -> None:
        run = write_state(FIRST, max_steps=1000)
        lost = [*FIRST, {"step": 6, "loss": math.nan}]
        found = list(
            follow(
                workspace,
                WatchPlan([run]),
                pause=lambda _s: write_state(lost, max_steps=1000) and None,
            )
        )
        assert len(found) == 2
        assert [item.level for item in found[-1].findings] == [Level.STOP]

    def test_until_the_logs_grow_no_more(self, workspace: Workspace, write_state: Any) -> None:
        run, pauses = write_state(FIRST, max_steps=1000), []
        found = list(
            follow(workspace, WatchPlan([run]), every_s=30, idle_s=90, pause=pauses.append)
        )
        assert pauses == [30, 30, 30]
        assert [result.quiet for result in found] == [False, True]
        assert found[-1].exit_code() is ExitCode.UNDECIDED

    def test_a_run_that_begins_later(self, workspace: Workspace, tmp_path: Path) -> None:
        run = tmp_path / "later"

        def pause(_seconds: float) -> None:
            run.mkdir(exist_ok=True)
            (run / "trainer_state.json").write_text(
                json.dumps({"max_steps": 5, "global_step": 5, "log_history": FIRST})
            )

        (found,) = follow(workspace, WatchPlan([run]), pause=pause)
        assert found.runs[0].state == "ended"

    def test_a_mistake_is_told_at_once(self, workspace: Workspace, write_state: Any) -> None:
        run = write_state([*FIRST, {"step": 5, "eval_wer": 0.5}])
        plan = WatchPlan([run], settings=WatchSettings(metric="cer"))
        pauses: list[float] = []
        with pytest.raises(UsageError, match="unknown validation metric 'cer'"):
            list(follow(workspace, plan, pause=pauses.append))
        assert pauses == []

    def test_a_run_that_never_begins(self, workspace: Workspace, tmp_path: Path) -> None:
        with pytest.raises(UndecidedError, match="no such file"):
            list(
                follow(
                    workspace,
                    WatchPlan([tmp_path / "never"]),
                    every_s=30,
                    idle_s=60,
                    pause=lambda _s: None,
                )
            )


def test_a_metric_that_is_not_validated(workspace: Workspace, write_state: Any) -> None:
    run = write_state([*FIRST, {"step": 5, "eval_wer": 0.5, "eval_clean_wer": 0.3}])
    with pytest.raises(UsageError, match="unknown validation metric 'clean_were'") as caught:
        watch(workspace, WatchPlan([run], settings=WatchSettings(metric="clean_were")))
    assert "did you mean 'clean_wer'" in str(caught.value)
    report = watch(workspace, WatchPlan([run], settings=WatchSettings(metric="clean_wer"))).runs[0]
    assert report.judged_by == "clean_wer"
    early = write_state(FIRST)  # nothing is validated yet, or any more
    assert watch(workspace, WatchPlan([early])).runs[0].judged_by == "wer"


@pytest.mark.slow
def test_two_watches_at_once_write_each_value_once(workspace: Workspace, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    lines = "".join(f"{step},0.5\n" for step in range(20_000))
    (run / "metrics.csv").write_text("step,train_loss\n" + lines)
    command = [sys.executable, "-m", "asrdq", "-w", str(workspace.root), "-q", "watch", str(run)]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    counted = workspace.query("SELECT count(*) AS n FROM train_metrics").to_pylist()
    assert counted == [{"n": 20_000}]
    assert workspace.query("SELECT count(*) AS n FROM train_runs").to_pylist() == [{"n": 1}]


@pytest.mark.slow
def test_a_killed_watch_goes_on(workspace: Workspace, tmp_path: Path) -> None:
    """Killed at several moments while a log of 60,000 steps is read and stored."""
    run = tmp_path / "run"
    run.mkdir()
    lines = "".join(f"{step},0.5\n" for step in range(60_000))
    (run / "metrics.csv").write_text("step,train_loss\n" + lines)
    command = [sys.executable, "-m", "asrdq", "-w", str(workspace.root), "watch", str(run)]
    for moment in (0.3, 0.6, 0.9, 1.2):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(moment)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    watch(workspace, WatchPlan([run]))
    counted = workspace.query(
        "SELECT count(*) AS n, count(DISTINCT step) AS steps FROM train_metrics"
    )
    assert counted.to_pylist() == [{"n": 60_000, "steps": 60_000}]
    assert watch(workspace, WatchPlan([run])).runs[0].added == 0


@pytest.mark.slow
def test_a_million_steps(workspace: Workspace, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    lines = "".join(f"{step},{1 / (1 + step):.6f}\n" for step in range(1_000_000))
    (run / "metrics.csv").write_text("step,train_loss\n" + lines)
    report = watch(workspace, WatchPlan([run])).runs[0]
    assert (report.last_step, report.added) == (999_999, 1_000_000)
    assert (report.metrics[0].first, report.metrics[0].last) == (1.0, 0.000001)
    with (run / "metrics.csv").open("a") as file:
        file.write("1000000,nan\n")
    report = watch(workspace, WatchPlan([run])).runs[0]
    assert report.added == 1
    assert [item.step for item in report.fired(Level.STOP)] == [1_000_000]


@pytest.mark.slow
def test_what_the_commands_say_has_no_markup_and_can_be_pasted(
    run_cli: RunCli, tmp_path: Path
) -> None:
    """A folder may have any name, and the next command is there to be run."""
    run_cli("init", "ws")
    run = tmp_path / "it's $(touch here)"
    run.mkdir()
    (run / "metrics.csv").write_text("epoch,step,train_loss\n0,1,nan\n", encoding="utf-8")
    followed = run_cli("watch", run, "--follow", "--workspace", "ws", code=1)
    assert "\nstop the train loss is nan at step 1" in followed.stderr
    assert f"asrdq -w ws checkpoints {shlex.quote(str(run))}" in followed.stderr.replace("\n", "")
    chosen = run_cli("checkpoints", run, "--workspace", "ws", code=4)
    assert "\nthe previous model is not named: --previous NAME" in "\n" + chosen.stderr
    assert f"asrdq -w ws watch {shlex.quote(str(run))}" in chosen.stderr.replace("\n", "")
