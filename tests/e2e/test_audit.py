"""`asrdq audit` and `asrdq faults` as people and machines meet them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from asrdq.audit import tables
from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]

TABLES = {
    "audits": tables.AUDITS,
    "alignments": tables.ALIGNMENTS,
    "word_spans": tables.WORD_SPANS,
    "fault_trials": tables.FAULT_TRIALS,
    "detections": tables.DETECTIONS,
    "calibrations": tables.CALIBRATIONS,
}


def make_workspace(
    run_cli: RunCli, folder: Path, rows: Sequence[dict[str, Any]], settings: str = ""
) -> Path:
    run_cli("init", folder)
    if settings:
        (folder / "asrdq.yaml").write_text(settings)
    manifest = folder / "train.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run_cli("ingest", manifest, "--name", "train", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def short_rows(data_samples: Path) -> list[dict[str, Any]]:
    """The four shortest sample clips, with absolute paths."""
    lines = (data_samples / "manifest.jsonl").read_text().splitlines()
    rows = sorted((json.loads(line) for line in lines), key=lambda row: row["duration"])[:4]
    for row in rows:
        row["audio_filepath"] = str(data_samples / row["audio_filepath"])
    return rows


WHOLE = "sampling:\n  fraction: 1.0\n"


def test_an_audit_is_written_down_and_not_done_twice(
    run_cli: RunCli, tmp_path: Path, short_rows: list[dict[str, Any]]
) -> None:
    folder = make_workspace(run_cli, tmp_path / "w", short_rows, WHOLE)
    first = run_cli("audit", "train", "--workers", "2", "--format", "json", cwd=folder, code=4)
    assert "not one clip could be judged" in first.stderr
    assert "asrdq gate train" in first.stderr
    seen = json.loads(first.stdout)
    assert seen["schema_version"] == 1
    assert seen["manifest"] == "train@0"
    assert seen["calibrated"] is True
    assert len(seen["audits"]) == len(short_rows)
    # Four clips are too few to calibrate on: none is judged good or bad.
    assert {row["instrument"] for row in seen["audits"]} == {"too_few"}
    assert {row["low_quality"] for row in seen["audits"]} == {None}

    workspace = Workspace.open(folder)
    for name, schema in TABLES.items():
        stored = workspace.read(name)
        assert _names_and_types(stored.schema) == _names_and_types(schema), name
        assert set(stored["run_id"].to_pylist()) == {seen["run_id"]}, name
    aligned = _aligned(folder)
    assert aligned == workspace.read("fault_trials").num_rows

    again = run_cli("audit", "train", "--workers", "2", cwd=folder, code=4)
    assert f"{len(short_rows)} clips audited with pocketsphinx" in again.stdout
    assert _aligned(folder) == aligned
    assert workspace.read("audits").num_rows == 2 * len(short_rows)

    shown = run_cli("faults", "train", "--format", "csv", cwd=folder, code=4).stdout.splitlines()
    assert shown[0] == "stratum,fault,gross,clips,found,rate,low,high,auc"
    assert _aligned(folder) == aligned


def _aligned(folder: Path) -> int:
    """Count what was ever aligned, straight from the cache's table."""
    return int(DeltaTable(folder / "tables/cache/alignments").to_pyarrow_table().num_rows)


def _names_and_types(schema: pa.Schema) -> list[tuple[str, int]]:
    return [(field.name, field.type.id) for field in schema]


def test_an_unknown_aligner_gets_the_nearest(
    run_cli: RunCli, tmp_path: Path, short_rows: list[dict[str, Any]]
) -> None:
    folder = make_workspace(run_cli, tmp_path / "w", short_rows)
    done = run_cli("audit", "train", "--aligner", "pocket-sphinx", cwd=folder, code=2)
    assert "unknown aligner 'pocket-sphinx'" in done.stderr
    assert "did you mean 'pocketsphinx'?" in done.stderr


def test_another_language_is_refused_before_anything_is_aligned(
    run_cli: RunCli, tmp_path: Path, short_rows: list[dict[str, Any]]
) -> None:
    rows = [{**row, "lang": "he", "text": "שלום עולם"} for row in short_rows]
    folder = make_workspace(run_cli, tmp_path / "w", rows, WHOLE)
    done = run_cli("audit", "train", cwd=folder, code=2)
    assert "'pocketsphinx' does not know the language he" in done.stderr
    assert "it knows: en" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "tables/cache").exists()


def test_an_unknown_manifest_gets_the_nearest(
    run_cli: RunCli, tmp_path: Path, short_rows: list[dict[str, Any]]
) -> None:
    folder = make_workspace(run_cli, tmp_path / "w", short_rows)
    done = run_cli("audit", "trian", cwd=folder, code=2)
    assert "did you mean 'train'?" in done.stderr


def test_an_empty_manifest_has_nothing_to_audit(run_cli: RunCli, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    run_cli("init", folder)
    (folder / "train.jsonl").touch()
    run_cli("ingest", folder / "train.jsonl", "--name", "train", cwd=folder, code=None)
    done = run_cli("audit", "train", cwd=folder, code=None)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert "→" in done.stderr


def test_a_manifest_without_any_audio_fails_with_what_to_do(
    run_cli: RunCli, tmp_path: Path
) -> None:
    rows = [{"audio_filepath": f"{n}.wav", "duration": 1.0, "text": "hello"} for n in range(30)]
    folder = make_workspace(run_cli, tmp_path / "w", rows, WHOLE)
    done = run_cli("audit", "train", cwd=folder, code=1)
    assert "not one of 30 clips of train@0 could be read" in done.stderr
    assert "audio_root" in done.stderr
    assert "Traceback" not in done.stderr
    verdict = run_cli("gate", "train", cwd=folder, code=4)
    assert "is failed, not done" in verdict.stdout


def test_the_advice_about_too_few_clips_runs_and_gets_more(
    run_cli: RunCli, tmp_path: Path, short_rows: list[dict[str, Any]]
) -> None:
    """Two of four clips by the settings; the hint asks for all there are."""
    folder = make_workspace(run_cli, tmp_path / "w", short_rows, "sampling:\n  fraction: 0.5\n")
    run_cli("audit", "train", "--workers", "2", cwd=folder, code=4)
    verdict = json.loads(run_cli("gate", "train", "-f", "json", cwd=folder, code=4).stdout)
    reason = verdict["reasons"][0]
    assert reason["code"] == "too_few"
    assert "2 of the 20 needed" in reason["message"]
    assert reason["hint"] == "asrdq sample train --rows 4"
    run_cli(*reason["hint"].split()[1:], cwd=folder)
    run_cli("audit", "train", "--workers", "2", cwd=folder, code=4)
    verdict = json.loads(run_cli("gate", "train", "-f", "json", cwd=folder, code=4).stdout)
    assert "4 of the 20 needed" in verdict["reasons"][0]["message"]
    assert verdict["reasons"][0]["hint"] == "a manifest with more clips: all were audited"


def test_without_calibration_the_verdict_says_that_nothing_is_proven(
    run_cli: RunCli, tmp_path: Path, short_rows: list[dict[str, Any]]
) -> None:
    folder = make_workspace(run_cli, tmp_path / "w", short_rows, WHOLE)
    shown = run_cli("audit", "train", "--no-calibration", "--workers", "2", cwd=folder)
    assert "not proven on this data" in shown.stdout
    workspace = Workspace.open(folder)
    [calibration] = workspace.read("calibrations").to_pylist()
    assert (calibration["verdict"], calibration["fitted_on"]) == ("shipped", "shipped values")
    audits = workspace.read("audits").to_pylist()
    assert {row["instrument"] for row in audits} == {"ok"}
    assert all(0.0 <= row["confidence"] <= 1.0 for row in audits)
    verdict = run_cli("gate", "train", "--format", "json", cwd=folder, code=4)
    assert "not proven on this data" in verdict.stdout
