"""What a check found, as rows and in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from asrdq.checks.suites import CRITICAL, WARNING
from asrdq.errors import counted
from asrdq.results import Result

if TYPE_CHECKING:
    import pyarrow as pa

EXAMPLES = 3
LONGEST_SHOWN = 200
"""Characters of an id or a value that the overview shows; the tables have all of it."""


@dataclass(frozen=True)
class CheckResult(Result):
    """What a suite says of a manifest version.

    Attributes:
        run_id: The run.
        manifest: Name and version.
        suite: Name of the suite.
        suite_hash: SHA-256 of its file.
        rows: Rows that were checked.
        hours: Their stated hours.
        checks: One row an expectation, schema `CHECKS_SCHEMA`.
        failing: Rows that fail, a limited number of each expectation; `CHECK_RESULTS_SCHEMA`.
    """

    main_table: ClassVar[str] = "checks"

    run_id: str
    manifest: str
    suite: str
    suite_hash: str
    rows: int
    hours: float
    checks: pa.Table
    failing: pa.Table = field(repr=False)

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The expectations that could not be judged."""
        return [row for row in self.checks.to_pylist() if row["error"] is not None]

    @property
    def failed(self) -> list[dict[str, Any]]:
        """The critical expectations that do not hold."""
        return self._unmet(CRITICAL)

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """The other expectations that do not hold."""
        return self._unmet(WARNING)

    def _unmet(self, severity: str) -> list[dict[str, Any]]:
        return [
            row
            for row in self.checks.to_pylist()
            if not row["success"] and row["error"] is None and row["severity"] == severity
        ]

    def summary(self) -> str:
        """Return how many expectations hold."""
        met = sum(self.checks["success"].to_pylist())
        return (
            f"{self.manifest} against {self.suite}: {met} of {self.checks.num_rows} expectations "
            f"hold ({len(self.failed)} critical failed, {counted(len(self.warnings), 'warning')}, "
            f"{len(self.errors)} could not be judged); {self.rows:,} rows, {self.hours:,.2f} h"
        )

    def overview(self) -> pa.Table:
        """Return one row an expectation, with what a person wants to see of it."""
        import pyarrow as pa

        examples: dict[int, list[str]] = {}
        for row in self.failing.to_pylist():
            told = f"{_cut(row['utt_id'])}: {_cut(row['value'])}"
            examples.setdefault(row["position"], []).append(told)
        rows = [_line(row, examples.get(row["position"], [])) for row in self.checks.to_pylist()]
        return pa.Table.from_pylist(rows, schema=_overview_schema())


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def _overview_schema() -> pa.Schema:
    import pyarrow as pa

    texts = ("state", "severity", "expectation", "column")
    numbers = (("rows", pa.int64()), ("share", pa.float64()), ("hours", pa.float64()))
    return pa.schema([*((name, pa.string()) for name in texts), *numbers, ("shown", pa.string())])


def _line(row: dict[str, Any], examples: list[str]) -> dict[str, Any]:
    state = "error" if row["error"] else "holds" if row["success"] else "fails"
    shown = row["error"] or "; ".join(filter(None, [*examples[:EXAMPLES], row["observed"]])) or None
    return {**row, "state": state, "shown": shown}
