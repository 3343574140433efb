"""`asrdq duplicates`: what one manifest holds twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from asrdq.console import Stage, silent
from asrdq.leakage.findings import findings, line, too_much, touched_durations, undecided
from asrdq.leakage.leaks import as_rows
from asrdq.leakage.matches import MATCHES, joined
from asrdq.leakage.plan import BY_FILE, BY_TEXT, LeakPlan
from asrdq.leakage.spans import repeated_audio
from asrdq.leakage.texts import repeated_texts
from asrdq.results import Result

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

TABLE = "duplicates"
DUPLICATES = pa.schema(
    [
        ("run_id", pa.string()),
        ("manifest", pa.string()),
        *MATCHES,
        ("duration_s", pa.float64()),
    ]
)
"""One row a kind and utterance that repeats another one of the manifest."""


@dataclass(frozen=True)
class DuplicateResult(Result):
    """What a manifest holds twice.

    Attributes:
        run_id: The run.
        manifest: The manifest version.
        findings: One row a kind, schema `FINDINGS`; rows that are alike count all of them.
        too_much: Kinds above their limit.
        undecided: Kinds with a limit that could not be compared, or not for all rows.
        notes: What a person should know of how it was compared.
        duplicates: One row a kind and utterance, schema `DUPLICATES`.
    """

    main_table: ClassVar[str] = "findings"

    run_id: str
    manifest: str
    findings: pa.Table
    too_much: tuple[str, ...]
    undecided: tuple[str, ...]
    notes: tuple[str, ...]
    duplicates: pa.Table = field(repr=False)

    def summary(self) -> str:
        """Return a line a kind."""
        lines = [f"{self.manifest} against itself"]
        return "\n".join(
            [*lines, *(f"  {line(row)}" for row in self.findings.to_pylist()), *self.notes]
        )


def find_duplicates(
    workspace: Workspace,
    manifest: ManifestVersion,
    plan: LeakPlan | None = None,
    *,
    stage: Stage = silent,
) -> DuplicateResult:
    """Look for audio and text that a manifest holds twice, exactly or nearly.

    As `find_leaks` does between two manifests, without speakers, terms and other columns. The
    rows go to the table `duplicates`. No kind has a limit unless the plan names one.

    Args:
        workspace: Where the manifest is.
        manifest: The version to look at.
        plan: What to compare and what is too much.
        stage: Opens progress displays.
    """
    plan = (plan or LeakPlan()).without_values()
    kinds, parts = plan.kinds(), []
    with workspace.run("duplicates", manifest, plan.parameters()) as run:
        if set(kinds) & set(map(str, BY_FILE)):
            parts.append(repeated_audio(workspace, manifest, stage))
        if set(kinds) & set(map(str, BY_TEXT)):
            with stage("text", manifest.rows, "rows") as bar:
                parts.append(repeated_texts(workspace, manifest, plan, bar.advance))
        compared = joined(parts).of(kinds)
        durations = touched_durations(workspace, manifest, compared)
        found = findings(compared, durations, plan, strict=False)
        keys = {"run_id": run.run_id, "manifest": str(manifest)}
        rows = as_rows(compared, durations, keys, DUPLICATES)
        workspace.replace(TABLE, rows, run_id=run.run_id)
    return DuplicateResult(
        **keys,
        findings=found,
        too_much=tuple(too_much(found)),
        undecided=tuple(undecided(found)),
        notes=compared.notes,
        duplicates=rows,
    )
