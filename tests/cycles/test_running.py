"""A round goes from hand-off to advice, and goes on where it stopped, by what is really there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cycles.conftest import QUICK, Trial, states

from asrdq.errors import DataError, ExitCode, ToolError, UsageError
from asrdq.manifests import ingest_manifest

pytestmark = pytest.mark.slow

FOUND = dict.fromkeys(
    ["hand off", "transcribe before", "train", "transcribe after", "score before", "score after"],
    "found",
)


def test_a_round_from_hand_off_to_advice_and_again_with_nothing_left_to_do(trial: Trial) -> None:
    result = trial.run()
    assert set(states(result).values()) == {"done"}
    assert (result.round, result.before, result.after) == (1, "train-tiny-r0", "train-tiny-r1")
    # 20 × 2 words right after the training, 10 × 3 wrong; all of them missing before
    assert (result.before_rate, result.after_rate) == (1.0, pytest.approx(30 / 70))
    assert (result.verdict, result.exit_code) == ("KEEP", ExitCode.OK)
    assert result.model is not None and json.loads(Path(result.model).read_text()) == {
        "20": "a sentence"
    }
    assert result.advice[0] == "keep the round"
    assert result.next_command == "asrdq report eval"
    assert json.loads(result.to_json())["stages"][0]["stage"] == "hand off"
    again = trial.run()
    assert states(again) == {**FOUND, "compare": "found", "advise": "done"}
    assert (again.round, again.bundle_id, again.exit_code) == (1, result.bundle_id, 0)
    assert again.reasons == result.reasons
    assert trial.workspace.read("comparisons").num_rows == 1


@pytest.mark.parametrize(
    ("where", "found"),
    [("transcribe 0", 1), ("train", 2), ("transcribe 1", 3)],
)
def test_what_failed_is_gone_on_with_and_what_was_done_is_found(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, where: str, found: int
) -> None:
    monkeypatch.setenv("MEMORY_FAILS", where)
    with pytest.raises((ToolError, DataError)):
        trial.run()
    monkeypatch.delenv("MEMORY_FAILS")
    result = trial.run()
    assert list(states(result).values()) == ["found"] * found + ["done"] * (8 - found)
    assert (result.round, result.verdict) == (1, "KEEP")


def test_killed_while_it_trains_the_same_command_goes_on(trial: Trial) -> None:
    file = trial.folder / "tiny.yaml"
    trial.plan()
    command = [
        *(sys.executable, "-m", "asrdq", "cycle", "train", "--val", "val", "--eval", "eval"),
        *("--recipe", str(file), "--base", str(trial.base), "--format", "json", "--workers", "1"),
        *("--trainer", "memory", "-w", str(trial.workspace.root)),
    ]
    paths = os.pathsep.join([trial.path, os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "MEMORY_DIES": "train"}
    killed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    del environment["MEMORY_DIES"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    # the texts of the right rows are in the training data: the held-out ones decide
    assert ended.returncode == ExitCode.UNDECIDED, ended.stderr
    told = json.loads(ended.stdout)
    assert [row["state"] for row in told["stages"]] == ["found"] * 2 + ["done"] * 6
    assert (told["verdict"], told["round"], told["exit_code"]) == ("GROW", 1, 4)
    assert "round 1, 3/8 train" in ended.stderr


def test_evidence_that_is_gone_is_made_again(trial: Trial) -> None:
    first = trial.run()
    hypotheses = trial.workspace.read("hypotheses").schema.empty_table()
    trial.workspace.replace("hypotheses", hypotheses, hyps=first.after, manifest="eval")
    result = trial.run()
    assert states(result) == {
        **FOUND,
        **{"transcribe after": "done", "score after": "done", "compare": "done", "advise": "done"},
    }
    assert result.after_rate == first.after_rate


def test_another_way_of_scoring_is_scored_and_compared_again(trial: Trial) -> None:
    trial.run()
    result = trial.run(score=replace(QUICK, normaliser="none"))
    assert states(result) == {
        **FOUND,
        **{"score before": "done", "score after": "done", "compare": "done", "advise": "done"},
    }


def test_a_bundle_that_was_changed_is_not_trained_on(trial: Trial) -> None:
    trial.run()
    (trial.place / "round-1" / "bundle" / "data" / "train.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match="not the bundle that was handed off") as raised:
        trial.run()
    assert any("data/train.jsonl" in str(problem) for problem in raised.value.problems)
    assert trial.run(new_round=True).round == 2


def test_other_content_is_the_next_round_compared_with_the_last_good_one(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.run()
    monkeypatch.setenv("MEMORY_FORGETS", "1")
    overfit = trial.run(base=str(trial.place / "round-1" / "run" / "adapted.json"))
    assert (overfit.round, overfit.before, overfit.verdict) == (2, "train-tiny-r1", "OVERFIT")
    assert overfit.exit_code == ExitCode.FAILED
    assert "--rows broken" in overfit.next_command
    monkeypatch.delenv("MEMORY_FORGETS")
    third = trial.run(max_steps=7)
    assert (third.round, third.before, third.after) == (3, "train-tiny-r1", "train-tiny-r3")
    assert (third.verdict, third.exit_code) == ("GROW", ExitCode.UNDECIDED)
    assert trial.run().round == 1


def test_a_gate_that_says_stop_refuses_and_nothing_is_begun(trial: Trial) -> None:
    trial.ready.audited.write_audit({"noisy": 200})
    trial.ready.audited.ask()
    with pytest.raises(DataError, match="is not handed off") as raised:
        trial.run()
    assert raised.value.exit_code == ExitCode.FAILED
    assert not (trial.place / "round-1" / "bundle").exists()
    assert "hypotheses" not in trial.workspace.tables()


def test_clips_without_a_hypothesis_are_not_passed_over(trial: Trial) -> None:
    (trial.folder / "eval-0.wav").write_bytes(b"no audio")
    with pytest.raises(DataError):
        trial.run()
    result = trial.run(score=replace(QUICK, ids="empty"))
    assert states(result)["transcribe after"] == "found"
    assert result.after_rate == pytest.approx(32 / 70)


def test_a_training_that_is_stopped_ends_there_and_is_gone_on_with(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEMORY_TERMS", "1")
    stopped = trial.run()
    assert states(stopped) == {"hand off": "done", "transcribe before": "done", "train": "stopped"}
    assert (stopped.verdict, stopped.model) == ("", None)
    assert stopped.exit_code == 128 + signal.SIGTERM
    assert stopped.next_command.startswith("asrdq checkpoints ")
    last = trial.workspace.query("SELECT state FROM runs WHERE command = 'cycle'").to_pylist()
    assert [row["state"] for row in last] == ["interrupted"]
    monkeypatch.delenv("MEMORY_TERMS")
    result = trial.run()
    assert list(states(result).values()) == ["found"] * 2 + ["done"] * 6
    assert (result.round, result.verdict) == (1, "KEEP")


def test_a_server_cannot_be_given_the_model_of_a_round(trial: Trial) -> None:
    url = "http://127.0.0.1:9/v1"
    with pytest.raises(UsageError, match="asks a server"):
        trial.run(transcriber="openai", base=url)


def test_names_that_cannot_be_folders(trial: Trial) -> None:
    with pytest.raises(UsageError, match="cannot name a cycle"):
        trial.run(name="../elsewhere")


def test_new_data_is_a_new_round(trial: Trial) -> None:
    first = trial.run()
    rows = trial.ready.val_rows()
    rows[0]["text"] = "another text"
    file = trial.folder / "val.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    ingest_manifest(trial.workspace, [file], "val")
    second = trial.run()
    assert (second.round, second.before) == (2, first.after)
    assert states(second)["transcribe before"] == "found"
