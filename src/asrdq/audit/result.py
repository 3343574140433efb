"""What an audit returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from asrdq.audit.faults import Fault
from asrdq.audit.reasons import InstrumentStatus
from asrdq.audit.tables import AUDIT_FOLDS
from asrdq.results import Result


@dataclass(frozen=True)
class AuditResult(Result):
    """The judged sample, and what proves or limits the judgement.

    Attributes:
        run_id: The run that made it.
        sample_run_id: The run that drew the sample.
        manifest: The manifest version, as `train@3`.
        fingerprint: Its content.
        aligner: Name and version.
        calibrated: Whether thresholds were fitted on this data.
        audits: One row a clip (schema `AUDITS`); the main table.
        alignments: What the aligner answered (schema `ALIGNMENTS`).
        word_spans: The placed words (schema `WORD_SPANS`).
        fault_trials: The planted faults, each found or not (schema `FAULT_TRIALS`).
        detections: Recall and false alarms (schema `DETECTIONS`).
        calibrations: What the instrument is worth, by stratum (schema `CALIBRATIONS`).
        folds: Which model judged whom, out of fold (schema `AUDIT_FOLDS`); else empty.
    """

    main_table: ClassVar[str] = "audits"

    run_id: str
    sample_run_id: str
    manifest: str
    fingerprint: str
    aligner: str
    calibrated: bool
    audits: pa.Table
    alignments: pa.Table
    word_spans: pa.Table
    fault_trials: pa.Table
    detections: pa.Table
    calibrations: pa.Table
    folds: pa.Table = field(default_factory=AUDIT_FOLDS.empty_table)

    def tables(self) -> dict[str, pa.Table]:
        """Return every table by the name it has in the workspace."""
        names = ("audits", "alignments", "word_spans", "fault_trials", "detections")
        found = {name: getattr(self, name) for name in (*names, "calibrations")}
        return {**found, "audit_folds": self.folds} if self.folds.num_rows else found

    @property
    def low_quality(self) -> int:
        """Judged clips of low quality."""
        return int(pc.sum(self.audits["low_quality"]).as_py() or 0)

    @property
    def judged(self) -> int:
        """Clips with a verdict."""
        return int(self.audits.num_rows - self.audits["low_quality"].null_count)

    def summary(self) -> str:
        """Return counts, reasons, what was not judged, and the power of the instrument."""
        blind = {InstrumentStatus.TOO_WEAK, InstrumentStatus.TOO_FEW} & dict(
            self._not_judged()
        ).keys()
        known = self.judged and not blind
        share = f" ({100 * self.low_quality / self.judged:.1f} %)" if known else ""
        lines = [
            f"{self.manifest}: {self.audits.num_rows:,} clips audited with {self.aligner}",
            f"  low quality: {self.low_quality:,} of {self.judged:,} judged{share}",
        ]
        lines += [f"    {name}: {count:,}" for name, count in self._reasons()]
        lines += [f"  not judged, {name}: {count:,}" for name, count in self._not_judged()]
        return "\n".join(lines + self._heard() + self._proof())

    def _heard(self) -> list[str]:
        """Return what is not proven of what the models of folds have heard."""
        rows = self.folds.to_pylist()
        accepted = [row for row in rows if row["proof"] != "proven"]
        lines = [
            f"  {row['fold']}: not proven to be without its speakers: {row['detail']}"
            for row in accepted
        ]
        bases = sorted({row["base"] for row in rows if row["base_proof"] == "unknown"})
        if bases:
            lines.append(f"  what their base had heard is not known: {', '.join(bases)}")
        return lines

    def _reasons(self) -> list[tuple[str, int]]:
        low = self.audits.filter(pc.field("low_quality"))
        counted = pc.value_counts(pc.list_flatten(low["reasons"])).to_pylist()
        return sorted(((c["values"], c["counts"]) for c in counted), key=lambda c: -c[1])

    def _not_judged(self) -> list[tuple[str, int]]:
        counted = pc.value_counts(self.audits["instrument"]).to_pylist()
        return sorted(
            (c["values"], c["counts"]) for c in counted if c["values"] != InstrumentStatus.OK
        )

    def _proof(self) -> list[str]:
        if not self.fault_trials.num_rows:
            return ["  no faults were planted: the instrument is not proven on this data"]
        lines = ["  planted faults found, all strata (95 % interval):"]
        for row in self.detections.to_pylist():
            if row["stratum"] is None and row["rate"] is not None:
                name = "false alarms" if row["fault"] == Fault.UNTOUCHED else row["fault"]
                lines.append(
                    f"    {name:18} {row['found']:>5,} of {row['clips']:>5,}  "
                    f"{100 * row['rate']:5.1f} % [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
                )
        weak = [r for r in self.calibrations.to_pylist() if r["verdict"] != InstrumentStatus.OK]
        lines += [f"  stratum {row['stratum']}: instrument {row['verdict']}" for row in weak]
        return lines
