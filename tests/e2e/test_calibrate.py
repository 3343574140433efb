"""`asrdq calibrate`, and audits by its thresholds, with PocketSphinx on real recordings."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from asrdq.alignment import build_aligner
from asrdq.audit import GROSS, AuditPlan, audit
from asrdq.audit.calibration.calibrating import CalibratePlan, calibrate_aligner
from asrdq.errors import ToolError
from asrdq.gates import evaluate_gate
from asrdq.manifests import ingest_manifest
from asrdq.reporting import write_report
from asrdq.settings import SETTINGS_FILE
from asrdq.workspace import Workspace

pytestmark = pytest.mark.slow(minutes=3)

RunCli = Callable[..., "subprocess.CompletedProcess[str]"]
Kill = Callable[["subprocess.Popen[bytes]", float], bool]

SETTINGS = """\
# our settings
sampling:
  fraction: 1.0   # all of it

audit:
    calibration_clips: 24   # enough
"""
CLIPS, PLANTED = 44, 24
COMMAND = ("calibrate", "train", "--aligner", "pocketsphinx", "--false-alarms", "3%")
KILLED_AT = (0.05, 0.2, 0.4)
"""Shares of the alignments that are kept at the time of each kill, at least."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data_samples: Path) -> Path:
    """A workspace with the shortest sample clips; what is aligned in it is cached for all tests."""
    folder = tmp_path_factory.mktemp("calibrate") / "ws"
    Workspace.init(folder)
    (folder / SETTINGS_FILE).write_text(SETTINGS)
    lines = (data_samples / "manifest.jsonl").read_text().splitlines()
    rows = sorted((json.loads(line) for line in lines), key=lambda row: row["duration"])[:CLIPS]
    for row in rows:
        row["audio_filepath"] = str(data_samples / row["audio_filepath"])
    manifest = folder / "train.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingest_manifest(Workspace.open(folder), [manifest], "train")
    return folder


@pytest.fixture
def calibrated(folder: Path, run_cli: RunCli) -> Path:
    """The workspace with its settings as `asrdq calibrate` left them, which runs once."""
    settings, kept = folder / SETTINGS_FILE, folder / "calibrated.yaml"
    if kept.exists():
        settings.write_text(kept.read_text())
        return folder
    settings.write_text(SETTINGS)
    done = run_cli(*COMMAND, "--workers", "2", cwd=folder)
    assert "good hours lost" in done.stdout
    assert "asrdq audit train" in done.stderr
    kept.write_text(settings.read_text())
    return folder


def entry_of(folder: Path) -> dict[str, Any]:
    [entry] = yaml.safe_load((folder / SETTINGS_FILE).read_text())["calibrations"]
    found: dict[str, Any] = entry
    return found


def aligned(folder: Path) -> int:
    store = Workspace.open(folder).store
    if not store.exists("cache/alignments"):
        return 0
    return store.open("cache/alignments").to_pyarrow_table().num_rows


def test_thresholds_go_into_the_settings_with_where_they_are_from(calibrated: Path) -> None:
    text = (calibrated / SETTINGS_FILE).read_text()
    assert text.startswith(SETTINGS)
    entry = entry_of(calibrated)
    manifest = Workspace.open(calibrated).manifest("train")
    aligner = build_aligner("pocketsphinx")
    assert (entry["aligner"], entry["aligner_version"]) == ("pocketsphinx", aligner.version)
    assert (entry["manifest"], entry["fingerprint"]) == ("train@0", manifest.fingerprint)
    assert (entry["language"], entry["seed"], entry["false_alarm_budget"]) == ("en", 42, 0.03)
    assert (calibrated / entry["file"]).is_file()
    [group] = entry["groups"]
    assert group["clips"]["fitted"] + group["clips"]["checked"] == CLIPS
    speakers = set(Workspace.open(calibrated).scan(manifest, ["speaker"])["speaker"].to_pylist())
    assert group["speakers"]["fitted"] + group["speakers"]["checked"] == len(speakers)
    for fault in GROSS:
        assert group["recall"][fault.value]["rate"] >= 0.75, fault
    assert group["false_alarms"]["low"] <= 0.1


def test_killed_and_gone_on_with_on_a_cluster_it_says_the_same(
    calibrated: Path, tmp_path: Path, kill: Kill, run_cli: RunCli
) -> None:
    """Each kill lies where clips are left to align; the last part of them is aligned on Ray."""
    other, whole = tmp_path / "killed", aligned(calibrated)
    shutil.copytree(calibrated, other)
    for left_over in (other / "tables" / "cache", other / "calibrations"):
        shutil.rmtree(left_over)
    (other / SETTINGS_FILE).write_text(SETTINGS)
    for share in KILLED_AT:
        process = subprocess.Popen(
            [sys.executable, "-m", "asrdq", *COMMAND, "--workers", "2"],
            cwd=other,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while process.poll() is None and aligned(other) <= share * whole:
            time.sleep(0.2)
        assert kill(process, 0.0)
        assert (other / SETTINGS_FILE).read_text() == SETTINGS
    kept = aligned(other)
    run_cli(*COMMAND, "--engine", "ray", "--workers", "2", cwd=other)
    assert 0 < kept < aligned(other) == len(keys_of(other))
    assert keys_of(other) <= keys_of(calibrated)
    assert newest(other) == newest(calibrated)
    ours, theirs = entry_of(other), entry_of(calibrated)
    assert {key for key in ours if ours[key] != theirs[key]} <= {"run_id", "date", "file", "sha256"}
    assert ours["groups"] == theirs["groups"]


def keys_of(folder: Path) -> set[str]:
    """Return the keys of all alignments that were kept."""
    kept = Workspace.open(folder).store.open("cache/alignments").to_pyarrow_table()
    return {str(key) for key in kept["key"].to_pylist()}


def newest(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of the newest calibration, without its run id."""
    workspace = Workspace.open(folder)
    run_id = workspace.query(
        "SELECT run_id FROM runs WHERE command = 'calibrate' AND state = 'done' "
        "ORDER BY started DESC LIMIT 1"
    )["run_id"][0].as_py()
    return {
        name: workspace.read(name, where=f"run_id = '{run_id}'")
        .drop_columns(["run_id"])
        .to_pylist()
        for name in ("calibration_groups", "calibration_checks", "calibration_costs")
    }


def test_an_audit_judges_by_them_and_proves_them(calibrated: Path) -> None:
    before = aligned(calibrated)
    workspace = Workspace.open(calibrated)
    manifest = workspace.manifest("train")
    result = audit(workspace, manifest, workers=2)
    assert aligned(calibrated) == before
    assert result.calibrated
    assert result.thresholds.startswith("of asrdq calibrate, for pocketsphinx")
    assert result.thresholds in result.summary()
    [row] = result.calibrations.to_pylist()
    assert (row["verdict"], row["fitted_on"]) == ("ok", result.thresholds)
    gate = evaluate_gate(workspace, manifest)
    assert "unproven" not in {finding.code for finding in gate.reasons}
    page = write_report(workspace, "train").path
    assert f"Thresholds: {result.thresholds}" in Path(str(page)).read_text()


def test_without_planted_faults_they_prove_nothing(calibrated: Path) -> None:
    workspace = Workspace.open(calibrated)
    manifest = workspace.manifest("train")
    result = audit(workspace, manifest, AuditPlan("pocketsphinx", False, False), workers=2)
    assert result.calibrations["verdict"].to_pylist() == ["stored"]
    gate = evaluate_gate(workspace, manifest)
    assert gate.verdict == "UNDECIDED"
    assert any("thresholds of asrdq calibrate in" in finding.message for finding in gate.reasons)


def test_another_version_is_told_and_fits_anew(calibrated: Path, run_cli: RunCli) -> None:
    path = calibrated / SETTINGS_FILE
    version = build_aligner("pocketsphinx").version
    path.write_text(path.read_text().replace(f"aligner_version: {version}", "aligner_version: v0"))
    done = run_cli("audit", "train", "--workers", "2", cwd=calibrated)
    assert "no threshold of asrdq.yaml was taken: they are for version v0" in done.stderr
    assert "thresholds: fitted on faults planted on this data" in done.stdout
    refused = run_cli("audit", "train", "--no-calibration", cwd=calibrated, code=2)
    assert "asrdq calibrate train" in refused.stderr


def test_thresholds_count_only_once_their_figures_are_kept(calibrated: Path) -> None:
    """The table that is written last cannot be; the settings stay as they were."""
    settings = calibrated / SETTINGS_FILE
    settings.write_text(SETTINGS)
    table = calibrated / "tables" / "calibration_costs"
    aside = table.rename(table.with_name("aside"))
    table.write_text("no folder")
    try:
        workspace = Workspace.open(calibrated)
        with pytest.raises(ToolError, match="cannot write a table"):
            calibrate_aligner(workspace, workspace.manifest("train"), CalibratePlan("pocketsphinx"))
    finally:
        table.unlink()
        aside.rename(table)
    assert settings.read_text() == SETTINGS


def test_a_column_that_is_not_there_is_refused(folder: Path, run_cli: RunCli) -> None:
    refused = run_cli("calibrate", "train", "--by", "domian", cwd=folder, code=2)
    assert "did you mean 'domain'?" in refused.stderr
    refused = run_cli("calibrate", "train", "--false-alarms", "60%", cwd=folder, code=2)
    assert "no share above 0 and below a half" in refused.stderr


def test_an_import_cannot_be_calibrated(folder: Path, run_cli: RunCli) -> None:
    (folder / "none").mkdir(exist_ok=True)
    (folder / "none" / "a.ctm").write_text("a 1 0.1 0.2 a\n")
    refused = run_cli("calibrate", "train", "--aligner", "import:none", cwd=folder, code=2)
    assert "gives no evidence about planted faults" in refused.stderr


def test_a_second_aligner_is_compared_and_shown(calibrated: Path, tmp_path: Path) -> None:
    """The second is the first, 40 ms later, and has lost two clips."""
    workspace = Workspace.open(calibrated)
    manifest = workspace.manifest("train")
    plan = AuditPlan("pocketsphinx")
    spans = audit(workspace, manifest, plan, workers=2).word_spans.to_pylist()
    lost = sorted({span["utt_id"] for span in spans})[:2]
    lines = [
        f"{span['utt_id']} 1 {span['start_s'] + 0.04} {span['end_s'] - span['start_s']} "
        f"{span['word']}\n"
        for span in spans
        if span["utt_id"] not in lost
    ]
    (tmp_path / "ctm").mkdir()
    (tmp_path / "ctm" / "all.ctm").write_text("".join(lines))
    both = AuditPlan("pocketsphinx", second=f"import:{tmp_path / 'ctm'}")
    result = audit(workspace, manifest, both, workers=2)
    assert result.agreements is not None
    assert result.instrument_agreement is not None
    [row] = [r for r in result.instrument_agreement.to_pylist() if r["stratum"] is None]
    assert row["median_ms"] == pytest.approx(40.0, abs=1.0)
    assert row["p90_ms"] == pytest.approx(40.0, abs=1.0)
    assert row["not_judged"] >= 2
    judged = {r["utt_id"]: r for r in result.agreements.to_pylist()}
    assert {judged[utt_id]["second_instrument"] for utt_id in lost} == {"not_imported"}
    assert f"second aligner {row['second_aligner']}" in result.summary()
    assert workspace.read("agreements").num_rows == CLIPS
    page = Path(str(write_report(workspace, "train").path)).read_text()
    assert "A second aligner" in page
    assert row["second_aligner"] in page


def test_hypotheses_give_reasons_beside_the_aligner(calibrated: Path, tmp_path: Path) -> None:
    workspace = Workspace.open(calibrated)
    manifest = workspace.manifest("train")
    rows = workspace.scan(manifest, ["utt_id", "text"]).to_pylist()
    other, none, *_ = sorted(row["utt_id"] for row in rows)
    file = tmp_path / "heard.jsonl"
    file.write_text(
        "".join(
            json.dumps(
                {"utt_id": r["utt_id"], "pred_text": "no" if r["utt_id"] == other else r["text"]}
            )
            + "\n"
            for r in rows
            if r["utt_id"] != none
        )
    )
    plain = audit(workspace, manifest, AuditPlan("pocketsphinx"), workers=2)
    result = audit(
        workspace, manifest, AuditPlan("pocketsphinx", hypotheses=f"heard={file}"), workers=2
    )
    found = {row["utt_id"]: row for row in result.audits.to_pylist()}
    assert found[other]["low_quality"] is True
    assert {"hypothesis_differs", "hypothesis_length_differs"} <= set(found[other]["reasons"])
    aligner_alone = {row["utt_id"]: row for row in plain.audits.to_pylist()}
    for utt_id in set(found) - {other}:
        assert found[utt_id]["reasons"] == aligner_alone[utt_id]["reasons"]
    drop = ["run_id"]
    assert result.detections.drop_columns(drop) == plain.detections.drop_columns(drop)
    assert f"hypotheses heard: of {CLIPS - 1} of {CLIPS} clips" in result.summary()
    assert "1 clips without one get no reason from it" in result.summary()
    assert result.hypothesis_signals is not None
    assert workspace.read("hypothesis_signals").num_rows == CLIPS
