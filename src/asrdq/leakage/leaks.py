"""`asrdq leaks`: what an evaluation manifest shares with a training manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from asrdq.console import Stage, silent
from asrdq.errors import UsageError
from asrdq.leakage.findings import (
    FINDINGS,
    findings,
    line,
    too_much,
    touched_durations,
    undecided,
)
from asrdq.leakage.matches import MATCHES, Compared, joined
from asrdq.leakage.plan import BY_FILE, BY_TEXT, LeakPlan
from asrdq.leakage.spans import shared_audio
from asrdq.leakage.texts import shared_texts
from asrdq.leakage.values import shared_values
from asrdq.results import Result

if TYPE_CHECKING:
    from asrdq.workspace import ManifestVersion, Workspace

TABLE, FINDINGS_TABLE = "leaks", "leak_findings"
LEAKS = pa.schema(
    [
        ("run_id", pa.string()),
        ("train", pa.string()),
        ("evaluation", pa.string()),
        *MATCHES,
        ("duration_s", pa.float64()),
    ]
)
"""One row a kind and touched utterance of the evaluation manifest; `other_utt_id` is one of the
training manifest."""

LEAK_FINDINGS = pa.schema(
    [("run_id", pa.string()), ("train", pa.string()), ("evaluation", pa.string()), *FINDINGS]
)
"""One row a kind that was compared, also where nothing is shared."""


@dataclass(frozen=True)
class LeakResult(Result):
    """What two manifests share.

    Attributes:
        run_id: The run.
        train: The training manifest version.
        evaluation: The evaluation manifest version.
        findings: One row a kind, schema `FINDINGS`.
        too_much: Kinds above their limit.
        undecided: Kinds with a limit that could not be compared, or not for all rows.
        notes: What a person should know of how it was compared.
        leaks: One row a kind and touched utterance, schema `LEAKS`.
    """

    main_table: ClassVar[str] = "findings"

    run_id: str
    train: str
    evaluation: str
    findings: pa.Table
    too_much: tuple[str, ...]
    undecided: tuple[str, ...]
    notes: tuple[str, ...]
    leaks: pa.Table = field(repr=False)

    def summary(self) -> str:
        """Return a line a kind."""
        lines = [f"{self.evaluation} against {self.train}"]
        return "\n".join(
            [*lines, *(f"  {line(row)}" for row in self.findings.to_pylist()), *self.notes]
        )


def find_leaks(
    workspace: Workspace,
    train: ManifestVersion,
    evaluation: ManifestVersion,
    plan: LeakPlan | None = None,
    *,
    stage: Stage = silent,
) -> LeakResult:
    """Look for what an evaluation manifest shares with a training manifest.

    The same audio (by decoded samples where both were probed, else by the bytes of files),
    overlapping segments of one recording, one transcript on several pieces of a recording, the
    same and nearly the same text, the same speaker, term or value of other columns. The rows
    go to the table `leaks`, what was found of each kind to `leak_findings`.

    Args:
        workspace: Where the manifests are.
        train: The manifest that a model is trained on.
        evaluation: The manifest that it is measured on.
        plan: What to compare and what is too much.
        stage: Opens progress displays.

    Raises:
        UsageError: Both are the same manifest version.
    """
    plan = plan or LeakPlan()
    if train == evaluation:
        raise UsageError(
            f"{train} and {evaluation} are the same version",
            hint=f"asrdq duplicates {train} looks for repetitions inside a manifest",
        )
    parameters = {
        **plan.parameters(),
        "compared": plan.kinds(),
        "train": str(train),
        "train_fingerprint": train.fingerprint,
        "evaluation": str(evaluation),
    }
    with workspace.run("leaks", evaluation, parameters) as run:
        compared = _compare(workspace, train, evaluation, plan, stage)
        durations = touched_durations(workspace, evaluation, compared)
        found = findings(compared, durations, plan, strict=True)
        keys = {"run_id": run.run_id, "train": str(train), "evaluation": str(evaluation)}
        leaks = as_rows(compared, durations, keys, LEAKS)
        workspace.replace(TABLE, leaks, run_id=run.run_id)
        workspace.replace(FINDINGS_TABLE, keyed(found, keys, LEAK_FINDINGS), run_id=run.run_id)
    return LeakResult(
        **keys,
        findings=found,
        too_much=tuple(too_much(found)),
        undecided=tuple(undecided(found)),
        notes=compared.notes,
        leaks=leaks,
    )


def _compare(
    workspace: Workspace,
    train: ManifestVersion,
    evaluation: ManifestVersion,
    plan: LeakPlan,
    stage: Stage,
) -> Compared:
    kinds, parts = plan.kinds(), []
    if set(kinds) & set(map(str, BY_FILE)):
        parts.append(shared_audio(workspace, train, evaluation, stage))
    if set(kinds) & set(map(str, BY_TEXT)):
        with stage("text", train.rows, "rows") as bar:
            parts.append(shared_texts(workspace, train, evaluation, plan, bar.advance))
    for kind in plan.value_kinds():
        parts.append(shared_values(workspace, train, evaluation, kind))
    return joined(parts).of(kinds)


def as_rows(
    compared: Compared, durations: pa.Table, keys: dict[str, str], schema: pa.Schema
) -> pa.Table:
    """Return matches as rows of a result table."""
    rows = compared.matches.join(durations, "utt_id", join_type="left outer")
    order = [("kind", "ascending"), ("utt_id", "ascending")]
    return keyed(rows, keys, schema).sort_by(order)


def keyed(rows: pa.Table, keys: dict[str, str], schema: pa.Schema) -> pa.Table:
    """Return rows with the keys of their run, as a result table has them."""
    for name, value in keys.items():
        rows = rows.append_column(name, pa.repeat(value, rows.num_rows))
    return rows.select(schema.names).cast(schema)
