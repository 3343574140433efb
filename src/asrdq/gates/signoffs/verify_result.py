"""What `verify` compared, and what of it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from asrdq.errors import ExitCode
from asrdq.gates.signoffs.signoff import SignoffBody
from asrdq.results import Result

CHECKS = pa.schema(
    [
        ("part", pa.string()),
        ("subject", pa.string()),
        ("same", pa.bool_()),
        ("message", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was compared with what was signed.

    Args:
        part: `ledger`, `signature`, `data`, `audio`, `evidence`, `policy`, `suite`, `criteria` or
            `waiver`.
        subject: Which one: a table, a file, a manifest version.
        message: What changed; empty where nothing did.
    """

    part: str
    subject: str
    message: str = ""


@dataclass(frozen=True)
class VerifyResult(Result):
    """What was compared, and what of it changed.

    Attributes:
        signoffs: The sign-offs that were looked at: the newest of each manifest asked about.
        checks: One row a comparison: part, subject, same, message.
    """

    main_table: ClassVar[str] = "checks"

    signoffs: tuple[SignoffBody, ...]
    checks: pa.Table

    def changes(self) -> list[str]:
        """Return what changed, a line each, naming it exactly."""
        return [
            f"{row['part']}: {row['subject']}: {row['message']}"
            for row in self.checks.to_pylist()
            if not row["same"]
        ]

    def exit_code(self) -> ExitCode:
        """Return 0 where nothing changed, else 1."""
        return ExitCode.FAILED if self.changes() else ExitCode.OK

    def summary(self) -> str:
        """Return who signed what, and every change."""
        lines = []
        for body in self.signoffs:
            key = f"key {body.public_key[:16]}…" if body.public_key else "without a key"
            lines.append(
                f"{body.manifest}@{body.manifest_version}: {body.verdict} accepted by "
                f"{body.signed_by} on {body.recorded[:10]}, {key}"
            )
        changes = [f"  CHANGED {change}" for change in self.changes()]
        same = f"  all {self.checks.num_rows:,} comparisons are as signed"
        return "\n".join([*lines, *(changes or [same])])
