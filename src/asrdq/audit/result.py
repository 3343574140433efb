"""What an audit returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from asrdq.alignment import AlignmentStatus
from asrdq.audit.faults import Fault
from asrdq.audit.reasons import InstrumentStatus, Reason
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
        calibrated: Whether thresholds were fitted on this data, or by `asrdq calibrate` for this
            aligner, version and language.
        thresholds: One sentence on where the thresholds come from.
        thresholds_note: Why those of `asrdq calibrate` were not taken, where there are some.
        audits: One row a clip (schema `AUDITS`); the main table.
        alignments: What the aligner answered (schema `ALIGNMENTS`).
        word_spans: The placed words (schema `WORD_SPANS`).
        fault_trials: The planted faults, each found or not (schema `FAULT_TRIALS`).
        detections: Recall and false alarms (schema `DETECTIONS`).
        calibrations: What the instrument is worth, by stratum and fold (schema `CALIBRATIONS`).
        hypothesis_signals: Hypotheses against transcripts (schema `HYPOTHESIS_SIGNALS`), where
            there was a set to compare with.
        agreements: Clips by two aligners (schema `AGREEMENTS`), where there was a second.
        instrument_agreement: Figures of that by stratum (schema `INSTRUMENT_AGREEMENT`).
        folds: Which model judged whom, out of fold (schema `AUDIT_FOLDS`).
    """

    main_table: ClassVar[str] = "audits"

    run_id: str
    sample_run_id: str
    manifest: str
    fingerprint: str
    aligner: str
    calibrated: bool
    thresholds: str
    thresholds_note: str
    audits: pa.Table
    alignments: pa.Table
    word_spans: pa.Table
    fault_trials: pa.Table
    detections: pa.Table
    calibrations: pa.Table
    hypothesis_signals: pa.Table | None = None
    agreements: pa.Table | None = None
    instrument_agreement: pa.Table | None = None
    folds: pa.Table | None = None

    def tables(self) -> dict[str, pa.Table]:
        """Return every table by the name it has in the workspace."""
        names = ("audits", "alignments", "word_spans", "fault_trials", "detections", "calibrations")
        asked = ("hypothesis_signals", "agreements", "instrument_agreement")
        found = {name: getattr(self, name) for name in (*names, *asked)}
        found["audit_folds"] = self.folds
        return {name: table for name, table in found.items() if table is not None}

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
        for name, count in self._not_judged():
            lines += [f"  not judged, {name}: {count:,}", *self._example(name)]
        unfitted = set(self.calibrations["verdict"].to_pylist()) == {InstrumentStatus.TOO_FEW}
        none = "none, there are too few clips to fit them to"
        lines.append(f"  thresholds: {none if unfitted else self.thresholds}")
        if self.thresholds_note:
            lines.append(f"    of asrdq.yaml none was taken: {self.thresholds_note}")
        return "\n".join(
            [*lines, *self._unproven(), *self._heard(), *self._proof(), *self._agreement()]
        )

    def _heard(self) -> list[str]:
        table = self.hypothesis_signals
        if table is None:
            return []
        lacking = table["hypothesis"].null_count
        name, usual = table["hyps"][0].as_py(), pc.approximate_median(table["cer"]).as_py()
        lines = [
            f"  hypotheses {name}: of {table.num_rows - lacking:,} of {table.num_rows:,} clips"
            + ("" if usual is None else f", median CER {100 * usual:.1f} %")
            + "; their limits are settings, no planted fault proves them"
        ]
        reasons = self.audits["reasons"].to_pylist()
        differing = sum(Reason.HYPOTHESIS_DIFFERS in row for row in reasons)
        if 2 * differing > table.num_rows - lacking:
            lines.append(
                "    more than half differ: a recogniser that is wrong so often says little of the "
                "transcripts; take a better one, or raise audit.hypothesis_cer_maximum"
            )
        if lacking:
            lines.append(f"    {lacking:,} clips without one get no reason from it")
        return lines

    def _agreement(self) -> list[str]:
        if self.instrument_agreement is None:
            return []
        row = self.instrument_agreement.filter(pc.field("stratum").is_null()).to_pylist()[0]
        lines = [f"  second aligner {row['second_aligner']}:"]
        if row["median_ms"] is not None:
            lines.append(
                f"    boundaries of {row['words_both']:,} words apart: median "
                f"{row['median_ms']:.0f} ms, 90 % within {row['p90_ms']:.0f} ms"
            )
        kappa = "undefined" if row["kappa"] is None else f"{row['kappa']:.2f}"
        lines.append(
            f"    low quality by both {row['both_low']:,}, by the first alone "
            f"{row['first_only']:,}, by the second alone {row['second_only']:,}, by neither "
            f"{row['neither_low']:,}; not judged by one or both {row['not_judged']:,}; "
            f"kappa {kappa}"
        )
        return lines

    def _unproven(self) -> list[str]:
        """Return what is not proven of what the models of folds have heard."""
        rows = self.folds.to_pylist() if self.folds is not None else []
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

    def _example(self, instrument: str) -> list[str]:
        """Return what the first clip lacks whose alignment could not be imported."""
        if instrument != AlignmentStatus.NOT_IMPORTED:
            return []
        found = self.alignments.filter(pc.field("status") == instrument).slice(0, 1).to_pylist()
        return [
            f"    e.g. {row['utt_id']}: {row['detail']}; for others: alignments.detail"
            for row in found
        ]

    def _proof(self) -> list[str]:
        if not self.fault_trials.num_rows:
            return ["  no faults were planted: the instrument is not proven on this data"]
        found = [r for r in self.detections.to_pylist() if r["stratum"] is None]
        lines = ["  planted faults found, all strata (95 % interval):"]
        if not any(row["clips"] for row in found):
            lines = ["  planted faults: no stratum can be judged, so that none is found or missed"]
        for row in found:
            if row["rate"] is not None:
                name = "false alarms" if row["fault"] == Fault.UNTOUCHED else row["fault"]
                lines.append(
                    f"    {name:18} {row['found']:>5,} of {row['clips']:>5,}  "
                    f"{100 * row['rate']:5.1f} % [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
                )
        weak = [r for r in self.calibrations.to_pylist() if r["verdict"] != InstrumentStatus.OK]
        return lines + [
            f"  stratum {row['stratum']}"
            + (f", model of {row['fold']}" if row["fold"] else "")
            + f": instrument {row['verdict']}"
            for row in weak
        ]
