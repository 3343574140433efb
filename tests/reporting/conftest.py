"""An audited manifest with real audio, as the audit leaves it, whose rows a test can change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from asrdq.audio import file_hashes
from asrdq.audit.faults import GROSS, PLANTED
from asrdq.audit.tables import AUDITS, CALIBRATIONS, DETECTIONS, WORD_SPANS
from asrdq.sampling import SamplingPlan, draw_sample

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

RATE = 16_000
TEXT = "Two cats sat."
WORDS = ("two", "cats", "sat")

Change = Callable[[dict[str, Any]], None]


@dataclass
class Audited:
    """A workspace whose manifest `train` has 20 noisy and 20 clean rows of two seconds."""

    workspace: Workspace
    folder: Path

    @property
    def manifest(self) -> ManifestVersion:
        return self.workspace.manifest("train")

    def ingest(self, change: Change | None = None) -> ManifestVersion:
        from asrdq.manifests import ingest_manifest

        lines = []
        for number in range(40):
            row = {
                "id": f"clip-{number:02d}",
                "audio_filepath": f"clip-{number:02d}.wav",
                "text": TEXT,
                "duration": 2.0,
                "speaker": f"speaker-{number % 5}",
                "domain": "noisy" if number < 20 else "clean",
            }
            if change:
                change(row)
            tone = 0.3 * np.sin(np.arange(2 * RATE) * (0.02 + number / 1000))
            soundfile.write(self.folder / row["audio_filepath"], tone, RATE)
            lines.append(json.dumps(row) + "\n")
        file = self.folder / "train.jsonl"
        file.write_text("".join(lines), encoding="utf-8")
        ingest_manifest(self.workspace, [file], "train")
        return self.manifest

    def write_audit(
        self,
        low: int = 0,
        *,
        change: Change | None = None,
        calibration: str = "ok",
        planted: bool = True,
        spans: bool = True,
    ) -> str:
        """Write an audit of every clip, the first `low` of them of low quality."""
        manifest = self.manifest
        sample = draw_sample(self.workspace, manifest, SamplingPlan("domain", fraction=1.0))
        parameters = {
            **self.workspace.settings.audit.model_dump(),
            "sample_run_id": sample.run_id,
            "calibrate": calibration != "shipped",
        }
        with self.workspace.run("audit", manifest, parameters) as run:
            drawn = {row["utt_id"]: row for row in sample.clips.to_pylist()}
            rows = sorted(
                self.workspace.scan(manifest).to_pylist(), key=lambda row: str(row["utt_id"])
            )
            clips = [self._clip(row, drawn[row["utt_id"]], i < low) for i, row in enumerate(rows)]
            for clip in clips:
                if change:
                    change(clip)
            strata = sorted({clip["stratum"] for clip in clips})
            self._append("audits", clips, AUDITS, run.run_id)
            words = [span for clip in clips for span in word_spans(clip)] if spans else []
            self._append("word_spans", words, WORD_SPANS, run.run_id)
            self._append("detections", detections(planted), DETECTIONS, run.run_id)
            verdicts = [
                {"stratum": name, "verdict": calibration, "clips": 20, "auc_gross": 0.8}
                for name in strata
            ]
            self._append("calibrations", verdicts, CALIBRATIONS, run.run_id)
        return run.run_id

    def _append(self, name: str, rows: list[dict[str, Any]], schema: pa.Schema, run: str) -> None:
        table = pa.Table.from_pylist([{**row, "run_id": run} for row in rows], schema=schema)
        self.workspace.append(name, table)

    def _clip(self, row: dict[str, Any], drawn: dict[str, Any], bad: bool) -> dict[str, Any]:
        path = self.workspace.audio_file(self.manifest, row["audio_path"])
        return {
            "utt_id": row["utt_id"],
            "stratum": drawn["stratum"],
            "inclusion_probability": 1.0,
            "audio_path": row["audio_path"],
            "audio_hash": file_hashes([path])[path],
            "text": row["text"],
            "speaker": row["speaker"],
            "duration_s": 2.0,
            "voiced_s": 1.5,
            "text_coverage": 1.0,
            "speech_coverage": 0.9,
            "coverage": 0.9,
            "confidence": 0.1 if bad else 0.9,
            "chars_per_second": 5.0,
            "length_mismatch": False,
            "low_quality": bad,
            "reasons": ["low_confidence"] if bad else [],
            "instrument": "ok",
        }

    def score(self) -> None:
        """Score hypotheses in which every second clip has a wrong word."""
        from asrdq.hypotheses import load_hypotheses
        from asrdq.scoring import ScorePlan, score_hypotheses

        heard = [
            {"utt_id": f"clip-{n:02d}", "hypothesis": "two cats " + ("sad" if n % 2 else "sat")}
            for n in range(40)
        ]
        file = self.folder / "r1.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in heard), encoding="utf-8")
        load_hypotheses(self.workspace, self.manifest, file, name="r1")
        score_hypotheses(self.workspace, self.manifest, "r1", ScorePlan(by=["domain"]))

    def check(self, *kinds: str, severity: str = "critical", name: str = "mine") -> str:
        """Check the manifest against a suite of these expectations and return the run."""
        from asrdq.checks import check

        items = [{"type": kind, "kwargs": {}, "severity": severity} for kind in kinds]
        file = Path(self.workspace.root) / "expectations" / "mine.json"
        file.write_text(json.dumps({"name": name, "expectations": items}), encoding="utf-8")
        return check(self.workspace, self.manifest, "mine").run_id

    def gate(self) -> str:
        from asrdq.gates import evaluate_gate

        return str(evaluate_gate(self.workspace, self.manifest).verdict)


def word_spans(clip: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "utt_id": clip["utt_id"],
            "stratum": clip["stratum"],
            "index": index,
            "word": word,
            "start_s": 0.2 + 0.5 * index,
            "end_s": 0.6 + 0.5 * index,
            "score": -9.0 if clip["low_quality"] and index == 1 else -2.0 - 0.1 * index,
            "plausible": True,
        }
        for index, word in enumerate(WORDS)
    ]


def detections(planted: bool) -> list[dict[str, Any]]:
    """Of 40 copies a fault, 39 of the gross ones were found and 20 with one word replaced."""
    rows = [
        {"stratum": stratum, "fault": fault.value, "gross": fault in GROSS, "clips": 40}
        | {"found": 39 if fault in GROSS else 20}
        for stratum in (None, "noisy")
        for fault in (PLANTED if planted else ())
    ]
    rows.append({"stratum": None, "fault": "untouched", "gross": False, "clips": 40, "found": 1})
    return [
        {**row, "rate": row["found"] / row["clips"], "low": 0.01, "high": 0.99, "auc": 0.97}
        for row in rows
    ]


@pytest.fixture
def audited(workspace: Workspace, tmp_path: Path) -> Audited:
    """A workspace with an ingested manifest; `write_audit` audits it."""
    folder = tmp_path / "audio"
    folder.mkdir()
    made = Audited(workspace, folder)
    made.ingest()
    return made
