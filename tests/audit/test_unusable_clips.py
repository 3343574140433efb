"""Clips without usable audio: left out of planting, refused where there is nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from asrdq.audio import probe_manifest
from asrdq.audit import AuditPlan, AuditResult, audit
from asrdq.errors import DataError, UsageError
from asrdq.manifests import ingest_manifest
from asrdq.s3_errors import S3Error
from asrdq.sampling import SamplingPlan, draw_sample
from asrdq.workspace import ManifestVersion, Workspace

pytestmark = pytest.mark.slow

PLAN = AuditPlan("everywhere")


def ingested(workspace: Workspace, rows: Sequence[dict[str, Any]], name: str) -> ManifestVersion:
    file = workspace.root / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ingest_manifest(workspace, [file], name)
    draw_sample(workspace, workspace.manifest(name), SamplingPlan(fraction=1.0))
    return workspace.manifest(name)


def short_clips(data_samples: Path, count: int) -> list[dict[str, Any]]:
    lines = (data_samples / "manifest.jsonl").read_text().splitlines()
    rows = sorted((json.loads(line) for line in lines), key=lambda row: row["duration"])[:count]
    return [{**row, "audio_filepath": str(data_samples / row["audio_filepath"])} for row in rows]


def commands(workspace: Workspace) -> list[str]:
    found: list[str] = workspace.read("runs")["command"].to_pylist()
    return found


def figures(result: AuditResult) -> list[list[dict[str, Any]]]:
    tables = (result.calibrations, result.detections)
    return [table.drop_columns(["run_id"]).to_pylist() for table in tables]


def test_files_that_cannot_be_read_are_judged_and_change_no_figure(
    workspace: Workspace, trial_aligners: Path, data_samples: Path, tmp_path: Path
) -> None:
    rows = short_clips(data_samples, 24)
    broken = []
    for number in range(12):
        file = tmp_path / f"{number}.flac"
        if number < 10:
            file.write_bytes(b"this is no audio" * (number + 1))
        broken.append({"audio_filepath": str(file), "text": "one two three"})
    expected = audit(workspace, ingested(workspace, rows, "whole"), PLAN, workers=2)
    found = audit(workspace, ingested(workspace, [*rows, *broken], "mixed"), PLAN, workers=2)
    planted = [
        row["utt_id"] for row in found.fault_trials.to_pylist() if row["fault"] != "untouched"
    ]
    assert len(planted) == expected.fault_trials.num_rows - len(rows)
    assert len(set(planted)) == len(rows)
    assert figures(found) == figures(expected)
    bad = [row["reasons"] for row in found.audits.to_pylist() if row["instrument"] == "ok"]
    # The stratum cannot be judged, and plain facts are no rate of it.
    assert "low quality: 12 of 12 judged\n" in found.summary()
    assert sorted(bad) == [["missing_audio"]] * 2 + [["unreadable_audio"]] * 10


def test_an_audit_that_can_read_nothing_stops_and_plants_nothing(
    workspace: Workspace, trial_aligners: Path, tmp_path: Path
) -> None:
    (tmp_path / "1.flac").write_bytes(b"this is no audio")
    rows = [{"audio_filepath": str(tmp_path / f"{n}.flac"), "text": "one two"} for n in range(3)]
    manifest = ingested(workspace, rows, "lost")
    with pytest.raises(DataError, match="not one of 3 clips of lost@0 could be read") as raised:
        audit(workspace, manifest, PLAN, workers=1)
    assert raised.value.hint == "if the audio has moved, set audio_root in asrdq.yaml"
    assert not workspace.table_exists("audits")
    assert not trial_aligners.read_text()


def test_audio_at_addresses_is_refused_before_work_starts(
    workspace: Workspace, trial_aligners: Path, tmp_path: Path
) -> None:
    here = {"audio_filepath": str(tmp_path / "a.flac"), "text": "one"}
    there = {"audio_filepath": "https://example.org/b.flac", "text": "two"}
    manifest = ingested(workspace, [here, there], "far")
    with pytest.raises(UsageError, match="https:// are not read"):
        audit(workspace, manifest, PLAN, workers=1)
    assert "audit" not in commands(workspace)
    with pytest.raises(UsageError, match="https:// are not read"):
        probe_manifest(workspace, manifest, workers=1)


def test_a_bucket_that_is_not_there_is_told_before_work_starts(
    workspace: Workspace, trial_aligners: Path, bucket: str
) -> None:
    lost = {"audio_filepath": f"s3://{bucket}-gone/b.flac", "text": "two"}
    manifest = ingested(workspace, [lost], "far")
    with pytest.raises(S3Error, match="there is no bucket"):
        audit(workspace, manifest, PLAN, workers=1)
    assert "audit" not in commands(workspace)
    assert not trial_aligners.read_text()


def test_shipped_thresholds_are_for_their_own_aligner(
    workspace: Workspace, trial_aligners: Path, data_samples: Path
) -> None:
    manifest = ingested(workspace, short_clips(data_samples, 1), "one")
    plan = AuditPlan("everywhere", calibrate=False)
    with pytest.raises(
        UsageError, match=r"are for the aligner 'pocketsphinx'.*not for 'everywhere'"
    ):
        audit(workspace, manifest, plan, workers=1)
    assert "audit" not in commands(workspace)
