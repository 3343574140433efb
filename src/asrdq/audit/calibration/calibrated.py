"""What `asrdq calibrate` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa

from asrdq.audit.faults import Fault
from asrdq.calibration_settings import CalibrationEntry
from asrdq.results import Result
from asrdq.settings import SETTINGS_FILE


@dataclass(frozen=True)
class CalibrateResult(Result):
    """Thresholds fitted on half of the speakers, and what they were worth on the others.

    Attributes:
        run_id: The run that made it.
        manifest: The manifest version, as `train@3`.
        fingerprint: Its content.
        aligner: Name and version.
        by: The column whose values have thresholds of their own; None where there is none.
        false_alarm_budget: Share of right clips that may be flagged.
        entries: What went into `asrdq.yaml`, one a language; empty where nothing could be fitted.
        groups: One row a language and value (schema `CALIBRATION_GROUPS`); the main table.
        checks: Recall and false alarms on the other half (schema `CALIBRATION_CHECKS`).
        costs: Good hours lost, bad hours kept (schema `CALIBRATION_COSTS`).
    """

    main_table: ClassVar[str] = "groups"

    run_id: str
    manifest: str
    fingerprint: str
    aligner: str
    by: str | None
    false_alarm_budget: float
    entries: tuple[CalibrationEntry, ...]
    groups: pa.Table
    checks: pa.Table
    costs: pa.Table

    def tables(self) -> dict[str, pa.Table]:
        """Return every table by the name it has in the workspace."""
        names = ("groups", "checks", "costs")
        return {f"calibration_{name}": getattr(self, name) for name in names}

    @property
    def left_out(self) -> list[str]:
        """The groups that got no threshold, with the reason."""
        return [f"{_name(row)}: {row['verdict']}" for row in self._groups() if not row["stored"]]

    def summary(self) -> str:
        """Return each group with its threshold, what it finds and what it costs."""
        budget = f"{100 * self.false_alarm_budget:g} %"
        lines = [
            f"{self.manifest}: {self.aligner}, thresholds for {budget} false alarms, fitted on "
            "half of the speakers; figures are of the other half (95 % interval)"
        ]
        for row in self._groups():
            lines += self._group_lines(row)
        files = ", ".join(entry.file for entry in self.entries)
        written = f"written into {SETTINGS_FILE}; detectors in {files}"
        return "\n".join([*lines, written if files else f"{SETTINGS_FILE} was left as it is"])

    def _groups(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.groups.to_pylist()
        return rows

    def _group_lines(self, row: dict[str, Any]) -> list[str]:
        head = (
            f"  {_name(row)}: {row['clips_fitted']:,} clips fitted on, {row['clips_checked']:,} "
            "checked"
        )
        if not row["stored"]:
            return [f"{head}; no threshold: {row['verdict']}"]
        lines = [f"{head}; threshold {row['threshold']:.2f}, fitted on {row['fitted_on']}"]
        for check in _of_group(self.checks, row):
            name = "false alarms" if check["fault"] == Fault.UNTOUCHED else check["fault"]
            lines.append(
                f"    {name:18} {check['found']:>5,} of {check['clips']:>5,}  {_interval(check)}"
            )
        for cost in _of_group(self.costs, row):
            if cost["share"] is not None:
                lines.append(
                    f"    {cost['cost']:18} {_interval({**cost, 'rate': cost['share']})}: "
                    f"{cost['expected_h']:.3g} h of {cost['of_h']:.3g} h "
                    f"[{cost['low_h']:.3g}, {cost['high_h']:.3g}]"
                )
        return lines


def _name(row: dict[str, Any]) -> str:
    return row["language"] if row["value"] is None else f"{row['language']}, {row['value']}"


def _of_group(table: pa.Table, row: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        one
        for one in table.to_pylist()
        if (one["language"], one["value"]) == (row["language"], row["value"])
    ]


def _interval(row: dict[str, Any]) -> str:
    return f"{100 * row['rate']:5.1f} % [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
