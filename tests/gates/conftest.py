"""An audited manifest as the audit leaves it, so that each test can break one thing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from asrdq.audio import file_hashes
from asrdq.audit.faults import GROSS, PLANTED, Fault
from asrdq.audit.tables import AUDITS, CALIBRATIONS, DETECTIONS
from asrdq.gates import GateResult, evaluate_gate
from asrdq.sampling import SamplingPlan, draw_sample

if TYPE_CHECKING:
    from tests.gates.whole import Whole

    from asrdq.workspace import ManifestVersion, Workspace

Change = Callable[[dict[str, Any]], None]


@dataclass
class Audited:
    """A workspace with a manifest of two strata, 300 noisy and 100 clean rows.

    Every clip is audited unless told otherwise. `write_audit` writes the tables of an audit in
    which `low` names how many clips of each stratum are of low quality, `recall` how many of the
    clips with half their audio were found, and `trials` how many clips a fault was planted on
    where they are not a hundred; its rows can be changed before they are written.
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
        trials: Mapping[Fault, int] | None = None,
        parameters: dict[str, Any] | None = None,
        leave_out: tuple[str, ...] = (),
    ) -> str:
        plan = plan or SamplingPlan("domain", fraction=1.0)
        sample = draw_sample(self.workspace, self.manifest, plan)
        settings = {
            **self.workspace.settings.audit.model_dump(),
            "sample_run_id": sample.run_id,
            **(parameters or {}),
        }
        with self.workspace.run("audit", self.manifest, settings) as run:
            left = dict(low or {})
            drawn = sample.clips.to_pylist()
            hashes = file_hashes([self._path(row) for row in drawn])
            clips = [self._clip(row, left, hashes) for row in drawn]
            for row in clips:
                if change:
                    change(row)
            strata = sorted(row["stratum"] for row in sample.strata.to_pylist())
            written = {
                "audits": pa.Table.from_pylist(clips, schema=AUDITS),
                "detections": detections(recall, trials or {}),
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

    def ask(self, policy: str | None = None) -> GateResult:
        """Ask the gate, by the default policy or by the text of one."""
        file = None
        if policy is not None:
            file = self.folder / "policy.yaml"
            file.write_text(policy, encoding="utf-8")
        return evaluate_gate(self.workspace, self.manifest, policy_file=file)

    def codes(self, policy: str | None = None) -> set[str]:
        """Ask the gate and return the codes of its reasons."""
        return {reason.code for reason in self.ask(policy).reasons}

    def _path(self, row: dict[str, Any]) -> str:
        return str(self.folder / f"{row['utt_id']}.wav")

    def _clip(
        self, row: dict[str, Any], left: dict[str, int], hashes: Mapping[str, str | None]
    ) -> dict[str, Any]:
        bad = left.get(row["stratum"], 0) > 0
        left[row["stratum"]] = left.get(row["stratum"], 0) - 1
        path = self._path(row)
        return {
            "run_id": "",
            "utt_id": row["utt_id"],
            "stratum": row["stratum"],
            "inclusion_probability": row["inclusion_probability"],
            "audio_path": path,
            "audio_hash": hashes[path],
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


def detections(recall: float, trials: Mapping[Fault, int]) -> pa.Table:
    """Every kind of fault planted a hundred times, and a false alarm in as many clips."""
    shares = {Fault.HALF_AUDIO: recall, Fault.SUBSTITUTED_WORD: 0.5}
    tried = {fault: (trials.get(fault, 100), shares.get(fault, 1.0)) for fault in PLANTED}
    rows = [
        {
            "run_id": "",
            "stratum": None,
            "fault": fault.value,
            "gross": fault in GROSS,
            "clips": clips,
            "found": round(clips * share),
            "rate": share,
        }
        for fault, (clips, share) in tried.items()
        if clips
    ]
    untouched = {"run_id": "", "stratum": None, "fault": Fault.UNTOUCHED.value, "gross": False}
    rows.append({**untouched, "clips": 100, "found": 1, "rate": 0.01})
    return pa.Table.from_pylist(rows, schema=DETECTIONS)


def calibrations(strata: list[str], verdicts: dict[str, str]) -> pa.Table:
    rows = [
        {
            "run_id": "",
            "stratum": name,
            "verdict": verdicts.get(name, "ok"),
            "clips": 50,
            "auc_gross": 0.8 if verdicts.get(name) == "too_weak" else 0.99,
            "strained": 0.1,
        }
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


@pytest.fixture(scope="session")
def whole_once(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """The workspace that `whole` copies; nobody changes it."""
    from tests.gates.whole import build

    return build(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def whole(whole_once: Whole, tmp_path: Path) -> Whole:
    """A workspace of one's own with every kind of evidence, in which every rule holds."""
    return whole_once.copy(tmp_path)
