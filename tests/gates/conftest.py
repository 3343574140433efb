"""An audited manifest as the audit leaves it, so that each test can break one thing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from asrdq.audio import file_hashes
from asrdq.audit.tables import AUDITS, CALIBRATIONS, DETECTIONS
from asrdq.sampling import SamplingPlan, draw_sample

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

Change = Callable[[dict[str, Any]], None]


@dataclass
class Audited:
    """A workspace with a manifest of two strata, 300 noisy and 100 clean rows.

    Every clip is audited unless told otherwise. `write_audit` writes the tables of an audit in
    which `low` names how many clips of each stratum are of low quality; its rows can be changed
    before they are written.
    """

    workspace: Workspace
    folder: Path
    manifest: ManifestVersion
    tables: dict[str, pa.Table] = field(default_factory=dict)

    def write_audit(
        self,
        low: dict[str, int] | None = None,
        *,
        plan: SamplingPlan | None = None,
        change: Change | None = None,
        tables: Callable[[dict[str, pa.Table]], None] | None = None,
        state: str = "done",
        calibration: dict[str, str] | None = None,
        recall: float = 1.0,
        leave_out: tuple[str, ...] = (),
    ) -> str:
        plan = plan or SamplingPlan("domain", fraction=1.0)
        with self.workspace.run("audit", self.manifest) as run:
            sample = draw_sample(self.workspace, self.manifest, plan, run_id=run.run_id)
            left = dict(low or {})
            clips = [self._clip(row, left) for row in sample.clips.to_pylist()]
            for row in clips:
                if change:
                    change(row)
            strata = sorted(row["stratum"] for row in sample.strata.to_pylist())
            written = {
                "audits": pa.Table.from_pylist(clips, schema=AUDITS),
                "detections": detections(recall),
                "calibrations": calibrations(strata, calibration or {}),
            }
            if tables:
                tables(written)
            for name, table in written.items():
                if name not in leave_out:
                    rows = table.set_column(0, "run_id", pa.repeat(run.run_id, table.num_rows))
                    self.workspace.append(name, rows)
            run.finish(state)
        return run.run_id

    def _clip(self, row: dict[str, Any], left: dict[str, int]) -> dict[str, Any]:
        bad = left.get(row["stratum"], 0) > 0
        left[row["stratum"]] = left.get(row["stratum"], 0) - 1
        path = str(self.folder / f"{row['utt_id']}.wav")
        return {
            "run_id": "",
            "utt_id": row["utt_id"],
            "stratum": row["stratum"],
            "inclusion_probability": row["inclusion_probability"],
            "audio_path": path,
            "audio_hash": file_hashes([path])[path],
            "text": "a sentence",
            "duration_s": 2.0,
            "voiced_s": 1.5,
            "text_coverage": 0.4 if bad else 1.0,
            "speech_coverage": 0.9,
            "coverage": 0.4 if bad else 0.9,
            "confidence": 0.9,
            "chars_per_second": 4.5,
            "length_mismatch": False,
            "low_quality": bad,
            "reasons": ["low_text_coverage"] if bad else [],
            "instrument": "ok",
        }


def detections(recall: float) -> pa.Table:
    found = {"swapped_text": 1.0, "half_audio": recall, "substituted_word": 0.5}
    rows = [
        {
            "run_id": "",
            "stratum": None,
            "fault": fault,
            "gross": fault != "substituted_word",
            "clips": 100,
            "found": round(100 * share),
            "rate": share,
        }
        for fault, share in found.items()
    ]
    untouched = {"run_id": "", "stratum": None, "fault": "untouched", "gross": False}
    rows.append({**untouched, "clips": 100, "found": 4, "rate": 0.01})
    return pa.Table.from_pylist(rows, schema=DETECTIONS)


def calibrations(strata: list[str], verdicts: dict[str, str]) -> pa.Table:
    rows = [
        {"run_id": "", "stratum": name, "verdict": verdicts.get(name, "ok"), "clips": 50}
        for name in strata
    ]
    return pa.Table.from_pylist(rows, schema=CALIBRATIONS)


def write_manifest(folder: Path, noisy: int = 300, clean: int = 100) -> Path:
    names = ["noisy"] * noisy + ["clean"] * clean
    lines = []
    for number, domain in enumerate(names):
        audio = folder / f"clip-{number:04d}.wav"
        if not audio.exists():
            audio.write_bytes(b"audio of " + audio.name.encode())
        row = {"id": audio.stem, "audio_filepath": str(audio), "text": "a sentence"}
        lines.append(json.dumps({**row, "duration": 2.0, "domain": domain}) + "\n")
    file = folder / "train.jsonl"
    file.write_text("".join(lines), encoding="utf-8")
    return file


@pytest.fixture
def audited(workspace: Workspace, tmp_path: Path) -> Audited:
    """A workspace whose manifest `train` was ingested; `write_audit` audits it."""
    from asrdq.manifests import ingest_manifest

    folder = tmp_path / "audio"
    folder.mkdir()
    ingest_manifest(workspace, [write_manifest(folder)], "train")
    return Audited(workspace, folder, workspace.manifest("train"))


@pytest.fixture
def faults_found() -> pa.Table:
    """Rows of `detections` in which every gross fault was found."""
    return detections(1.0)
