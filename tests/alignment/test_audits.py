"""Audits with a neural aligner through the command: killed and run again; a broken model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import digits
import numpy as np
import pytest
import soundfile
from deltalake import DeltaTable
from tests.conftest import RunCli, cli_environment
from tests.e2e.conftest import kill  # noqa: F401 a fixture

from asrdq.manifests import ingest_manifest
from asrdq.workspace import Workspace

pytestmark = [pytest.mark.slow(minutes=2), pytest.mark.filterwarnings("ignore")]

Kill = Callable[["subprocess.Popen[bytes]", float], bool]
ROWS = 40
ROWS_IF_KILLED = 100
"""Their copies take several times as long as answers wait for a commit."""


@pytest.fixture
def prepared(
    tmp_path: Path, spoken_digits: digits.Recordings, request: pytest.FixtureRequest
) -> Workspace:
    """Rows of three digits, said to be by two speakers in turn, all of them sampled."""
    chance = np.random.default_rng(8)
    lines = []
    for number in range(getattr(request, "param", ROWS)):
        row = digits.row_of(chance, spoken_digits, chance.choice(digits.WORDS, 3).tolist())
        soundfile.write(tmp_path / f"{number}.wav", row.samples, digits.RATE)
        speaker = ("ann", "ben")[number % 2]
        line = {"id": f"u{number:02}", "audio_filepath": f"{number}.wav", "speaker": speaker}
        lines.append(json.dumps({**line, "text": " ".join(row.words)}) + "\n")
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(lines))
    Workspace.init(tmp_path / "ws")
    (tmp_path / "ws" / "asrdq.yaml").write_text("sampling: {fraction: 1.0}\n")
    workspace = Workspace.open(tmp_path / "ws")
    ingest_manifest(workspace, [file], "rows")
    return workspace


def command(workspace: Workspace, model: Path) -> list[str]:
    wanted = ["--aligner", f"ctc:{model}", "--device", "cpu", "--batch-size", "4"]
    return ["audit", "rows", *wanted, "--workers", "1", "-w", str(workspace.root)]


def cached(workspace: Workspace) -> list[str]:
    folder = Path(str(workspace.root)) / "tables/cache/alignments"
    if not DeltaTable.is_deltatable(str(folder)):
        return []
    return [str(key) for key in DeltaTable(folder).to_pyarrow_table()["key"].to_pylist()]


def outcome(root: Path) -> dict[str, Any]:
    """What was said of each clip and copy, and the numbers behind it.

    After a kill clips are in other batches, which changes the last digits of what a network gives.
    """
    workspace = Workspace.open(root)
    said = "utt_id, reasons, instrument"
    return {
        "clips": workspace.query(f"SELECT {said}, low_quality FROM audits ORDER BY utt_id"),
        "copies": workspace.query(f"SELECT {said}, fault FROM fault_trials ORDER BY utt_id, fault"),
        "words": workspace.query(
            'SELECT utt_id, "index", start_s, end_s FROM word_spans ORDER BY utt_id, "index"'
        ),
    }


def confidences(root: Path) -> list[float]:
    rows = Workspace.open(root).query("SELECT confidence FROM audits ORDER BY utt_id")
    return [-1.0 if value is None else value for value in rows["confidence"].to_pylist()]


@pytest.mark.parametrize("prepared", [ROWS_IF_KILLED], indirect=True)
def test_killed_while_it_aligns_nothing_is_lost_and_nothing_is_done_twice(
    prepared: Workspace,
    tmp_path: Path,
    hf_digits: Path,
    kill: Kill,  # noqa: F811
    run_cli: RunCli,
) -> None:
    calm = tmp_path / "calm"
    shutil.copytree(str(prepared.root), calm)
    process = subprocess.Popen(
        [sys.executable, "-m", "asrdq", *command(prepared, hf_digits)],
        env=cli_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while (
        len(cached(prepared)) <= ROWS_IF_KILLED
    ):  # beyond the clips themselves: the copies have begun
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.02)
    assert kill(process, 0.0)
    kept = cached(prepared)
    assert "audits" not in prepared.tables()

    run_cli(*command(prepared, hf_digits))
    keys = cached(prepared)
    assert set(kept) < set(keys)
    assert len(keys) == len(set(keys))
    run_cli(*command(Workspace.open(calm), hf_digits))
    disturbed = Path(str(prepared.root))
    assert outcome(disturbed) == outcome(calm)
    assert confidences(disturbed) == pytest.approx(confidences(calm), abs=1e-3)


def test_weights_that_are_cut_off_stop_the_audit_and_nothing_takes_their_place(
    prepared: Workspace,
    tmp_path: Path,
    hf_digits: Path,
    run_cli: RunCli,
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(hf_digits, broken)
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    told = run_cli(*command(prepared, broken), code=3).stderr
    assert "its model cannot be loaded" in told and "broken" in told
    assert "audits" not in prepared.tables()
    assert cached(prepared) == []
    assert prepared.query("SELECT state FROM runs WHERE command = 'audit'").to_pylist() == [
        {"state": "failed"}
    ]


def test_out_of_fold_by_models_that_a_person_answers_for(
    prepared: Workspace,
    tmp_path: Path,
    hf_digits: Path,
    run_cli: RunCli,
) -> None:
    """Both have learned the same; another line end makes them two models by their content."""
    second = tmp_path / "second"
    shutil.copytree(hf_digits, second)
    with (second / "config.json").open("a") as config:
        config.write("\n")
    folds = tmp_path / "folds.yaml"
    folds.write_text(
        f"folds:\n- {{name: a, speakers: [ann], model: {hf_digits}}}\n"
        "- {name: b, speakers: [ben], model: second}\n"
    )
    asked = ["audit", "rows", "--aligner", "ctc", "--out-of-fold", "speaker", "--fold-models"]
    asked += [str(folds), "--device", "cpu", "--workers", "1", "-w", str(prepared.root)]
    told = run_cli(*asked, code=1).stderr.replace("\n", " ")
    assert "there is no training_run_info.json beside it" in told and "--unknown-origin" in told
    assert "audits" not in prepared.tables()

    done = run_cli(*asked, "--unknown-origin")
    assert "b: not proven to be without its speakers" in done.stdout
    versions = prepared.query("SELECT fold, aligner_version FROM audit_folds ORDER BY fold")
    judged = prepared.query(
        "SELECT DISTINCT speaker, aligner_version FROM alignments JOIN audits USING (utt_id) "
        "ORDER BY speaker"
    )
    assert judged["aligner_version"].to_pylist() == versions["aligner_version"].to_pylist()
    assert len(set(judged["aligner_version"].to_pylist())) == 2
    [run] = prepared.query("SELECT parameters FROM runs WHERE command = 'audit'").to_pylist()
    assert json.loads(run["parameters"])["aligner_version"].startswith("folds@")
